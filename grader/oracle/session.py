"""Whom a check can ask: the hand-in (`Student`) and what is right (a reference).

Both answer a `Case` with a dict of arrays. A check does not know whether an answer
came from an exported program or a call, from the living solution or from a record.
"""

import contextlib
import functools
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from grader.contract.exercises import CALLS, EXERCISES, FUNCTIONS
from grader.contract.outcomes import (
    NOT_IMPLEMENTED,
    RUN_USED_UP,
    GraderError,
    Killed,
    NotImplementedYet,
    Raised,
    Stopped,
    TimedOut,
    UsedUp,
    Waiting,
    Wrong,
)
from grader.escape import plain
from grader.intake.submission import Submission
from grader.sandbox import helper, launch
from grader.sandbox.output import Output

DEBUGGER = "BdbQuit"  # what a debugger raises when nobody answers
NOBODY_ANSWERS = "breakpoint() starts a debugger, and nobody is here to answer it"
STARTS_IT = re.compile(r"\b(breakpoint|set_trace)\s*\(")

IMPORTING = "importing dqn.py"
IMPORT_SECONDS = 30.0
CELLS_SHARE = 0.8  # of that, for a notebook's statements
MAX_SKIPPED = 20
CALL_SECONDS = 15.0
PART_SECONDS = 45.0
# By the clock, from its first process to its last answer. CI has limits of its own,
# some minutes longer than this: what uses up ours is still graded.
RUN_SECONDS = 480.0
TRUSTED_SECONDS = 120.0
MAX_RESTARTS = 12  # in one part
CALLED_KEYS = 256
MAX_KEY_ANSWER = 10_000  # numbers
MAX_PROGRAM = 4 << 20  # bytes; honest ones have some 10 kB

# Said where nothing but the hand-in can be the cause: before it ran, all was well.
NO_RESTART = "its process cannot be started again"
NOT_IN_TIME = (
    "the grader's own process {}. Before dqn.py ran it worked: does dqn.py start "
    "processes that keep the machine busy, or use up its memory?"
)

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


@dataclass(frozen=True)
class Program:
    """A part as it was exported, and what the hand-in printed meanwhile."""

    code: np.ndarray
    printed: Output


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


@dataclass
class Budget:
    """How long the hand-in may still take.

    One for the whole run: whoever is asked, it is booked on what is being graded.

    Attributes:
        exercise: that is being graded.
        part_seconds: for which each part may think, and its processes start again.
        run_seconds: for which the whole run may last, whatever it is that lasts.
        started: when it began, by the monotonic clock.
        spent: by part, in seconds.
        part: of the exercise, that is being graded.
    """

    exercise: str = ""
    part_seconds: float = PART_SECONDS
    run_seconds: float = RUN_SECONDS
    started: float = field(default_factory=time.monotonic)
    spent: dict[str, float] = field(default_factory=dict)
    part: str = ""

    def left(self) -> float:
        """Seconds left now.

        Raises:
            UsedUp: none.
        """
        of_part = self.part_seconds - self.spent.get(self.part, 0.0)
        of_run = self.left_of_run()
        if of_part <= 0:
            raise UsedUp(f"{self.part} has used up its {self.part_seconds:.0f} s")
        return min(of_part, of_run)

    def left_of_run(self) -> float:
        """Seconds left now of the whole run.

        Raises:
            UsedUp: none.
        """
        seconds = self.started + self.run_seconds - time.monotonic()
        if seconds <= 0:
            raise UsedUp(f"{RUN_USED_UP} ({self.run_seconds:.0f} s)")
        return seconds

    def late(self, what: str, limit: float, place: str = "") -> TimedOut:
        """The outcome where an answer was waited for in vain, for `limit` at most."""
        try:
            self.left()
        except UsedUp as reason:
            return UsedUp(f"{what}: {reason}{place}")
        return TimedOut(f"{what}: no answer within {limit:.0f} s{place}")

    @contextlib.contextmanager
    def spending(self) -> Iterator[None]:
        """Book the time that a block takes on the part that is being graded."""
        part, since = self.part, time.monotonic()
        try:
            yield
        finally:
            seconds = time.monotonic() - since
            self.spent[part] = self.spent.get(part, 0.0) + seconds


class Worker:
    """The hand-in's process, started again when it died.

    Args:
        submission: what runs in it.
        tier: of the sandbox.
        budget: of time.
    """

    def __init__(self, submission: Submission, tier: str, budget: Budget) -> None:
        self.submission = submission
        self.tier = tier
        self.budget = budget
        self.restarts: dict[str, int] = {}  # by part
        self.problem: Exception | Stopped | None = None
        self.child: helper.Child | None = None
        self.output = Output()  # of the last request
        self.printed: dict[str, Output] = {}  # by exercise, and at import
        self.left_out: list[str] = []  # of a notebook, in sentences
        self.skipped: list[int] = []  # lines of it that ran for too long
        if submission.problem:
            self.problem = Wrong(submission.problem)
        else:
            self.child = start_first("worker", self.start)
        self.loaded = self.imported = False

    def start(self) -> helper.Child:
        """A new process, the hand-in not yet in it.

        Raises:
            client.Failure: the system does not let us.
        """
        return start_child("worker", self.tier, prints=True)

    def ready(self) -> None:
        """Wait for its first process, before anything of the hand-in has run.

        Raises:
            GraderError: it does not come up.
        """
        if self.child:
            ready_first("worker", self.child)

    def renew(self) -> None:
        """End all its processes, and begin anew with the whole time for each part."""
        self.stop()
        self.restarts = {}
        self.budget.spent.clear()
        if not self.problem:
            with contextlib.suppress(helper.Failure):  # who asks it tries again
                self.child = self.start()

    def book(self, stage: str, output: Output) -> None:
        """Keep what was printed, with what was printed at that stage before."""
        if output.size:
            kept = self.printed.setdefault(stage, Output())
            kept.add(output.text, output.size)

    def ask(
        self,
        request: Args,
        what: str,
        seconds: float = CALL_SECONDS,
        look: helper.Look | None = None,
    ) -> Args:
        """Ask the hand-in.

        Args:
            request: to the worker.
            what: is asked, for messages.
            seconds: that it may take.
            look: sees the answer's shapes before its numbers are read.

        Raises:
            Wrong, Raised, TimedOut, Killed: as the hand-in behaved.
        """
        self.load()
        exercise = self.budget.exercise
        try:
            answer = self.exchange(request, what, seconds, look)
        except (Exception, Stopped):
            self.book(exercise, self.output)
            raise
        if request["do"] != "export":  # a program brings what was printed with it
            self.book(exercise, self.output)
        return answer

    def load(self) -> None:
        """Have the hand-in imported; one whose first import fails is asked no more."""
        if self.problem:
            raise self.problem.with_traceback(None)  # else it grows each time
        if self.loaded and self.child:
            return
        first = not (self.restarts or self.imported)
        if self.child is None:
            first = False
            self.restart()
        else:
            try:
                self.child.ready()
            except helper.Failure:
                self.child = None
                raise Killed(NO_RESTART) from None
        try:
            self.left_out = left_out(self.import_it(), self.submission)
        except (Exception, Stopped) as problem:
            # What was imported once, and died since, may have run out of its part's
            # time now: the next part tries again.
            self.problem = problem if first else None
            raise
        finally:
            if first:
                self.book("import", self.output)
        self.loaded = self.imported = True

    def import_it(self) -> Args:
        """Have it imported; what of a notebook was left out.

        A statement that cannot be interrupted ends the process, and is skipped then.
        """
        request = {
            "do": "load",
            "source": np.frombuffer(self.submission.text.encode(), np.uint8),
            "cells": np.array(self.submission.cells, np.int64),
            "exported": self.submission.exported,
            "seconds_of_cells": CELLS_SHARE * IMPORT_SECONDS,
        }
        while True:
            child = self.child
            asked = {**request, "skipped": self.skipped}
            try:
                answer = self.exchange(asked, IMPORTING, IMPORT_SECONDS, of_cells)
            except Killed:
                line = hung_at(child.errors) if child else 0
                few = len(self.skipped) < MAX_SKIPPED
                if not (line and few and self.submission.cells):
                    raise
                self.skipped.append(line)
                self.restart()
                continue
            self.skipped = answer.get("slow", [])
            return answer

    def restart(self) -> None:
        """A process in the place of one that died: that takes the hand-in's time."""
        seconds = self.budget.left()  # a part without any starts no process
        part = self.budget.part
        self.restarts[part] = self.restarts.get(part, 0) + 1
        if self.restarts[part] > MAX_RESTARTS:
            raise Killed(f"its process died {MAX_RESTARTS} times: given up")
        with self.budget.spending():
            try:
                self.child = self.start()
                self.child.ready(seconds)
            except helper.Failure:
                self.child = None
                raise Killed(NO_RESTART) from None

    def exchange(
        self, request: Args, what: str, seconds: float, look: helper.Look | None
    ) -> Args:
        """One question and its answer or reason."""
        assert self.child is not None
        self.output = Output()
        limit, seconds = seconds, min(seconds, self.budget.left())
        child = self.child
        try:
            with self.budget.spending():
                message = child.ask({**request, "seconds": seconds}, seconds, look=look)
        except helper.DeadlinePassed:
            self.stop()
            place = self.submission.locate(last_seen(child.errors))
            raise self.budget.late(what, limit, place) from None
        except helper.Died as death:
            self.stop()
            raise Killed(f"{what}: the process {death}") from None
        except Wrong:
            self.stop()  # looking at the answer was enough, and its rest lies unread
            raise
        finally:
            self.output = child.take_printed()
        if "error" in message:
            error = with_own_line(message["error"], self.submission.text)
            raise reason_of(error, what, self.submission.locate)
        return message["answer"]

    def stop(self) -> None:
        """End the process; the next question starts another."""
        if self.child:
            self.child.stop()
        self.child = None
        self.loaded = False


class Runner:
    """The clean process that runs programs, started again when one killed it.

    Args:
        role: "runner", or "learner" for one with the learning loop.
        tier: of the sandbox.
        budget: of time.
        programs: the hand-in's exported programs by name; may be shared.
        live: whether it holds the solution.
        device: "cpu" or "gpu".
    """

    def __init__(
        self,
        role: str,
        tier: str,
        budget: Budget,
        programs: dict[str, Program],
        *,
        live: bool = False,
        device: str = "cpu",
    ) -> None:
        self.role = role
        self.tier, self.budget, self.live, self.device = tier, budget, live, device
        self.programs = programs
        self.child: helper.Child | None = start_first(role, self.start)
        self.loaded: set[str] = set()

    def start(self) -> helper.Child:
        """A new process, no program in it yet.

        Raises:
            client.Failure: the system does not let us.
        """
        return start_child(self.role, self.tier, live=self.live, device=self.device)

    def ready(self) -> None:
        """Wait for its first process, before anything of the hand-in has run.

        Raises:
            GraderError: it does not come up.
        """
        if self.child:
            ready_first(self.role, self.child)

    def trusted(self, **request: Any) -> Args:
        """Ask for something in which the hand-in has no part.

        Raises:
            GraderError: it failed, and that is ours.
            TimedOut, Killed: no answer came, and only the hand-in can have kept it.
        """
        used = bool(self.loaded)
        try:
            return self.ask_trusted(request)
        except UsedUp:
            raise
        except (GraderError, Stopped):
            if not used:
                raise
            # Programs of the hand-in have run in there: they may have left no memory.
            return self.ask_trusted(request)

    def ask_trusted(self, request: Args) -> Args:
        """The same, asked once."""
        child = self.running()
        seconds = min(TRUSTED_SECONDS, self.budget.left_of_run())
        try:
            message = child.ask(request, seconds)
        except helper.DeadlinePassed:
            self.stop()
            self.budget.left_of_run()
            late = f"gave no answer within {seconds:.0f} s"
            raise TimedOut(NOT_IN_TIME.format(late)) from None
        except helper.Died as death:
            self.stop()
            raise Killed(NOT_IN_TIME.format(death)) from None
        if "error" in message:
            self.stop()
            raise GraderError(f"the runner: {message['error'].get('message')}")
        return message["answer"]

    def untrusted(
        self,
        request: Args,
        what: str,
        seconds: float = CALL_SECONDS,
        on_question: helper.Question | None = None,
    ) -> Args:
        """Ask for something that runs the hand-in's programs, already loaded.

        Raises:
            Wrong, Raised, TimedOut, Killed: as the program behaved.
        """
        self.budget.left()  # without any no process is started
        child = self.running()
        limit, seconds = seconds, min(seconds, self.budget.left())
        try:
            with self.budget.spending():
                message = child.ask(request, seconds, on_question)
        except helper.DeadlinePassed:
            self.stop()
            raise self.budget.late(what, limit) from None
        except helper.Died as death:
            self.stop()
            raise Killed(f"{what}: the program's process {death}") from None
        except BaseException:
            self.stop()  # a question of its own failed: it still waits for the reply
            raise
        if "error" in message:
            error = message["error"]
            words = plain(error.get("message"), 500)
            kind = Wrong if error.get("kind") == "program" else Raised
            raise kind(f"{what}: {words}")
        return message["answer"]

    def load(self, name: str, case: Case) -> None:
        """Have a program that was exported before loaded, if it is not yet."""
        self.running()
        if name not in self.loaded:
            request = {"do": "load", "name": name, "program": self.programs[name].code}
            asked = {"args": case.blank(), "derivative": case.derivative}
            self.untrusted({**request, **asked}, case.part)
            self.loaded.add(name)

    def running(self) -> helper.Child:
        """The process, another one where a program has killed it.

        Raises:
            Killed: it does not come up.
        """
        try:
            if self.child is None:  # that takes the hand-in's time
                with self.budget.spending():
                    self.child = self.start()
                    self.child.ready()
            self.child.ready()
        except helper.Failure:
            self.child = None
            raise Killed(NOT_IN_TIME.format("cannot be started again")) from None
        return self.child

    def stop(self) -> None:
        """End the process; the next question starts another."""
        if self.child:
            self.child.stop()
        self.child = None
        self.loaded = set()


class Student:
    """The hand-in as the checks ask it.

    Args:
        worker: runs its Python.
        runner: runs its exported programs.
        eager: answer by calls, so that a debugger sees values and not tracers.
        mark: before the names of the programs, where there are some from before.
    """

    def __init__(
        self, worker: Worker, runner: Runner, *, eager: bool = False, mark: str = ""
    ) -> None:
        self.worker, self.runner, self.eager = worker, runner, eager
        self.mark = mark
        self.untraceable: dict[str, Raised] = {}
        self.used: set[str] = set()
        self.stopped: set[str] = set()  # parts that have hung or died

    def afresh(self) -> "Student":
        """The hand-in imported anew, with nothing left of what it was asked before."""
        self.worker.loaded = False
        return Student(
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
        try:
            program = self.export(case)
        except Raised:
            arrays: list[np.ndarray] = []
            for key in keys[:CALLED_KEYS]:
                asked = Case(case.part, case.spec, {**case.args, "key": key})
                arrays.append(self.called(asked).array(name))
                if arrays[-1].size > MAX_KEY_ANSWER or (
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
            platform = "cuda" if self.runner.device == "gpu" else "cpu"
            try:
                answer = self.worker.ask(
                    {"do": "export", **request, "platform": platform},
                    case.part,
                    look=functools.partial(one_program, case.part),
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


class LiveReference:
    """What the solution answers, in the runner."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner

    def answer(self, case: Case) -> Answer:
        """The right answer."""
        return Answer(
            self.runner.trusted(
                do="reference", part=case.part, spec=case.spec, args=case.args
            )
        )


def of_cells(answer: Args) -> None:
    """Look at the answer to an import: what of a notebook's cells was left out.

    Raises:
        Wrong: it is something else.
    """
    row = {"line": int, "whole": bool, "more": int, "why": str}
    rows, slow = answer.get("left_out", []), answer.get("slow", [])
    if (
        not {*answer} <= {"left_out", "more", "slow"}
        or not isinstance(answer.get("more", 0), int)
        or not (isinstance(rows, list) and isinstance(slow, list))
        or max(len(rows), len(slow)) > MAX_SKIPPED
        or not all(type(line) is int for line in slow)
        or not all(isinstance(each, dict) for each in rows)
        or any({k: type(v) for k, v in each.items()} != row for each in rows)
    ):
        raise Wrong("an answer came back where none was expected")


def left_out(answer: Args, submission: Submission) -> list[str]:
    """Sentences on what of a notebook was left out, from an answer `of_cells`."""
    notes = []
    for row in answer.get("left_out", []):
        place = submission.locate(f"dqn.py, line {row['line']}")
        if row["whole"] and not submission.exported:
            place = place.partition(",")[0]
        more = f" (and {row['more']} more of its statements)" if row["more"] else ""
        notes.append(f"{place} was left out: {word(row['why'], 300)}{more}")
    if more := answer.get("more", 0):
        notes.append(f"{more} more cells were left out, or parts of them")
    return notes


def hung_at(errors: bytes) -> int:
    """The line of a module that ran when its process ended itself, or 0."""
    _, _, dump = errors.rpartition(b"Timeout (")
    found = re.search(rb'dqn\.py", line (\d{1,7}) in <module>', dump)
    return int(found[1]) if found else 0


def nothing(answer: Args) -> None:
    """Look at an answer in which nothing can be.

    Raises:
        Wrong: there is something.
    """
    if answer:
        raise Wrong("an answer came back where none was expected")


def one_program(part: str, answer: Args) -> None:
    """Look at an answer that has to be a program.

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
    if program.nbytes > MAX_PROGRAM:
        raise Wrong(
            f"{part}: its program has {program.nbytes >> 20} MB, at most "
            f"{MAX_PROGRAM >> 20} are taken: does it hold large constants?"
        )


def start_child(
    role: str,
    tier: str,
    *,
    prints: bool = False,
    live: bool = False,
    device: str = "cpu",
) -> helper.Child:
    """Start a helper process.

    Raises:
        client.Failure: the system does not let us.
    """
    try:
        started = launch.prepare(role, tier, live=live, device=device)
        return helper.Child(started, prints=prints)
    except (OSError, RuntimeError) as error:  # no more processes, room, or threads
        raise helper.Died(f"cannot be started: {error}") from None


def start_first(role: str, start: Callable[[], helper.Child]) -> helper.Child:
    """Start a role's first process, before anything of the hand-in has run.

    Raises:
        GraderError: the system does not let us.
    """
    try:
        return start()
    except helper.Failure as failure:
        raise GraderError(f"the {role} {failure}") from None


def ready_first(role: str, child: helper.Child) -> None:
    """Wait for a role's first process, before anything of the hand-in has run.

    Raises:
        GraderError: it does not come up.
    """
    try:
        child.ready()
    except helper.Failure as failure:
        raise GraderError(no_start(role, failure)) from None


def no_start(role: str, failure: helper.Failure) -> str:
    """The one clear line on a helper that does not come up."""
    why = str(failure) or f"no sign of life in {helper.START_SECONDS:.0f} s"
    return (
        f"the {role} does not start: {why}; is the environment complete? "
        "Try `make clean grade`, or another SANDBOX"
    )


def reason_of(error: Args, what: str, locate: Callable[[str], str] = str) -> Exception:
    """The outcome for an error that the worker reports, in words for the student.

    Args:
        error: as the worker describes it.
        what: was asked.
        locate: names the places in a text as the student knows them.
    """
    error = {k: v for k, v in error.items() if isinstance(v, str | int)}
    kind = error.get("kind")
    message = plain(error.get("message", ""), 600) or "(no message)"
    if error.get("type") == DEBUGGER:
        message = f"{NOBODY_ANSWERS}. Take it out{how_to_debug(what)}"
    if kind == "not implemented" and what != IMPORTING:
        stub = error.get("function")
        if stub in FUNCTIONS and stub != what:
            return Waiting(f"waits for {stub}: {NOT_IMPLEMENTED}")
        return NotImplementedYet(what)
    if kind == "contract":
        return Wrong(message)
    text = f"{what}: {word(error.get('type'))}: {message}"
    line = error.get("line")
    if isinstance(line, int) and line > 0:
        text += f"\ndqn.py, line {line}"
        if error.get("function"):
            text += f", in {word(error.get('function'))}"
        if error.get("text"):
            text += f": {word(error.get('text'), 160)}"
    return Raised(locate(text))


def with_own_line(error: Args, source: str) -> Args:
    """An error that shows the line of what was handed in, or no place at all."""
    line, lines = error.get("line"), source.split("\n")
    if isinstance(line, int) and 0 < line <= len(lines):
        if error.get("type") == DEBUGGER:  # which stops at the line that comes next
            calls = [n for n, text in enumerate(lines, 1) if STARTS_IT.search(text)]
            near = line
            line = min(calls, key=lambda n: (abs(n - near), n > near), default=near)
            error = {**error, "line": line}
        return {**error, "text": lines[line - 1].strip()}
    return {**error, "line": 0}


def how_to_debug(what: str) -> str:
    """How a part that was asked for can be debugged, to end a sentence with."""
    name = "q_network" if what == "forward" else what.partition(".")[0]
    if name not in (*FUNCTIONS, *EXERCISES, "ReplayBuffer"):
        return ""
    return f", or debug with `make grade ONLY={name} INPROCESS=1`"


def word(text: Any, limit: int = 60) -> str:
    """Text that the worker wrote, in one line."""
    return plain(text, limit).replace("\n", " ")


def last_seen(errors: bytes) -> str:
    """Where the hand-in was when its time was nearly up, if its process could say."""
    _, _, dump = errors.rpartition(b"Timeout (")
    place = re.search(rb'dqn\.py", line (\d{1,6}) in (\w{1,60})', dump)
    if not place:
        return ""
    line, function = (group.decode("ascii", "replace") for group in place.groups())
    return f"\ndqn.py, line {line}, in {function}: this is where it was"
