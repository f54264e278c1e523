"""The trusted end of the worker: ask the hand-in, keep time, start it again."""

import contextlib
from dataclasses import dataclass

import numpy as np

from grader.contract.case import Args, Look
from grader.contract.limits import Limits
from grader.contract.outcomes import Killed, Stopped, Wrong
from grader.escape import one_line
from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.faults import (
    IMPORTING,
    hung_at,
    last_seen,
    reason_of,
    with_own_line,
)
from grader.oracle.starting import ready_first, start_child, start_first
from grader.sandbox import helper
from grader.sandbox.output import Output

MAX_ROWS = 20  # of cells left out, as `inside/notebook.py` sends them
# Said where nothing but the hand-in can be the cause: before it ran, all was well.
NO_RESTART = "its process cannot be started again"


@dataclass(frozen=True)
class Reply:
    """What came of one question.

    Attributes:
        answer: of the hand-in; empty where there is a reason.
        printed: by the hand-in meanwhile.
        reason: why there is no answer, an outcome.
    """

    answer: Args
    printed: Output
    reason: Exception | Stopped | None = None

    def required(self) -> Args:
        """Return the answer.

        Raises:
            Wrong, Raised, TimedOut, Killed: the reason why there is none.
        """
        if self.reason:
            raise self.reason
        return self.answer


class WorkerClient:
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
        self.printed: dict[str, Output] = {}  # by exercise, and at import
        self.left_out: list[str] = []  # of a notebook, in sentences
        self.skipped: list[int] = []  # lines of it that ran for too long
        if submission.problem:
            self.problem = Wrong(submission.problem)
        else:
            self.child = start_first("worker", self.start)
        self.loaded = self.imported = False

    @property
    def limits(self) -> Limits:
        """Return the limits of this grading."""
        return self.budget.limits

    def start(self) -> helper.Child:
        """Start a new process, the hand-in not yet in it.

        Raises:
            helper.Failure: the system does not let us.
        """
        return start_child("worker", self.tier, self.limits, prints=True)

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
            with contextlib.suppress(helper.Failure):  # the next question tries again
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
        seconds: float | None = None,
        look: Look | None = None,
    ) -> Reply:
        """Ask the hand-in; what it prints is kept, but for what a program brings.

        Args:
            request: to the worker.
            what: is asked, for messages.
            seconds: that it may take; a call's where none are given.
            look: sees the answer's shapes before its numbers are read.

        Returns:
            A reply with an answer.

        Raises:
            Wrong, Raised, TimedOut, Killed: as the hand-in behaved.
        """
        self.load()
        exercise = self.budget.exercise
        seconds = seconds or self.limits.call_seconds
        reply = self.exchange(request, what, seconds, look)
        # A program is shared: who uses it books what was printed when it was traced.
        if reply.reason or request["do"] != "export":
            self.book(exercise, reply.printed)
        reply.required()
        return reply

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
            reply = self.import_it()
            if first:
                self.book("import", reply.printed)
            self.left_out = left_out(reply.required(), self.submission)
        except (Exception, Stopped) as problem:
            # What was imported once, and died since, may have run out of its part's
            # time now: the next part tries again.
            self.problem = problem if first else None
            raise
        self.loaded = self.imported = True

    def import_it(self) -> Reply:
        """Have it imported; the answer says what of a notebook was left out.

        A statement that cannot be interrupted ends the process, and is skipped then.
        """
        seconds = self.limits.import_seconds
        request = {
            "do": "load",
            "source": np.frombuffer(self.submission.text.encode(), np.uint8),
            "cells": np.array(self.submission.cells, np.int64),
            "exported": self.submission.exported,
            "seconds_of_cells": self.limits.cells_share * seconds,
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
            few = len(self.skipped) < self.limits.skipped
            if not (line and few and self.submission.cells):
                return reply
            self.skipped.append(line)
            try:
                self.restart()
            except (Exception, Stopped) as reason:
                return Reply({}, reply.printed, reason)

    def restart(self) -> None:
        """Start a process in the place of one that died, in the hand-in's time."""
        seconds = self.budget.left()  # a part without any starts no process
        part = self.budget.part
        self.restarts[part] = self.restarts.get(part, 0) + 1
        if self.restarts[part] > self.limits.restarts:
            raise Killed(f"its process died {self.limits.restarts} times: given up")
        with self.budget.spending():
            try:
                self.child = self.start()
                self.child.ready(seconds)
            except helper.Failure:
                self.child = None
                raise Killed(NO_RESTART) from None

    def exchange(
        self, request: Args, what: str, limit: float, look: Look | None
    ) -> Reply:
        """Ask one question; the reply has its answer or the reason for none."""
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
        """Return a process' answer.

        Args:
            child: the process.
            request: to it.
            what: is asked, for messages.
            limit: seconds that it may take, if its part has as many left.
            look: sees the answer's shapes before its numbers are read.

        Raises:
            Wrong, Raised, TimedOut, Killed: as the hand-in behaved.
        """
        seconds = min(limit, self.budget.left())
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
        if "error" in message:
            error = with_own_line(message["error"], self.submission.text, what)
            raise reason_of(error, what, self.submission.locate)
        return message["answer"]

    def stop(self) -> None:
        """End the process; the next question starts another."""
        if self.child:
            self.child.stop()
        self.child = None
        self.loaded = False


def of_cells(answer: Args) -> None:
    """Look at the answer to an import: it says which cells were left out.

    Raises:
        Wrong: it is something else.
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
    """Return sentences on what was left out of a notebook, from an import's answer."""
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
