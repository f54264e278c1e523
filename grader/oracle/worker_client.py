"""The trusted end of the worker: ask the hand-in, keep time, start it again."""

import contextlib
import functools

import numpy as np

from grader.contract.case import Args
from grader.contract.outcomes import (
    Killed,
    Stopped,
    Wrong,
)
from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.faults import (
    IMPORTING,
    hung_at,
    last_seen,
    reason_of,
    with_own_line,
    word,
)
from grader.oracle.starting import ready_first, start_child, start_first
from grader.sandbox import helper
from grader.sandbox.output import Output

# Said where nothing but the hand-in can be the cause: before it ran, all was well.
NO_RESTART = "its process cannot be started again"
NOT_IN_TIME = (
    "the grader's own process {}. Before dqn.py ran it worked: does dqn.py start "
    "processes that keep the machine busy, or use up its memory?"
)


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
        self.limits = budget.limits
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
        seconds: float | None = None,
        look: helper.Look | None = None,
    ) -> Args:
        """Ask the hand-in.

        Args:
            request: to the worker.
            what: is asked, for messages.
            seconds: that it may take; a call's where none are given.
            look: sees the answer's shapes before its numbers are read.

        Raises:
            Wrong, Raised, TimedOut, Killed: as the hand-in behaved.
        """
        self.load()
        exercise = self.budget.exercise
        seconds = seconds or self.limits.call_seconds
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
        seconds = self.limits.import_seconds
        request = {
            "do": "load",
            "source": np.frombuffer(self.submission.text.encode(), np.uint8),
            "cells": np.array(self.submission.cells, np.int64),
            "exported": self.submission.exported,
            "seconds_of_cells": self.limits.cells_share * seconds,
        }
        look = functools.partial(of_cells, self.limits.skipped)
        while True:
            child = self.child
            asked = {**request, "skipped": self.skipped}
            try:
                answer = self.exchange(asked, IMPORTING, seconds, look)
            except Killed:
                line = hung_at(child.errors) if child else 0
                few = len(self.skipped) < self.limits.skipped
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
        if self.restarts[part] > self.limits.restarts:
            raise Killed(f"its process died {self.limits.restarts} times: given up")
        with self.budget.spending():
            try:
                self.child = self.start()
                self.child.ready(min(seconds, self.limits.start_seconds))
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


def of_cells(most: int, answer: Args) -> None:
    """Look at the answer to an import: what of a notebook's cells was left out.

    Args:
        most: rows there may be.
        answer: of the worker.

    Raises:
        Wrong: it is something else.
    """
    row = {"line": int, "whole": bool, "more": int, "why": str}
    rows, slow = answer.get("left_out", []), answer.get("slow", [])
    if (
        not {*answer} <= {"left_out", "more", "slow"}
        or not isinstance(answer.get("more", 0), int)
        or not (isinstance(rows, list) and isinstance(slow, list))
        or max(len(rows), len(slow)) > most
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
