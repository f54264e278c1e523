"""Translate operations without regions, each to a JAX function of its operands.

A region is code inside an operation, such as the body of a loop. `jax_function` finds
the translation of an operation by its name. Most of the functions above it translate an
operation that has attributes, such as the axis of a concatenation.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo as hlo

from grader.inside.translation.attributes import (
    Untranslatable,
    array_kind,
    comparison,
    integer,
    integers,
    pairs,
    rank,
)

Function = Callable[..., Any]


def compare(operation: ir.Operation) -> Function:
    """Return the operation `compare` as a JAX function of two arrays.

    If the operation compares floats by their total order, the function takes NaN as the
    largest number, all NaN as equal, and -0 and 0 as equal. This is enough: JAX uses
    the total order in sorts and searches, after it has replaced -0 by 0 and each NaN by
    the same NaN.

    Raises:
        Untranslatable: floats are compared by their total order, with another direction
            than "LT" or "LE".
    """
    direction, is_total = comparison(operation)
    if not is_total:
        return COMPARISONS[direction]
    if direction not in ("LT", "LE"):
        raise Untranslatable("stablehlo.compare in the total order of floats")
    ordered = COMPARISONS[direction]

    def function(x: Any, y: Any) -> Any:
        first_is_less = lax.ne(y, y)
        if direction == "LT":
            first_is_less = lax.bitwise_and(first_is_less, lax.eq(x, x))
        return lax.bitwise_or(ordered(x, y), first_is_less)

    return function


def convert(operation: ir.Operation) -> Function:
    """Return the operation `convert` as a JAX function of one array."""
    _, dtype = array_kind(operation.results[0])
    return lambda x: lax.convert_element_type(x, dtype)


def bitcast_convert(operation: ir.Operation) -> Function:
    """Return the operation `bitcast_convert` as a JAX function of one array."""
    _, dtype = array_kind(operation.results[0])
    return lambda x: lax.bitcast_convert_type(x, dtype)


def reduce_precision(operation: ir.Operation) -> Function:
    """Return the operation `reduce_precision` as a JAX function of one array."""
    bits = integer(operation, "exponent_bits"), integer(operation, "mantissa_bits")
    return lambda x: lax.reduce_precision(x, *bits)


def reshape(operation: ir.Operation) -> Function:
    """Return the operation `reshape` as a JAX function of one array."""
    shape, _ = array_kind(operation.results[0])
    return lambda x: lax.reshape(x, shape)


def transpose(operation: ir.Operation) -> Function:
    """Return the operation `transpose` as a JAX function of one array."""
    order = integers(operation, "permutation")
    return lambda x: lax.transpose(x, order)


def reverse(operation: ir.Operation) -> Function:
    """Return the operation `reverse` as a JAX function of one array."""
    axes = integers(operation, "dimensions")
    return lambda x: lax.rev(x, axes)


def broadcast_in_dim(operation: ir.Operation) -> Function:
    """Return the operation `broadcast_in_dim` as a JAX function of one array."""
    shape, _ = array_kind(operation.results[0])
    axes = integers(operation, "broadcast_dimensions")
    return lambda x: lax.broadcast_in_dim(x, shape, axes)


def concatenate(operation: ir.Operation) -> Function:
    """Return the operation `concatenate` as a JAX function of several arrays."""
    axis = integer(operation, "dimension")
    return lambda *arrays: lax.concatenate(arrays, axis)


def slice_(operation: ir.Operation) -> Function:
    """Return the operation `slice` as a JAX function of one array."""
    names = ("start_indices", "limit_indices", "strides")
    places = [integers(operation, name) for name in names]
    return lambda x: lax.slice(x, *places)


def dynamic_slice(operation: ir.Operation) -> Function:
    """Return the operation `dynamic_slice` as a JAX function.

    The JAX function takes an array and, for each axis, the start of a slice. It returns
    the slice. A negative start means 0, not a position counted from the end.
    """
    sizes = integers(operation, "slice_sizes")
    return lambda x, *starts: lax.dynamic_slice(
        x, starts, sizes, allow_negative_indices=False
    )


def dynamic_update_slice(operation: ir.Operation) -> Function:
    """Return the operation `dynamic_update_slice` as a JAX function.

    The JAX function takes an array, the new slice and, for each axis, the start of the
    slice. It returns the array with the new slice in it. A negative start means 0, not
    a position counted from the end.
    """
    return lambda x, update, *starts: lax.dynamic_update_slice(
        x, update, starts, allow_negative_indices=False
    )


def pad(operation: ir.Operation) -> Function:
    """Return the operation `pad` as a JAX function of an array and a number.

    The new elements around and between those of the array get this number.
    """
    names = ("edge_padding_low", "edge_padding_high", "interior_padding")
    paddings = list(zip(*(integers(operation, name) for name in names), strict=True))
    return lambda x, value: lax.pad(x, value, paddings)


def dot_general(operation: ir.Operation) -> Function:
    """Return the operation `dot_general` as a JAX function of two arrays.

    The precision is that of JAX's setting; the precision in the program is ignored.
    """
    attribute = operation.attributes["dot_dimension_numbers"]
    axes = hlo.DotDimensionNumbers(attribute)
    numbers = (
        (axes.lhs_contracting_dimensions, axes.rhs_contracting_dimensions),
        (axes.lhs_batching_dimensions, axes.rhs_batching_dimensions),
    )
    _, dtype = array_kind(operation.results[0])
    return lambda x, y: lax.dot_general(x, y, numbers, preferred_element_type=dtype)


def convolution(operation: ir.Operation) -> Function:
    """Return the operation `convolution` as a JAX function of an array and a kernel.

    Raises:
        Untranslatable: the kernel is reversed.
    """
    if any(integers(operation, "window_reversal")):
        raise Untranslatable("stablehlo.convolution with a reversed kernel")
    axes = hlo.ConvDimensionNumbers(operation.attributes["dimension_numbers"])
    spatial = rank(operation.operands[0]) - 2
    ones, zeros = (1,) * spatial, (0,) * (2 * spatial)
    _, dtype = array_kind(operation.results[0])
    settings: dict[str, Any] = {
        "window_strides": integers(operation, "window_strides", ones),
        "padding": pairs(integers(operation, "padding", zeros)),
        "lhs_dilation": integers(operation, "lhs_dilation", ones),
        "rhs_dilation": integers(operation, "rhs_dilation", ones),
        "feature_group_count": integer(operation, "feature_group_count"),
        "batch_group_count": integer(operation, "batch_group_count"),
        "preferred_element_type": dtype,
        "dimension_numbers": lax.ConvDimensionNumbers(
            (
                axes.input_batch_dimension,
                axes.input_feature_dimension,
                *axes.input_spatial_dimensions,
            ),
            (
                axes.kernel_output_feature_dimension,
                axes.kernel_input_feature_dimension,
                *axes.kernel_spatial_dimensions,
            ),
            (
                axes.output_batch_dimension,
                axes.output_feature_dimension,
                *axes.output_spatial_dimensions,
            ),
        ),
    }
    return lambda x, kernel: lax.conv_general_dilated(x, kernel, **settings)


def gather(operation: ir.Operation) -> Function:
    """Return the operation `gather` as a JAX function of an array and indices.

    An index that points outside the array is moved to the nearest position inside.

    Raises:
        Untranslatable: in the array of indices, the components of an index do not lie
            along the last axis.
    """
    axes = hlo.GatherDimensionNumbers(operation.attributes["dimension_numbers"])
    if axes.index_vector_dim != rank(operation.operands[1]) - 1:
        raise Untranslatable("stablehlo.gather with indices along another axis")
    numbers = lax.GatherDimensionNumbers(
        offset_dims=tuple(axes.offset_dims),
        collapsed_slice_dims=tuple(axes.collapsed_slice_dims),
        start_index_map=tuple(axes.start_index_map),
        operand_batching_dims=tuple(axes.operand_batching_dims),
        start_indices_batching_dims=tuple(axes.start_indices_batching_dims),
    )
    sizes = integers(operation, "slice_sizes")
    return lambda x, indices: lax.gather(x, indices, numbers, sizes, mode="clip")


def fft(operation: ir.Operation) -> Function:
    """Return the operation `fft` as a JAX function of one array."""
    kind = hlo.FftTypeAttr(operation.attributes["fft_type"]).value
    lengths = integers(operation, "fft_length")
    return lambda x: lax.fft(x, kind, lengths)


def composite(operation: ir.Operation) -> Function:
    """Return the operation `composite` as a JAX function of one array.

    The operation `composite` contains the name of a function, such as "chlo.erf", and
    the operations that compute this function. Only the name is used.

    Raises:
        Untranslatable: the name is not in `COMPOSITES`, and is not "chlo.top_k".
    """
    name = ir.StringAttr(operation.attributes["name"]).value
    if name == "chlo.top_k":
        attributes = ir.DictAttr(operation.attributes["composite_attributes"])
        k = ir.IntegerAttr(attributes["k"]).value
        return lambda x: lax.top_k(x, k)
    if name not in COMPOSITES:
        raise Untranslatable(f"stablehlo.composite {name[:100]}")
    return COMPOSITES[name]


def absolute(x: Any) -> Any:
    """Return |x|, with derivative 0 at x = 0.

    JAX's own |x| has the derivative 1 at 0. But exported programs compute softplus by
    |x|, and softplus gets its right derivative ½ at 0 only if |x| has the derivative 0
    there.
    """
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return lax.abs(x)
    return lax.mul(x, lax.stop_gradient(lax.sign(x)))


def product(x: Any, y: Any) -> Any:
    """Return the product x y, with derivative 0 if one factor is a constant infinity.

    A function with a pole, such as atanh, contains a product with infinity that is used
    only at the pole. Everywhere else, the chain rule would multiply the infinite
    derivative of this product by 0, which gives NaN.
    """
    if is_infinite(x):
        y = lax.stop_gradient(y)
    if is_infinite(y):
        x = lax.stop_gradient(x)
    return lax.mul(x, y)


def is_infinite(value: Any) -> bool:
    """Return whether a value is a constant array with only infinite numbers."""
    return isinstance(value, np.ndarray) and bool(np.isinf(value).all())


def custom_call(operation: ir.Operation) -> Function:
    """Refuse the operation `custom_call`.

    This operation calls library code, such as LAPACK, whose derivative is not known.

    Raises:
        Untranslatable: always.
    """
    target = ir.StringAttr(operation.attributes["call_target_name"]).value
    raise Untranslatable(f"stablehlo.custom_call {target[:100]}")


COMPARISONS: dict[str, Function] = {
    "EQ": lax.eq,
    "NE": lax.ne,
    "LT": lax.lt,
    "LE": lax.le,
    "GT": lax.gt,
    "GE": lax.ge,
}
COMPOSITES: dict[str, Function] = {
    "chlo.acos": lax.acos,
    "chlo.acosh": lax.acosh,
    "chlo.asin": lax.asin,
    "chlo.asinh": lax.asinh,
    "chlo.atan": lax.atan,
    "chlo.atanh": lax.atanh,
    "chlo.cosh": lax.cosh,
    "chlo.erf": lax.erf,
    "chlo.erf_inv": lax.erf_inv,
    "chlo.erfc": lax.erfc,
    "chlo.sinh": lax.sinh,
    "chlo.tan": lax.tan,
}
ELEMENTWISE: dict[str, Function] = {
    "abs": absolute,
    "add": lax.add,
    "and": lax.bitwise_and,
    "atan2": lax.atan2,
    "cbrt": lax.cbrt,
    "ceil": lax.ceil,
    "clamp": lax.clamp,
    "complex": lax.complex,
    "cosine": lax.cos,
    "count_leading_zeros": lax.clz,
    "divide": lax.div,
    "exponential": lax.exp,
    "exponential_minus_one": lax.expm1,
    "floor": lax.floor,
    "imag": lax.imag,
    "is_finite": lax.is_finite,
    "log": lax.log,
    "log_plus_one": lax.log1p,
    "logistic": lax.logistic,
    "maximum": lax.max,
    "minimum": lax.min,
    "multiply": product,
    "negate": lax.neg,
    "not": lax.bitwise_not,
    "optimization_barrier": lambda *arrays: arrays,
    "or": lax.bitwise_or,
    "popcnt": lax.population_count,
    "power": lax.pow,
    "real": lax.real,
    "remainder": lax.rem,
    "round_nearest_afz": lambda x: lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO),
    "round_nearest_even": lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN),
    "rsqrt": lax.rsqrt,
    "select": lax.select,
    "shift_left": lax.shift_left,
    "shift_right_arithmetic": lax.shift_right_arithmetic,
    "shift_right_logical": lax.shift_right_logical,
    "sign": lax.sign,
    "sine": lax.sin,
    "sqrt": lax.sqrt,
    "subtract": lax.sub,
    "tan": lax.tan,
    "tanh": lax.tanh,
    "xor": lax.bitwise_xor,
}
WITH_ATTRIBUTES: dict[str, Callable[[ir.Operation], Function]] = {
    "bitcast_convert": bitcast_convert,
    "broadcast_in_dim": broadcast_in_dim,
    "compare": compare,
    "composite": composite,
    "concatenate": concatenate,
    "convert": convert,
    "convolution": convolution,
    "custom_call": custom_call,
    "dot_general": dot_general,
    "dynamic_slice": dynamic_slice,
    "dynamic_update_slice": dynamic_update_slice,
    "fft": fft,
    "gather": gather,
    "pad": pad,
    "reduce_precision": reduce_precision,
    "reshape": reshape,
    "reverse": reverse,
    "slice": slice_,
    "transpose": transpose,
}


def jax_function(name: str, operation: ir.Operation) -> Function | None:
    """Return a JAX function that computes an operation; None for an unknown name.

    Args:
        name: name of the operation, without its dialect.
        operation: the operation.

    Raises:
        Untranslatable: the operation has a known name, but its attributes cannot be
            translated.
    """
    if name in WITH_ATTRIBUTES:
        return WITH_ATTRIBUTES[name](operation)
    return ELEMENTWISE.get(name)
