"""Lend one warm worker and one warm runner to many gradings of harmless hand-ins."""

from typing import Any

from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.warm import WarmProcesses


class Lent:
    """A client of a warm process that goes on running after the grading.

    Args:
        client: the client of the warm worker or of the warm runner.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def stop(self) -> None:
        """Do nothing: the process goes on for the next grading."""


def lend_worker(warm: WarmProcesses, submission: Submission, budget: Budget) -> Lent:
    """Return the warm worker with a new hand-in; start a process if it has none."""
    worker = warm.worker
    worker.take(submission, budget)
    worker.printed, worker.left_out = {}, []
    if worker.child is None:
        worker.child = worker.start()
    return Lent(worker)


def lend_runner(warm: WarmProcesses, budget: Budget) -> Lent:
    """Return the warm runner without the programs of the previous hand-in."""
    warm.runner.take(budget)
    if warm.runner.child is None:
        warm.runner.child = warm.runner.start()
    return Lent(warm.runner)
