"""Questions and answers: what a check asks, and of whom."""

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from grader.contract.outcomes import Wrong

Args = dict[str, Any]
# Looks at an answer's shapes before its arrays are read. What it raises ends the helper
# and reaches the caller.
Look = Callable[[Args], None]


@dataclass(frozen=True)
class Case:
    """One question: a part of the contract, its settings and its arrays.

    Attributes:
        part: what is asked, one of a part's `questions` in the registry.
        spec: what is not an array (sizes, gamma, `net`, ...).
        args: arrays, or lists of arrays for parameters.
    """

    part: str
    spec: dict[str, Any]
    args: Args

    def replace(self, *, spec: Args | None = None, args: Args | None = None) -> "Case":
        """Return the same question with some settings or arguments changed.

        Args:
            spec: settings that take the place of those of the same name, or are new.
            args: arguments, likewise.
        """
        return Case(
            self.part, {**self.spec, **(spec or {})}, {**self.args, **(args or {})}
        )

    def digest(self) -> str:
        """Return a name that depends on the whole question and on nothing else."""
        hashed = hashlib.sha256()
        hashed.update(json.dumps([self.part, self.spec], sort_keys=True).encode())
        for name, array in flat(self.args):
            hashed.update(f"{name} {array.dtype} {array.shape}".encode())
            hashed.update(np.ascontiguousarray(array).tobytes())
        return hashed.hexdigest()[:20]

    def program_name(self) -> str:
        """Return the name of its program; cases of the same shapes share it."""
        shapes = [[name, str(a.dtype), a.shape] for name, a in flat(self.args)]
        return json.dumps([self.part, self.spec, shapes], sort_keys=True)

    @property
    def derivative(self) -> bool:
        """Tell whether the program that answers it has to come with its derivative."""
        return bool(self.spec.get("derivative"))

    def blank(self) -> Args:
        """Return its arguments with all numbers zero: what a program is made for."""
        return {
            name: [np.zeros_like(leaf) for leaf in value]
            if isinstance(value, list)
            else np.zeros_like(value)
            for name, value in self.args.items()
        }


def flat(args: Args) -> list[tuple[str, np.ndarray]]:
    """Return every array of the arguments with a name, in a fixed order."""
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
        """Return the array of that name.

        Raises:
            Wrong: there is none.
        """
        value = self.get(name)
        if not isinstance(value, np.ndarray):
            raise Wrong(f"{name}: no array came back")
        return value

    def leaves(self, name: str) -> list[np.ndarray]:
        """Return the list of arrays of that name.

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
        """Return the list of whole numbers of that name.

        Raises:
            Wrong: there is none.
        """
        value = self.get(name)
        if not isinstance(value, list) or not all(isinstance(n, int) for n in value):
            raise Wrong(f"{name}: no list of numbers came back")
        return value


class Answers(Protocol):
    """Who answers a case: the hand-in, or what is right."""

    def answer(self, case: Case) -> Answer:
        """Answer a case; raise an outcome where there is no answer."""


class Trusted(Protocol):
    """The clean process, for what the hand-in has no part in."""

    def trusted(self, **request: Any) -> Args:
        """Answer a request, `do` and its arguments."""


class Student(Answers, Protocol):
    """The hand-in as checks and diagnosis ask it.

    Attributes:
        stopped: parts that have hung or died.
    """

    stopped: set[str]

    @property
    def eager(self) -> bool:
        """Tell whether all is answered by calls, for a debugger."""

    @property
    def runner(self) -> Trusted:
        """Return the clean process in which its programs run."""

    def called(
        self, case: Case, *, watched: str = "", look: Look | None = None
    ) -> Answer:
        """Return the answer of the hand-in's Python itself."""

    def traced(self, case: Case) -> Answer:
        """Return the answer of the exported program."""

    def changed(self, case: Case, kind: str) -> list[Any]:
        """Return the names of the arguments that a call changes or deletes."""

    def answer_keys(self, case: Case, keys: np.ndarray, name: str) -> np.ndarray:
        """Return one output for many keys [K,2], stacked."""

    def export(self, case: Case) -> str:
        """Have the program for cases of this shape; return its name."""

    def afresh(self) -> "Student":
        """Return the hand-in imported anew, its memory of former questions gone."""

    def in_fresh_process(self) -> AbstractContextManager["Student"]:
        """Have the hand-in asked by a fresh process, and its programs traced again."""
