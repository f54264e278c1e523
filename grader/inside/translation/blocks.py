"""Run a translated program, one operation after the other.

A step of the program carries out one operation. The arrays that operations take and
return are called values. Each value has a number, by which the steps refer to it. A
value that NumPy computes from constants alone is a NumPy array, and is called known.
Every other value is a JAX array.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.inside.translation.attributes import Kind, Untranslatable

# The largest number of steps in one call. Each round of a loop counts again.
MAX_STEPS = 20_000


@dataclass(frozen=True)
class Step:
    """One operation of a translated program.

    Each value of the program has a number, which is the value's key in `Run.values`.

    Attributes:
        name: name of the operation, for messages.
        on_jax: function that computes the operation by JAX. It takes the `Run` (the
            current call of the program) and the operands, and returns the result, or a
            list of several results.
        on_numpy: function that computes the operation by NumPy. It takes the operands,
            all NumPy arrays, and returns the same as `on_jax`. None if NumPy cannot
            compute the operation.
        operands: the numbers of the operands.
        results: the numbers of the results.
        kinds: shape and dtype of each result.
    """

    name: str
    on_jax: Callable[..., Any]
    on_numpy: Callable[..., Any] | None
    operands: list[int]
    results: list[int]
    kinds: list[Kind]


@dataclass(frozen=True)
class Block:
    """A list of steps: the body of a function, of a loop or of a branch.

    Each value of the program has a number, which is the value's key in `Run.values`.

    Attributes:
        arguments: the numbers of the values that the block takes.
        steps: the steps, in their order.
        returned: the numbers of the values that the block returns.
    """

    arguments: list[int]
    steps: list[Step]
    returned: list[int]


class Run:
    """One call of a translated program.

    Attributes:
        values: the values computed so far. A key is the number by which steps and
            blocks name the value.
        steps_left: how many more steps this call may run.
    """

    def __init__(self) -> None:
        self.values: dict[int, Any] = {}
        self.steps_left = MAX_STEPS

    def block(self, block: Block, arguments: Iterable[Any]) -> list[Any]:
        """Run the steps of a block and return the block's results.

        Args:
            block: the block.
            arguments: the values that the block takes, in the order of
                `block.arguments`.

        Raises:
            Untranslatable: a step cannot be run, or this call of the program needs more
                than MAX_STEPS steps.
        """
        self.values.update(zip(block.arguments, arguments, strict=True))
        self.steps_left -= 1 + len(block.steps)
        if self.steps_left < 0:
            raise Untranslatable(f"more than {MAX_STEPS} operations")
        for step in block.steps:
            self.values.update(zip(step.results, self.results_of(step), strict=True))
        return [self.values[number] for number in block.returned]

    def results_of(self, step: Step) -> list[Any]:
        """Run a step and return its results.

        NumPy computes the step if all operands are NumPy arrays and the step has a
        function `on_numpy`. Otherwise JAX computes the step.

        Raises:
            Untranslatable: the step cannot be run, or a result has another shape or
                dtype than the program says.
        """
        operands = [self.values[number] for number in step.operands]
        on_numpy = step.on_numpy if all(map(is_known, operands)) else None
        try:
            if on_numpy is not None:
                results = on_numpy(*operands)
            else:
                results = step.on_jax(self, *operands)
        except Untranslatable:
            raise
        # Hostile programs can have operands of wrong shapes, which cause any exception.
        except Exception as error:
            raise Untranslatable(f"{step.name}: {type(error).__name__}") from error
        if not isinstance(results, tuple | list):
            results = [results]
        if on_numpy is not None:
            results = [np.asarray(result) for result in results]
        if [(result.shape, result.dtype) for result in results] != step.kinds:
            raise Untranslatable(f"{step.name}: a result of another shape or dtype")
        return list(results)


def is_known(value: Any) -> bool:
    """Return whether a value is a NumPy array, and so computed from constants alone."""
    return isinstance(value, np.ndarray)
