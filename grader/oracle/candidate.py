"""The candidate: the hand-in as the checks ask it. And the living reference."""

import functools
from typing import Any

import numpy as np

from grader.contract.case import Answer, Args, Case
from grader.contract.exercises import CALLS
from grader.contract.outcomes import Raised, Stopped, Wrong
from grader.oracle.runner_client import Program, RunnerClient
from grader.oracle.worker_client import WorkerClient
from grader.sandbox import helper


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
        worker: WorkerClient,
        runner: RunnerClient,
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
        """The hand-in imported anew, with nothing left of what it was asked before."""
        self.worker.loaded = False
        return Candidate(
            self.worker, self.runner, eager=self.eager, mark=f"afresh {self.mark}"
        )

    def name_of(self, case: Case) -> str:
        """The name of this hand-in's program for a case."""
        return self.mark + case.program_name()

    def answer(self, case: Case) -> Answer:
        """The hand-in's answer: by its program where there is one, else by a call."""
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
        self, case: Case, *, watched: str = "", look: helper.Look | None = None
    ) -> Answer:
        """The answer of the hand-in's Python itself.

        Args:
            case: the question.
            watched: "numpy" or "jax" to hand over copies of that kind, and have
                `changed` say which of them the call has changed or deleted.
            look: sees the answer's shapes before its numbers are read.
        """
        request = {"part": case.part, "spec": case.spec, "args": case.args}
        asked = {"do": "call", **request, "watched": watched}
        return Answer(self.worker.ask(asked, case.part, look=look))

    def changed(self, case: Case, kind: str) -> list[Any]:
        """The names of the arguments that a call changes or deletes.

        Args:
            case: the question.
            kind: of the arrays, "numpy" or "jax".

        Raises:
            Raised: it does not take such arguments, or fails in another way.
            Wrong: no list of names came back.
        """
        spec = dict(case.spec)
        if "gradient" in spec:
            spec["gradient"] = False  # under `jax.grad` there is no array to be changed
        answer = self.called(Case(case.part, spec, case.args), watched=kind)
        names = answer.get("changed")
        if not isinstance(names, list):
            raise Wrong("changed: no list of names came back")
        return names

    def traced(self, case: Case) -> Answer:
        """The answer of the exported program.

        Raises:
            Raised: the part cannot be traced under `jax.jit`.
        """
        name = self.export(case)
        request = {"do": "run", "name": name, "args": case.args}
        return Answer(self.runner.untrusted(request, case.part))

    def answer_keys(self, case: Case, keys: np.ndarray, name: str) -> np.ndarray:
        """One output for many keys [K,2], stacked; for fewer where it is called."""
        limits = self.runner.budget.limits
        try:
            program = self.export(case)
        except Raised:
            arrays: list[np.ndarray] = []
            for key in keys[: limits.called_keys]:
                asked = Case(case.part, case.spec, {**case.args, "key": key})
                arrays.append(self.called(asked).array(name))
                if arrays[-1].size > limits.key_numbers or (
                    arrays[-1].shape != arrays[0].shape
                ):
                    shape = arrays[-1].shape
                    raise Wrong(f"{case.part}: shape {shape}") from None
            return np.stack(arrays)
        request = {"do": "run_keys", "name": program, "args": case.args, "keys": keys}
        return Answer(self.runner.untrusted(request, case.part)).array(name)

    def export(self, case: Case) -> str:
        """Have the program for cases of this shape in the runner; its name there."""
        name = self.name_of(case)
        if name in self.untraceable:
            raise self.untraceable[name]
        if name not in self.runner.programs:
            # Shapes are all that tracing needs; the numbers are not told.
            request = {"part": case.part, "spec": case.spec, "args": case.blank()}
            most = self.runner.budget.limits.program_bytes
            platform = "cuda" if self.runner.device == "gpu" else "cpu"
            try:
                answer = self.worker.ask(
                    {"do": "export", **request, "platform": platform},
                    case.part,
                    look=functools.partial(one_program, case.part, most),
                )
            except Raised as error:
                self.untraceable[name] = error
                raise
            traced = Program(answer["program"], self.worker.output)
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
        part: that it is of.
        most: bytes that it may have.
        answer: of the worker.

    Raises:
        Wrong: it is none, or too large.
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


class LiveReference:
    """What the solution answers, in the runner."""

    def __init__(self, runner: RunnerClient) -> None:
        self.runner = runner

    def answer(self, case: Case) -> Answer:
        """The right answer."""
        return Answer(
            self.runner.trusted(
                do="reference", part=case.part, spec=case.spec, args=case.args
            )
        )
