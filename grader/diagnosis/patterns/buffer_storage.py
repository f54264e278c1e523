"""Which transitions a buffer keeps, and from which places it draws.

A way to store and a way to choose places predict which transitions are ever drawn,
after any script of adds and samples. A pair is named only if it predicts exactly those
that came, in all scripts; the pair with the fewest differences from right code is taken.
To add a way, add a class or a function and a line to `STORES` or `PLACES`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from grader.diagnosis.patterns.buffer_questions import BLANK, Finding, Rows, found

# ---------------------------------------------------------------- ways to store


class Ring:
    """Places that are filled in turn; the first ones are filled anew when full."""

    def __init__(self, capacity: int, rows: Rows) -> None:
        self.capacity, self.rows = capacity, rows
        self.slots: list[int] = [BLANK] * capacity
        self.count = 0

    def place(self) -> int:
        """Return the place of the next transition."""
        return self.count % self.capacity

    def add(self, i: int) -> None:
        """Store transition i."""
        self.slots[self.place()] = i
        self.count += 1

    def sampled(self) -> None:
        """Note that a batch is drawn."""

    def filled(self) -> int:
        """Return the number of places that count as filled."""
        return min(self.count, self.capacity)


class StartsAtOne(Ring):
    """A ring whose first place stays empty at first."""

    def place(self) -> int:
        """Return the place of the next transition."""
        return (self.count + 1) % self.capacity


class CountsBack(Ring):
    """A ring that takes its count of adds for its length after a sample."""

    def sampled(self) -> None:
        """Note that a batch is drawn."""
        self.count = min(self.count, self.capacity)


class SmallRing(Ring):
    """A ring that turns one place too early."""

    def place(self) -> int:
        """Return the place of the next transition."""
        return self.count % max(1, self.capacity - 1)

    def filled(self) -> int:
        """Return the number of places that count as filled."""
        return min(self.count, max(1, self.capacity - 1))


class FirstPlace(Ring):
    """Places of which the first one is filled again and again when full."""

    def place(self) -> int:
        """Return the place of the next transition."""
        return self.count if self.count < self.capacity else 0


class Listed(Ring):
    """A list from which the first one leaves when full."""

    def __init__(self, capacity: int, rows: Rows) -> None:
        super().__init__(capacity, rows)
        self.slots = []

    def add(self, i: int) -> None:
        """Store transition i."""
        if len(self.slots) >= self.capacity:
            self.make_room()
        self.put(i)

    def make_room(self) -> None:
        """Take one out of a full list."""
        self.slots.pop(0)

    def put(self, i: int) -> None:
        """Put in transition i."""
        self.slots.append(i)

    def filled(self) -> int:
        """Return the number of places that count as filled."""
        return len(self.slots)


class NewestFirst(Listed):
    """A list with the newest in front; the last one leaves."""

    def make_room(self) -> None:
        """Take one out of a full list."""
        self.slots.pop()

    def put(self, i: int) -> None:
        """Put in transition i."""
        self.slots.insert(0, i)


class NeverEvicts(Listed):
    """A list that grows without limit."""

    def make_room(self) -> None:
        """Keep all."""


class OneMore(Listed):
    """A list of one more than its capacity."""

    def __init__(self, capacity: int, rows: Rows) -> None:
        super().__init__(capacity + 1, rows)


class OneLess(Listed):
    """A list of one less than its capacity."""

    def __init__(self, capacity: int, rows: Rows) -> None:
        super().__init__(max(1, capacity - 1), rows)


class LosesNewest(Listed):
    """A list from which the last one leaves."""

    def make_room(self) -> None:
        """Take one out of a full list."""
        self.slots.pop()


class Stops(Listed):
    """A list that takes nothing more when full."""

    def add(self, i: int) -> None:
        """Store transition i."""
        if len(self.slots) < self.capacity:
            self.slots.append(i)


class Clears(Listed):
    """A list that is emptied when full."""

    def make_room(self) -> None:
        """Take out all."""
        self.slots = []


class OnlyNewest(Listed):
    """A list whose places all show the newest transition."""

    def put(self, i: int) -> None:
        """Put in transition i."""
        self.slots = [i] * (len(self.slots) + 1)


class OneLate(Listed):
    """A list in which a transition arrives with the next add."""

    waiting = BLANK

    def put(self, i: int) -> None:
        """Put in the transition added before."""
        if self.waiting != BLANK:
            self.slots.append(self.waiting)
        self.waiting = i


class DropsTerminal(Ring):
    """A ring that stores no transition with d true."""

    dropped = True

    def add(self, i: int) -> None:
        """Store transition i, or drop it."""
        if bool(self.rows["terminated"][i]) is not self.dropped:
            super().add(i)


class KeepsTerminal(DropsTerminal):
    """A ring that stores transitions with d true only."""

    dropped = False


@dataclass(frozen=True)
class Way:
    """One way to store or to choose places; `name` is "" where it is right."""

    make: Callable[..., Any]
    name: str = ""
    computes: str = ""
    hint: str = ""
    rare: bool = False

    @property
    def cost(self) -> float:
        """How far it is from what is usual."""
        return bool(self.name) + 0.1 * self.rare


STORES: Sequence[Way] = [
    Way(Ring),
    Way(Listed),
    Way(NewestFirst, rare=True),
    Way(
        NeverEvicts,
        "never-evicts",
        "nothing ever leaves",
        "Your buffer grows beyond its capacity: nothing ever leaves. Once it is full, "
        "each new transition takes the place of the oldest",
    ),
    Way(
        OneMore,
        "capacity-plus-one",
        "one transition more than the capacity is kept",
        "Your buffer holds one transition more than its capacity, as when room is made "
        "one add too late. It never holds more than `capacity`",
    ),
    Way(
        LosesNewest,
        "evicts-newest",
        "when full, the one added last leaves",
        "When your buffer is full, the last one added leaves, and the old ones stay for "
        "ever. The one that was added first has to leave",
    ),
    Way(
        Stops,
        "stops-when-full",
        "when full, the new transition is dropped",
        "When your buffer is full, you drop the new transition and keep the old ones. "
        "The new one is stored, and the oldest leaves",
    ),
    Way(
        Clears,
        "clears-when-full",
        "when full, all leave",
        "When your buffer is full, you throw all of it away and start over. Only the "
        "oldest transition leaves, one for each new one",
    ),
    Way(
        StartsAtOne,
        "starts-at-1",
        "place 0 stays empty until the buffer is full",
        "Until your buffer is full, a place is sampled that was never filled, as when "
        "the first transition goes to place 1. The first place is 0: when does your "
        "count move on?",
    ),
    Way(
        OnlyNewest,
        "list-cleared",
        "every row shows the newest transition",
        "All your rows show the newest transition, as when one and the same list is "
        "stored again and again and each add fills it anew. Each add needs a new list",
    ),
    Way(
        DropsTerminal,
        "drops-terminal",
        "transitions with d true are not stored",
        "You do not store transitions with d true. They are the ones that tell what the "
        "end of an episode is worth: store each one",
    ),
    Way(
        KeepsTerminal,
        "keeps-terminal-only",
        "transitions with d false are not stored",
        "You store transitions with d true only. Each step of an episode is one to "
        "learn from: store each one",
    ),
    Way(
        CountsBack,
        "place-back-after-sample",
        "after a sample, not the oldest leaves",
        "After a sample the next transitions go to other places, so that some are "
        "overwritten too early. Sampling changes nothing, the oldest leaves next",
    ),
    Way(
        OneLess,
        "capacity-minus-one",
        "one transition less than the capacity is kept",
        "Your buffer holds one transition less than its capacity: one leaves too early. "
        "It leaves when `capacity` are stored and one more comes",
    ),
    Way(
        SmallRing,
        "capacity-minus-one",
        "one transition less than the capacity is kept",
        "Your buffer holds one transition less than its capacity: one leaves too early. "
        "It leaves when `capacity` are stored and one more comes",
    ),
    Way(
        FirstPlace,
        "overwrites-one-place",
        "when full, the same place is overwritten again and again",
        "When your buffer is full, each new transition takes the place of the one "
        "before, and old ones stay for ever. The oldest has to leave",
    ),
    Way(
        OneLate,
        "stored-one-late",
        "a transition is stored with the next add",
        "The transition added last is not there until the next one is added. Each add "
        "stores its transition at once",
    ),
]

# ---------------------------------------------------------------- ways to choose places


@dataclass
class State:
    """What a way to choose places may look at.

    Attributes:
        store: the places.
        length: the buffer's own length.
        size: B.
        first: the length at the first sample.
        until_full: the same, renewed at every sample of a full buffer.
        frozen: what the places held at the first sample.
    """

    store: Ring
    length: int
    size: int
    first: int
    until_full: int
    frozen: list[int]


Choose = Callable[[State], list[int]]


def all_stored(s: State) -> list[int]:
    """Return what is stored."""
    return s.store.slots[: s.length]


def latest(s: State) -> list[int]:
    """Return the newest B."""
    return sorted(x for x in all_stored(s) if x != BLANK)[-s.size :]


PLACES: Sequence[Way] = [
    Way(all_stored),
    Way(
        lambda s: s.store.slots,
        "samples-uninitialised",
        "places that were never filled are drawn, too",
        "You draw from all places, also from those that are still empty. Draw from the "
        "transitions that are stored by now",
    ),
    Way(
        lambda s: all_stored(s)[: max(1, s.length - 1)],
        "never-newest",
        "the last row is never drawn",
        "The last row of your buffer is never drawn: your range is one too short. NumPy "
        "already excludes the end of a range",
    ),
    Way(
        lambda s: all_stored(s)[1:] or all_stored(s),
        "never-first",
        "the first row is never drawn",
        "The first row of your buffer is never drawn: your range starts at 1. The first "
        "row is number 0",
    ),
    Way(
        lambda s: all_stored(s)[1:-1],
        "never-ends",
        "the first and the last row are never drawn",
        "The first and the last row of your buffer are never drawn. All that are stored "
        "have to be drawn",
    ),
    Way(
        latest,
        "latest-B",
        "only the newest B are drawn",
        "Your batch is always the newest B transitions. Draw at random from all that "
        "are stored, old and new alike",
    ),
    Way(
        lambda s: all_stored(s)[: s.size],
        "first-B",
        "only the first B rows are drawn",
        "Your batch is always the first B rows of the buffer. Draw at random from all "
        "that are stored",
    ),
    Way(
        lambda s: s.store.slots[: s.first],
        "range-kept",
        "only as many rows as at the first sample are drawn",
        "What is added after the first sample is never drawn: the range of your draws "
        "is set once and not renewed. It is the length of now",
    ),
    Way(
        lambda s: s.frozen,
        "columns-kept",
        "only what was stored at the first sample is drawn",
        "What is added after the first sample is never drawn: you turn the stored rows "
        "into arrays once and keep them. Use what is stored now",
    ),
    Way(
        lambda s: s.store.slots[: s.until_full],
        "range-until-full",
        "only as many rows as at the first sample are drawn, until the buffer is full",
        "What is added after the first sample is not drawn before the buffer is full. "
        "The range of your draws is the length of now, at every sample",
    ),
]

# ---------------------------------------------------------------- what fits


@dataclass(frozen=True)
class Seen:
    """Which transitions came in each "samples" of a script.

    Attributes:
        capacity: of the buffer.
        script: its operations.
        rows: the transitions.
        came: the set of numbers, BLANK for a row of zeros, of each "samples".
        lengths: the buffer's own length at each "samples", None where not known.
    """

    capacity: int
    script: Sequence[Any]
    rows: Rows
    came: Sequence[set[int]]
    lengths: Sequence[int | None]


def predicted(store: Way, places: Way, seen: Seen) -> tuple[list[set[int]], bool]:
    """Predict what may come in each "samples" of a script.

    Returns:
        The transitions of each; whether the buffer's lengths are those of the store.
    """
    held: Ring = store.make(seen.capacity, seen.rows)
    state: State | None = None
    sets: list[set[int]] = []
    as_stored = True
    for name, *arguments in seen.script:
        if name == "add":
            for i in range(*arguments):
                held.add(i)
        elif name == "samples":
            held.sampled()
            own = seen.lengths[len(sets)]
            length = held.filled() if own is None else own
            as_stored &= length == held.filled()
            if state is None:
                frozen = list(held.slots[:length])
                state = State(held, length, arguments[1], length, length, frozen)
            state.length = length
            if length >= seen.capacity:
                state.until_full = length
            sets.append(set(places.make(state)))
    return sets, as_stored


def fitting(seen: Sequence[Seen], *, exactly: bool = True) -> list[tuple[Way, Way]]:
    """Return the ways that predict what came, with the fewest differences.

    Args:
        seen: what came in each script.
        exactly: all that may come have come; else, nothing else has.
    """
    good: list[tuple[float, Way, Way]] = []
    for store in STORES:
        for places in PLACES:
            cost = store.cost + places.cost
            for one in seen:
                sets, as_stored = predicted(store, places, one)
                if not fits(sets, one.came, exactly):
                    break
                # Then the length is a mistake of its own.
                cost = max(cost, store.cost + places.cost + 1.5 * (not as_stored))
            else:
                good.append((cost, store, places))
    least = min((cost for cost, *_ in good), default=0.0)
    return [(s, p) for cost, s, p in good if cost <= least + 1e-6]


def fits(sets: list[set[int]], came: Sequence[set[int]], exactly: bool) -> bool:
    """Tell whether predicted sets are those that came."""
    return all(
        b == a if exactly else b <= a for a, b in zip(sets, came, strict=False)
    )


ASKED_KEPT = "the newest `capacity` are kept"
ASKED_DRAWN = "all that are stored are drawn"
ALL_BLANK = found(
    "at-set-discarded",
    "all rows are 0",
    "each row is a stored transition",
    "Your stored rows stay 0, as when the result of `.at[...].set(...)` is lost: it "
    "changes no array, but returns a new one, which has to be kept",
)


def storage_findings(seen: Sequence[Seen], *, exactly: bool = True) -> list[Finding] | None:
    """Return what is different in storing and choosing places; None if nothing fits."""
    good = fitting(seen, exactly=exactly)
    if not good:
        return None
    names = [{way.name for way in pair if way.name} for pair in good]
    shared = set.intersection(*names)
    asked = (ASKED_KEPT, ASKED_DRAWN)
    findings = [
        found(way.name, way.computes, words, way.hint)
        for way, words in zip(good[0], asked, strict=True)
        if way.name in shared
    ]
    if not findings and names[0]:
        return None
    return findings


def in_words(seen: Seen) -> Finding | None:
    """Say which transitions came and which did not, where no way fits."""
    right, _ = predicted(STORES[0], PLACES[0], seen)
    for k, (expected, came) in enumerate(zip(right, seen.came, strict=False)):
        if came == expected:
            continue
        added = added_before(seen.script, k)
        strange = sorted(came - expected - {BLANK})
        missing = sorted(expected - came)
        lines = [f"drawn: {listed(came)}", f"never drawn: {listed(missing)}"]
        if BLANK in came:
            lines.append("and a row of zeros is drawn")
        text = (
            f"capacity {seen.capacity}, {added} added: "
            + (f"number {strange[0]} is still drawn" if strange else "")
            + (" and " if strange and missing else "")
            + (f"number {missing[0]} is never drawn" if missing else "")
            + (" a row of zeros is drawn" if not (strange or missing) else "")
        )
        hint = (
            "Your buffer does not hold the newest `capacity` transitions, or does not "
            "draw all of them (transitions are numbered from 0). When it is full, the "
            "oldest leaves; what is stored is drawn"
        )
        asked = f"the numbers {listed(expected)} are drawn"
        return found("keeps-others", text, asked, hint, lines)
    return None


def added_before(script: Sequence[Any], k: int) -> int:
    """Return the number of adds before the k-th "samples" of a script."""
    added = count = 0
    for name, *arguments in script:
        if name == "add":
            added += arguments[1] - arguments[0]
        elif name == "samples":
            if count == k:
                break
            count += 1
    return added


def listed(some: Any) -> str:
    """Return transitions' numbers as one writes them."""
    return ", ".join(str(i) for i in sorted(some) if i != BLANK) or "none"
