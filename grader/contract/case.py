"""Questions and answers: what a check asks, and of whom."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from grader.contract.outcomes import Wrong

Args = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One question: a part of the contract, its settings and its arrays.

    Attributes:
        part: its name in `parts.PROGRAMS` or `parts.CALLS`, or a plain function's.
        spec: what is not an array (sizes, gamma, `net`, ...).
        args: arrays, or lists of arrays for parameters.
    """

    part: str
    spec: dict[str, Any]
    args: Args

    def digest(self) -> str:
        """A name that depends on the whole question and on nothing else."""
        hashed = hashlib.sha256()
        hashed.update(json.dumps([self.part, self.spec], sort_keys=True).encode())
        for name, array in flat(self.args):
            hashed.update(f"{name} {array.dtype} {array.shape}".encode())
            hashed.update(np.ascontiguousarray(array).tobytes())
        return hashed.hexdigest()[:20]

    def program_name(self) -> str:
        """The name of the program that answers this and every like-shaped case."""
        shapes = [[name, str(a.dtype), a.shape] for name, a in flat(self.args)]
        return json.dumps([self.part, self.spec, shapes], sort_keys=True)

    @property
    def derivative(self) -> bool:
        """Whether the program that answers it has to come with its derivative."""
        return bool(self.spec.get("derivative"))

    def blank(self) -> Args:
        """Its arguments with all numbers zero: what a program is made for."""
        return {
            name: [np.zeros_like(leaf) for leaf in value]
            if isinstance(value, list)
            else np.zeros_like(value)
            for name, value in self.args.items()
        }


def flat(args: Args) -> list[tuple[str, np.ndarray]]:
    """Every array of the arguments with a name of its own, in a fixed order."""
    arrays = []
    for name in sorted(args):
        value = args[name]
        if isinstance(value, list):
            arrays += [(f"{name}.{i}", leaf) for i, leaf in enumerate(value)]
        else:
            arrays.append((name, np.asarray(value)))
    return arrays


class Answer(dict[str, Any]):
    """What came back. From the worker it can be anything, so look at it by these."""

    def array(self, name: str) -> np.ndarray:
        """The array of that name.

        Raises:
            Wrong: there is none.
        """
        value = self.get(name)
        if not isinstance(value, np.ndarray):
            raise Wrong(f"{name}: no array came back")
        return value

    def leaves(self, name: str) -> list[np.ndarray]:
        """The list of arrays of that name.

        Raises:
            Wrong: there is none.
        """
        value = self.get(name)
        if not isinstance(value, list) or not all(
            isinstance(leaf, np.ndarray) for leaf in value
        ):
            raise Wrong(f"{name}: no list of arrays came back")
        return value

    def numbers(self, name: str) -> list[int]:
        """The list of whole numbers of that name.

        Raises:
            Wrong: there is none.
        """
        value = self.get(name)
        if not isinstance(value, list) or not all(isinstance(n, int) for n in value):
            raise Wrong(f"{name}: no list of numbers came back")
        return value


class Answers(Protocol):
    """The interface that `Student` and the references share."""

    def answer(self, case: Case) -> Answer:
        """The answer to a case; raises an outcome when there is none."""
