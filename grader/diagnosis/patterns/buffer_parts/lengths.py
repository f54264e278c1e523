"""Find out whether a buffer's length is right, and how it is wrong.

The length is what `len(buffer)` gives. A script is a list of operations on a new
buffer, such as adds and samples.
"""

from typing import Any

import numpy as np

from grader.diagnosis.patterns.buffer_parts.questions import (
    CAPACITY,
    Asker,
    Finding,
    Rows,
    found,
)
from grader.diagnosis.patterns.buffer_parts.stores import STORES, Way


def counted(asker: Asker) -> list[int]:
    """Return the buffer's lengths after 0, 1, … adds; [] if it does not answer.

    There are `CAPACITY` + 4 adds, or `CAPACITY` if adding to a full buffer fails.

    Args:
        asker: plays scripts (lists of operations) on new buffers of the hand-in.
    """
    script: list[Any] = [["len"]]
    for i in range(CAPACITY + 4):
        script += [["add", i, i + 1], ["len"]]
    played = asker.play(*script)
    if played.raised:
        played = asker.play(*script[: 2 * CAPACITY + 1])
    return played.lengths


def lengths_of(way: Way, rows: Rows, n: int) -> list[int]:
    """Simulate a way to store; return the buffer's lengths after 0, 1, …, n - 1 adds.

    Args:
        way: the way, right or wrong, by which transitions are stored.
        rows: the transitions that are added: for each field an array.
        n: how many lengths to return.
    """
    held = way.make(CAPACITY, rows)
    lengths = []
    for i in range(n):
        lengths.append(held.filled())
        held.add(i)
    return lengths


def length_findings(
    asker: Asker, obtained: list[int], storage: set[str]
) -> list[Finding]:
    """Return a finding, in a list, if the buffer's length is wrong; else [].

    A wrong length that follows from a mistake in `storage` is not reported.

    Args:
        asker: plays scripts (lists of operations) on new buffers of the hand-in.
        obtained: the buffer's lengths after 0, 1, … adds.
        storage: names of the storage mistakes that were found before.
    """
    counts = list(range(len(obtained)))
    right = [min(n, CAPACITY) for n in counts]
    ways = [way for way in STORES if way.name in storage]
    held = [lengths_of(way, asker.rows, len(counts)) for way in ways]
    if obtained not in [right, *held]:
        return [wrong_length(obtained, counts, right)] if obtained else []
    i = int(np.flatnonzero(~asker.rows["terminated"])[0])
    if asker.play(*[["add", i, i + 1]] * 3, ["len"]).lengths == [1]:
        return [
            found(
                "drops-duplicates",
                "an equal transition is not stored again",
                "each add stores one more",
                "You do not store a transition that is there already. What happens "
                "more often has to be drawn more often: each add stores one more",
            )
        ]
    after = asker.play(
        *[["add", 0, 3], asker.seed(), ["sample", 2], ["len"], ["add", 3, 6], ["len"]]
    )
    if after.lengths == [3, 3]:
        return [
            found(
                "length-kept",
                "the length stays what it was at the first sample",
                "the length is the number stored now",
                "Your length stays what it was at the first sample. It is the number "
                "of transitions that are stored now",
            )
        ]
    return []


def wrong_length(obtained: list[int], counts: list[int], right: list[int]) -> Finding:
    """Return the finding that says how the buffer's lengths are wrong.

    Args:
        obtained: the buffer's lengths after 0, 1, … adds.
        counts: the list [0, 1, …] of the numbers of adds.
        right: the right lengths after 0, 1, … adds.
    """
    asked = "the length is the number of transitions stored now"
    table = [f"after 0, 1, … adds to capacity {CAPACITY}: {str(obtained)[1:-1][:100]}"]
    if set(obtained) == {CAPACITY}:
        name, text = "len-is-capacity", "the length is the capacity"
        hint = (
            "Your length is the capacity from the start on. It has to say how many "
            "transitions are stored by now, for it tells what may be drawn"
        )
    elif obtained == [n % CAPACITY for n in counts]:
        name, text = "len-starts-again", "the length is 0 again when the buffer is full"
        hint = (
            "Your length starts at 0 again whenever the buffer is full, as when it is "
            "the place of the next add, or when all is thrown away. A full buffer has "
            "`capacity` transitions stored, and keeps as many"
        )
    elif obtained == counts:
        name, text = "len-counts-adds", "the length counts every add"
        hint = (
            "Your length counts every add ever made. Those that have left do not "
            "count: it is never more than the capacity"
        )
    elif len({a - b for a, b in zip(obtained, right, strict=False)}) == 1:
        by = obtained[0] - right[0]
        than = f"{abs(by)} {'more' if by > 0 else 'less'} than"
        name, text = "len-shifted", f"the length is {than} what is stored"
        hint = f"Your length is {than} the number of transitions stored"
    else:
        adds = next(n for n in counts if obtained[n : n + 1] != right[n : n + 1])
        told = f"after {adds} adds to capacity {CAPACITY}"
        name, text = "len-other", f"the length is {obtained[adds]} {told}"
        asked = f"the length is {right[adds]} {told}"
        hint = (
            f"{told.capitalize()}, your length is {obtained[adds]}, "
            f"where {right[adds]} is right: look at what `add` keeps, and at `__len__`"
        )
    return found(name, text, asked, hint, table)
