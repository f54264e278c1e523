"""Find mistakes of a `ReplayBuffer` with short scripts.

A script is a list of operations on a new buffer, such as adds and samples. The scripts
show whether a buffer can be made and filled, its length, and what its draws depend on.
"""

import re
from typing import Any

import numpy as np

from grader.diagnosis.patterns.buffer_parts import draws
from grader.diagnosis.patterns.buffer_parts.questions import (
    BATCH,
    CAPACITY,
    LARGE,
    Asker,
    Finding,
    Played,
    found,
    joined,
)
from grader.diagnosis.patterns.buffer_parts.stores import STORES

NOT_NUMBERS = re.compile(r"the sample's (\w+) is a \w+, expected numbers")
LIST_OF_ROWS = re.compile(
    r"sample returned a (?:list|tuple) of (\d+), expected 5 fields"
)
# A line of `add` assigns to an element that does not exist, not only reads one.
NO_PLACE = re.compile(
    r"IndexError: (?!list ind).*out of (?:range|bounds).*\n.*, in add: .*\] *=(?!=)"
)


# ---------------------------------------------------------------- first answers


def first_answers(asker: Asker) -> tuple[list[Finding], bool]:
    """Play the first scripts; return findings, and whether to play other scripts.

    It sets `asker.fresh` if buffers share their contents, and `asker.single` if samples
    remove rows from the buffer. If the buffer stores only states of four numbers, the
    asker gets transitions with such states.

    Args:
        asker: plays scripts on new buffers of the hand-in.

    Returns:
        A pair (findings, usable). `usable` is False if the buffer cannot be made or
        gives no usable batch; other scripts are useless then.
    """
    # Import the hand-in anew: if all buffers share one list, it must not be full yet,
    # because a full list does not grow.
    asker.student = asker.student.afresh()
    new = asker.play(["len"])
    if new.raised:
        return no_buffer(new.raised), False
    findings = []
    if finding := shared(asker, new):
        findings.append(finding)
        asker.fresh = True
    first = asker.play(["add", 0, 6], asker.seed(), ["sample", BATCH])
    if first.raised:
        if told := no_arrays(asker, first.raised):
            return [*findings, told], False
        if not (sized := one_size(asker)):
            return findings, False
        findings.append(sized)
    script = [["add", 0, CAPACITY], asker.seed(), ["sample", 4], ["len"]]
    left = asker.play(*script, ["sample", 2], ["len"])
    if left.lengths == [CAPACITY - 4, CAPACITY - 6]:
        findings.append(
            found(
                "sample-consumes",
                "what is sampled leaves the buffer",
                "sampling changes nothing",
                "What you have sampled leaves the buffer. Sampling changes nothing: a "
                "transition is there to be used many times",
            )
        )
        asker.single = True
    return findings, True


def no_buffer(raised: str) -> list[Finding]:
    """Return a finding, in a list, if it is known why no buffer can be made; else [].

    Args:
        raised: message of the exception that was raised when a buffer was made.
    """
    if not re.search(r"'maxsize' is an .*for deque|deque\(\) got .*'maxsize'", raised):
        return []
    return [
        found(
            "deque-maxsize",
            "deque(maxsize=…), which Python's deque does not take",
            "a deque with a limit",
            "Your buffer cannot be made: the slide's deque has an argument of the "
            "wrong name. Look up what Python's deque calls its limit",
        )
    ]


def shared(asker: Asker, new: Played) -> Finding | None:
    """Return a finding if a new buffer holds transitions of another buffer; else None.

    Args:
        asker: plays scripts (lists of operations) on new buffers of the hand-in.
        new: an earlier script that only asks a new buffer for its length, with the
            answer.
    """
    asker.play(["add", 0, 2])
    later = asker.play(["len"])
    grown = [b - a for a, b in zip(new.lengths, later.lengths, strict=False)]
    if grown != [2]:
        return None
    return found(
        "class-attribute",
        "a new buffer holds what was added to another one",
        "a new buffer is empty",
        "A new buffer of yours is not empty, as when its list belongs to the class, so "
        "that all buffers share it. Each buffer needs its own, made when the buffer is",
    )


def no_arrays(asker: Asker, raised: str) -> Finding | None:
    """Return a finding if a batch is a list of rows, or if a field is not numeric.

    For any other wrong batch, the result is None.

    Args:
        asker: plays scripts (lists of operations) on new buffers of the hand-in.
        raised: message of the exception that was raised when `BATCH` rows were drawn.
    """
    if told := NOT_NUMBERS.search(raised):
        name = told[1]
        return found(
            "object-dtype",
            f"{name}: no array of numbers",
            f"{name}: an array of numbers",
            f"Your batch's {name} is no array of numbers, as when its dtype is object: "
            "an array made of rows of different kinds has this type. Make each field "
            "an array of its own",
        )
    other = asker.play(["add", 0, 6], asker.seed(), ["sample", 3])
    sizes = [LIST_OF_ROWS.search(text) for text in (raised, other.raised)]
    if [int(m[1]) for m in sizes if m] == [BATCH, 3]:
        return found(
            "list-of-rows",
            "a list of B transitions",
            "one Transition of five arrays",
            "You return B single transitions. The batch is one Transition whose five "
            "fields are arrays with a leading B",
        )
    return None


def one_size(asker: Asker) -> Finding | None:
    """Return a finding if the buffer stores only states of four numbers; else None.

    If there is a finding, the asker gets new transitions with states of four numbers.

    Args:
        asker: plays scripts (lists of operations) on new buffers of the hand-in.
    """
    rows, size = asker.rows, asker.state_dim
    works = []
    for other in (2, 5, 6, 4):
        asker.use_states_of(other)
        played = asker.play(["add", 0, 6], asker.seed(), ["sample", BATCH])
        works.append(not played.raised)
    if works == [False, False, False, True]:
        return found(
            "cartpole-size",
            "states of four numbers only",
            "states of any size",
            "Your buffer stores states of four numbers only, CartPole's. It takes "
            "states of any size: look at the first one that comes",
        )
    asker.rows, asker.state_dim = rows, size
    return None


def until_full(asker: Asker) -> Finding | None:
    """Return a finding if a half full buffer fails to draw, but a full one does not.

    Otherwise the result is None. The asker draws single rows from new buffers that are
    half full. If all of these draws fail, the finding says so. If only some fail, it
    says that empty places are drawn.
    """
    if not asker.draw(CAPACITY, 100).samples:
        return None
    half = ["add", 0, LARGE // 2]
    fails = [
        bool(asker.play(half, asker.seed(), ["sample", 1], capacity=LARGE).raised)
        for _ in range(20)
    ]
    if all(fails):
        return found(
            "fails-until-full",
            "drawing raises an exception until the buffer is full",
            "what is stored is drawn, full or not",
            "Drawing from your buffer fails until it is full. It is drawn from as soon "
            "as it holds a batch",
        )
    if any(fails):
        return found(
            "samples-empty-places",
            "places that are still empty are drawn, which raises an exception",
            "only what is stored is drawn",
            "A place that is still empty was drawn: your buffer fails at some draws "
            "until it is full, and at none when it is full",
        )
    return None


def when_full(asker: Asker, scripts: list[Played]) -> list[Finding]:
    """Return a finding, in a list, if a full buffer raises an exception; else [].

    Args:
        asker: plays scripts (lists of operations) on new buffers of the hand-in.
        scripts: earlier scripts with the buffer's answers, ordered by their numbers of
            adds. In the first two, the buffer does not yet have to remove a transition.

    Returns:
        [] also if the second script has raised an exception: then the buffer fails even
        before a transition has to leave.
    """
    if scripts[1].raised or not any(played.raised for played in scripts[2:]):
        return []
    adding = asker.play(["add", 0, 3 * CAPACITY + 3]).raised
    if not adding:
        return [FAILS_TO_DRAW]
    if NO_PLACE.search(adding):
        return [
            found(
                "never-wraps",
                "when full, a place that does not exist is written to",
                "when full, the oldest's place is used",
                "When your buffer is full, you write to a place that does not exist. "
                "The next place is the first one again, where the oldest is",
            )
        ]
    return [
        found(
            "fails-when-full",
            "adding to a full buffer raises an exception",
            "when full, the oldest leaves",
            "Your buffer fails when more transitions are added than its capacity. The "
            "oldest leaves, and the new one takes its place",
        )
    ]


FAILS_TO_DRAW = found(
    "fails-to-draw",
    "drawing raises an exception once the oldest should have left",
    "a full buffer is drawn from like any other",
    "Drawing from your buffer fails when more transitions were added than its "
    "capacity. Which places do you draw from then?",
)


# ---------------------------------------------------------------- lengths


def lengths(asker: Asker, storage: set[str]) -> list[Finding]:
    """Return a finding, in a list, if the buffer's length is wrong; else [].

    A wrong length that follows from a mistake in `storage` is not reported.

    Args:
        asker: plays scripts (lists of operations) on new buffers of the hand-in.
        storage: names of the storage mistakes that were found before.
    """
    script: list[Any] = [["len"]]
    for i in range(CAPACITY + 4):
        script += [["add", i, i + 1], ["len"]]
    played = asker.play(*script)
    if played.raised:  # adding to a full buffer fails
        played = asker.play(*script[: 2 * CAPACITY + 1])
    obtained = played.lengths
    counts = list(range(len(obtained)))
    right = [min(n, CAPACITY) for n in counts]
    held = [right, *(stored_lengths(asker, name, counts) for name in storage)]
    if obtained not in held:
        return [length_finding(obtained, counts, right)] if obtained else []
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


def stored_lengths(asker: Asker, name: str, counts: list[int]) -> list[int]:
    """Simulate a storage mistake, and return the buffer's lengths after 0, 1, … adds.

    Args:
        asker: has the transitions that are added.
        name: name of the storage mistake.
        counts: the list [0, 1, …] of the numbers of adds.

    Returns:
        A length for each entry of `counts`; [] if `STORES` has no mistake of this name.
    """
    for way in STORES:
        if way.name == name:
            held = way.make(CAPACITY, asker.rows)
            lengths_ = [held.filled()]
            for i in counts[:-1]:
                held.add(i)
                lengths_.append(held.filled())
            return lengths_
    return []


def length_finding(obtained: list[int], counts: list[int], right: list[int]) -> Finding:
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


# ---------------------------------------------------------------- the generator


def generator(asker: Asker) -> list[Finding]:
    """Return a finding, in a list, if batches ignore rng or depend on more than rng.

    The asker draws batches with equal generators and with different ones, from new
    buffers of the hand-in. These batches are compared.

    Returns:
        [] if the draws are right, or if the buffer does not answer.
    """
    seed, other = asker.seed(), asker.seed()
    add, batches = ["add", 0, LARGE], ["samples", 3, BATCH]
    script = [add, seed, batches, seed, batches, other, batches]
    same = asker.play(*script, capacity=LARGE).samples
    new = [
        asker.play(add, s, batches, capacity=LARGE).samples for s in (seed, seed, other)
    ]
    if len(same) != 3 or any(len(s) != 1 for s in new):
        return []
    finding = draws.generator_finding(
        [joined(s) for s in same], [joined(s[0]) for s in new]
    )
    return [finding] if finding else []
