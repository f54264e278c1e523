"""The candidate: the hand-in as the checks ask it."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from grader.contract.case import Answer, Args, Case, Look, Trusted
from grader.contract.exercises import CALLS
from grader.contract.outcomes import Raised, Stopped, Wrong
from grader.oracle.budget import Budget
from grader.oracle.faults import told, with_sizes
from grader.oracle.runner_client import Program
from grader.oracle.worker_client import Reply
from grader.sandbox import helper
from grader.sandbox.output import Output


class WorkerInterface(Protocol):
    """Who runs the hand-in's Python: its process, or this one for a debugger.

    Attributes:
        budget: of time, for the exercise and part that are being graded.
        printed: by the hand-in, by exercise and at import.
        loaded: whether the hand-in is imported; set to false to import it anew.
    """

    budget: Budget
    printed: dict[str, Output]
    loaded: bool

    def ask(
        self,
        request: Args,
        what: str,
        seconds: float | None = None,
        look: Look | None = None,
    ) -> Reply:
        """Ask the hand-in; raise an outcome where there is no answer."""

    def book(self, stage: str, output: Output) -> None:
        """Keep what was printed, with what was printed at that stage before."""

    def renew(self) -> None:
        """Begin anew in a fresh process, with the whole time for each part."""


class RunnerInterface(Trusted, Protocol):
    """Who runs exported programs: the clean process, or this one for a debugger.

    Attributes:
        budget: of time.
        device: "cpu" or "gpu".
        programs: the hand-in's, by name.
    """

    budget: Budget
    device: str
    programs: dict[str, Program]

    def untrusted(
        self,
        request: Args,
        what: str,
        seconds: float | None = None,
        on_question: helper.Question | None = None,
    ) -> Args:
        """Answer a request that runs the hand-in's programs."""

    def load(self, name: str, case: Case) -> None:
        """Load a program that was exported before."""


class Candidate:
    """The hand-in as the checks ask it.

    Args:
        worker: runs its Python.
        runner: runs its exported programs.
        eager: answer by calls, so that a debugger sees values and not tracers.
        mark: before the names of the programs, where there are some from before.
    """

    def __init__(
        self,
        worker: WorkerInterface,
        runner: RunnerInterface,
        *,
        eager: bool = False,
        mark: str = "",
    ) -> None:
        self.worker, self.runner, self.eager = worker, runner, eager
        self.mark = mark
        self.untraceable: dict[str, Raised] = {}
        self.used: set[str] = set()
        self.stopped: set[str] = set()  # parts that have hung or died

    def afresh(self) -> "Candidate":
        """Return the hand-in imported anew, its memory of former questions gone."""
        self.worker.loaded = False
        return Candidate(
            self.worker, self.runner, eager=self.eager, mark=f"afresh {self.mark}"
        )

    @contextlib.contextmanager
    def in_fresh_process(self) -> Iterator["Candidate"]:
        """Have the hand-in asked by a fresh process, and its programs traced again.

        What it prints there is not kept: it prints the same again. Checks that build
        on a part that has hung or died use a stand-in for it, as before.
        """
        self.worker.renew()
        again = Candidate(self.worker, self.runner, mark=f"again {self.mark}")
        again.stopped |= self.stopped
        printed, self.worker.printed = self.worker.printed, {}
        try:
            yield again
        finally:
            self.worker.printed = printed

    def name_of(self, case: Case) -> str:
        """Return the name of this hand-in's program for a case."""
        return self.mark + case.program_name()

    def answer(self, case: Case) -> Answer:
        """Answer by the hand-in's program where there is one, else by a call."""
        try:
            if case.part not in CALLS and not self.eager:
                try:
                    return self.traced(case)
                except Raised:
                    if self.name_of(case) not in self.untraceable:
                        raise
            return self.called(case)
        except Stopped:
            self.stopped.add(case.part)
            raise

    def called(
        self, case: Case, *, watched: str = "", look: Look | None = None
    ) -> Answer:
        """Return the answer of the hand-in's Python itself.

        Args:
            case: the question.
            watched: "numpy" or "jax" to hand over copies of that kind, and have
                `changed` say which of them the call has changed or deleted.
            look: sees the answer's shapes before its numbers are read.
        """
        request = {"part": case.part, "spec": case.spec, "args": case.args}
        asked = {"do": "call", **request, "watched": watched}
        try:
            return Answer(self.worker.ask(asked, told(case), look=look).answer)
        except Raised as error:
            raise with_sizes(error, case) from None

    def changed(self, case: Case, kind: str) -> list[Any]:
        """Return the names of the arguments that a call changes or deletes.

        Args:
            case: the question.
            kind: of the arrays, "numpy" or "jax".

        Raises:
            Raised: it does not take such arguments, or fails in another way.
            Wrong: no list of names came back.
        """
        if "gradient" in case.spec:  # under `jax.grad` there is no array to be changed
            case = case.replace(spec={"gradient": False})
        answer = self.called(case, watched=kind)
        names = answer.get("changed")
        if not isinstance(names, list):
            raise Wrong("changed: no list of names came back")
        return names

    def traced(self, case: Case) -> Answer:
        """Return the answer of the exported program.

        Raises:
            Raised: the part cannot be traced under `jax.jit`.
        """
        name = self.export(case)
        request = {"do": "run", "name": name, "args": case.args}
        return Answer(self.runner.untrusted(request, told(case)))

    def answer_keys(self, case: Case, keys: np.ndarray, name: str) -> np.ndarray:
        """Return one output for many keys [K,2], stacked; for fewer by calls."""
        limits = self.runner.budget.limits
        try:
            program = self.export(case)
        except Raised:
            arrays: list[np.ndarray] = []
            for key in keys[: limits.called_keys]:
                asked = case.replace(args={"key": key})
                arrays.append(self.called(asked).array(name))
                if arrays[-1].size > limits.key_numbers or (
                    arrays[-1].shape != arrays[0].shape
                ):
                    shape = arrays[-1].shape
                    raise Wrong(f"{told(case)}: shape {shape}") from None
            return np.stack(arrays)
        request = {"do": "run_keys", "name": program, "args": case.args, "keys": keys}
        return Answer(self.runner.untrusted(request, told(case))).array(name)

    def export(self, case: Case) -> str:
        """Have the program for cases of this shape in the runner; return its name."""
        name = self.name_of(case)
        if name in self.untraceable:
            raise self.untraceable[name]
        if name not in self.runner.programs:
            # Shapes are all that tracing needs; the numbers are not told.
            request = {"part": case.part, "spec": case.spec, "args": case.blank()}
            most = self.runner.budget.limits.program_bytes
            platform = "cuda" if self.runner.device == "gpu" else "cpu"
            try:
                reply = self.worker.ask(
                    {"do": "export", **request, "platforms": [platform]},
                    told(case),
                    look=functools.partial(one_program, told(case), most),
                )
            except Raised as error:
                self.untraceable[name] = with_sizes(error, case)
                raise self.untraceable[name] from None
            traced = Program(reply.answer["program"], reply.printed)
            self.runner.programs.setdefault(name, traced)
        if name not in self.used:
            # Also where it was traced for learning, beside this: the same words are
            # shown, whichever came first.
            self.used.add(name)
            printed = self.runner.programs[name].printed
            self.worker.book(self.worker.budget.exercise, printed)
        self.runner.load(name, case)
        return name


def one_program(part: str, most: int, answer: Args) -> None:
    """Look at an answer that has to be a program.

    Args:
        part: the part that was exported.
        most: the largest allowed size in bytes.
        answer: of the worker.

    Raises:
        Wrong: it is no program, or too large.
    """
    program = answer.get("program")
    if (
        not isinstance(program, np.ndarray)
        or program.dtype != np.uint8
        or (len(answer), program.ndim) != (1, 1)
    ):
        raise Wrong(f"{part}: no program was handed over")
    if program.nbytes > most:
        raise Wrong(
            f"{part}: its program has {program.nbytes >> 20} MB, at most "
            f"{most >> 20} are taken: does it hold large constants?"
        )
