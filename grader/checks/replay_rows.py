"""Find out which transitions a replay buffer has drawn, and whether rows are whole.

A row is whole if all its fields come from one transition. The grader numbers the
transitions that it adds, and computes all five fields of a transition from its number.
So the number of a sampled row can be read from the row's state, and the number gives
the right value of each field. The numbers of many rows show whether draws are
independent.
"""

from typing import Any

import numpy as np

from grader.checks.frequencies import chi2_limit, statistic, too_far
from grader.contract import compare
from grader.contract.case import Answer
from grader.contract.cases import transitions
from grader.contract.outcomes import Wrong


def sampled(answer: Answer, count: int) -> list[dict[str, Any]]:
    """Return the list `samples` of an answer, after checking its length.

    Args:
        answer: the answer to a script, a list of operations on a buffer; see `play` in
            `test_5_replay_buffer.py`.
        count: the number of samples that the script asks for. A sample is one batch, or
            several batches that the worker has stacked.

    Returns:
        For each sample a dict from the fields' names to values of any type.

    Raises:
        Wrong: the answer does not hold a list of `count` dicts.
    """
    samples = answer.get("samples")
    if (
        not isinstance(samples, list)
        or len(samples) != count
        or not all(isinstance(sample, dict) for sample in samples)
    ):
        raise Wrong("not the batches that were asked for")
    return samples


def require_columns(
    sample: dict[str, Any], rows: dict[str, np.ndarray], shape: tuple[int, ...]
) -> None:
    """Check that a batch, or n stacked batches, has every field in the right shape.

    The student's code returned one batch at a time, and the worker has stacked them. So
    the message names the shape of one batch.

    Args:
        sample: by field, the values of one batch [B,...] or of n batches [n,B,...].
        rows: by field, the values of all stored transitions [N,...].
        shape: [B] or [n,B].

    Raises:
        Wrong: a field is missing, is no array of numbers, or has a wrong shape. The
            right shape is `shape`, followed by the shape of one value of this field.
    """
    for name, column in rows.items():
        obtained, wanted = sample.get(name), (*shape, *column.shape[1:])
        if isinstance(obtained, np.ndarray) and obtained.shape != wanted:
            if len(shape) > 1 and obtained.shape[:1] == wanted[:1]:
                obtained, wanted = obtained[0], wanted[1:]
            raise Wrong(
                f"the batch's {name}: shape {obtained.shape}, expected {wanted} for "
                f"B = {shape[-1]}"
            )
        compare.require(compare.shape_problem(f"the batch's {name}", obtained, wanted))


def require_integers(sample: dict[str, Any]) -> None:
    """Check that the batch's actions are of an integer type.

    Args:
        sample: by field, the arrays of the batch.

    Raises:
        Wrong: the actions are of another type.
    """
    if (kind := sample["action"].dtype).kind not in "iu":
        raise Wrong(
            f"the batch's action is of type {kind}, expected integers: "
            "Q[jnp.arange(B), action] takes no others"
        )


def numbers_of(
    sample: dict[str, Any], stored: int, shape: tuple[int, ...]
) -> np.ndarray:
    """Return the number of the transition in each row of a batch, [B] or [n,B].

    The number is read from the row's state. Then all fields of the row have to equal
    those of the transition with this number.

    Args:
        sample: by field, the values of one batch [B,...] or of n batches [n,B,...].
        stored: how many transitions were added; their numbers are 0 to `stored` - 1.
        shape: [B] or [n,B].

    Raises:
        Wrong: a field is missing or has a wrong shape, or a row equals no transition
            that was added.
    """
    expected = transitions(0, stored)
    require_columns(sample, expected, shape)
    if blank := int(blank_rows(sample, shape).sum()):
        raise Wrong(
            f"a row of zeros came ({blank} of {np.prod(shape)} rows): a place that was "
            "never filled?"
        )
    numbers = np.floor(sample["state"][..., 0].astype(np.float64))
    known = np.isin(numbers, np.arange(stored))
    if not known.all():
        strange = sample["state"][~known][0]
        as_next = (expected["next_state"] == strange).all(axis=1).any()
        raise Wrong(
            f"a sampled state is {compare.numbers(strange)}, which "
            + ("was stored as a next_state" if as_next else "was never stored")
            + f" (this buffer was given {stored})"
        )
    numbers = numbers.astype(int)
    for name, column in expected.items():
        found = differing(name, sample[name], column[numbers], len(shape))
        if found and name == "state":  # a changed state gives no reliable number
            raise Wrong(f"{found}\nstate comes back changed: no such state was stored")
        if found:
            listed = f"{numbers.ravel()[:8].tolist()}" + " …" * (numbers.size > 8)
            raise Wrong(
                f"{found}\nby their states, the rows are the transitions {listed}: "
                f"{what_happened(name, sample, expected, numbers)}"
            )
    return numbers


def blank_rows(sample: dict[str, Any], shape: tuple[int, ...]) -> np.ndarray:
    """Return for each row whether it is 0 in all fields, as booleans of shape `shape`.

    No stored transition is 0 in all fields. So a row of zeros comes from a place in the
    buffer that was never filled.

    Args:
        sample: by field, the values of one batch [B,...] or of n batches [n,B,...].
        shape: [B] or [n,B].
    """
    fields = (sample[name].reshape(*shape, -1) for name in transitions(0, 1))
    return np.all([(field == 0).all(axis=-1) for field in fields], axis=0)


def differing(
    name: str, obtained: np.ndarray, expected: np.ndarray, axes: int
) -> str | None:
    """Return a message on the wrong values of a field, or None if all are right.

    Args:
        name: the field's name.
        obtained: the field's values in one batch [B,...] or in n batches [n,B,...].
        expected: the right values, in the same shape.
        axes: 1 if the values are of one batch, 2 if they are of n batches.
    """
    obtained, expected = obtained.astype(np.float64), expected.astype(np.float64)
    bad = np.argwhere(obtained != expected)
    if not len(bad):
        return None
    axis_names = [*("batch", "row")[-axes:], "number"]
    of_what = "of the batch" if axes == 1 else f"in {len(expected)} batches"
    lines = [f"the {name} {of_what}: {len(bad)} of {expected.size} numbers are wrong"]
    for index in map(tuple, bad[: compare.MAX_ROWS]):
        where = [f"{a} {i}" for a, i in zip(axis_names, index, strict=False)]
        lines.append(
            f"  {', '.join(where)}: obtained {compare.number(obtained[index])}, "
            f"expected {compare.number(expected[index])}"
        )
    return "\n".join(lines)


def what_happened(
    name: str,
    sample: dict[str, Any],
    stored: dict[str, np.ndarray],
    numbers: np.ndarray,
) -> str:
    """Return a phrase on the probable reason for a field's wrong values.

    If no reason is found, the phrase says that the field comes back changed.

    Args:
        name: the field's name.
        sample: by field, the values of one batch [B,...] or of n batches [n,B,...].
        stored: by field, the values of all transitions that were added [N,...].
        numbers: the number of each row's transition, read from the row's state, [B] or
            [n,B].
    """
    rows = sample[name].reshape(numbers.size, -1).astype(np.float64)
    numbers = numbers.ravel()
    for other, column in stored.items():
        values = column.reshape(len(column), -1)
        if other != name and (
            np.array_equal(rows, values[numbers])
            or (values.shape[1] > 1 and are_among(rows, values))
        ):
            return f"{name} holds what was stored as {other}"
    own = stored[name].reshape(len(stored[name]), -1)
    # If no two transitions have the same value, or if rows of one transition have
    # different values, the values come from other transitions. Otherwise the buffer has
    # changed the value itself.
    unique = len(np.unique(own, axis=0)) == len(own)
    varies = any(np.ptp(rows[numbers == i], axis=0).any() for i in np.unique(numbers))
    if are_among(rows, own) and (unique or varies):
        return "do the five fields of a row belong to one transition?"
    return f"{name} comes back changed"


def are_among(rows: np.ndarray, values: np.ndarray) -> bool:
    """Return whether each row of `rows` [N,K] equals some row of `values` [M,K]."""
    return bool((rows[:, None] == values).all(axis=2).any(axis=1).all())


def dependence(a: np.ndarray, b: np.ndarray, *, may_avoid: bool = False) -> str:
    """Return a phrase on how the two draws of a pair depend on each other.

    If some transitions are drawn more often than others, this is no dependence; another
    check judges it. So the frequency of each transition is estimated from the draws.

    Args:
        a: the number of the first transition of each pair [N].
        b: the number of the second transition of each pair [N].
        may_avoid: accept that no pair holds the same transition twice, as in drawing
            without replacement.

    Returns:
        The phrase; "" if the pairs come as often as with independent draws, or if there
        are fewer than four different transitions.
    """
    seen, places = np.unique(np.concatenate([a, b]), return_inverse=True)
    count, size = len(a), len(seen)
    if size < 4:  # too few transitions to judge; the check `uniform` reports them
        return ""
    pairs = np.zeros((size, size))
    np.add.at(pairs, (places[:count], places[count:]), 1)
    same = np.trace(pairs)
    avoids = may_avoid and same == 0
    expected = independent_pairs(pairs, avoids=avoids)
    if not avoids:
        split = np.array([same, count - same])
        likely = np.trace(expected)
        if too_far(split, np.array([likely, count - likely])):
            also = ", or 0 without replacement" if may_avoid else ""
            return (
                f"the same transition in {same:.0f} of {count} pairs (expected about "
                f"{likely:.0f}{also})"
            )
    possible = expected > 0
    # The frequency of each transition is fitted, which costs a degree of freedom.
    degrees = possible.sum() - size
    if statistic(pairs[possible], expected[possible]) <= chi2_limit(int(degrees)):
        return ""
    odd = (pairs - expected) ** 2 / np.where(possible, expected, 1.0)
    i, j = np.unravel_index(odd.argmax(), odd.shape)
    return (
        f"transitions {seen[i]} and {seen[j]} met in {pairs[i, j]:.0f} of {count} "
        f"pairs (expected about {expected[i, j]:.1f})"
    )


def independent_pairs(pairs: np.ndarray, *, avoids: bool) -> np.ndarray:
    """Return how often each pair is expected if its two draws are independent.

    Each transition gets a weight, and the expected count of a pair is the product of
    its two weights. The weights are chosen so that each transition is expected as often
    as it was drawn, counting first and second draws together.

    Args:
        pairs: an array [n,n]; entry (i, j) says how often transition i was drawn first
            and transition j second.
        avoids: whether to assume draws without replacement. The expected count of a
            pair of equal transitions is then 0.

    Returns:
        An array [n,n] with the expected count of each pair.
    """
    totals = (pairs.sum(axis=0) + pairs.sum(axis=1)) / 2
    possible = ~np.eye(len(pairs), dtype=bool) if avoids else np.ones(pairs.shape, bool)
    weights = totals / totals.sum() ** 0.5
    expected = possible * np.outer(weights, weights)
    for _ in range(100):
        weights *= (totals / expected.sum(axis=1)) ** 0.5
        expected = possible * np.outer(weights, weights)
    return expected
