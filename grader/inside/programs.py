"""What the runner takes for a program of the hand-in: mathematics, and what was asked.

The bytes were written by a stranger, and what reads and compiles them was not made
for such. So they are looked at before anything is compiled: arguments, results,
effects, every operation, and where one trusts what it is told, how it is told. What
is left to deadlines and confinement is a program that takes long or needs much, and a
compiler that crashes.
"""

import hashlib
import math
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax.interpreters import mlir
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo as hlo

from grader.inside.protocol import MAX_PAYLOAD

MAX_OPERATIONS = 50_000  # the longest honest one, with Python's loops in it, has 5 000
MAX_ARRAY = 1 << 30  # bytes of one array
# Elements that padding, dilation and windows may make of an array in between: sizes
# beyond 64 bits wrap around, and what is written then lies beyond the array.
MAX_BETWEEN = 1 << 56
STRUCTURE = {"builtin.module", "func.func", "func.call", "func.return"}
# What JAX writes and what only computes. Not among them: what reaches the host, other
# devices or a random generator, sizes that are known only when it runs, tuples.
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
# Elements of constants for which Python has no buffer, by the floats that they are of.
UNBUFFERED = {"bf16": jnp.bfloat16, "complex<f32>": "f4", "complex<f64>": "f8"}
# Code of libraries that a program may call: decompositions by QR, as weights are made
# orthogonal, by LU and Cholesky, triangular systems; on a GPU the random generator.
LAPACK = re.compile(r"(?:lapack_[sd]|cusolver_)(geqrf|orgqr|getrf|potrf|trsm)_ffi")
THREEFRY = re.compile(r"cu_threefry2x32_ffi")

Kind = tuple[tuple[int, ...], str]
# What rows are sorted by: of the left one, of the right one, and which part of them.
Key = tuple[ir.Value, ir.Value, str]


class BadProgram(Exception):
    """What the worker handed over may not or cannot be run."""


def checked(data: bytes, args: Any, *, derivative: bool = False) -> export.Exported:
    """The program that these bytes are.

    Args:
        data: from `jax.export`, or not.
        args: arrays of the shapes and dtypes for which it was asked.
        derivative: whether its derivative has to come with it.

    Raises:
        BadProgram: it is none, is for other arguments, or does more than compute.
    """
    try:
        exported = export.deserialize(bytearray(data))
        leaves, tree = jax.tree.flatten(((args,), {}))
        require_kinds("arguments", exported.in_avals, leaves)
        if exported.in_tree != tree:  # type: ignore[operator]
            raise BadProgram("the program takes other arguments than it was asked for")
        check(exported)
        if exported.has_vjp() != derivative:
            raise BadProgram("the program has to come with its derivative, if asked")
        if derivative:
            check_derivative(exported)
    except BadProgram:
        raise
    # Hostile bytes find every way to fail: whatever it is, it is not a program.
    except Exception as error:
        raise BadProgram(f"not a program: {type(error).__name__}") from None
    return exported


def content(exported: export.Exported) -> bytes:
    """What a program computes, in short: the same for the same, traced anew or not.

    Where in the hand-in an operation comes from is left out: it depends on what was
    traced before.
    """
    programs = [exported, exported.vjp()] if exported.has_vjp() else [exported]
    hashed = hashlib.sha256()
    with mlir.make_ir_context():
        for program in programs:
            module = program.mlir_module(serialized=False)
            text = module.operation.get_asm(enable_debug_info=False)
            types = program.in_tree, program.in_avals, program.out_tree
            hashed.update(f"{text} {types}".encode())
    return hashed.digest()


def check_derivative(exported: export.Exported) -> None:
    """See that the pull-back that came with a program is one, as harmless as it."""
    pull_back = exported.vjp()
    given = [*exported.in_avals, *exported.out_avals]
    require_kinds("derivative's arguments", pull_back.in_avals, given)
    if [aval.shape for aval in pull_back.out_avals] != [
        aval.shape for aval in exported.in_avals
    ]:
        raise BadProgram("the program's derivative has results of other shapes")
    if pull_back.has_vjp():
        raise BadProgram("the program's derivative has a derivative")
    check(pull_back)


def check(exported: export.Exported) -> None:
    """See that a program is for this device, is not too large and only computes."""
    if exported.ordered_effects or exported.unordered_effects:
        raise BadProgram("the program has side effects")
    platform = "cuda" if jax.default_backend() == "gpu" else "cpu"
    if exported.platforms != (platform,) or exported.nr_devices != 1:
        raise BadProgram(f"the program is not for one {platform} device")
    size = sum(math.prod(a.shape) * a.dtype.itemsize for a in exported.out_avals)
    if size > MAX_PAYLOAD:
        raise BadProgram(
            f"the program's results have {size >> 20} MB, at most "
            f"{MAX_PAYLOAD >> 20} are taken"
        )
    with mlir.make_ir_context():
        module = exported.mlir_module(serialized=False)
        check_operations(module, exported.mlir_module_serialized)
    if exported.disabled_safety_checks:
        raise BadProgram("the program was exported with checks left out")


def check_operations(module: ir.Module, data: bytes) -> None:
    """See that every operation of a module is of those that only compute.

    Args:
        module: the program.
        data: the bytes that it was read from.
    """
    problems: list[str] = []
    count = 0

    def see(operation: ir.Operation) -> ir.WalkResult:
        nonlocal count
        count += 1
        problem = problem_of(operation, data)
        if count > MAX_OPERATIONS:
            problem = f"the program has more than {MAX_OPERATIONS} operations"
        if problem is None:
            return ir.WalkResult.ADVANCE
        problems.append(problem)
        return ir.WalkResult.INTERRUPT

    module.operation.walk(see)
    if problems:
        raise BadProgram(problems[0])


def problem_of(operation: ir.Operation, data: bytes) -> str | None:
    """What is wrong with an operation, if anything."""
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
    """What is wrong with the type of a value, if anything."""
    if not isinstance(type_, ir.RankedTensorType):
        return f"the program has a value of the type {str(type_)[:100]}"
    element = str(type_.element_type)
    known = type_.has_static_shape and type_.encoding is None
    if not (known and ELEMENT.fullmatch(element)):
        return f"the program has an array of the type {str(type_)[:100]}"
    # A complex number is two of the numbers after its name; a bool takes a byte.
    bits = max(8, int(re.findall(r"\d+", element)[-1]) << ("complex" in element))
    if math.prod(type_.shape) * bits // 8 > MAX_ARRAY:
        return f"the program has an array of more than {MAX_ARRAY >> 20} MB"
    return None


def elements_between(operation: ir.Operation) -> int:
    """At most how many elements padding, dilation and windows make of an array."""
    given: list[Any] = [operation.attributes.get(name, ()) for name in WINDOWS]
    if not any(given):
        return 0
    numbers = [abs(n) for attribute in given for n in attribute]
    sizes = [n for value in operation.operands for n in kind_of(value)[0]]
    return math.prod(1 + n for n in (*sizes, *numbers))


def stands_in(data: bytes, constant: ir.Operation) -> bool:
    """Whether a constant's bytes are the program's own.

    The reader believes a constant's type: of one with fewer bytes than that takes, the
    rest is what stands behind them in memory.
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
    """The bytes of a constant as MLIR prints it.

    Args:
        constant: such as `stablehlo.constant dense<[1.0, 0x7F80]> : tensor<2xbf16>`.
        dtype: of its floats.
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
    """Whether a sort compares as JAX has it do: by an order.

    XLA's sort trusts the comparison: by one that is no order it is led beyond the ends
    of the array.
    """
    (block,) = sort.regions[0].blocks
    arguments = list(block.arguments)
    keys: list[Key] = []
    for left, right in zip(arguments[::2], arguments[1::2], strict=True):
        complex_ = kind_of(left)[1].startswith("complex")
        for part in ("real", "imag") if complex_ else ("",):
            keys.append((left, right, part))
    (result,) = list(block.operations)[-1].operands
    # Downwards is top_k's, by one key.
    return compares(result, keys[0], "GT") or is_less(result, keys)


def is_less(value: Any, keys: list[Key]) -> bool:
    """Whether a value says that the left row comes first, by some of these keys."""
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
    """Whether a value compares a key of the left row with that of the right one."""
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
    return are(sides, expected)


def number_of(value: Any) -> Any:
    """The float x, where a value is x but for one zero and one NaN; else None."""
    is_nan, nan, rest = operands_of(value, "select", 3)
    is_zero, zero, x = operands_of(rest, "select", 3)
    fits = (
        are(operands_of(is_nan, "compare", 2), [x, x])
        and are(operands_of(is_zero, "compare", 2), [x, zero])
        and is_constant(nan, math.isnan)
        and is_constant(zero, lambda number: number == 0)
    )
    return x if fits else None


def are(values: list[Any], others: list[Any]) -> bool:
    """Whether values are these others; none of them is None."""
    pairs = list(zip(values, others, strict=True))
    return not any(a is None or b is None or a != b for a, b in pairs)


def is_constant(value: Any, fits: Callable[[float], bool]) -> bool:
    """Whether a value is one float of which that is true."""
    if operands_of(value, "constant", 1):
        return False  # it is made of others
    number = ir.DenseElementsAttr(value.owner.attributes["value"]).get_splat_value()
    return fits(ir.FloatAttr(number).value)


def operands_of(value: Any, operation: str, count: int) -> list[Any]:
    """What that operation makes a value of; Nones where another one makes it."""
    made_by = getattr(value, "owner", None)
    if not isinstance(made_by, ir.OpView):
        return [None] * count
    if made_by.operation.name != f"stablehlo.{operation}":
        return [None] * count
    return list(made_by.operands)


def is_left(operation: ir.Operation) -> bool:
    """Whether a triangular system has its matrix on the left."""
    config = ir.DictAttr(operation.attributes["mhlo.backend_config"])
    return ir.IntegerAttr(config["side"]).value == ord("L")


def is_sound(
    target: str, operands: list[Kind], results: list[Kind], left: bool
) -> bool:
    """Whether a library's code may be called, with arrays of these sizes.

    The code believes what it is told: a result that is smaller than it says would be
    written beyond its end.
    """
    if min((n for shape, _ in operands + results for n in shape), default=0) < 0:
        return False  # a size that is not known
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
    """Shape and dtype of a value in a module."""
    type_ = ir.RankedTensorType(value.type)
    return tuple(type_.shape), str(type_.element_type)


def require_kinds(what: str, obtained: Any, expected: Any) -> None:
    """See that arrays have the shapes and dtypes that were asked for.

    Raises:
        BadProgram: they have not.
    """
    if [(x.shape, x.dtype) for x in obtained] != [(x.shape, x.dtype) for x in expected]:
        raise BadProgram(f"the program's {what} are others than it was asked for")
