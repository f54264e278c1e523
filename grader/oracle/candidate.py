"""The candidate: answers cases by the hand-in."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from grader.contract.case import Answer, Args, Case, Look, Trusted
from grader.contract.exercises import CALLS
from grader.contract.outcomes import Raised, Stopped, Wrong
from grader.oracle.budget import Budget
from grader.oracle.faults import add_sizes, part_name
from grader.oracle.runner_client import Program
from grader.oracle.worker_client import Reply
from grader.sandbox import helper
from grader.sandbox.output import Output


class WorkerInterface(Protocol):
    """What runs the hand-in's Python: a worker process, or this process for a debugger.

    Attributes:
        budget: time budget of the exercise and part that are graded now.
        printed: what the hand-in has printed, by exercise and at import.
        loaded: whether the hand-in is imported; set it to False to import it anew.
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
        """Return the answer to a request.

        Args:
            request: the request, see `inside.worker`.
            what: name of the part, for messages.
            seconds: time limit; None for the part's budget.
            look: function that checks the shapes before the numbers are read.

        Raises:
            Raised, Wrong, Stopped, ...: an outcome of `contract.outcomes`; no answer
            came.
        """

    def book(self, stage: str, output: Output) -> None:
        """Add printed output to the output that is kept for a stage.

        Args:
            stage: name of an exercise, or of the import.
            output: printed output.
        """

    def renew(self) -> None:
        """Start again in a fresh process, with the full time budget for each part."""


class RunnerInterface(Trusted, Protocol):
    """What runs exported programs: a runner process, or this process for a debugger.

    Attributes:
        budget: time budget of the exercise and part that are graded now.
        device: "cpu" or "gpu".
        programs: the hand-in's programs by name.
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
        """Return the answer to a request that runs the hand-in's programs.

        Args:
            request: the request, see `inside.runner`.
            what: name of the part, for messages.
            seconds: time limit; None for the part's budget.
            on_question: function that answers questions of the runner.
        """

    def load(self, name: str, case: Case) -> None:
        """Load an exported program.

        Args:
            name: name of the program, a key of `programs`.
            case: case for which the program was exported.
        """


class Candidate:
    """The hand-in, as an object that answers cases.

    Args:
        worker: runs the hand-in's Python.
        runner: runs the hand-in's exported programs.
        eager: True to answer by calls only, so that a debugger sees numbers.
        mark: prefix of the names of programs, different after a new import.

    Attributes:
        untraceable: programs that cannot be exported, by name, with the reason.
        used: names of the programs that were asked for.
        stopped: parts that have hung or died.
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
        """Return the hand-in imported anew, without memory of earlier questions."""
        self.worker.loaded = False
        return Candidate(
            self.worker, self.runner, eager=self.eager, mark=f"afresh {self.mark}"
        )

    @contextlib.contextmanager
    def in_fresh_process(self) -> Iterator["Candidate"]:
        """Yield the hand-in in a fresh process; its programs are traced again.

        Output printed there is dropped, because the hand-in prints the same again.
        Parts that have hung or died still count as stopped, so their stand-ins are used
        as before.
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
        """Return the name of the hand-in's program for a case."""
        return self.mark + case.program_name()

    def answer(self, case: Case) -> Answer:
        """Return the answer of the hand-in's program; without one, of a call."""
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
        """Return the answer of a call of the hand-in's Python.

        Args:
            case: the question.
            watched: "numpy" or "jax" to pass copies as arrays of this kind; the
                answer's `changed` then has the names of the arrays that the call
                changed or deleted.
            look: function that checks the answer's shapes before its numbers are read.
        """
        request = {"part": case.part, "spec": case.spec, "args": case.args}
        asked = {"do": "call", **request, "watched": watched}
        try:
            return Answer(self.worker.ask(asked, part_name(case), look=look).answer)
        except Raised as error:
            raise add_sizes(error, case) from None

    def changed(self, case: Case, kind: str) -> list[Any]:
        """Return the names of the arguments that a call changes or deletes.

        Args:
            case: the question.
            kind: kind of the arrays, "numpy" or "jax".

        Raises:
            Raised: the part does not take such arrays, or fails in another way.
            Wrong: the answer has no list of names.
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
        return Answer(self.runner.untrusted(request, part_name(case)))

    def answer_keys(self, case: Case, keys: np.ndarray, name: str) -> np.ndarray:
        """Return one output for many keys, stacked as [K,...].

        A part that cannot be exported is called for the first `called_keys` keys only.

        Args:
            case: the question.
            keys: key data [K,2].
            name: name of the output.

        Raises:
            Wrong: a call gives too large an output, or another shape than the call
                before.
        """
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
                    raise Wrong(f"{part_name(case)}: shape {shape}") from None
            return np.stack(arrays)
        request = {"do": "run_keys", "name": program, "args": case.args, "keys": keys}
        return Answer(self.runner.untrusted(request, part_name(case))).array(name)

    def export(self, case: Case) -> str:
        """Return the name of the program for a case, after loading it into the runner.

        Raises:
            Raised: the part cannot be traced under `jax.jit`.
        """
        name = self.name_of(case)
        if name in self.untraceable:
            raise self.untraceable[name]
        if name not in self.runner.programs:
            # Tracing needs only shapes, so the worker gets no numbers.
            request = {"part": case.part, "spec": case.spec, "args": case.blank()}
            most = self.runner.budget.limits.program_bytes
            platform = "cuda" if self.runner.device == "gpu" else "cpu"
            try:
                reply = self.worker.ask(
                    {"do": "export", **request, "platforms": [platform]},
                    part_name(case),
                    look=functools.partial(one_program, part_name(case), most),
                )
            except Raised as error:
                self.untraceable[name] = add_sizes(error, case)
                raise self.untraceable[name] from None
            traced = Program(reply.answer["program"], reply.printed)
            self.runner.programs.setdefault(name, traced)
        if name not in self.used:
            # If learning has traced the program first, its output is still shown here.
            self.used.add(name)
            printed = self.runner.programs[name].printed
            self.worker.book(self.worker.budget.exercise, printed)
        self.runner.load(name, case)
        return name


def one_program(part: str, most: int, answer: Args) -> None:
    """Check that an answer is one program.

    Args:
        part: name of the exported part.
        most: largest allowed size of the program in bytes.
        answer: answer of the worker.

    Raises:
        Wrong: the answer is no program, or the program is too large.
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
