"""What single short scripts tell: lengths, shapes, copies, generators, exceptions."""

import re
from typing import Any

import numpy as np

from grader.contract.outcomes import Raised, Wrong
from grader.diagnosis.patterns import buffer_draws
from grader.diagnosis.patterns.buffer_questions import (
    BATCH,
    CAPACITY,
    FIELDS,
    LARGE,
    SCALARS,
    SCRIBBLE,
    Asker,
    Finding,
    Played,
    found,
)
from grader.diagnosis.patterns.buffer_storage import STORES

NOT_NUMBERS = re.compile(r"the sample's (\w+) is a \w+, expected numbers")
LIST_OF_ROWS = re.compile(r"sample returned a (?:list|tuple) of (\d+), expected 5 fields")


# ---------------------------------------------------------------- before all else


def first_answers(asker: Asker) -> tuple[list[Finding], bool]:
    """Return what a new buffer tells, and whether more can be asked."""
    # What other buffers hold must not be full yet, or a shared list would not grow.
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
    """Return why no buffer can be made, where it is known."""
    if "maxsize" not in raised:
        return []
    return [
        found(
            "deque-maxsize",
            "deque(maxsize=…), which Python's deque does not take",
            "a deque with a limit",
            "Your buffer cannot be made: the slide's deque has an argument of the wrong "
            "name. Look up what Python's deque calls its limit",
        )
    ]


def shared(asker: Asker, new: Played) -> Finding | None:
    """Return that buffers share what they store, if a new one is not empty."""
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
    """Return what a batch is in place of five arrays of numbers, if that is plain."""
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
    """Return that states of one size only can be stored; use that size from now on."""
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


def when_full(asker: Asker, scripts: list[Played]) -> list[Finding]:
    """Return that a full buffer fails, if it does.

    Args:
        asker: of the buffer.
        scripts: with more and more adds, the first ones to a buffer that is not full.
    """
    if scripts[1].raised or not any(played.raised for played in scripts):
        return []
    adding = asker.play(["add", 0, 3 * CAPACITY + 3]).raised
    if not adding:
        return [FAILS_TO_DRAW]
    if "IndexError" in adding and ("bounds" in adding or "range" in adding):
        return [
            found(
                "never-wraps",
                "when full, a place beyond the end is used",
                "when full, the oldest's place is used",
                "When your buffer is full, you write to a place beyond its end. The "
                "place of the next one has to go back to the start, where the oldest is",
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
    "Drawing from your buffer fails when more transitions were added than its capacity. "
    "Which places do you draw from then?",
)


# ---------------------------------------------------------------- lengths


def lengths(asker: Asker, storage: set[str]) -> list[Finding]:
    """Return how the length is wrong, where what is stored does not explain it."""
    script: list[Any] = [["len"]]
    for i in range(CAPACITY + 4):
        script += [["add", i, i + 1], ["len"]]
    obtained = asker.play(*script).lengths
    counts = list(range(CAPACITY + 5))
    right = [min(n, CAPACITY) for n in counts]
    if obtained != right:
        held = [stored_lengths(asker, name, counts) for name in storage]
        if obtained not in held:
            return [length_finding(obtained, counts, right)] if obtained else []
    repeated = [["add", i, i + 1] for i in (continuing(asker),) for _ in range(3)]
    if asker.play(*repeated, ["len"]).lengths == [1]:
        return [
            found(
                "drops-duplicates",
                "an equal transition is not stored again",
                "each add stores one more",
                "You do not store a transition that is there already. What happens more "
                "often has to be drawn more often: each add stores one more",
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
                "Your length stays what it was at the first sample. It is the number of "
                "transitions that are stored now",
            )
        ]
    return []


def continuing(asker: Asker) -> int:
    """Return the number of a transition with d false."""
    return int(np.flatnonzero(~asker.rows["terminated"])[0])


def stored_lengths(asker: Asker, name: str, counts: list[int]) -> list[int]:
    """Return the lengths of a buffer that stores in a known way."""
    for way in STORES:
        if way.name == name:
            held = way.make(CAPACITY, asker.rows)
            found_ = [held.filled()]
            for i in counts[:-1]:
                held.add(i)
                found_.append(held.filled())
            return found_
    return []


def length_finding(obtained: list[int], counts: list[int], right: list[int]) -> Finding:
    """Return how the length is wrong."""
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
            "Your length counts every add ever made. Those that have left do not count: "
            "it is never more than the capacity"
        )
    elif len({a - b for a, b in zip(obtained, right, strict=False)}) == 1:
        by = obtained[0] - right[0]
        more = "more" if by > 0 else "less"
        name, text = "len-shifted", f"the length is {abs(by)} {more} than what is stored"
        hint = f"Your length is {abs(by)} {more} than the number of transitions stored"
    else:
        name, text = "len-other", "another length than the number stored"
        hint = "Your length is not the number of transitions that are stored: see the table"
    return found(name, text, asked, hint, table)


# ---------------------------------------------------------------- the generator


def generator(asker: Asker) -> list[Finding]:
    """Return how the draws do not follow from rng, if they do not."""
    finding = buffer_draws.generator_finding(*generated(asker))
    return [finding] if finding else []


def keeps_draws(asker: Asker) -> bool:
    """Tell whether a batch depends on what was drawn before."""
    finding = buffer_draws.generator_finding(*generated(asker))
    return finding is not None and finding.name == "keeps-draws"


def generated(asker: Asker) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return batches of one buffer by equal and by other generators; of new ones."""
    seed, other = asker.seed(), asker.seed()
    add, batches = ["add", 0, LARGE], ["samples", 3, BATCH]
    script = [add, seed, batches, seed, batches, other, batches]
    same = asker.play(*script, capacity=LARGE).samples
    new = [asker.play(add, s, batches, capacity=LARGE).samples for s in (seed, seed, other)]
    if len(same) != 3 or any(len(s) != 1 for s in new):
        return [np.zeros(0), np.zeros(0), np.ones(0)], [np.zeros(0), np.zeros(0), np.ones(1)]
    return [joined(s) for s in same], [joined(s[0]) for s in new]


def joined(sample: dict[str, Any]) -> np.ndarray:
    """Return all numbers of some batches in one array."""
    return np.nan_to_num(
        np.concatenate([sample[name].astype(np.float64).ravel() for name in FIELDS])
    )


# ---------------------------------------------------------------- shapes and types


def shapes(asker: Asker) -> list[Finding]:
    """Return how the batch's shapes and types are wrong."""
    came: dict[int, dict[str, Any]] = {}
    for size in (BATCH, 3, 1):
        played = asker.play(["add", 0, 6], asker.seed(), ["sample", size])
        if played.samples:
            came[size] = played.samples[0]
    findings = shape_findings(came, asker.state_dim) if came else []
    findings = without_ends(asker) or findings
    action = came.get(BATCH, {}).get("action")
    if action is not None and action.dtype.kind not in "iu":
        findings.append(
            found(
                "actions-as-floats",
                f"action: of type {action.dtype}",
                "action: of an integer type",
                "Your actions come back as another type, as when all fields share one "
                "array of floats. Actions are used as indices: they have to be integers",
            )
        )
    return findings


def shape_findings(came: dict[int, dict[str, Any]], state_dim: int) -> list[Finding]:
    """Return how the shapes of batches are wrong, by B."""
    leading = {size: {v.shape[:1] for v in batch.values()} for size, batch in came.items()}
    told = set().union(*leading.values())
    if len(came) == 3 and len(told) == 1 and (count := told.pop()) and count[0] > 0:
        return [
            found(
                "batch-size-fixed",
                f"always {count[0]} rows",
                "as many rows as are asked for",
                f"Your batch always has {count[0]} rows. How many to draw is an argument",
            )
        ]
    odd: dict[int, dict[str, tuple[int, ...]]] = {}
    for size, batch in came.items():
        for name in FIELDS:
            wanted = (size,) if name in SCALARS else (size, state_dim)
            if batch[name].shape != wanted:
                odd.setdefault(size, {})[name] = batch[name].shape
    if not odd:
        return []
    if set(odd) == {1} and all(s[:1] != (1,) for s in odd[1].values()):
        return [
            found(
                "squeezes-batch",
                "a batch of one has no axis for the rows",
                "a leading B, also for B = 1",
                "A batch of one loses its first axis, as after a squeeze. Every field "
                "has a leading B, also where B is 1",
            )
        ]
    if BATCH not in odd:
        return []
    if all(odd[BATCH].get(name) == (BATCH, 1) for name in SCALARS):
        return [
            found(
                "columns-B1",
                "action, reward, terminated: of shape [B, 1]",
                "of shape [B]",
                "Your actions, rewards and d have shape [B, 1], which makes [B, B] as "
                "soon as it meets a [B]. One number for each row: shape [B]",
            )
        ]
    name, shape = next(iter(odd[BATCH].items()))
    wanted = "[B]" if name in SCALARS else "[B, D]"
    return [
        found(
            f"{name.replace('_', '-')}-shape",
            f"{name}: of shape {shape} for B = {BATCH}, D = {state_dim}",
            f"{name}: of shape {wanted}",
            f"Your batch's {name} has another shape. It has one row for each of the B "
            "transitions",
        )
    ]


def without_ends(asker: Asker) -> list[Finding]:
    """Return that next states of terminal transitions are left out, if they are."""
    fewer = []
    for _ in range(12):
        played = asker.play(["add", 0, 6], asker.seed(), ["sample", BATCH])
        for batch in played.samples:
            rows, ends = batch["next_state"].shape[:1], batch["terminated"]
            if ends.shape == (BATCH,) and ends.any():
                fewer.append(rows == (BATCH - np.count_nonzero(ends),))
    if len(fewer) < 3 or not all(fewer):
        return []
    return [
        found(
            "next-state-left-out",
            "next_state: of shape [number of rows with d false, D]",
            "next_state: of shape [B, D]",
            "Your batch has no next state where d is true, so that the rows of s' are "
            "others than those of s. Keep each s'; ¬d leaves it out of the target",
        )
    ]


# ---------------------------------------------------------------- copies


def aliases(asker: Asker) -> list[Finding]:
    """Return what changes later although it should be a copy."""
    findings = []
    script = [["add", 0, 6], ["scribble"], asker.seed(), ["samples", 30, BATCH]]
    played = asker.play(*script)
    if played.samples:
        sample = played.samples[0]
        names = [n for n in ("state", "next_state") if (sample[n] == SCRIBBLE).any()]
        if finding := keeps_arrays(names):
            findings.append(finding)
    return [*findings, *batch_changes(asker)]


def keeps_arrays(names: list[str]) -> Finding | None:
    """Return whose arrays are kept without a copy."""
    if not names:
        return None
    name = {
        ("state", "next_state"): "stores-reference",
        ("next_state",): "stores-reference-next",
        ("state",): "stores-reference-state",
    }[tuple(names)]
    which = " and ".join({"state": "s", "next_state": "s'"}[n] for n in names)
    return found(
        name,
        f"the very arrays {which} that `add` was given are kept",
        "copies of s and s' are stored",
        f"You keep the very array of {which} that `add` was given. If the caller changes "
        "it later, your stored row changes, too: store copies of both",
    )


def batch_changes(asker: Asker) -> list[Finding]:
    """Return when a batch that was drawn changes afterwards."""

    def changed(size: int, *between: Any) -> bool:
        script = [["add", 0, CAPACITY], asker.seed(), ["sample", size]]
        samples = asker.play(*script, *between, ["reread", 0]).samples
        return len(samples) > 1 and not np.array_equal(joined(samples[0]), joined(samples[-1]))

    more = ["add", CAPACITY, 3 * CAPACITY]
    whole = asker.play(["add", 0, CAPACITY], ["len"]).lengths
    if changed(BATCH, ["sample", BATCH]):
        name, text = "batch-reused", "a batch turns into the one drawn next"
        hint = (
            "A batch that was drawn before turns into the new one, as when the same "
            "arrays are filled in every call. Each batch needs arrays of its own"
        )
    elif changed(BATCH, more):
        name, text = "batch-is-view", "a batch changes with later adds"
        hint = "Later adds change a batch already drawn. A batch is always a copy"
    elif changed(max(1, whole[0]) if whole else CAPACITY, more):
        name, text = "whole-buffer-view", "a batch of all that is stored changes later"
        hint = (
            "Where B is all that is stored you give away your own arrays, so that later "
            "adds change a batch already drawn. A batch is always a copy"
        )
    else:
        return []
    return [found(name, text, "a batch stays as it was drawn", hint)]


# ---------------------------------------------------------------- what it takes


def sizes(asker: Asker) -> list[Finding]:
    """Return what arguments the buffer does not take, or changes."""
    findings = []
    seed = asker.seed()
    enough = asker.play(["add", 0, 5], seed, ["sample", BATCH])
    whole = asker.play(["add", 0, BATCH], seed, ["sample", BATCH])
    if whole.raised and not enough.raised:
        findings.append(
            found(
                "too-small-crash",
                "B transitions are not drawn where exactly B are stored",
                "B stored are enough",
                "You refuse to draw B transitions where exactly B are stored. That many "
                "are enough",
            )
        )
    plain = asker.play(["plain", 0, 5], seed, ["sample", BATCH])
    if plain.raised and not enough.raised:
        findings.append(
            found(
                "wants-numpy-numbers",
                "Python's numbers for a, r and d are not taken",
                "Python's numbers are taken, too",
                "Your buffer fails where actions, rewards and d are Python's numbers: "
                "int, float and bool. Do you call a method that only NumPy's have?",
            )
        )
    script = [["add", 0, 6], seed, ["sample", BATCH]]
    try:
        names = asker.student.changed(asker.case(CAPACITY, script), "numpy")
    except (Raised, Wrong):
        return findings
    if names := [name for name in FIELDS if name in names]:
        listed = ", ".join(names)
        findings.append(
            found(
                "add-advances-state" if names == ["state"] else "changes-arguments",
                f"the caller's {listed} is changed",
                "no argument is changed",
                f"Your buffer writes into the {listed} that `add` was given. It belongs "
                "to the caller: store a copy, and leave the argument as it came",
            )
        )
    return findings

