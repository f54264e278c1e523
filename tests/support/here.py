"""Ask a hand-in in this process, for tests and tools that ask many questions.

Helper processes are safer, but slower.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any

from grader.contract.case import Args
from grader.grading.in_process import LocalRunner, LocalWorker
from grader.intake.submission import Submission
from grader.oracle.candidate import Candidate
from grader.oracle.worker_client import Reply


class CopyingWorker(LocalWorker):
    """A worker in this process that gives the hand-in a copy of each request."""

    def ask(self, request: Args, *args: Any, **kwargs: Any) -> Reply:
        """Answer a request; the hand-in cannot change the caller's arrays."""
        return super().ask(deepcopy(request), *args, **kwargs)


class Here(Candidate):
    """A candidate without helper processes: the hand-in runs in this process.

    Use it only for hand-ins of our own, because the hand-in is not confined.

    Args:
        source: the text of `dqn.py`.
        eager: True to call parts instead of exporting them. This is faster if most
            questions differ in their shapes.
    """

    def __init__(self, source: str, *, eager: bool = False) -> None:
        self.source = source
        submission = Submission("here", source.encode(), path=Path("dqn.py"))
        super().__init__(CopyingWorker(submission), LocalRunner(), eager=eager)

    def afresh(self) -> "Here":
        """Return a new `Here` with the same source, which is imported anew."""
        return Here(self.source, eager=self.eager)
