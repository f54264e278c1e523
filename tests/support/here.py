"""Ask a hand-in in this process, for tests and tools that ask many questions."""

from copy import deepcopy
from pathlib import Path
from typing import Any

from grader.contract.case import Args
from grader.grading.in_process import LocalRunner, LocalWorker
from grader.intake.submission import Submission
from grader.oracle.candidate import Candidate
from grader.oracle.worker_client import Reply


class CopyingWorker(LocalWorker):
    """A worker in this process that gives the hand-in copies of all arguments."""

    def ask(self, request: Args, *args: Any, **kwargs: Any) -> Reply:
        """Answer a request; the hand-in cannot change the arrays of the caller."""
        return super().ask(deepcopy(request), *args, **kwargs)


class Here(Candidate):
    """A hand-in as the checks ask it, without helper processes.

    Use it for hand-ins of our own only, because the hand-in is not confined.

    Args:
        source: text of `dqn.py`.
        eager: whether all questions are answered by calls instead of programs, which is
            faster for few questions of many shapes.
    """

    def __init__(self, source: str, *, eager: bool = False) -> None:
        self.source = source
        submission = Submission("here", source.encode(), path=Path("dqn.py"))
        super().__init__(CopyingWorker(submission), LocalRunner(), eager=eager)

    def afresh(self) -> "Here":
        """Return a new `Here` of this hand-in, which imports its source again."""
        return Here(self.source, eager=self.eager)
