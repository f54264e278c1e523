"""Check the single operations of a program before the runner compiles it.

The name of an operation and the types of its arrays must be allowed. Four more things
are checked: the type of a constant, the comparison of a sort, the sizes of the arrays
that library code gets, and the amount of padding. XLA does not check them. If one is
wrong, XLA reads or writes beyond the end of an array.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo as hlo

MAX_ARRAY = 1 << 30  # bytes of one array
# The largest number of elements of an array after padding, dilation and windows. A
# number beyond 64 bits would overflow, and XLA would write beyond the end of the array.
MAX_BETWEEN = 1 << 56
STRUCTURE = {"builtin.module", "func.func", "func.call", "func.return"}
# The operations that JAX exports and that only compute. The list has no operations that
# use the host, other devices or the device's own random generator, that have array
# sizes known only at run time, or that make tuples.
OPERATIONS = re.compile(
    r"""stablehlo\.(
    abs|add|and|atan2|bitcast_convert|broadcast_in_dim|case|cbrt|ceil|
    cholesky|clamp|compare|complex|composite|concatenate|constant|convert|
    convolution|cosine|count_leading_zeros|custom_call|divide|dot_general|
    dynamic_slice|dynamic_update_slice|exponential|exponential_minus_one|fft|
    floor|gather|imag|iota|is_finite|log|log_plus_one|logistic|maximum|
    minimum|multiply|negate|not|optimization_barrier|or|pad|popcnt|power|
    real|reduce|reduce_precision|reduce_window|remainder|reshape|return|
    reverse|rng_bit_generator|round_nearest_afz|round_nearest_even|rsqrt|
    scatter|select|select_and_scatter|shift_left|shift_right_arithmetic|
    shift_right_logical|sign|sine|slice|sort|sqrt|subtract|tan|tanh|
    transpose|triangular_solve|while|xor
    )""",
    re.VERBOSE,
)
COMPOSITES = re.compile(r"chlo\.(a?(cos|sin|tan)h?|erf|erf_inv|erfc|top_k)")
WINDOWS = (
    *("edge_padding_low", "edge_padding_high", "interior_padding", "padding"),
    *("window_dimensions", "window_strides", "base_dilations", "window_dilations"),
    *("lhs_dilation", "rhs_dilation"),
)
ELEMENT = re.compile(r"i1|u?i(8|16|32|64)|bf16|f(16|32|64)|complex<f(32|64)>")
# Element types of constants that NumPy cannot read from MLIR, each with the type of the
# floats of which such a number consists.
UNBUFFERED = {"bf16": jnp.bfloat16, "complex<f32>": "f4", "complex<f64>": "f8"}
# Library code that a program may call: QR (for orthogonal weights), LU and Cholesky
# decompositions, and the solution of triangular systems.
LAPACK = re.compile(r"(?:lapack_[sd]|cusolver_)(geqrf|orgqr|getrf|potrf|trsm)_ffi")
THREEFRY = re.compile(r"cu_threefry2x32_ffi")  # JAX's random numbers on a GPU

Kind = tuple[tuple[int, ...], str]  # shape and name of the element type
# A sort compares two rows, which are called left and right here. A row has one number
# of each sorted array. A key says which numbers are compared: the left row's number,
# the right row's number, and the part of both numbers ("real" or "imag" of complex
# numbers, "" for real numbers).
Key = tuple[ir.Value, ir.Value, str]


def problem_of(operation: ir.Operation, data: bytes) -> str | None:
    """Return why an operation is not allowed, as a sentence; None if it is allowed.

    Args:
        operation: the operation.
        data: bytes from which the program was read.
    """
    name = operation.name
    short = name.partition(".")[2]
    if not (name in STRUCTURE or OPERATIONS.fullmatch(name)):
        return f"the program has the operation {name[:100]}, which is not allowed"
    blocks = [block for region in operation.regions for block in region.blocks]
    inside = [value for block in blocks for value in block.arguments]
    for value in (*operation.results, *inside):
        if problem := problem_of_array(value.type):
            return problem
    if short == "custom_call":
        target = ir.StringAttr(operation.attributes["call_target_name"]).value
        operands = [kind_of(value) for value in operation.operands]
        results = [kind_of(value) for value in operation.results]
        left = target.endswith("trsm_ffi") and is_left(operation)
        if not is_sound(target, operands, results, left):
            return f"the program calls {target[:100]}, which is not allowed"
    elif short == "composite":
        called = ir.StringAttr(operation.attributes["name"]).value
        if not COMPOSITES.fullmatch(called):
            return f"the program calls {called[:100]}, which is not allowed"
    elif short == "sort" and not is_ordered(operation):
        return "the program sorts in a way that JAX does not write"
    elif short == "constant" and not stands_in(data, operation):
        return "the program has a constant that does not stand in its bytes"
    elif elements_between(operation) > MAX_BETWEEN:
        return f"the program has the operation {name}, with too much padding"
    return None


def problem_of_array(type_: ir.Type) -> str | None:
    """Return why a type is not allowed, as a sentence; None if it is allowed.

    An array of numbers or booleans is allowed if its shape is fixed and it has at most
    MAX_ARRAY bytes.

    Args:
        type_: type of a value in the program.
    """
    if not isinstance(type_, ir.RankedTensorType):
        return f"the program has a value of the type {str(type_)[:100]}"
    element = str(type_.element_type)
    known = type_.has_static_shape and type_.encoding is None
    if not (known and ELEMENT.fullmatch(element)):
        return f"the program has an array of the type {str(type_)[:100]}"
    # A complex number is two floats of the size in its name; a bool takes a byte.
    bits = max(8, int(re.findall(r"\d+", element)[-1]) << ("complex" in element))
    if math.prod(type_.shape) * bits // 8 > MAX_ARRAY:
        return f"the program has an array of more than {MAX_ARRAY >> 20} MB"
    return None


def elements_between(operation: ir.Operation) -> int:
    """Return an upper bound on the number of elements of each padded operand.

    XLA enlarges the operands of some operations by padding, dilation or windows. The
    result is 0 for an operation that has none of the three.
    """
    given: list[Any] = [operation.attributes.get(name, ()) for name in WINDOWS]
    if not any(given):
        return 0
    numbers = [abs(n) for attribute in given for n in attribute]
    sizes = [n for value in operation.operands for n in kind_of(value)[0]]
    return math.prod(1 + n for n in (*sizes, *numbers))


def stands_in(data: bytes, constant: ir.Operation) -> bool:
    """Return whether all bytes of a constant occur in the program's own bytes.

    MLIR's reader does not check the type of a constant. If the program has fewer bytes
    than the type needs, the reader takes further bytes from the memory behind the
    program. Such bytes do not occur in the program.

    Args:
        data: bytes from which the program was read.
        constant: the operation that makes the constant.
    """
    element = kind_of(constant.results[0])[1]
    if element in UNBUFFERED:
        return printed_bytes(str(constant), UNBUFFERED[element]) in data
    value = ir.DenseElementsAttr(constant.attributes["value"])
    array = np.asarray(value).ravel()
    if value.is_splat:
        return element == "i1" or array[:1].tobytes() in data
    if element == "i1":
        array = np.packbits(array, bitorder="little")
    return array.tobytes() in data


def printed_bytes(constant: str, dtype: Any) -> bytes:
    """Return the bytes of a constant that MLIR has printed as text.

    Args:
        constant: the text of the operation `constant`, with the constant's numbers
            between "dense<" and ">".
        dtype: type of the constant's floats; a complex number consists of two floats.
    """
    text = constant.partition("dense<")[2].partition(">")[0]
    if text.startswith('"0x'):
        return bytes.fromhex(text[3:-1])
    return b"".join(
        int(word, 16).to_bytes(np.dtype(dtype).itemsize, "little")
        if word.startswith("0x")
        else np.array(float(word), dtype).tobytes()
        for word in re.findall(r"0x[\dA-F]+|-?[\d.]+(?:e[-+]\d+)?", text)
    )


def is_ordered(sort: ir.Operation) -> bool:
    """Return whether a sort has one of the comparisons that JAX exports.

    The grader runs no other sorts. If a comparison is not an order (for example, always
    true), XLA's sort reads and writes beyond the ends of the array.
    """
    (block,) = sort.regions[0].blocks
    arguments = list(block.arguments)
    keys: list[Key] = []
    for left, right in zip(arguments[::2], arguments[1::2], strict=True):
        complex_ = kind_of(left)[1].startswith("complex")
        for part in ("real", "imag") if complex_ else ("",):
            keys.append((left, right, part))
    (result,) = list(block.operations)[-1].operands
    # The comparison "greater than" is exported for top_k only, with one key.
    return compares(result, keys[0], "GT") or is_less(result, keys)


def is_less(value: Any, keys: list[Key]) -> bool:
    """Return whether a value is the comparison "the left row is less than the right".

    A sort compares two rows, left and right, which have one number for each key. The
    row with the smaller number for the first key is less. If these numbers are equal,
    the second key decides in the same way, and so on.

    Args:
        value: result of an operation of the program, or None. For None, this function
            returns False.
        keys: the keys in their order.
    """
    if not keys:
        return False
    less, tied = operands_of(value, "or", 2)
    same, later = operands_of(tied, "and", 2)
    return compares(value, keys[0], "LT") or (
        compares(less, keys[0], "LT")
        and compares(same, keys[0], "EQ")
        and is_less(later, keys[1:])
    )


def compares(value: Any, key: Key, direction: str) -> bool:
    """Return whether a value is the comparison of a key's two numbers.

    A sort compares two rows, left and right, which have one number for each key.

    Args:
        value: result of an operation of the program, or None. For None, this function
            returns False.
        key: the key, see `Key`.
        direction: the comparison that is expected: "LT", "EQ" or "GT".
    """
    sides = operands_of(value, "compare", 2)
    if sides[0] is None:
        return False
    attributes = value.owner.attributes
    floats = "f" in kind_of(sides[0])[1]
    type_ = str(attributes.get("compare_type", None))
    told = hlo.ComparisonDirectionAttr(attributes["comparison_direction"]).value
    if told != direction or floats != type_.endswith(" TOTALORDER>"):
        return False
    *expected, part = key
    if floats and direction != "GT":
        sides = [number_of(side) for side in sides]
    if part:
        sides = [operands_of(side, part, 1)[0] for side in sides]
    return all_same(sides, expected)


def number_of(value: Any) -> Any:
    """Return the value that JAX has prepared for a sort; None if there is none.

    Before a sort compares floats, the program replaces -0 by 0, and every NaN by one
    fixed NaN. If `value` is the result of both replacements, this function returns the
    value before them. Otherwise it returns None.

    Args:
        value: result of an operation of the program, or None.
    """
    is_nan, nan, rest = operands_of(value, "select", 3)
    is_zero, zero, x = operands_of(rest, "select", 3)
    fits = (
        all_same(operands_of(is_nan, "compare", 2), [x, x])
        and all_same(operands_of(is_zero, "compare", 2), [x, zero])
        and is_constant(nan, math.isnan)
        and is_constant(zero, lambda number: number == 0)
    )
    return x if fits else None


def all_same(values: list[Any], others: list[Any]) -> bool:
    """Return whether two lists of values are equal and contain no None."""
    pairs = list(zip(values, others, strict=True))
    return not any(a is None or b is None or a != b for a, b in pairs)


def is_constant(value: Any, fits: Callable[[float], bool]) -> bool:
    """Return whether a value is a constant float that passes a test.

    Args:
        value: result of an operation of the program, or None. For None, this function
            returns False.
        fits: function from a number to True if the number passes the test.
    """
    if operands_of(value, "constant", 1):
        return False  # the list is empty only for a constant, which has no operands
    number = ir.DenseElementsAttr(value.owner.attributes["value"]).get_splat_value()
    return fits(ir.FloatAttr(number).value)


def operands_of(value: Any, operation: str, count: int) -> list[Any]:
    """Return the operands of the operation that computes a value.

    If the value is None, or another operation than the expected one computes it, the
    result is a list of `count` times None.

    Args:
        value: result of an operation of the program, or None.
        operation: name of the expected operation, without "stablehlo.".
        count: length of the list of None.
    """
    made_by = getattr(value, "owner", None)
    if not isinstance(made_by, ir.OpView):
        return [None] * count
    if made_by.operation.name != f"stablehlo.{operation}":
        return [None] * count
    return list(made_by.operands)


def is_left(operation: ir.Operation) -> bool:
    """Return whether a call of library code solves the triangular system A X = B.

    The result is False if the call solves X A = B.

    Args:
        operation: an operation `custom_call` that solves a triangular system.
    """
    config = ir.DictAttr(operation.attributes["mhlo.backend_config"])
    return ir.IntegerAttr(config["side"]).value == ord("L")


def is_sound(
    target: str, operands: list[Kind], results: list[Kind], left: bool
) -> bool:
    """Return whether library code may be called with arrays of these sizes.

    The library code does not check the sizes of its arrays. If a result had too few
    elements, the code would write beyond the end of the result. For library code that
    neither `LAPACK` nor `THREEFRY` matches, this function returns False.

    Args:
        target: name of the library code.
        operands: shape and element type of each argument.
        results: shape and element type of each result.
        left: for a triangular system, True for A X = B and False for X A = B.
    """
    if min((n for shape, _ in operands + results for n in shape), default=0) < 0:
        return False  # a negative size stands for a size that is not known
    if THREEFRY.fullmatch(target):
        return len({*operands, *results}) == 1 and len(results) == 2
    call = LAPACK.fullmatch(target)
    if not call or not operands or len(operands[0][0]) < 2:
        return False
    matrix = operands[0]
    (*batch, rows, columns), dtype = matrix
    smaller, failed = (*batch, min(rows, columns)), (tuple(batch), "i32")
    if call[1] == "geqrf":
        return operands == [matrix] and results == [matrix, (smaller, dtype)]
    if call[1] == "getrf":
        return operands == [matrix] and results == [matrix, (smaller, "i32"), failed]
    if call[1] == "potrf":
        square = rows == columns
        return square and operands == [matrix] and results == [matrix, failed]
    if len(operands) != 2:
        return False
    shape = operands[1][0]
    if call[1] == "trsm":
        if rows != columns or len(shape) != len(batch) + 2:
            return False
        right = (
            (*batch, rows, shape[-1]) if left else (*batch, shape[-2], rows),
            dtype,
        )
        return operands[1] == right and results == [right]
    if len(shape) != len(batch) + 1:
        return False
    count = shape[-1]
    fits = operands[1] == ((*batch, count), dtype) and count <= columns <= rows
    return fits and results == [matrix]


def kind_of(value: Any) -> Kind:
    """Return the shape of an array in a program, and the name of its element type."""
    type_ = ir.RankedTensorType(value.type)
    return tuple(type_.shape), str(type_.element_type)
