"""Check that a program of the hand-in only computes, before the runner compiles it.

The bytes of a program are untrusted, and the libraries that compile a program were not
made for hostile input. So this module checks the program's arguments, results, effects
and operations first. It does not stop programs that take long, need much memory or
make the compiler crash: deadlines and confinement do this.
"""

import hashlib
import math
from typing import Any

import jax
from jax import export
from jax.interpreters import mlir
from jaxlib.mlir import ir

from grader.inside.operations import problem_of
from grader.inside.protocol import MAX_PAYLOAD

MAX_OPERATIONS = 50_000  # usual programs with unrolled Python loops have up to 5 000


class BadProgram(Exception):
    """Raised for a program that is not allowed, or that cannot be run."""


def checked(data: bytes, args: Any) -> export.Exported:
    """Read a serialised program, check it, and return it.

    Args:
        data: untrusted bytes that should be a serialised program of `jax.export`.
        args: the arguments for which the grader asked to export the program. Only their
            shapes and dtypes are used.

    Raises:
        BadProgram: the bytes are no program; or the program takes other arguments than
            `args`, or comes with its derivative; or it has side effects, an operation
            that is not allowed, or results that are too large; or it was exported for
            another device than that of this process, or without JAX's safety checks.
    """
    try:
        exported = export.deserialize(bytearray(data))
        leaves, tree = jax.tree.flatten(((args,), {}))
        require_kinds("arguments", exported.in_avals, leaves)
        if exported.in_tree != tree:  # type: ignore[operator]
            raise BadProgram("the program takes other arguments than it was asked for")
        check(exported)
        if exported.has_vjp():
            raise BadProgram("the program comes with a derivative, which was not asked")
    except BadProgram:
        raise
    # Hostile bytes can cause any exception; each means that they are no program.
    except Exception as error:
        raise BadProgram(f"not a program: {type(error).__name__}") from None
    return exported


def content(exported: export.Exported) -> bytes:
    """Return a hash of a program's operations and of its argument and result types.

    If a part is exported a second time, the hash is the same. Therefore the hash leaves
    out the line numbers of dqn.py that MLIR stores with each operation: they depend on
    what was traced before.
    """
    with mlir.make_ir_context():
        module = exported.mlir_module(serialized=False)
        text = module.operation.get_asm(enable_debug_info=False)
    types = exported.in_tree, exported.in_avals, exported.out_tree
    return hashlib.sha256(f"{text} {types}".encode()).digest()


def check(exported: export.Exported) -> None:
    """Check a program's effects, device, result sizes and operations.

    Raises:
        BadProgram: the program has side effects, an operation that is not allowed, or
            results that are too large; or it was exported for another device than that
            of this process, or without JAX's safety checks.
    """
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
    """Check every operation of a program.

    Args:
        module: the program.
        data: bytes from which the program was read.

    Raises:
        BadProgram: an operation is not allowed, or there are too many operations.
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


def require_kinds(what: str, obtained: Any, expected: Any) -> None:
    """Check that arrays of a program have the expected shapes and dtypes.

    Args:
        what: the name of these arrays in the message, for example "arguments".
        obtained: list of objects with the `shape` and `dtype` of the program's arrays.
        expected: list of arrays with the expected shapes and dtypes.

    Raises:
        BadProgram: the number of arrays, a shape or a dtype differs.
    """
    if [(x.shape, x.dtype) for x in obtained] != [(x.shape, x.dtype) for x in expected]:
        raise BadProgram(f"the program's {what} are others than it was asked for")
