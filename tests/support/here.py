"""A hand-in in this very process, for tests and tools that ask much."""

from copy import deepcopy
from pathlib import Path
from typing import Any

from grader.contract.case import Args
from grader.grading.in_process import LocalRunner, LocalWorker
from grader.intake.submission import Submission
from grader.oracle.candidate import Candidate
from grader.oracle.worker_client import Reply


class CopyingWorker(LocalWorker):
    """A worker whose hand-in gets copies, as it would in a process of its own."""

    def ask(self, request: Args, *args: Any, **kwargs: Any) -> Reply:
        """Answer a request; what the hand-in changes in place does not come back."""
        return super().ask(deepcopy(request), *args, **kwargs)


class Here(Candidate):
    """A hand-in as the checks ask it, without helper processes.

    For hand-ins of ours only, because nothing is confined.

    Args:
        source: text of `dqn.py`.
        eager: whether all questions are answered by calls, which is faster for a few
            questions of many shapes.
    """

    def __init__(self, source: str, *, eager: bool = False) -> None:
        self.source = source
        submission = Submission("here", source.encode(), path=Path("dqn.py"))
        super().__init__(CopyingWorker(submission), LocalRunner(), eager=eager)

    def afresh(self) -> "Here":
        """Return the hand-in imported anew."""
        return Here(self.source, eager=self.eager)
