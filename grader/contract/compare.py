"""Obtained against expected: the shape first, then finiteness, then the values."""

from typing import Any

import numpy as np

from grader.contract.outcomes import Wrong

# Rounding in float32, that of γ included, moves the solution's answers by 2.5 % of this
# tolerance at most (against float64, in all fixed cases: `test_compare.py`).
# Another device, or sound code that is written otherwise, rounds the same sums in
# another order: CPU and GPU are apart by no more than twice that, for matrix products
# have full precision on both. Every known mistake moves some value by more than ten
# times the tolerance, or `make reference` refuses to record.
RTOL = 1e-4
ATOL = 1e-5
MAX_ROWS = 4


def shape_problem(what: str, obtained: Any, shape: tuple[int, ...]) -> str | None:
    """Return what is wrong with the shape or the kind of an answer, if anything."""
    if not isinstance(obtained, np.ndarray):
        return f"{what}: no array came back"
    if obtained.shape != shape:
        wanted = f"{shape}, a scalar" if shape == () else f"{shape}"
        return f"{what}: shape {obtained.shape}, expected {wanted}"
    if obtained.dtype.kind not in "biuf":
        return f"{what}: type {obtained.dtype}, expected numbers"
    return None


def finite_problem(what: str, obtained: np.ndarray) -> str | None:
    """Return which entry is not finite, if any."""
    bad = np.argwhere(~np.isfinite(obtained))
    if not len(bad):
        return None
    index = tuple(bad[0])
    return f"{what}{entry(index)} is {obtained[index]}, expected a finite number"


def value_problem(
    what: str, obtained: np.ndarray, expected: np.ndarray, *, exact: bool = False
) -> str | None:
    """Return a small table of the entries that differ, if any do."""
    obtained, expected = obtained.astype(np.float64), expected.astype(np.float64)
    if not np.isfinite(expected).all():
        return f"{what}: nothing finite is there to compare with"
    if exact:
        wrong = obtained != expected
    else:
        # The scale of the whole array: an entry that cancels to almost nothing keeps
        # the rounding of the terms that it is the difference of.
        scale = np.abs(expected).max(initial=0.0)
        wrong = ~(np.abs(obtained - expected) <= ATOL + RTOL * scale)
    if not wrong.any():
        return None
    if expected.shape == ():
        return f"{what}: obtained {number(obtained)}, expected {number(expected)}"
    bad = np.argwhere(wrong)
    rows = [f"{what}: {len(bad)} of {expected.size} entries are wrong"]
    for index in map(tuple, bad[:MAX_ROWS]):
        rows.append(
            f"  {entry(index)} obtained {number(obtained[index])}, "
            f"expected {number(expected[index])}"
        )
    return "\n".join(rows)


def problem(
    what: str, obtained: Any, expected: np.ndarray, *, exact: bool = False
) -> str | None:
    """Return what is wrong with an answer: its shape, finiteness or values."""
    return (
        shape_problem(what, obtained, expected.shape)
        or finite_problem(what, obtained)
        or value_problem(what, obtained, expected, exact=exact)
    )


def leaves_problem(
    what: str, obtained: Any, expected: list[np.ndarray], *, exact: bool = False
) -> str | None:
    """Return what is wrong with a list of arrays, if anything."""
    if not isinstance(obtained, list) or len(obtained) != len(expected):
        return f"{what}: not the {len(expected)} arrays that were expected"
    for i, (a, b) in enumerate(zip(obtained, expected, strict=True)):
        found = problem(f"{what}, array {i} of shape {b.shape}", a, b, exact=exact)
        if found:
            return found
    return None


def require(found: str | None, *details: str) -> None:
    """Fail the check when something was found wrong.

    Raises:
        Wrong: with the finding and, on lines of their own, the details.
    """
    if found:
        raise Wrong("\n".join([found, *(line for line in details if line)]))


def entry(index: tuple[int, ...]) -> str:
    """Return an index as one writes it."""
    return f"[{', '.join(str(i) for i in index)}]" if index else ""


def number(value: Any) -> str:
    """Return a number as a person would write it."""
    return f"{float(value):.6g}"


def numbers(array: np.ndarray) -> str:
    """Return a small array in one line; a large one by its shape."""
    if array.size > 24:
        return f"an array of shape {array.shape}"
    if array.dtype == bool:
        return str(array.astype(int).tolist())
    if array.dtype.kind in "iu":
        return str(array.tolist())
    text = np.array2string(
        array, separator=", ", max_line_width=10_000, formatter={"float_kind": number}
    )
    return " ".join(text.split())
