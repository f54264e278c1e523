"""Answer cases by the hand-in: by its exported programs, or by calls of its Python."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from grader.contract.case import Answer, Args, Case, Look, Trusted
from grader.contract.exercises import CALLS, MAY_BE_CALLED
from grader.contract.outcomes import Raised, Stopped, TimedOut, Wrong
from grader.oracle.budget import Budget
from grader.oracle.faults import add_sizes, part_name
from grader.oracle.runner_client import Program
from grader.oracle.worker_client import Reply
from grader.sandbox import helper
from grader.sandbox.output import Output

# A part that is called, not exported, gets no more random keys, one call for each.
CALLED_KEYS = 256
KEY_NUMBERS = 10_000  # the most entries of the array that a call for one key returns
PROGRAM_BYTES = 4 << 20  # the largest exported program; usual ones have about 10 kB


class WorkerInterface(Protocol):
    """Interface of an object that runs the hand-in's Python.

    `WorkerClient` uses a worker process. For a debugger, `LocalWorker` uses the
    grader's own process.

    Attributes:
        budget: time that the hand-in may still take.
        printed: what the hand-in has printed. A key is the name of the exercise that
            was graded, or "import".
        loaded: whether the hand-in is imported. After this is set to False, the next
            request imports the hand-in again.
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
        """Return the hand-in's reply to a request, see `WorkerClient.ask`."""

    def book(self, stage: str, output: Output) -> None:
        """Add output of the hand-in to `printed`, see `WorkerClient.book`."""

    def renew(self) -> None:
        """Start a new worker, and give each part its whole time again."""


class RunnerInterface(Trusted, Protocol):
    """Interface of an object that runs exported programs.

    `RunnerClient` uses a runner process. For a debugger, `LocalRunner` uses the
    grader's own process.

    Attributes:
        budget: time that the hand-in may still take.
        device: "cpu" or "gpu".
        programs: the hand-in's exported programs by name.
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
        """Return the answer of a program, see `RunnerClient.untrusted`."""

    def load(self, name: str, case: Case) -> None:
        """Load an exported program into the runner, see `RunnerClient.load`."""


class Candidate:
    """The hand-in, as an object that answers cases.

    Args:
        worker: runs the hand-in's Python.
        runner: runs the hand-in's exported programs.
        eager: True to answer all cases by calls, so that a debugger shows numbers.
            Only `export` traces a part, for the checks that ask whether it can be.
        mark: prefix of the programs' names. A candidate for a new import of the hand-in
            has another prefix, so that it exports the parts again.

    Attributes:
        untraceable: for each program that cannot be exported, or that the runner
            refuses although the part need not be a program, by name, the exception that
            says why.
        used: names of the programs that this candidate has needed so far.
        stopped: names of the parts that took too long, or whose process ended while
            they ran.
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
        """Return a new candidate, for which the worker imports the hand-in again.

        The hand-in's module then has no memory of earlier questions.
        """
        self.worker.loaded = False
        return Candidate(
            self.worker, self.runner, eager=self.eager, mark=f"afresh {self.mark}"
        )

    @contextlib.contextmanager
    def in_fresh_process(self) -> Iterator["Candidate"]:
        """Yield a candidate whose worker is a fresh process, during a with block.

        All parts are exported again. What the hand-in prints in this block is dropped,
        because it has printed the same before. The new candidate begins with the names
        in `stopped` of this candidate, so that stand-ins replace the same parts.
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
        """Return the name of the case's program, a key of the runner's `programs`."""
        return self.mark + case.program_name()

    def is_called(self, case: Case) -> bool:
        """Return whether it is known that a case has no program.

        It is known from an earlier question with the same part, settings, shapes and
        types. The part is then called as plain Python, which takes much longer. For a
        part that is always called, the result is False.
        """
        return self.name_of(case) in self.untraceable

    def answer(self, case: Case) -> Answer:
        """Return the hand-in's answer to a case.

        Usually the worker exports the part, and the runner executes the program. The
        worker calls the part instead if the part is always called, if the part has no
        program (see `export`), or if this candidate is `eager`.

        Raises:
            Wrong, Raised, Waiting, Stopped: there is no usable answer; the message says
                why.
        """
        try:
            if case.part not in CALLS and not self.eager:
                try:
                    return self.traced(case)
                except Raised:
                    if not self.is_called(case):
                        raise
            return self.called_instead(case)
        except Stopped:
            self.stopped.add(case.part)
            raise

    def called_instead(self, case: Case) -> Answer:
        """Call a part that perhaps has no program, and return the answer.

        If no answer comes, the message says why the part has no program, see `export`:
        a call compiles each operation by itself. It may run out of time before it
        reaches the exception.

        Raises:
            Wrong, Raised, Waiting, Stopped: there is no usable answer; the message says
                why.
        """
        try:
            return self.called(case)
        except Stopped as stopped:
            why = self.untraceable.get(self.name_of(case))
            if not why:
                raise
            slow = "it was called, which is much slower than traced code: "
            slow = slow if isinstance(stopped, TimedOut) else ""
            words = f"{stopped}\n{slow}traced by `jax.jit`, it gives no program: {why}"
            raise type(stopped)(words) from None

    def called(
        self, case: Case, *, watched: str = "", look: Look | None = None
    ) -> Answer:
        """Call the part in the worker, as plain Python, and return the answer.

        Args:
            case: the question.
            watched: "numpy" or "jax" to watch the arguments. The part then gets copies
                as arrays of this kind. The answer then has one more entry, "changed": a
                list of the names of the arguments that the part has changed or deleted.
                "" to watch nothing.
            look: function that gets the answer before its numbers are read, and raises
                an exception if a shape is wrong. None for no such check.

        Raises:
            Wrong, Raised, Waiting, Stopped: there is no usable answer; the message says
                why.
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
            kind: kind of the arrays that the part gets as arguments, "numpy" or "jax".

        Raises:
            Raised: the part does not accept arrays of this kind, or fails otherwise.
            Wrong: the part's result has a wrong type or structure, or the worker's
                answer has no list of names.
            Waiting, Stopped: there is no answer for another reason.
        """
        if "gradient" in case.spec:  # under `jax.grad` there is no array to be changed
            case = case.replace(spec={"gradient": False})
        answer = self.called(case, watched=kind)
        names = answer.get("changed")
        if not isinstance(names, list):
            raise Wrong("changed: no list of names came back")
        return names

    def traced(self, case: Case) -> Answer:
        """Export the part of a case, run the program and return the answer.

        If this candidate is `eager`, the part is called.

        Raises:
            Raised: the part has no program (see `export`), or the program fails.
            Wrong, Waiting, Stopped: there is no answer for another reason.
        """
        if self.eager:
            return self.called(case)
        name = self.export(case)
        request = {"do": "run", "name": name, "args": case.args}
        return Answer(self.runner.untrusted(request, part_name(case)))

    def answer_keys(self, case: Case, keys: np.ndarray, name: str) -> np.ndarray:
        """Ask a case with each of K random keys; return one array of each answer.

        A part that has no program (see `export`) is called once for each key; so is any
        part if this candidate is `eager`. In these cases, only the first `CALLED_KEYS`
        keys are used, so K can become smaller.

        Args:
            case: the question, which is asked with each key.
            keys: the keys' numbers, uint32 [K,2].
            name: name of the array in the answer.

        Returns:
            The arrays of all answers, stacked as [K,...].

        Raises:
            Wrong: the array is missing in an answer. If the part is called, also: an
                array has more than `KEY_NUMBERS` entries, or not the shape of
                the first array.
            Raised, Waiting, Stopped: the hand-in gave no answer.
        """
        if self.eager:
            return self.called_keys(case, keys, name)
        try:
            program = self.export(case)
        except Raised:
            return self.called_keys(case, keys, name)
        request = {"do": "run_keys", "name": program, "args": case.args, "keys": keys}
        return Answer(self.runner.untrusted(request, part_name(case))).array(name)

    def called_keys(self, case: Case, keys: np.ndarray, name: str) -> np.ndarray:
        """Call a part with each random key; see `answer_keys`."""
        arrays: list[np.ndarray] = []
        for key in keys[:CALLED_KEYS]:
            asked = case.replace(args={"key": key})
            arrays.append(self.called_instead(asked).array(name))
            shape = arrays[-1].shape
            if arrays[-1].size > KEY_NUMBERS or shape != arrays[0].shape:
                raise Wrong(f"{part_name(case)}: shape {shape}")
        return np.stack(arrays)

    def export(self, case: Case) -> str:
        """Export the part of a case, load the program and return the program's name.

        A program that was exported or loaded earlier is used again.

        Raises:
            Raised: the part cannot be traced under `jax.jit`; or the runner refuses the
                program, and the part is one of `MAY_BE_CALLED`.
            Wrong, Waiting, Stopped: there is no program for another reason.
        """
        name = self.name_of(case)
        if name in self.untraceable:
            # Without a traceback, because each raise would make it longer.
            raise self.untraceable[name].with_traceback(None)
        if name not in self.runner.programs:
            # Tracing needs only shapes, so the worker gets no numbers.
            request = {"part": case.part, "spec": case.spec, "args": case.blank()}
            platform = "cuda" if self.runner.device == "gpu" else "cpu"
            try:
                reply = self.worker.ask(
                    {"do": "export", **request, "platforms": [platform]},
                    part_name(case),
                    look=functools.partial(one_program, part_name(case)),
                )
            except Raised as error:
                self.untraceable[name] = add_sizes(error, case)
                raise self.untraceable[name] from None
            traced = Program(reply.answer["program"], reply.printed)
            self.runner.programs.setdefault(name, traced)
        if name not in self.used:
            # Learning may have exported this program first. What the hand-in printed
            # then belongs to this exercise as well.
            self.used.add(name)
            printed = self.runner.programs[name].printed
            self.worker.book(self.worker.budget.exercise, printed)
        try:
            self.runner.load(name, case)
        except Wrong as refused:  # for example for a singular value decomposition
            if case.part not in MAY_BE_CALLED:
                raise
            self.untraceable[name] = Raised(str(refused))
            raise self.untraceable[name] from None
        return name


def one_program(part: str, answer: Args) -> None:
    """Check that the answer to an export is one program, and that it is small enough.

    Args:
        part: name of the exported part, for messages.
        answer: the worker's answer, which may be anything.

    Raises:
        Wrong: the answer is not exactly one program, or the program is too large.
    """
    program = answer.get("program")
    if (
        not isinstance(program, np.ndarray)
        or program.dtype != np.uint8
        or (len(answer), program.ndim) != (1, 1)
    ):
        raise Wrong(f"{part}: no program was handed over")
    if program.nbytes > PROGRAM_BYTES:
        raise Wrong(
            f"{part}: its program has {program.nbytes >> 20} MB, at most "
            f"{PROGRAM_BYTES >> 20} are taken: does it hold large constants?"
        )
