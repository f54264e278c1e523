"""Translate operations with regions: loops, branches, reductions, sorts, scatters.

A region is code inside an operation, such as the body of a loop. Each function in
`WITH_REGIONS` takes an operation and a function `read`, which turns a region into a
`Block`, and returns a function that computes the operation. The returned function takes
the `Run`, which is the current call of the program, and the operation's operands.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo as hlo

from grader.inside.translation.attributes import (
    Untranslatable,
    comparison,
    flag,
    integer,
    integers,
    pairs,
    rank,
    short_name,
)
from grader.inside.translation.blocks import Block, Run, is_known

Function = Callable[..., Any]
Read = Callable[[ir.Region], Block]


def while_(operation: ir.Operation, read: Read) -> Function:
    """Return a function that computes the operation `while`, a loop.

    The returned function takes the `Run`, which is the current call of the program, and
    the values with which the loop begins. It unrolls the loop. It raises
    `Untranslatable` if the number of rounds depends on more than constants.

    Args:
        operation: the operation.
        read: function that turns a region of the operation into a block.
    """
    condition, body = map(read, operation.regions)

    def function(run: Run, *values: Any) -> Any:
        while True:
            (goes_on,) = run.block(condition, values)
            if not is_known(goes_on):
                raise Untranslatable("stablehlo.while with an unknown number of rounds")
            if not goes_on:
                return values
            values = tuple(run.block(body, values))

    return function


def case(operation: ir.Operation, read: Read) -> Function:
    """Return a function that computes the operation `case`, a choice of a branch.

    The returned function takes the `Run`, which is the current call of the program, and
    the index of a branch. An index for which there is no branch chooses the last one.

    Args:
        operation: the operation.
        read: function that turns a region of the operation into a block.
    """
    branches = [read(region) for region in operation.regions]
    last = len(branches) - 1

    def function(run: Run, index: Any) -> Any:
        if is_known(index):
            return run.block(branches[index if 0 <= index <= last else last], ())
        index = jnp.where((index >= 0) & (index <= last), index, last)
        return lax.switch(index, [partial(run.block, b, ()) for b in branches])

    return function


def reduce(operation: ir.Operation, read: Read) -> Function:
    """Return a function that computes the operation `reduce`.

    The returned function takes the `Run`, which is the current call of the program, the
    arrays to reduce, and an initial value for each array. The reductions in
    `REDUCTIONS`, such as sums, become JAX's own reductions. Any other reduction, such
    as arg max, is computed by `reduced_in_pairs`.

    Args:
        operation: the operation.
        read: function that turns a region of the operation into a block.
    """
    axes = integers(operation, "dimensions")
    name = reducer_of(operation)
    if name in REDUCTIONS:
        reduced, combined = REDUCTIONS[name]

        def function(run: Run, x: Any, initial: Any) -> Any:
            total = reduced(x, axes)
            return combined(total, lax.broadcast(initial, total.shape))

        return function
    body = read(operation.regions[0])
    count = len(operation.operands) // 2
    return lambda run, *operands: reduced_in_pairs(
        partial(run.block, body),
        [rows_of(x, axes) for x in operands[:count]],
        list(operands[count:]),
    )


def rows_of(x: Any, axes: tuple[int, ...]) -> Any:
    """Reshape an array to [n,...]: join some axes to one axis, and put this axis first.

    Args:
        x: the array.
        axes: numbers of the axes to join.
    """
    others = [axis for axis in range(x.ndim) if axis not in axes]
    rows = math.prod(x.shape[axis] for axis in axes)
    ordered = lax.transpose(x, (*axes, *others))
    return lax.reshape(ordered, (rows, *(x.shape[axis] for axis in others)))


def reduced_in_pairs(join: Function, rows: list[Any], initial: list[Any]) -> list[Any]:
    """Reduce arrays along their first axis, by joining pairs of rows until one is left.

    This function replaces `lax.reduce` with several operands, which JAX cannot
    differentiate.

    Args:
        join: function that joins two rows at one place. It takes a list of scalars:
            for each array the entry of the first row, then for each array the entry of
            the second row. It returns a list with the joined entry for each array.
        rows: the arrays, all of one shape [n,...].
        initial: for each array, a scalar that is joined with the last remaining row.

    Returns:
        For each array, its reduction [...].
    """
    for _ in range(rows[0].ndim):
        join = jax.vmap(join)
    while (n := len(rows[0])) > 1:
        even, odd = [x[: n - 1 : 2] for x in rows], [x[1::2] for x in rows]
        last = [x[n - n % 2 :] for x in rows]  # the row without a neighbour
        joined = join([*even, *odd])
        rows = [jnp.concatenate(pair) for pair in zip(joined, last, strict=True)]
    shape = (1, *rows[0].shape[1:])
    start = [jnp.broadcast_to(x, shape) for x in initial]
    total = join([*start, *rows]) if len(rows[0]) else start
    return [x[0] for x in total]


def reduce_window(operation: ir.Operation, read: Read) -> Function:
    """Return a function that computes the operation `reduce_window`.

    The returned function takes the `Run`, which is the current call of the program, an
    array and an initial value.

    Args:
        operation: the operation.
        read: function that turns a region of the operation into a block.

    Raises:
        Untranslatable: the windows are not reduced to sums, maxima or minima, or there
            are several arrays. The returned function raises this exception, too, if
            the initial value depends on more than constants.
    """
    name = reducer_of(operation)
    if name not in WINDOW_REDUCERS or len(operation.operands) != 2:
        raise Untranslatable("stablehlo.reduce_window of an unusual kind")
    axes = rank(operation.operands[0])
    ones = (1,) * axes
    sizes = integers(operation, "window_dimensions")
    settings: dict[str, Any] = {
        "window_strides": integers(operation, "window_strides", ones),
        "padding": pairs(integers(operation, "padding", (0,) * (2 * axes))),
        "base_dilation": integers(operation, "base_dilations", ones),
        "window_dilation": integers(operation, "window_dilations", ones),
    }

    def function(run: Run, x: Any, initial: Any) -> Any:
        if not is_known(initial):
            raise Untranslatable("stablehlo.reduce_window with an unknown start")
        return lax.reduce_window(x, initial, WINDOW_REDUCERS[name], sizes, **settings)

    return function


def sort(operation: ir.Operation, read: Read) -> Function:
    """Return a function that computes the operation `sort`.

    The returned function takes the `Run`, which is the current call of the program, and
    the arrays to sort. The first array, or the first few, decide the order.

    Args:
        operation: the operation; `is_ordered` in `inside/operations.py` has accepted
            it.
        read: not used.

    Raises:
        Untranslatable: the order is decreasing.
    """
    (block,) = operation.regions[0].blocks
    directions = [
        comparison(view.operation)[0]
        for view in block.operations
        if short_name(view.operation) == "compare"
    ]
    if "GT" in directions:
        raise Untranslatable("stablehlo.sort in decreasing order")
    settings: dict[str, Any] = {
        "dimension": integer(operation, "dimension"),
        "is_stable": flag(operation, "is_stable"),
        "num_keys": directions.count("LT"),
    }
    return lambda run, *arrays: lax.sort(arrays, **settings)


def scatter(operation: ir.Operation, read: Read) -> Function:
    """Return a function that computes the operation `scatter`.

    The returned function takes the `Run`, which is the current call of the program, an
    array, indices of elements of the array, and new numbers. As the operation's region
    says, it replaces these elements by the new numbers, adds the new numbers to them,
    or multiplies them by the new numbers.

    Args:
        operation: the operation.
        read: not used.

    Raises:
        Untranslatable: elements are changed in another way, there are several arrays,
            or the array of indices does not have the components of an index along its
            last axis.
    """
    name = reducer_of(operation)
    axes = hlo.ScatterDimensionNumbers(
        operation.attributes["scatter_dimension_numbers"]
    )
    last = axes.index_vector_dim == rank(operation.operands[1]) - 1
    if name not in SCATTERS or len(operation.operands) != 3 or not last:
        raise Untranslatable("stablehlo.scatter of an unusual kind")
    numbers = lax.ScatterDimensionNumbers(
        update_window_dims=tuple(axes.update_window_dims),
        inserted_window_dims=tuple(axes.inserted_window_dims),
        scatter_dims_to_operand_dims=tuple(axes.scattered_dims_to_operand_dims),
        operand_batching_dims=tuple(axes.input_batching_dims),
        scatter_indices_batching_dims=tuple(axes.scatter_indices_batching_dims),
    )
    # The program says whether all indices are different. If this is false, JAX computes
    # wrong numbers. So it is used only where JAX needs it: to differentiate products.
    unique = name == "multiply" and flag(operation, "unique_indices")
    return lambda run, x, indices, updates: SCATTERS[name](
        x, indices, updates, numbers, unique_indices=unique, mode="drop"
    )


def reducer_of(operation: ir.Operation) -> str:
    """Return the name of the operation by which a reduction joins two numbers.

    Args:
        operation: an operation with a region that joins two numbers.

    Returns:
        The name, such as "add", if the region applies one single operation to the two
        numbers. "second" if the region only returns the second number. Else "".
    """
    (block,) = operation.regions[0].blocks
    arguments, operations = list(block.arguments), list(block.operations)
    returned = list(operations[-1].operands)
    if len(operations) == 1:
        return "second" if returned == arguments[1:] else ""
    joins = list(operations[0].operands) in (arguments, arguments[::-1])
    single = len(operations) == 2 and returned == list(operations[0].results)
    return short_name(operations[0].operation) if joins and single else ""


REDUCTIONS: dict[str, tuple[Function, Function]] = {
    "add": (lax.reduce_sum, lax.add),
    "and": (lax.reduce_and, lax.bitwise_and),
    "maximum": (lax.reduce_max, lax.max),
    "minimum": (lax.reduce_min, lax.min),
    "multiply": (lax.reduce_prod, lax.mul),
    "or": (lax.reduce_or, lax.bitwise_or),
    "xor": (lax.reduce_xor, lax.bitwise_xor),
}
WINDOW_REDUCERS: dict[str, Function] = {
    "add": lax.add,
    "maximum": lax.max,
    "minimum": lax.min,
}
SCATTERS: dict[str, Function] = {
    "add": lax.scatter_add,
    "multiply": lax.scatter_mul,
    "second": lax.scatter,
}
WITH_REGIONS: dict[str, Callable[[ir.Operation, Read], Function]] = {
    "case": case,
    "reduce": reduce,
    "reduce_window": reduce_window,
    "scatter": scatter,
    "sort": sort,
    "while": while_,
}
