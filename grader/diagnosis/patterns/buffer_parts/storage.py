"""Find which transitions a buffer keeps, and from which places it draws.

A place is an index of the storage. Two tables have rules, right and wrong ones: in
`STORES` for storing transitions, in `PLACES` for choosing the places to draw from. A
rule of `STORES` and a rule of `PLACES` together are a guess at what the hand-in does.
A guess predicts which transitions can be drawn in a script (a list of operations on a
new buffer). It is accepted only if every prediction equals what was drawn. If several
guesses are accepted, the cheapest are kept: a wrong rule costs 1, a right one almost 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from grader.diagnosis.patterns.buffer_parts.places import FILLED, PLACES, State
from grader.diagnosis.patterns.buffer_parts.questions import BLANK, Finding, Rows, found
from grader.diagnosis.patterns.buffer_parts.stores import STORES, Ring, Way

# ---------------------------------------------------------------- what fits


@dataclass(frozen=True)
class Seen:
    """The transitions that each "samples" operation of a script has drawn.

    Attributes:
        capacity: capacity of the buffer.
        script: list of operations on a new buffer.
        rows: all transitions: for each field an array with one entry per transition.
        drawn: for each "samples", the set of the drawn transitions' numbers; BLANK in
            the set means that a row of zeros was drawn.
        lengths: for each "samples", the length that the buffer gave; None if unknown.
        fails: True if another script has raised an exception.
    """

    capacity: int
    script: Sequence[Any]
    rows: Rows
    drawn: Sequence[set[int]]
    lengths: Sequence[int | None]
    fails: bool = False


def predicted(store: Way, places: Way, seen: Seen) -> tuple[list[set[int]], bool]:
    """Predict which transitions can be drawn by each "samples" operation of a script.

    Args:
        store: the rule, right or wrong, by which transitions are stored.
        places: the rule, right or wrong, by which the places to draw from are chosen.
        seen: the script (a list of operations on a new buffer), and the lengths that
            the hand-in's buffer gave. What was drawn is not used.

    Returns:
        A pair (sets, as_stored). `sets` has for each "samples" the numbers of the
        transitions that can be drawn. `as_stored` is True if no length of the hand-in's
        buffer differs from that of the simulated storage.
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
    """Return the cheapest pairs of rules among those that predict what was drawn.

    A pair has a rule by which transitions are stored, and a rule by which the places to
    draw from are chosen. Both can be right or wrong. The cost of a pair is the sum of
    the costs of its rules (`Way.cost`). The cost is 1.5 higher if the hand-in's lengths
    differ from those of the simulated storage. If a script has raised an exception, the
    cost of a wrong storage is 0.6 higher: draws from it do not fail, but draws below a
    wrong length do.

    Args:
        seen: for each tested buffer, which transitions were drawn.
        exactly: True if a prediction must equal the drawn set; False if some predicted
            transitions may be missing in the drawn set.

    Returns:
        [] if no pair predicts what was drawn.
    """
    good: list[tuple[float, Way, Way]] = []
    for store in STORES:
        for places in PLACES:
            fails = bool(store.name) and any(one.fails for one in seen)
            of_rules = cost = store.cost + places.cost + 0.6 * fails
            for one in seen:
                sets, as_stored = predicted(store, places, one)
                pairs = zip(sets, one.drawn, strict=False)
                if not all(b == a if exactly else b <= a for a, b in pairs):
                    break
                # A wrong length is one more mistake, and costs 1.5.
                cost = max(cost, of_rules + 1.5 * (not as_stored))
            else:
                good.append((cost, store, places))
    least = min((cost for cost, *_ in good), default=0.0)
    return [(s, p) for cost, s, p in good if cost <= least + 1e-6]


ASKED_KEPT = "the newest `capacity` are kept"
ASKED_DRAWN = "all that are stored are drawn"
ALL_BLANK = found(
    "at-set-discarded",
    "all rows are 0",
    "each row is a stored transition",
    "Your stored rows stay 0, as when the result of `.at[...].set(...)` is lost: it "
    "changes no array, but returns a new one, which has to be kept",
)
BLANK_AT_FIRST = found(
    "draws-empty-places",
    "all rows are 0 until the buffer is full",
    "each row is a stored transition",
    "Until your buffer is full, all your rows are 0, as when only places that are "
    "still empty are drawn. Draw from the transitions that are stored by now",
)


def storage_findings(
    seen: Sequence[Seen], *, exactly: bool = True
) -> list[Finding] | None:
    """Return the findings about which transitions are stored, and which are drawn.

    Args:
        seen: for each tested buffer, which transitions were drawn.
        exactly: True if a prediction must equal the drawn set; False if some predicted
            transitions may be missing in the drawn set.

    Returns:
        At most one finding on what is stored and one on what is drawn; [] if both are
        right. None if no rules of `STORES` and `PLACES` predict what was drawn, if the
        answers fit different mistakes equally well, or if no buffer was tested.
    """
    good = fitting(seen, exactly=exactly) if seen else []
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
    """Return a finding that lists the drawn transitions and those that are missing.

    Use this function if `storage_findings` finds no explanation.

    Args:
        seen: the operations on one buffer, and what each "samples" operation has drawn.

    Returns:
        The finding on the first "samples" operation whose drawn transitions are not
        exactly those that a right buffer stores then. None if there is no such
        operation.
    """
    right, _ = predicted(STORES[0], FILLED, seen)
    for k, (expected, drawn) in enumerate(zip(right, seen.drawn, strict=False)):
        if drawn == expected:
            continue
        added = added_before(seen.script, k)
        strange = sorted(drawn - expected - {BLANK})
        missing = sorted(expected - drawn)
        lines = [f"drawn: {listed(drawn)}", f"never drawn: {listed(missing)}"]
        if BLANK in drawn:
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
        return replace(found("keeps-others", text, asked, hint, lines), measured=True)
    return None


def added_before(script: Sequence[Any], k: int) -> int:
    """Return the number of adds in a script before its "samples" operation number k.

    Args:
        script: list of operations on a new buffer.
        k: number of the "samples" operation, counted from 0.
    """
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
    """Return the numbers of transitions as text, in increasing order.

    BLANK, which stands for a row of zeros, is left out.

    Args:
        some: the numbers, such as a set of ints.

    Returns:
        The text, such as "0, 3, 5"; "none" without numbers.
    """
    return ", ".join(str(i) for i in sorted(some) if i != BLANK) or "none"
