"""Grade hand-ins that do no harm on one worker and one runner, to save their start."""

from typing import Any

from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.warm import WarmProcesses


class Lent:
    """A client of a warm process, which does not end with the grading.

    Args:
        client: of the worker or the runner.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def stop(self) -> None:
        """Leave the process to the next grading."""


def lend_worker(warm: WarmProcesses, submission: Submission, budget: Budget) -> Lent:
    """Return the warm worker, with another hand-in; a new one where it has died."""
    worker = warm.worker
    worker.take(submission, budget)
    worker.printed, worker.left_out = {}, []
    if worker.child is None:
        worker.child = worker.start()
    return Lent(worker)


def lend_runner(warm: WarmProcesses, budget: Budget) -> Lent:
    """Return the warm runner, with no program of the hand-in before."""
    warm.runner.take(budget)
    if warm.runner.child is None:
        warm.runner.child = warm.runner.start()
    return Lent(warm.runner)
