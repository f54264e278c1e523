"""Table of rules by which a buffer chooses the places to draw from.

A place is an index of the storage. The table `PLACES` has right rules and wrong ones.
To add a rule, add a line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grader.diagnosis.patterns.buffer_parts.questions import BLANK
from grader.diagnosis.patterns.buffer_parts.stores import Ring, Way

# ---------------------------------------------------------------- ways to choose places


@dataclass
class State:
    """All that a rule for choosing places can depend on, at one draw from a buffer.

    Attributes:
        store: the simulated storage, which holds numbers of transitions.
        length: the length of the hand-in's buffer at this draw; if unknown, the length
            of `store`.
        size: batch size B.
        first: the length at the buffer's first draw.
        until_full: the same as `first` until the buffer is full; from then on, the same
            as `length`.
        frozen: numbers of the transitions that were stored at the first draw.
    """

    store: Ring
    length: int
    size: int
    first: int
    until_full: int
    frozen: list[int]


Choose = Callable[[State], list[int]]


def all_stored(s: State) -> list[int]:
    """Return the numbers of the transitions in the first `s.length` places."""
    return s.store.slots[: s.length]


def latest(s: State) -> list[int]:
    """Return the numbers of the newest B transitions, in ascending order.

    B is the batch size `s.size`.
    """
    return sorted(x for x in all_stored(s) if x != BLANK)[-s.size :]


def before_next(s: State) -> list[int]:
    """Return the transitions in the places before the one that the next add fills.

    If the next add fills place 0, the result is the transition in place 0.
    """
    return s.store.slots[: max(1, s.store.place())]


def from_next(s: State) -> list[int]:
    """Return the transitions from the place that the next add fills to the last one."""
    return s.store.slots[s.store.place() :]


UP_TO_NEXT = (
    "up-to-next-place",
    "only the places before the one that the next add fills are drawn",
    "You draw only from the places before the one that the next add fills. When your "
    "buffer is full, the places behind it hold transitions, too: draw from all that "
    "are stored",
)

# Right, whatever `len` says.
FILLED = Way(lambda s: s.store.slots[: s.store.filled()])
PLACES: Sequence[Way] = [
    Way(all_stored),
    FILLED,
    Way(before_next, *UP_TO_NEXT),
    Way(lambda s: s.store.slots[: s.store.place()] or s.store.slots, *UP_TO_NEXT),
    Way(
        from_next,
        "from-next-place",
        "only the places from the one that the next add fills on are drawn",
        "You draw only from the place that the next add fills, and from those behind "
        "it. The newest transitions are in the places before it: draw from all that "
        "are stored",
    ),
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
        "The last row of your buffer is never drawn: your range is one too short. "
        "NumPy already excludes the end of a range",
    ),
    Way(
        lambda s: all_stored(s)[1:] or all_stored(s),
        "never-first",
        "the first row is never drawn",
        "The first row of your buffer is never drawn: your range starts at 1. The "
        "first row is number 0",
    ),
    Way(
        lambda s: all_stored(s)[1:-1],
        "never-ends",
        "the first and the last row are never drawn",
        "The first and the last row of your buffer are never drawn. All that are "
        "stored have to be drawn",
    ),
    Way(
        latest,
        "latest-B",
        "only the newest B are drawn",
        "Only the newest B transitions of your buffer are ever drawn. Draw at random "
        "from all that are stored, old and new alike",
    ),
    Way(
        lambda s: all_stored(s)[: s.size],
        "first-B",
        "only the first B rows are drawn",
        "Only the first B rows of your buffer are ever drawn. Draw at random from all "
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
