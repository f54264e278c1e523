"""Lend one warm worker and one warm runner to many gradings of harmless hand-ins.

Without this module, each grading would start and stop these processes.
"""

from typing import Any

from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.warm import WarmProcesses


class Lent:
    """A client of a warm process whose `stop` does not stop the process.

    All other attributes are those of the client.

    Args:
        client: the client of the warm worker or of the warm runner.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def stop(self) -> None:
        """Do nothing, so that the process can serve the next grading."""


def lend_worker(warm: WarmProcesses, submission: Submission, budget: Budget) -> Lent:
    """Return a client of the warm worker, which will serve a new hand-in.

    The worker is started if it does not run.

    Args:
        warm: the warm processes.
        submission: the new hand-in.
        budget: the time that the hand-in may still take.
    """
    worker = warm.worker
    worker.take(submission, budget)
    worker.printed, worker.left_out = {}, []
    if worker.child is None:
        worker.child = worker.start()
    return Lent(worker)


def lend_runner(warm: WarmProcesses, budget: Budget) -> Lent:
    """Return a client of the warm runner, without the programs of the previous hand-in.

    The runner is started if it does not run.

    Args:
        warm: the warm processes.
        budget: the time that the new hand-in may still take.
    """
    warm.runner.take(budget)
    if warm.runner.child is None:
        warm.runner.child = warm.runner.start()
    return Lent(warm.runner)
