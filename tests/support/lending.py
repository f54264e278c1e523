"""Grade hand-ins that do no harm on one worker and one runner, to save their start."""

from typing import Any

from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.warm import Desk


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


def lend_worker(desk: Desk, submission: Submission, budget: Budget) -> Lent:
    """Return the warm worker, with another hand-in; a new one where it has died."""
    worker = desk.worker
    worker.take(submission, budget)
    worker.limits, worker.printed, worker.left_out = budget.limits, {}, []
    if worker.child is None:
        worker.child = worker.start()
    return Lent(worker)


def lend_runner(desk: Desk, budget: Budget) -> Lent:
    """Return the warm runner, with no program of the hand-in before."""
    desk.runner.take(budget)
    if desk.runner.child is None:
        desk.runner.child = desk.runner.start()
    return Lent(desk.runner)
