"""Simulated storages of a replay buffer, right and wrong, one class each.

A storage holds numbers of transitions. To add a storage, add a class and a line to the
table `STORES`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from grader.diagnosis.patterns.buffer_parts.questions import BLANK, STORED, Rows

# ---------------------------------------------------------------- ways to store


class Ring:
    """A right storage: when all places are full, the oldest transition is overwritten.

    A place is an index of the list `slots`, which holds numbers of transitions.

    Args:
        capacity: number of places.
        rows: all transitions: for each field an array with one entry per transition.
    """

    def __init__(self, capacity: int, rows: Rows) -> None:
        self.capacity, self.rows = capacity, rows
        self.slots: list[int] = [BLANK] * capacity
        self.count = 0

    def place(self) -> int:
        """Return the place where the next transition is stored, an index of `slots`."""
        return self.count % self.capacity

    def add(self, i: int) -> None:
        """Store the transition with number i."""
        self.slots[self.place()] = i
        self.count += 1

    def sampled(self) -> None:
        """Do nothing when a batch is drawn; some wrong storages override this."""

    def filled(self) -> int:
        """Return the buffer's length: how many places hold a transition."""
        return min(self.count, self.capacity)


class StartsAtOne(Ring):
    """A wrong ring: place 1 is filled first, and place 0 last."""

    def place(self) -> int:
        """Return the place for the next transition: one after the right place."""
        return (self.count + 1) % self.capacity


class CountsBack(Ring):
    """A wrong ring: a sample from a full buffer sets the count of adds to the capacity.

    The count says where the next transition is stored, so this place may change.
    """

    def sampled(self) -> None:
        """Reduce the count of adds to the capacity, because a batch is drawn."""
        self.count = min(self.count, self.capacity)


class SmallRing(Ring):
    """A wrong ring, with one place less than its capacity."""

    def place(self) -> int:
        """Return the place for the next transition; the last place is never used."""
        return self.count % max(1, self.capacity - 1)

    def filled(self) -> int:
        """Return the buffer's length, at most the capacity minus 1."""
        return min(self.count, max(1, self.capacity - 1))


class FirstPlace(Ring):
    """A wrong storage: when all places are full, only place 0 is overwritten."""

    def place(self) -> int:
        """Return the place where the next transition is stored: 0 when all are full."""
        return self.count if self.count < self.capacity else 0


class Listed(Ring):
    """A right storage in a list: when the list is full, its first entry is removed.

    Args:
        capacity: largest number of entries.
        rows: all transitions: for each field an array with one entry per transition.
    """

    def __init__(self, capacity: int, rows: Rows) -> None:
        super().__init__(capacity, rows)
        self.slots = []

    def add(self, i: int) -> None:
        """Store the transition with number i, after making room if the list is full."""
        if len(self.slots) >= self.capacity:
            self.make_room()
        self.put(i)
        self.count += 1

    def make_room(self) -> None:
        """Remove the first entry, which is the oldest."""
        self.slots.pop(0)

    def put(self, i: int) -> None:
        """Append the transition with number i."""
        self.slots.append(i)

    def filled(self) -> int:
        """Return the buffer's length: the number of entries."""
        return len(self.slots)


class LosesNewest(Listed):
    """A wrong storage in a list: when the list is full, its last entry is removed."""

    def make_room(self) -> None:
        """Remove the last entry, which is the newest."""
        self.slots.pop()


class NewestFirst(LosesNewest):
    """A right storage in a list with the newest entry first.

    When the list is full, its last entry is removed, which is the oldest.
    """

    def put(self, i: int) -> None:
        """Insert the transition with number i before all entries."""
        self.slots.insert(0, i)


class Stops(Listed):
    """A wrong storage in a list: when the list is full, nothing more is stored."""

    def add(self, i: int) -> None:
        """Store the transition with number i, unless the list is full."""
        if len(self.slots) < self.capacity:
            self.slots.append(i)
            self.count += 1


class Clears(Listed):
    """A wrong storage in a list: when the list is full, all entries are removed."""

    def make_room(self) -> None:
        """Remove all entries."""
        self.slots = []


class OnlyNewest(Listed):
    """A wrong storage in a list: an add sets all entries to the newest transition."""

    def put(self, i: int) -> None:
        """Append an entry, and set all entries to the transition with number i."""
        self.slots = [i] * (len(self.slots) + 1)


class OneLate(Listed):
    """A wrong storage in a list: a transition is stored only by the next add."""

    waiting = BLANK

    def put(self, i: int) -> None:
        """Append the transition of the previous add, and keep number i for the next."""
        if self.waiting != BLANK:
            self.slots.append(self.waiting)
        self.waiting = i


class DropsTerminal(Ring):
    """A wrong ring: transitions with `terminated` true are not stored."""

    dropped = True

    def add(self, i: int) -> None:
        """Store the transition with number i, unless `terminated` equals `dropped`."""
        if bool(self.rows["terminated"][i]) is not self.dropped:
            super().add(i)


class KeepsTerminal(DropsTerminal):
    """A wrong ring: transitions with `terminated` false are not stored."""

    dropped = False


@dataclass(frozen=True)
class Way:
    """A way, right or wrong, to store transitions or to choose which ones are drawn.

    Attributes:
        make: in the table `STORES`, a class of storages, or a function with the same
            arguments that returns a storage. In the table `PLACES`, a function of a
            `State` that returns the numbers of the transitions that can be drawn.
        name: name of the mistake; "" for a right rule.
        computes: what the code does, in a few words; "" for a right rule.
        hint: text for the student; "" for a right rule.
        rare: True for a right rule that few people write.
    """

    make: Callable[..., Any]
    name: str = ""
    computes: str = ""
    hint: str = ""
    rare: bool = False

    @property
    def cost(self) -> float:
        """Distance from usual code; 0 for a right rule that is not rare.

        A mistake counts 1, and a rare right rule 0.1.
        """
        return bool(self.name) + 0.1 * self.rare


STORES: Sequence[Way] = [
    Way(Ring),
    Way(Listed),
    Way(NewestFirst, rare=True),
    Way(
        lambda capacity, rows: Listed(STORED, rows),
        "never-evicts",
        "nothing ever leaves",
        "Your buffer grows beyond its capacity: nothing ever leaves. Once it is full, "
        "each new transition takes the place of the oldest",
    ),
    Way(
        lambda capacity, rows: Listed(capacity + 1, rows),
        "capacity-plus-one",
        "one transition more than the capacity is kept",
        "Your buffer holds one transition more than its capacity, as when room is made "
        "one add too late. It never holds more than `capacity`",
    ),
    Way(
        LosesNewest,
        "evicts-newest",
        "when full, the one added last leaves",
        "When your buffer is full, the last one added leaves, and the old ones stay "
        "for ever. The one that was added first has to leave",
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
        "You do not store transitions with d true. They are the ones that tell what "
        "the end of an episode is worth: store each one",
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
    *(
        Way(
            store,
            "capacity-minus-one",
            "one transition less than the capacity is kept",
            "Your buffer holds one transition less than its capacity: one leaves too "
            "early. It leaves when `capacity` are stored and one more comes",
        )
        for store in (
            lambda capacity, rows: Listed(max(1, capacity - 1), rows),
            SmallRing,
        )
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
