"""Cases, answers, and the interfaces of the candidate, the reference and the runner."""

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from grader.contract.outcomes import Wrong

Args = dict[str, Any]
# A function that checks the shapes in an answer before the numbers are read. If it
# raises an exception, the helper process ends, and the caller gets the exception.
Look = Callable[[Args], None]


@dataclass(frozen=True)
class Case:
    """One question: its part, its settings and its arrays.

    Attributes:
        part: what is asked: the name of a part, or another value that
            `Part.questions` lists.
        spec: the settings: all values that are not arrays, such as sizes, `gamma`, and
            the network's name `net`.
        args: the arguments by name. An argument is an array, or a list of arrays if it
            is a network's parameters or an optimizer's state.
    """

    part: str
    spec: dict[str, Any]
    args: Args

    def replace(self, *, spec: Args | None = None, args: Args | None = None) -> "Case":
        """Return a copy of the case with some settings or arguments changed or added.

        Args:
            spec: settings to change or to add, by name.
            args: arguments to change or to add, by name.
        """
        return Case(
            self.part, {**self.spec, **(spec or {})}, {**self.args, **(args or {})}
        )

    def digest(self) -> str:
        """Return a hash of the part, the settings and the arguments: 20 hex digits."""
        hashed = hashlib.sha256()
        hashed.update(json.dumps([self.part, self.spec], sort_keys=True).encode())
        for name, array in flat(self.args):
            hashed.update(f"{name} {array.dtype} {array.shape}".encode())
            hashed.update(np.ascontiguousarray(array).tobytes())
        return hashed.hexdigest()[:20]

    def program_name(self) -> str:
        """Return the name of the program that answers the case.

        Two cases have the same program if they have the same part and settings, and
        arguments of the same shapes and types.
        """
        shapes = [[name, str(a.dtype), a.shape] for name, a in flat(self.args)]
        return json.dumps([self.part, self.spec, shapes], sort_keys=True)

    def blank(self) -> Args:
        """Return the case's arguments with every number replaced by zero.

        The worker gets these arguments for an export, which needs shapes and types but
        no numbers.
        """
        return {
            name: [np.zeros_like(leaf) for leaf in value]
            if isinstance(value, list)
            else np.zeros_like(value)
            for name, value in self.args.items()
        }


def flat(args: Args) -> list[tuple[str, np.ndarray]]:
    """Return all arrays of a case's arguments as pairs (name, array), sorted by name.

    For an array in a list, the name is the argument's name and the array's position in
    the list, for example "theta_Q.0".

    Args:
        args: the arguments by name, each an array or a list of arrays.
    """
    arrays = []
    for name in sorted(args):
        value = args[name]
        if isinstance(value, list):
            arrays += [(f"{name}.{i}", leaf) for i, leaf in enumerate(value)]
        else:
            arrays.append((name, np.asarray(value)))
    return arrays


class Answer(dict[str, Any]):
    """The values that came back for a case, by name.

    A worker can send values of any type. So each method checks the type of the value
    before returning it.
    """

    def array(self, name: str) -> np.ndarray:
        """Return the array with this name.

        Raises:
            Wrong: there is no value with this name, or the value is not an array.
        """
        value = self.get(name)
        if not isinstance(value, np.ndarray):
            raise Wrong(f"{name}: no array came back")
        return value

    def leaves(self, name: str) -> list[np.ndarray]:
        """Return the list of arrays with this name.

        Raises:
            Wrong: there is no value with this name, or the value is not a list of
                arrays.
        """
        value = self.get(name)
        if not isinstance(value, list) or not all(
            isinstance(leaf, np.ndarray) for leaf in value
        ):
            raise Wrong(f"{name}: no list of arrays came back")
        return value

    def numbers(self, name: str) -> list[int]:
        """Return the list of whole numbers with this name.

        Raises:
            Wrong: there is no value with this name, or the value is not a list of ints.
        """
        value = self.get(name)
        if not isinstance(value, list) or not all(isinstance(n, int) for n in value):
            raise Wrong(f"{name}: no list of numbers came back")
        return value


class Answers(Protocol):
    """Interface of everything that answers cases: the candidate and the reference."""

    def answer(self, case: Case) -> Answer:
        """Return the answer to a case.

        Raises:
            Wrong, Raised, Waiting, Stopped: there is no usable answer; `outcomes` says
                when each of the four is raised.
            GraderError: the grader itself fails.
        """


class Trusted(Protocol):
    """Interface of the runner for trusted requests.

    A trusted request runs a program of the reference or code of the grader, and no
    program of the hand-in.
    """

    def trusted(self, **request: Any) -> Args:
        """Send a request to the runner and return the values that it answers, by name.

        Args:
            request: `do` is the name of an operation of `inside/runner.py`; all other
                keyword arguments are the operation's arguments.

        Raises:
            GraderError: the request failed.
            Stopped: no answer came.
        """


class Student(Answers, Protocol):
    """Interface of the candidate for checks and diagnosis.

    Attributes:
        stopped: the values of `Case.part` in cases for which the hand-in took too long
            or its process ended.
    """

    stopped: set[str]

    @property
    def eager(self) -> bool:
        """Return whether all cases are answered by calls.

        A part is then exported only if a check asks whether it can be. This is True
        under `INPROCESS=1`, because a debugger can show the values in a call, but not
        in a program.
        """

    @property
    def runner(self) -> Trusted:
        """Return the runner, which executes the candidate's programs."""

    def called(
        self, case: Case, *, watched: str = "", look: Look | None = None
    ) -> Answer:
        """Return the hand-in's answer to a case by a call, never by a program.

        Args:
            case: the case to answer.
            watched: "numpy" or "jax" to pass the arguments as arrays of this kind, and
                to get one more entry "changed" in the answer: the names of the
                arguments that the call has changed or deleted. "" for no such entry.
            look: function that checks the shapes of the answer's arrays before their
                numbers are read. If it raises an exception, `called` raises the same
                exception. None for no such check.

        Raises:
            Wrong, Raised, Waiting, Stopped: there is no usable answer; `outcomes` says
                when each of the four is raised.
        """

    def traced(self, case: Case) -> Answer:
        """Return the answer to a case by the part's exported program.

        If the candidate is `eager`, the part is called instead.

        Raises:
            Raised: the part has no program (see `export`), or its program fails.
            Wrong, Waiting, Stopped: there is no answer for another reason.
        """

    def changed(self, case: Case, kind: str) -> list[Any]:
        """Return the names of the arguments that a call of the part changes or deletes.

        The list is empty if the call leaves all arguments as they were.

        Args:
            case: the case to answer.
            kind: kind of the arrays that the call gets, "numpy" or "jax".

        Raises:
            Raised: the part fails, for example because it does not accept arrays of
                this kind.
            Wrong, Waiting, Stopped: there is no answer for another reason.
        """

    def answer_keys(self, case: Case, keys: np.ndarray, name: str) -> np.ndarray:
        """Ask a case with many random keys; return one array of each answer, stacked.

        If the part has no program (see `export`), or if the candidate is `eager`, it is
        called once for each key, with the first keys only.

        Args:
            case: the case, which is asked once with each key in place of its own.
            keys: the two numbers of each key, uint32 [n,2].
            name: name of the array in the answer.

        Returns:
            Array [K,...], where K is the number of keys that were used.

        Raises:
            Wrong: an answer has no array with this name, or one that is too large, or
                one that differs in shape from the first answer's.
            Raised, Waiting, Stopped: there is no answer.
        """

    def export(self, case: Case) -> str:
        """Export the part for a case; load the program into the runner.

        Returns:
            The name of the program, by which the runner can be asked to run it.

        Raises:
            Raised: the part has no program: it cannot be exported, or the runner
                refuses the program, and the part need not work under `jax.jit`.
            Wrong, Waiting, Stopped: there is no program for another reason.
        """

    def is_called(self, case: Case) -> bool:
        """Return whether it is known that a case has no program, see `export`.

        It is known from an earlier question with the same part, settings, shapes and
        types. The part is then called as plain Python, which takes much longer. For a
        part that is always called, the result is False.
        """

    def afresh(self) -> "Student":
        """Return a new candidate, for which the hand-in is imported again.

        What the hand-in has stored in its module, for example in a cache, is then lost.
        """

    def in_fresh_process(self) -> AbstractContextManager["Student"]:
        """Return a context manager that yields a candidate with a new worker.

        This candidate exports all its programs again.
        """
