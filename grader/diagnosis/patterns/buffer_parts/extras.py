"""Find mistakes of a `ReplayBuffer` with short scripts.

A script is a list of operations on a new buffer, such as adds and samples. The scripts
show whether a buffer can be made and filled, and what its draws depend on.
"""

import re
from collections.abc import Sequence

import numpy as np

from grader.diagnosis.patterns.buffer_parts.lengths import counted, length_findings
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

BY_RNG = "all chance comes from rng"
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
    for other in (2, 5, 6, 4) * 2:  # twice, because draws can fail by chance
        asker.use_states_of(other)
        played = asker.play(["add", 0, 6], asker.seed(), ["sample", BATCH])
        works.append(not played.raised)
    if works == [False, False, False, True] * 2:
        return found(
            "cartpole-size",
            "states of four numbers only",
            "states of any size",
            "Your buffer stores states of four numbers only, CartPole's. It takes "
            "states of any size: look at the first one that comes",
        )
    asker.rows, asker.state_dim = rows, size
    return None


def until_full(asker: Asker) -> list[Finding]:
    """Return a finding, in a list, if it is known why a buffer not yet full fails.

    If the length is larger than what is stored, only this is told: draws below such a
    length fail. Otherwise, single rows are drawn from new buffers that are half full.
    If all of these draws fail, and none from a full buffer, the finding says so. If
    only some fail, it says that empty places are drawn.
    """
    half = ["add", 0, LARGE // 2]
    longer = asker.play(half, ["len"], capacity=LARGE).lengths
    if longer and longer[0] > LARGE // 2:
        return length_findings(asker, counted(asker), set())
    if not asker.draw(CAPACITY, 100).samples:
        return []
    fails = [
        bool(asker.play(half, asker.seed(), ["sample", 1], capacity=LARGE).raised)
        for _ in range(20)
    ]
    if all(fails):
        return [
            found(
                "fails-until-full",
                "drawing raises an exception until the buffer is full",
                "what is stored is drawn, full or not",
                "Drawing from your buffer fails until it is full. It is drawn from as "
                "soon as it holds a batch",
            )
        ]
    if any(fails):
        return [
            found(
                "samples-empty-places",
                "places that are still empty are drawn, which raises an exception",
                "only what is stored is drawn",
                "A place that is still empty was drawn: your buffer fails at some "
                "draws until it is full, and at none when it is full",
            )
        ]
    return []


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
    finding = generator_finding([joined(s) for s in same], [joined(s[0]) for s in new])
    return [finding] if finding else []


def generator_finding(
    same_buffer: Sequence[np.ndarray], new_buffers: Sequence[np.ndarray]
) -> Finding | None:
    """Return a finding if batches ignore rng or depend on more than rng; else None.

    The function compares batches drawn with equal generators, and batches drawn with
    different ones. Each array is a vector with all numbers of several batches.

    Args:
        same_buffer: three arrays from one buffer. The first two were drawn with equal
            generators, the third with a different one.
        new_buffers: three arrays, drawn with the same generators as those of
            `same_buffer`, but each from a new buffer.
    """
    first, again, other = same_buffer
    new, new_again, new_other = new_buffers
    if not np.array_equal(new, new_again):
        return found(
            "global-random",
            "equal generators give different batches",
            BY_RNG,
            "If you draw with another generator than rng, as NumPy's global one, no "
            "run can be repeated. All chance has to come from the rng that is given",
        )
    if not np.array_equal(first, again):
        return found(
            "keeps-draws",
            "a batch depends on what was drawn before, not on rng alone",
            BY_RNG,
            "The same buffer with an equal generator gives another batch: something is "
            "kept from one sample to the next. Each batch is drawn anew with rng",
        )
    if np.array_equal(new, new_other) and np.array_equal(first, other):
        return found(
            "rng-ignored",
            "different generators give the same batches",
            BY_RNG,
            "Your batches are the same whatever rng is given. All chance has to come "
            "from the rng that is given",
        )
    return None
