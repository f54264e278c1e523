"""Find mistakes of a `ReplayBuffer` in shapes, types, copies and arguments.

The findings come from short scripts: lists of operations on a new buffer, such as adds
and samples.
"""

from typing import Any

import numpy as np

from grader.contract.outcomes import Raised, Wrong
from grader.diagnosis.patterns.buffer_parts.questions import (
    BATCH,
    CAPACITY,
    FIELDS,
    SCALARS,
    SCRIBBLE,
    Asker,
    Finding,
    found,
    joined,
)

# ---------------------------------------------------------------- shapes and types


def types_and_shapes(asker: Asker) -> list[Finding]:
    """Draw batches of different sizes; return the findings about shapes and types.

    Args:
        asker: plays scripts (lists of operations) on new buffers of the hand-in.

    Returns:
        [] if shapes and types are right.
    """
    batches: dict[int, dict[str, Any]] = {}
    for size in (BATCH, 3, 1):
        for added in (3 * CAPACITY, 6):  # begin with many: the buffer may drop some
            played = asker.play(["add", 0, added], asker.seed(), ["sample", size])
            if not played.raised:
                break
        if played.samples:
            batches[size] = played.samples[0]
    findings = shape_findings(batches, asker.state_dim) if batches else []
    findings = without_ends(asker) or findings
    action = batches.get(BATCH, {}).get("action")
    if action is not None and action.dtype.kind not in "iu":
        findings.append(
            found(
                "actions-as-floats",
                f"action: of type {action.dtype}",
                "action: of an integer type",
                "Your actions come back as another type, as when all fields share one "
                "array of floats. Actions are used as indices: they have to be "
                "integers",
            )
        )
    return findings


def fixed_size(batches: dict[int, dict[str, Any]]) -> list[Finding]:
    """Return a finding, in a list, if the number of rows does not depend on B; else [].

    Args:
        batches: batches by the batch size B that was asked for. Each batch is a dict
            with an array for each field.
    """
    counts = {v.shape[:1] for batch in batches.values() for v in batch.values()}
    flat = all(
        batch["reward"].shape[:1] == (batch["reward"].size,)
        for batch in batches.values()
    )
    if (
        not flat
        or len(batches) < 3
        or len(counts) > 1
        or not (count := counts.pop())[0]
    ):
        return []
    return [
        found(
            "batch-size-fixed",
            f"always {count[0]} rows",
            "as many rows as are asked for",
            f"Your batch always has {count[0]} rows. How many to draw is an argument",
        )
    ]


def shape_findings(batches: dict[int, dict[str, Any]], state_dim: int) -> list[Finding]:
    """Return a finding, in a list, if batches have wrong shapes; else [].

    Args:
        batches: batches by the batch size B that was asked for. Each batch is a dict
            with an array for each field.
        state_dim: number D of entries of a state.

    Returns:
        [] also if all shapes are right for B = `BATCH` and wrong for some other B. But
        there are two exceptions, which give a finding: the number of rows is the same
        for all B; or only B = 1 is wrong, and lacks the axis of the rows.
    """
    if fixed := fixed_size(batches):
        return fixed
    odd: dict[int, dict[str, tuple[int, ...]]] = {}
    for size, batch in batches.items():
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
    asked, one = ("[B]", "number") if name in SCALARS else ("[B, D]", "row")
    hint = f"Your batch's {name} has another shape. It has one {one} for each of the B "
    hint += "transitions"
    if name in SCALARS and shape == (BATCH, state_dim):
        hint += ". [B, D] is the shape of states: are two fields swapped?"
    return [
        found(
            f"{name.replace('_', '-')}-shape",
            f"{name}: of shape {shape} for B = {BATCH}, D = {state_dim}",
            f"{name}: of shape {asked}",
            hint,
        )
    ]


def without_ends(asker: Asker) -> list[Finding]:
    """Return a finding, in a list, if batches leave out s' of terminal rows; else [].

    The array of s' then has fewer rows than B.

    Args:
        asker: plays scripts (lists of operations) on new buffers of the hand-in.
    """
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
    """Return the findings about arrays that the buffer fails to copy; [] if none.

    There are two kinds: states that the buffer stores and the caller of `add` can still
    change, and drawn batches that change later.

    Args:
        asker: plays scripts (lists of operations) on new buffers of the hand-in.
    """
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
    """Return the finding about states that are stored without a copy.

    Args:
        names: the fields that are stored without a copy: "state", "next_state", or
            both.

    Returns:
        None if `names` is empty.
    """
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
        f"You keep the very array of {which} that `add` was given. If the caller "
        "changes it later, your stored row changes, too: store copies of both",
    )


def batch_changes(asker: Asker) -> list[Finding]:
    """Return a finding, in a list, if a drawn batch changes afterwards; else [].

    The change can come from the next sample or from later adds.

    Args:
        asker: plays scripts (lists of operations) on new buffers of the hand-in.
    """

    def changed(size: int, *between: Any) -> bool:
        script = [["add", 0, CAPACITY], asker.seed(), ["sample", size]]
        samples = asker.play(*script, *between, ["reread", 0]).samples
        return len(samples) > 1 and not np.array_equal(
            joined(samples[0]), joined(samples[-1])
        )

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
            "Where B is all that is stored you give away your own arrays, so that "
            "later adds change a batch already drawn. A batch is always a copy"
        )
    else:
        return []
    return [found(name, text, "a batch stays as it was drawn", hint)]


# ---------------------------------------------------------------- arguments

MANY = 50


def arguments(asker: Asker) -> list[Finding]:
    """Return the findings about arguments of `add` and `sample`; [] if none.

    Three mistakes are found: `sample` fails if exactly B transitions are stored; the
    buffer fails with Python's numbers; `add` writes into its arguments.

    Args:
        asker: plays scripts (lists of operations) on new buffers of the hand-in.
    """
    findings = []
    seed = asker.seed()
    # Many batches: if draws fail by chance, nothing is said of B.
    many = ["samples", 1 if asker.single else MANY, BATCH]
    enough = asker.play(["add", 0, 5], seed, many)
    whole = asker.play(["add", 0, BATCH], seed, ["sample", BATCH])
    if whole.raised and not enough.raised:
        findings.append(
            found(
                "too-small-crash",
                "B transitions are not drawn where exactly B are stored",
                "B stored are enough",
                "You refuse to draw B transitions where exactly B are stored. That "
                "many are enough",
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
                f"Your buffer writes into the {listed} that `add` was given. It "
                "belongs to the caller: store a copy, and leave the argument as it "
                "came",
            )
        )
    return findings
