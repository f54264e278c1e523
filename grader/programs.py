"""What the runner takes for a program of the hand-in: mathematics, and what was asked.

The bytes were written by a stranger, and what reads and compiles them was not made
for such. So they are looked at before anything is compiled: arguments, results,
effects, every operation. What is left to deadlines and confinement is a program that
takes long or needs much, and a compiler that crashes.
"""

import hashlib
import math
import re
from typing import Any

import jax
from jax import export
from jax.interpreters import mlir
from jaxlib.mlir import ir
from protocol import MAX_PAYLOAD

MAX_OPERATIONS = 50_000  # the longest honest one, with Python's loops in it, has 5 000
DIALECTS = {"builtin", "func", "stablehlo"}
# They reach beyond the program: to the host, to other devices, to a random generator.
REACHING = re.compile(
    r"stablehlo\.(infeed|outfeed|send|recv|rng|partition_id|replica_id"
    r"|all_\w+|collective_\w+|reduce_scatter|cross_replica_sum)"
)
# Code of libraries that a program may call: decompositions by QR, as weights are made
# orthogonal, by LU and Cholesky, triangular systems; on a GPU the random generator.
LAPACK = re.compile(r"(?:lapack_[sd]|cusolver_)(geqrf|orgqr|getrf|potrf|trsm)_ffi")
THREEFRY = re.compile(r"cu_threefry2x32_ffi")

Kind = tuple[tuple[int, ...], str]


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
        check_operations(exported.mlir_module(serialized=False))
    if exported.disabled_safety_checks:
        raise BadProgram("the program was exported with checks left out")


def check_operations(module: ir.Module) -> None:
    """See that every operation of a module is of those that only compute."""
    problems: list[str] = []
    count = 0

    def see(operation: ir.Operation) -> ir.WalkResult:
        nonlocal count
        count += 1
        problem = problem_of(operation)
        if count > MAX_OPERATIONS:
            problem = f"the program has more than {MAX_OPERATIONS} operations"
        if problem is None:
            return ir.WalkResult.ADVANCE
        problems.append(problem)
        return ir.WalkResult.INTERRUPT

    module.operation.walk(see)
    if problems:
        raise BadProgram(problems[0])


def problem_of(operation: ir.Operation) -> str | None:
    """What is wrong with an operation, if anything."""
    name = operation.name
    if name == "stablehlo.custom_call":
        target = ir.StringAttr(operation.attributes["call_target_name"]).value
        operands = [kind_of(value) for value in operation.operands]
        results = [kind_of(value) for value in operation.results]
        left = target.endswith("trsm_ffi") and is_left(operation)
        if not is_sound(target, operands, results, left):
            return f"the program calls {target[:100]}, which is not allowed"
    elif name.partition(".")[0] not in DIALECTS or REACHING.fullmatch(name):
        return f"the program has the operation {name[:100]}, which is not allowed"
    return None


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
