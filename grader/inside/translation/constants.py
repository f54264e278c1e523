"""Translate operations to NumPy functions, for values that depend on constants alone.

A loop's counter is such a value. NumPy computes it when the translated program is
called or traced, so that a loop with a constant number of rounds can be unrolled.
Operations for which NumPy and XLA may differ, such as the division of integers by zero,
have no NumPy function.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxlib.mlir import ir

from grader.inside.translation.attributes import (
    array_kind,
    comparison,
    constant_array,
    integer,
    integers,
)

Function = Callable[..., Any]


def constant(operation: ir.Operation) -> Function:
    """Return the operation `constant` as a NumPy function without arguments."""
    array = constant_array(operation)
    return lambda: array


def iota(operation: ir.Operation) -> Function:
    """Return the operation `iota` (0, 1, 2, ... along an axis) as a NumPy function."""
    shape, dtype = array_kind(operation.results[0])
    axis = integer(operation, "iota_dimension")
    along = [1] * len(shape)
    along[axis] = shape[axis]
    return lambda: np.broadcast_to(
        np.arange(shape[axis]).astype(dtype).reshape(along), shape
    )


def compare(operation: ir.Operation) -> Function | None:
    """Return the operation `compare` as a NumPy function of two arrays, or None.

    None means that floats are compared by their total order, which NumPy does not have.
    """
    direction, is_total = comparison(operation)
    return None if is_total else COMPARISONS[direction]


def convert(operation: ir.Operation) -> Function | None:
    """Return the operation `convert` as a NumPy function of one array, or None.

    None means that floats are converted to integers or bools: here NumPy and XLA may
    differ.
    """
    source = array_kind(operation.operands[0])[1]
    target = array_kind(operation.results[0])[1]
    if source.kind not in "biu" and target.kind in "biu":
        return None
    return lambda x: x.astype(target)


def reshape(operation: ir.Operation) -> Function:
    """Return the operation `reshape` as a NumPy function of one array."""
    shape, _ = array_kind(operation.results[0])
    return lambda x: x.reshape(shape)


def broadcast_in_dim(operation: ir.Operation) -> Function:
    """Return the operation `broadcast_in_dim` as a NumPy function of one array."""
    shape, _ = array_kind(operation.results[0])
    axes = integers(operation, "broadcast_dimensions")

    def function(x: np.ndarray) -> np.ndarray:
        along = [1] * len(shape)
        for axis, size in zip(axes, x.shape, strict=True):
            along[axis] = size
        return np.broadcast_to(x.reshape(along), shape)

    return function


def transpose(operation: ir.Operation) -> Function:
    """Return the operation `transpose` as a NumPy function of one array."""
    order = integers(operation, "permutation")
    return lambda x: x.transpose(order)


def concatenate(operation: ir.Operation) -> Function:
    """Return the operation `concatenate` as a NumPy function of several arrays."""
    axis = integer(operation, "dimension")
    return lambda *arrays: np.concatenate(arrays, axis)


def slice_(operation: ir.Operation) -> Function:
    """Return the operation `slice` as a NumPy function of one array."""
    names = ("start_indices", "limit_indices", "strides")
    places = tuple(
        slice(*numbers)
        for numbers in zip(*(integers(operation, n) for n in names), strict=True)
    )
    return lambda x: x[places]


def dynamic_slice(operation: ir.Operation) -> Function:
    """Return the operation `dynamic_slice` as a NumPy function.

    The NumPy function takes an array and, for each axis, the start of a slice. It
    returns the slice. If the slice would not lie in the array, its start is moved.
    """
    sizes = integers(operation, "slice_sizes")
    return lambda x, *starts: x[places_of(x, starts, sizes)]


def dynamic_update_slice(operation: ir.Operation) -> Function:
    """Return the operation `dynamic_update_slice` as a NumPy function.

    The NumPy function takes an array, the new slice and, for each axis, the start of
    the slice. It returns a copy of the array with the new slice in it. If the slice
    would not lie in the array, its start is moved.
    """

    def function(x: np.ndarray, update: np.ndarray, *starts: np.ndarray) -> np.ndarray:
        changed = x.copy()
        changed[places_of(x, starts, update.shape)] = update
        return changed

    return function


def places_of(
    x: np.ndarray, starts: tuple[np.ndarray, ...], sizes: tuple[int, ...]
) -> tuple[slice, ...]:
    """Return the index of a part of an array: a tuple with one slice for each axis.

    A start that is too small or too large is moved so that the part lies in the array.

    Args:
        x: the array.
        starts: for each axis, where the part begins: an array of one number.
        sizes: for each axis, the size of the part.
    """
    ends = [n - size for n, size in zip(x.shape, sizes, strict=True)]
    moved = [min(max(int(s), 0), e) for s, e in zip(starts, ends, strict=True)]
    return tuple(slice(s, s + size) for s, size in zip(moved, sizes, strict=True))


COMPARISONS: dict[str, Function] = {
    "EQ": np.equal,
    "NE": np.not_equal,
    "LT": np.less,
    "LE": np.less_equal,
    "GT": np.greater,
    "GE": np.greater_equal,
}
ELEMENTWISE: dict[str, Function] = {
    "abs": np.abs,
    "add": np.add,
    "and": np.bitwise_and,
    "clamp": lambda low, x, high: np.minimum(np.maximum(x, low), high),
    "maximum": np.maximum,
    "minimum": np.minimum,
    "multiply": np.multiply,
    "negate": np.negative,
    "not": np.invert,
    "or": np.bitwise_or,
    "select": np.where,
    "subtract": np.subtract,
    "xor": np.bitwise_xor,
}
WITH_ATTRIBUTES: dict[str, Callable[[ir.Operation], Function | None]] = {
    "broadcast_in_dim": broadcast_in_dim,
    "compare": compare,
    "concatenate": concatenate,
    "constant": constant,
    "convert": convert,
    "dynamic_slice": dynamic_slice,
    "dynamic_update_slice": dynamic_update_slice,
    "iota": iota,
    "reshape": reshape,
    "slice": slice_,
    "transpose": transpose,
}


def numpy_function(name: str, operation: ir.Operation) -> Function | None:
    """Return a NumPy function that computes an operation; None if there is none.

    Args:
        name: name of the operation, without its dialect.
        operation: the operation.
    """
    if name in WITH_ATTRIBUTES:
        return WITH_ATTRIBUTES[name](operation)
    return ELEMENTWISE.get(name)
