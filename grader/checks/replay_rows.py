"""What the rows sampled from a replay buffer tell.

Each stored transition carries its number in every field. So a sampled row tells which
transition it is, whether its five fields belong together, and how draws depend on each
other.
"""

from typing import Any

import numpy as np

from grader.checks.common import chi2_limit, statistic, too_far
from grader.contract import compare
from grader.contract.case import Answer
from grader.contract.cases import transitions
from grader.contract.outcomes import Wrong


def sampled(answer: Answer, count: int) -> list[dict[str, Any]]:
    """Return the batches in an answer.

    Raises:
        Wrong: there is another number of them.
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
    """Check that a batch has every field, in the shape that the stored rows imply.

    The message names one batch's shape: it was the grader that stacked several.

    Args:
        sample: one batch [B,...] or a stack of them [n,B,...].
        rows: the stored transitions [N,...].
        shape: [B] or [n,B].

    Raises:
        Wrong: a field is missing or has another shape.
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

    Raises:
        Wrong: they are not, so they cannot be used as indices.
    """
    if (kind := sample["action"].dtype).kind not in "iu":
        raise Wrong(
            f"the batch's action is of type {kind}, expected integers: "
            "Q[jnp.arange(B), action] takes no others"
        )


def numbers_of(
    sample: dict[str, Any], stored: int, shape: tuple[int, ...]
) -> np.ndarray:
    """Return the number of the transition that each row of a batch is.

    Args:
        sample: one batch or a stack of them.
        stored: the number of transitions that were added.
        shape: [B] or [n,B].

    Raises:
        Wrong: a field is missing or has another shape, or a row is none of the
            transitions that were added.
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
        if found and name == "state":  # then it does not tell which row this is
            raise Wrong(f"{found}\nstate comes back changed: no such state was stored")
        if found:
            listed = f"{numbers.ravel()[:8].tolist()}" + " …" * (numbers.size > 8)
            raise Wrong(
                f"{found}\nby their states, the rows are the transitions {listed}: "
                f"{what_happened(name, sample, expected, numbers)}"
            )
    return numbers


def blank_rows(sample: dict[str, Any], shape: tuple[int, ...]) -> np.ndarray:
    """Return which rows are 0 in all their fields, as no stored transition is."""
    fields = (sample[name].reshape(*shape, -1) for name in transitions(0, 1))
    return np.all([(field == 0).all(axis=-1) for field in fields], axis=0)


def differing(
    name: str, obtained: np.ndarray, expected: np.ndarray, axes: int
) -> str | None:
    """Return a small table of a field's numbers that differ, or None.

    Args:
        name: of the field.
        obtained: in one batch [B,...], or in a stack of them [n,B,...].
        expected: of the same shape.
        axes: 1 for one batch, 2 for a stack.
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
    """Say why a field's values may be wrong.

    Args:
        name: of the field.
        sample: the batch.
        stored: the transitions that were added [N,...].
        numbers: of the batch's transitions, by their states.
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
    tells = len(np.unique(own, axis=0)) == len(own)  # a value tells its transition
    # Else: does one transition have different values in different rows?
    varies = any(np.ptp(rows[numbers == i], axis=0).any() for i in np.unique(numbers))
    if are_among(rows, own) and (tells or varies):
        return "do the five fields of a row belong to one transition?"
    return f"{name} comes back changed"


def are_among(rows: np.ndarray, values: np.ndarray) -> bool:
    """Return whether each of the rows [N,K] is one of the values [M,K]."""
    return bool((rows[:, None] == values).all(axis=2).any(axis=1).all())


def dependence(a: np.ndarray, b: np.ndarray, *, may_avoid: bool = False) -> str:
    """Say how two draws depend on each other, or "" if chance explains the pairs.

    The frequency of each single transition is taken as it is.

    Args:
        a: the numbers of the pairs' first transitions [N].
        b: the numbers of the second ones [N].
        may_avoid: they may always be different, as if drawn without replacement.
    """
    seen, places = np.unique(np.concatenate([a, b]), return_inverse=True)
    count, size = len(a), len(seen)
    if size < 4:  # too few to judge; the check `uniform` finds that
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
    # The number of pairs and each transition's frequency are given.
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
    """Return how often each pair is expected, given each transition's frequency.

    A transition's share is that of both places together.

    Args:
        pairs: how often each pair came [n,n].
        avoids: there are no pairs of equals; the product of the shares is then fitted
            to the other pairs.
    """
    totals = (pairs.sum(axis=0) + pairs.sum(axis=1)) / 2
    possible = ~np.eye(len(pairs), dtype=bool) if avoids else np.ones(pairs.shape, bool)
    weights = totals / totals.sum() ** 0.5
    expected = possible * np.outer(weights, weights)
    for _ in range(100):
        weights *= (totals / expected.sum(axis=1)) ** 0.5
        expected = possible * np.outer(weights, weights)
    return expected
