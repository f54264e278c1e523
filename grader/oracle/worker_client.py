"""Control a worker from the trusted side: send requests, keep deadlines, restart it."""

import contextlib
from dataclasses import dataclass

import numpy as np

from grader.contract.case import Args, Look
from grader.contract.limits import Limits
from grader.contract.outcomes import Killed, OutOfMemory, Stopped, Wrong
from grader.escape import one_line
from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.faults import (
    IMPORTING,
    hung_at,
    last_seen,
    out_of_memory,
    reason_of,
    with_own_line,
)
from grader.oracle.starting import ready_first, start_child, start_first
from grader.sandbox import helper
from grader.sandbox.output import Output

# The most notebook cells that a worker may list as left out: `MAX_LEFT_OUT` in
# `notebook.py`.
MAX_ROWS = 20
CELLS_SHARE = 0.8  # of the time for an import; all cells of a notebook may take it
# The message if a restart fails. The first start worked before the hand-in ran, so the
# hand-in is the cause.
NO_RESTART = "its process cannot be started again"


@dataclass(frozen=True)
class Reply:
    """The worker's reply to one request.

    Attributes:
        answer: the hand-in's answer; {} if there is none.
        printed: what the hand-in has printed since the previous reply.
        reason: the exception that says why there is no answer; None if there is an
            answer.
    """

    answer: Args
    printed: Output
    reason: Exception | Stopped | None = None

    def required(self) -> Args:
        """Return the answer, or raise `reason` if there is no answer.

        Raises:
            Wrong, Raised, Waiting, TimedOut, Killed: the exception in `reason`.
        """
        if self.reason:
            raise self.reason
        return self.answer


class WorkerClient:
    """A client that sends requests to a worker.

    If the process has ended, the next request starts a new one.

    Args:
        submission: the hand-in that the worker imports.
        tier: the tier of the sandbox.
        budget: the time that the hand-in may still take.
    """

    def __init__(self, submission: Submission, tier: str, budget: Budget) -> None:
        self.submission = submission
        self.tier = tier
        self.budget = budget
        self.restarts: dict[str, int] = {}  # the number of restarts, by part
        self.problem: Exception | Stopped | None = None  # why the import failed
        self.child: helper.Child | None = None
        self.printed: dict[str, Output] = {}  # by the exercise's name or "import"
        self.left_out: list[str] = []  # sentences, see `left_out`
        self.skipped: list[int] = []  # lines of endless statements of a notebook
        self.served: set[str] = set()  # the parts that the process was asked for
        if submission.problem:
            self.problem = Wrong(submission.problem)
        else:
            self.child = start_first("worker", self.start)
        self.loaded = self.imported = False

    @property
    def limits(self) -> Limits:
        """The limits of this grading, from the budget."""
        return self.budget.limits

    def start(self) -> helper.Child:
        """Start a new process, which has not imported the hand-in yet, and return it.

        Raises:
            helper.Failure: the system cannot start the process.
        """
        return start_child("worker", self.tier, self.limits, prints=True)

    def ready(self) -> None:
        """Wait until the first process is ready, before the hand-in runs.

        Raises:
            GraderError: the process ended or was too slow.
        """
        if self.child:
            ready_first("worker", self.child)

    def renew(self) -> None:
        """Start a new worker, and give each part its whole time again."""
        self.stop()
        self.restarts = {}
        self.budget.spent.clear()
        if not self.problem:
            with contextlib.suppress(helper.Failure):  # the next request tries again
                self.child = self.start()

    def book(self, stage: str, output: Output) -> None:
        """Add output of the hand-in to `printed`.

        Args:
            stage: the exercise's name, or "import".
            output: the output to add.
        """
        if output.size:
            kept = self.printed.setdefault(stage, Output())
            kept.add(output.text, output.size)

    def ask(
        self,
        request: Args,
        what: str,
        seconds: float | None = None,
        look: Look | None = None,
    ) -> Reply:
        """Send a request; return the worker's reply, whose `answer` is the result.

        What the hand-in prints meanwhile is added to `self.printed`. There is one
        exception: what it prints during a successful export is only in the reply, and
        the caller adds it to each exercise that uses the program.

        Args:
            request: the operation's name under the key "do", and the operation's
                arguments; see `inside/worker.py`.
            what: the part that is asked, for messages.
            seconds: the time limit in seconds; None for `call_seconds` of the limits.
            look: function that gets the answer before its numbers are read, and raises
                an exception if a shape is wrong. None for no such check.

        Raises:
            Wrong, Raised, Waiting, TimedOut, Killed: the hand-in gave no answer.
        """
        self.load()
        exercise = self.budget.exercise
        seconds = seconds or self.limits.call_seconds
        others = self.served - {self.budget.part}
        self.served.add(self.budget.part)
        reply = self.exchange(request, what, seconds, look)
        if isinstance(reply.reason, OutOfMemory) and others:
            # Another part may keep this memory, so the part is asked in a new process.
            self.load()
            self.served.add(self.budget.part)
            reply = self.exchange(request, what, seconds, look)
        # For an export, `Candidate.export` adds the output to each exercise that uses
        # the program.
        if reply.reason or request["do"] != "export":
            self.book(exercise, reply.printed)
        reply.required()
        return reply

    def load(self) -> None:
        """Let the worker import the hand-in, unless the worker has imported it already.

        If the first import fails, each later request raises the same exception.

        Raises:
            Wrong, Raised, TimedOut, Killed: the import failed.
        """
        if self.problem:
            # Without a traceback, because each raise would make it longer.
            raise self.problem.with_traceback(None)
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
            reply = self.import_it()
            if first:
                self.book("import", reply.printed)
            self.left_out = left_out(reply.required(), self.submission)
        except (Exception, Stopped) as problem:
            # An import that fails after a successful one may only lack time of the
            # current part. The next part has more time, so the import is tried again.
            self.problem = problem if first else None
            raise
        self.loaded = self.imported = True

    def import_it(self) -> Reply:
        """Ask the worker to import the hand-in and return the worker's reply.

        The reply has an answer, or a `reason` why the import failed. For a notebook,
        the answer lists the statements that were left out.

        If a statement of a notebook takes too long and cannot be interrupted, the
        worker ends itself. A new worker then imports the notebook without this
        statement. Each time is a restart, see `restart`.
        """
        seconds = self.limits.import_seconds
        request = {
            "do": "load",
            "source": np.frombuffer(self.submission.text.encode(), np.uint8),
            "cells": np.array(self.submission.cells, np.int64),
            "exported": self.submission.exported,
            "seconds_of_cells": CELLS_SHARE * seconds,
        }
        while True:
            child = self.child
            asked = {**request, "skipped": self.skipped}
            reply = self.exchange(asked, IMPORTING, seconds, of_cells)
            if not isinstance(reply.reason, Killed):
                if not reply.reason:
                    self.skipped = reply.answer.get("slow", [])
                return reply
            line = hung_at(child.errors) if child else 0
            if not (line and self.submission.cells):
                return reply
            self.skipped.append(line)
            try:
                self.restart()
            except (Exception, Stopped) as reason:
                return Reply({}, reply.printed, reason)

    def restart(self) -> None:
        """Start a new process and wait until it is ready.

        The start counts as time of the current part.

        Raises:
            UsedUp: the current part or the whole run has no time left.
            Killed: `Limits.restarts` restarts were made for the current part before, or
                the process cannot be started again.
        """
        seconds = self.budget.left()
        part = self.budget.part
        self.restarts[part] = self.restarts.get(part, 0) + 1
        if self.restarts[part] > self.limits.restarts:
            times = f"{self.limits.restarts} times"
            raise Killed(f"its process had to be started anew {times}: given up")
        with self.budget.spending():
            try:
                self.child = self.start()
                self.child.ready(seconds)
            except helper.Failure:
                self.child = None
        if self.child is None:
            self.budget.left()  # perhaps the start was only cut off
            raise Killed(NO_RESTART)

    def exchange(
        self, request: Args, what: str, limit: float, look: Look | None
    ) -> Reply:
        """Send a request; return the reply, which has an answer or a `reason`.

        Args:
            request: the operation's name under the key "do", and the operation's
                arguments; see `inside/worker.py`.
            what: the part that is asked, for messages.
            limit: the time limit in seconds.
            look: function that gets the answer before its numbers are read, and raises
                an exception if a shape is wrong. None for no such check.
        """
        child = self.child
        assert child is not None
        try:
            answer = self.answer_of(child, request, what, limit, look)
        except (Exception, Stopped) as reason:
            return Reply({}, child.take_printed(), reason)
        return Reply(answer, child.take_printed())

    def answer_of(
        self,
        child: helper.Child,
        request: Args,
        what: str,
        limit: float,
        look: Look | None,
    ) -> Args:
        """Return the process's answer to one request.

        Args:
            child: the process.
            request: the operation's name under the key "do", and the operation's
                arguments; see `inside/worker.py`.
            what: the part that is asked, for messages.
            limit: the time limit in seconds. The process gets less time if the current
                part has less time left.
            look: function that gets the answer before its numbers are read, and raises
                an exception if a shape is wrong. None for no such check.

        Raises:
            Wrong, Raised, Waiting, TimedOut, Killed: the hand-in gave no answer.
        """
        seconds = min(limit, self.budget.left())
        try:
            with self.budget.spending():
                message = child.ask({**request, "seconds": seconds}, seconds, look=look)
        except helper.DeadlinePassed:
            self.stop()
            seen = last_seen(child.errors, self.submission.text, what)
            place = self.submission.locate(seen)
            raise self.budget.late(what, limit, place) from None
        except helper.Died as death:
            self.stop()
            raise Killed(f"{what}: the process {death}") from None
        except Wrong:
            self.stop()  # `look` has refused the answer before its numbers were read
            raise
        if "error" in message:
            error = with_own_line(message["error"], self.submission.text, what)
            reason = reason_of(error, what, self.submission.locate)
            if out_of_memory(error):
                self.stop()  # the memory may stay in use, and other parts would fail
                raise OutOfMemory(str(reason))
            raise reason
        return message["answer"]

    def stop(self) -> None:
        """End the process; the next request starts a new one."""
        if self.child:
            self.child.stop()
        self.child = None
        self.loaded = False
        self.served.clear()


def of_cells(answer: Args) -> None:
    """Check the form of the worker's answer to a request to import the hand-in.

    The answer must be a dict as `Notebook.left_out` returns it, or {}.

    Args:
        answer: the worker's answer, which may be anything.

    Raises:
        Wrong: the answer has another form.
    """
    row = {"line": int, "whole": bool, "more": int, "why": str}
    rows, slow = answer.get("left_out", []), answer.get("slow", [])
    if (
        not {*answer} <= {"left_out", "more", "slow"}
        or not isinstance(answer.get("more", 0), int)
        or not (isinstance(rows, list) and isinstance(slow, list))
        or max(len(rows), len(slow)) > MAX_ROWS
        or not all(type(line) is int for line in slow)
        or not all(isinstance(each, dict) for each in rows)
        or any({k: type(v) for k, v in each.items()} != row for each in rows)
    ):
        raise Wrong("an answer came back where none was expected")


def left_out(answer: Args, submission: Submission) -> list[str]:
    """Return sentences on the cells of a notebook that were left out.

    A cell of which only some statements were left out counts, too. Each cell that the
    answer lists gets a sentence. If more cells were left out than the answer lists, a
    last sentence says how many more. The result is [] if nothing was left out.

    Args:
        answer: the worker's answer to an import, checked by `of_cells`.
        submission: the hand-in. Its method `locate` finds the cell of a line.
    """
    notes = []
    for row in answer.get("left_out", []):
        place = submission.locate(f"dqn.py, line {row['line']}")
        if row["whole"] and not submission.exported:
            place = place.partition(",")[0]
        more = f" (and {row['more']} more of its statements)" if row["more"] else ""
        notes.append(f"{place} was left out: {one_line(row['why'], 300)}{more}")
    if more := answer.get("more", 0):
        notes.append(f"{more} more cells were left out, or parts of them")
    return notes
