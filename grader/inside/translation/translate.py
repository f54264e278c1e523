"""Translate a program of the hand-in into a function of JAX operations."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import export
from jax.interpreters import mlir
from jaxlib.mlir import ir

from grader.inside.translation.attributes import (
    Untranslatable,
    array_kind,
    short_name,
)
from grader.inside.translation.blocks import Block, Run, Step
from grader.inside.translation.constants import numpy_function
from grader.inside.translation.operations import jax_function
from grader.inside.translation.regions import WITH_REGIONS

MAX_DEPTH = 40  # the largest number of calls and regions that are nested in each other


def translated(exported: export.Exported) -> Callable[..., list[Any]]:
    """Translate a program into a JAX function of arrays.

    JAX must have 64-bit types enabled if the program uses them.

    Args:
        exported: the program, which `programs.checked` has accepted.

    Returns:
        A function that takes one array for each entry of `exported.in_avals`, and
        returns the results as a list of JAX arrays. It raises `Untranslatable` if an
        operation cannot be computed, for example a loop whose number of rounds depends
        on the arguments, or if a call needs more than `blocks.MAX_STEPS` operations.

    Raises:
        Untranslatable: an operation cannot be translated, or the program cannot be
            read. The message names the operation or the error.
    """
    try:
        with mlir.make_ir_context():
            main = Reader(exported.mlir_module(serialized=False)).function("main")
    except Untranslatable:
        raise
    # An operation in a form that JAX does not write can cause any exception.
    except Exception as error:
        raise Untranslatable(f"not readable: {type(error).__name__}") from error
    kept = exported.module_kept_var_idx

    def function(*leaves: Any) -> list[Any]:
        arguments = [jnp.asarray(leaves[index]) for index in kept]
        # NumPy would warn of infinite and NaN constants, which a program may contain.
        with np.errstate(all="ignore"):
            results = Run().block(main, arguments)
        return [jnp.asarray(result) for result in results]

    return function


class Reader:
    """A converter of a program's functions and regions into `Block` objects.

    Args:
        module: the program in MLIR.
    """

    def __init__(self, module: ir.Module) -> None:
        self.module = module  # without the module, its operations are freed
        self.functions = {
            ir.StringAttr(function.attributes["sym_name"]).value: function
            for function in module.body.operations
        }
        self.blocks: dict[str, Block] = {}  # the functions that have been read
        self.numbers: dict[ir.Value, int] = {}
        self.depth = 0

    def function(self, name: str) -> Block:
        """Return a function of the program as a block; convert each function only once.

        Args:
            name: name of the function in the program, such as "main".

        Raises:
            Untranslatable: an operation cannot be translated, or regions and calls are
                nested more than MAX_DEPTH levels deep.
        """
        if name not in self.blocks:
            self.blocks[name] = self.region(self.functions[name].regions[0])
        return self.blocks[name]

    def region(self, region: ir.Region) -> Block:
        """Return a region, which belongs to an operation or a function, as a block.

        Raises:
            Untranslatable: an operation cannot be translated, or regions and calls are
                nested more than MAX_DEPTH levels deep, for instance because a function
                calls itself.
        """
        if self.depth == MAX_DEPTH:
            raise Untranslatable(f"more than {MAX_DEPTH} loops and calls in each other")
        self.depth += 1
        (block,) = region.blocks
        *operations, last = (view.operation for view in block.operations)
        read = Block(
            arguments=self.numbers_of(block.arguments),
            steps=[self.step(operation) for operation in operations],
            returned=self.numbers_of(last.operands),
        )
        self.depth -= 1
        return read

    def step(self, operation: ir.Operation) -> Step:
        """Return an operation as a step of a block.

        Raises:
            Untranslatable: the operation, or one that it contains or calls, cannot be
                translated.
        """
        name = short_name(operation)
        return Step(
            name=operation.name,
            on_jax=self.on_jax(operation),
            on_numpy=numpy_function(name, operation),
            operands=self.numbers_of(operation.operands),
            results=self.numbers_of(operation.results),
            kinds=[array_kind(result) for result in operation.results],
        )

    def on_jax(self, operation: ir.Operation) -> Callable[..., Any]:
        """Return a function that computes an operation.

        The function takes the `Run`, which is the current call of the program, and the
        operation's operands.

        Raises:
            Untranslatable: the operation, or one that it contains or calls, cannot be
                translated.
        """
        name = short_name(operation)
        if name == "call":
            callee = ir.FlatSymbolRefAttr(operation.attributes["callee"]).value
            block = self.function(callee)
            return lambda run, *operands: run.block(block, operands)
        if name in WITH_REGIONS:
            return WITH_REGIONS[name](operation, self.region)
        # Some operations have no operands: NumPy computes them.
        function = jax_function(name, operation) or numpy_function(name, operation)
        if function is None:
            raise Untranslatable(operation.name[:100])
        return lambda run, *operands: function(*operands)

    def numbers_of(self, values: Any) -> list[int]:
        """Return the numbers by which blocks name some values, in the values' order.

        A value without a number gets a new one.

        Args:
            values: arguments or results of operations of the program, or of regions.
        """
        return [self.numbers.setdefault(v, len(self.numbers)) for v in values]
