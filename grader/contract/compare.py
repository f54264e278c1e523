"""Compare an array that came back with the expected array.

The shape is compared first, then it is checked that the numbers are finite, then the
numbers are compared. The messages are written for students.
"""

from typing import Any

import numpy as np

from grader.contract.outcomes import Wrong

# The tolerance of an entry is ATOL + RTOL · (largest absolute expected value).
# In all fixed cases, the solution's answers in float32 and in float64 differ by at most
# 2.5 % of the tolerance (see `tests/system/test_rounding.py`). Another device, or right
# code in another style, adds the same numbers in another order. The answers of a CPU
# and a GPU differ by at most 5 % of the tolerance, because both compute matrix products
# in full precision. Every known mistake moves some value by more than ten tolerances;
# otherwise `make reference` records nothing.
RTOL = 1e-4
ATOL = 1e-5
MAX_ROWS = 4  # wrong entries shown in a message


def shape_problem(what: str, obtained: Any, shape: tuple[int, ...]) -> str | None:
    """Return a sentence on an array's wrong type or shape; None if both are right.

    The type is right if `obtained` is a NumPy array of booleans, integers or floats.

    Args:
        what: name of the array, for the message.
        obtained: what came back; it can be of any type.
        shape: expected shape.
    """
    if not isinstance(obtained, np.ndarray):
        return f"{what}: no array came back"
    if obtained.shape != shape:
        wanted = f"{shape}, a scalar" if shape == () else f"{shape}"
        return f"{what}: shape {obtained.shape}, expected {wanted}"
    if obtained.dtype.kind not in "biuf":
        return f"{what}: type {obtained.dtype}, expected numbers"
    return None


def finite_problem(what: str, obtained: np.ndarray) -> str | None:
    """Return a sentence on the first entry that is not finite; None if all are finite.

    Args:
        what: name of the array, for the message.
        obtained: array of numbers.
    """
    bad = np.argwhere(~np.isfinite(obtained))
    if not len(bad):
        return None
    index = tuple(bad[0])
    return f"{what}{entry(index)} is {obtained[index]}, expected a finite number"


def value_problem(
    what: str, obtained: np.ndarray, expected: np.ndarray, *, exact: bool = False
) -> str | None:
    """Return a message that lists the first wrong entries; None if all are right.

    An entry is right if it differs from the expected number by at most a tolerance. All
    entries have the same tolerance: ATOL + RTOL times the largest absolute expected
    number. If an expected number is not finite, the message says that there is nothing
    to compare with.

    Args:
        what: name of the compared array, for the message.
        obtained: the numbers that came back.
        expected: the right numbers, of the same shape.
        exact: True if the numbers must be equal, without a tolerance.
    """
    obtained, expected = obtained.astype(np.float64), expected.astype(np.float64)
    if not np.isfinite(expected).all():
        return f"{what}: nothing finite is there to compare with"
    if exact:
        wrong = obtained != expected
    else:
        # The tolerance depends on the largest entry and is the same for all entries,
        # because a small entry can be the difference of two large terms and then has
        # the rounding error of these terms.
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
    """Return in words what is wrong with an array, or None if it is right.

    The type and the shape are compared first, then it is checked that the numbers are
    finite, then the numbers are compared.

    Args:
        what: name of the array, for the message.
        obtained: what came back; it can be of any type.
        expected: the right numbers.
        exact: whether the numbers must be equal, without a tolerance.
    """
    return (
        shape_problem(what, obtained, expected.shape)
        or finite_problem(what, obtained)
        or value_problem(what, obtained, expected, exact=exact)
    )


def leaves_problem(
    what: str, obtained: Any, expected: list[np.ndarray], *, exact: bool = False
) -> str | None:
    """Return in words what is wrong with a list of arrays, or None if it is right.

    In the message, an array that is a single integer is called the step count, because
    only an optimizer's state has such an array.

    Args:
        what: name of the list, for the message, for example "gradient".
        obtained: what came back; it can be of any type.
        expected: the right arrays.
        exact: whether the numbers must be equal, without a tolerance.
    """
    if not isinstance(obtained, list) or len(obtained) != len(expected):
        return f"{what}: not the {len(expected)} arrays that were expected"
    for i, (a, b) in enumerate(zip(obtained, expected, strict=True)):
        counts = b.shape == () and b.dtype.kind in "iu"
        name = "its step count" if counts else f"array {i} of shape {b.shape}"
        found = problem(f"{what}, {name}", a, b, exact=exact)
        if found:
            return found
    return None


def require(found: str | None, *details: str) -> None:
    """Raise `Wrong` if a comparison has found a problem.

    Args:
        found: the problem in words; None if there is none.
        details: further lines of the message; empty lines are left out.

    Raises:
        Wrong: a problem was found; the message is the problem and the details.
    """
    if found:
        raise Wrong("\n".join([found, *(line for line in details if line)]))


def entry(index: tuple[int, ...]) -> str:
    """Return an index as Python code, for example "[2, 0]"; "" for the empty index."""
    return f"[{', '.join(str(i) for i in index)}]" if index else ""


def same_arrays(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    """Return whether two lists hold arrays of the same shapes with equal numbers."""
    return len(a) == len(b) and all(map(np.array_equal, a, b))


def number(value: Any) -> str:
    """Return a number as text, with at most six significant digits."""
    return f"{float(value):.6g}"


def numbers(array: np.ndarray) -> str:
    """Return an array's numbers as one line of text, or its shape if it is large.

    It is large if it has more than 24 numbers.
    """
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
