"""Compute values that depend on constants alone, with NumPy.

The counters of loops are such values. Because these values are known during the
translation, a loop with a constant number of rounds can be unrolled. The tables leave
out operations for which NumPy and XLA may differ, such as the division of integers by
zero.
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
    """Read `constant`."""
    array = constant_array(operation)
    return lambda: array


def iota(operation: ir.Operation) -> Function:
    """Read `iota`: along one axis the numbers 0, 1, 2, ..."""
    shape, dtype = array_kind(operation.results[0])
    axis = integer(operation, "iota_dimension")
    along = [1] * len(shape)
    along[axis] = shape[axis]
    return lambda: np.broadcast_to(
        np.arange(shape[axis]).astype(dtype).reshape(along), shape
    )


def compare(operation: ir.Operation) -> Function | None:
    """Read `compare`; None for the total order of floats, which NumPy lacks."""
    direction, is_total = comparison(operation)
    return None if is_total else COMPARISONS[direction]


def convert(operation: ir.Operation) -> Function | None:
    """Read `convert`; None from floats to integers, where NumPy and XLA differ."""
    source = array_kind(operation.operands[0])[1]
    target = array_kind(operation.results[0])[1]
    if source.kind not in "biu" and target.kind in "biu":
        return None
    return lambda x: x.astype(target)


def reshape(operation: ir.Operation) -> Function:
    """Read `reshape`."""
    shape, _ = array_kind(operation.results[0])
    return lambda x: x.reshape(shape)


def broadcast_in_dim(operation: ir.Operation) -> Function:
    """Read `broadcast_in_dim`."""
    shape, _ = array_kind(operation.results[0])
    axes = integers(operation, "broadcast_dimensions")

    def function(x: np.ndarray) -> np.ndarray:
        along = [1] * len(shape)
        for axis, size in zip(axes, x.shape, strict=True):
            along[axis] = size
        return np.broadcast_to(x.reshape(along), shape)

    return function


def transpose(operation: ir.Operation) -> Function:
    """Read `transpose`."""
    order = integers(operation, "permutation")
    return lambda x: x.transpose(order)


def concatenate(operation: ir.Operation) -> Function:
    """Read `concatenate`."""
    axis = integer(operation, "dimension")
    return lambda *arrays: np.concatenate(arrays, axis)


def slice_(operation: ir.Operation) -> Function:
    """Read `slice`."""
    names = ("start_indices", "limit_indices", "strides")
    places = tuple(
        slice(*numbers)
        for numbers in zip(*(integers(operation, n) for n in names), strict=True)
    )
    return lambda x: x[places]


def dynamic_slice(operation: ir.Operation) -> Function:
    """Read `dynamic_slice`; starts are moved so that the slice lies in the array."""
    sizes = integers(operation, "slice_sizes")
    return lambda x, *starts: x[places_of(x, starts, sizes)]


def dynamic_update_slice(operation: ir.Operation) -> Function:
    """Read `dynamic_update_slice`; starts are moved as in `dynamic_slice`."""

    def function(x: np.ndarray, update: np.ndarray, *starts: np.ndarray) -> np.ndarray:
        changed = x.copy()
        changed[places_of(x, starts, update.shape)] = update
        return changed

    return function


def places_of(
    x: np.ndarray, starts: tuple[np.ndarray, ...], sizes: tuple[int, ...]
) -> tuple[slice, ...]:
    """Return the slices of an array that have given starts and sizes.

    Starts are moved so that the slices lie in the array.
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
    """Return an operation as a function of NumPy arrays, or None if no table has it.

    Args:
        name: name of the operation, without its dialect.
        operation: the operation.
    """
    if name in WITH_ATTRIBUTES:
        return WITH_ATTRIBUTES[name](operation)
    return ELEMENTWISE.get(name)
