"""One worker and one runner for one hand-in after the other.

Starting them costs more than most of what is asked. But what one hand-in leaves behind
the next one finds, so this is for known ones only: the solution, mutants, variants.
"""

from dataclasses import replace

from grader.contract.case import Args
from grader.contract.limits import LIMITS
from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.candidate import Candidate
from grader.oracle.runner_client import RunnerClient
from grader.oracle.worker_client import WorkerClient
from grader.sandbox import tiers

# Each leaves compiled programs behind: from time to time all is begun anew.
RENEWED_AFTER = 60
SECONDS = 600.0  # for one hand-in: nobody waits for it, and it may be one of hundreds


class WarmRunner(RunnerClient):
    """A runner for one hand-in after the other, whose programs have the same names."""

    hand_in = 0

    def take(self, budget: Budget) -> None:
        """Begin with another hand-in."""
        self.hand_in += 1
        self.budget, self.programs, self.loaded = budget, {}, set()

    def untrusted(self, request: Args, *args: object, **kwargs: object) -> Args:
        """Ask, with the hand-in's number before a program's name."""
        if "name" in request:
            request = {**request, "name": f"{self.hand_in} {request['name']}"}
        return super().untrusted(request, *args, **kwargs)  # type: ignore[arg-type]


class WarmWorker(WorkerClient):
    """A worker that imports one hand-in after the other."""

    def take(self, submission: Submission, budget: Budget) -> None:
        """Begin with another hand-in."""
        self.submission, self.budget = submission, budget
        self.problem, self.restarts = None, {}
        self.loaded = self.imported = False
        self.skipped = []


class WarmProcesses:
    """Takes hand-ins one at a time; ends its processes when it is left.

    Args:
        tier: of the sandbox.
        device: "cpu" or "gpu".
    """

    def __init__(self, tier: str, *, device: str = "cpu") -> None:
        tier = tiers.choose_tier(tier)
        self.taken = 0
        self.worker = WarmWorker(Submission("", b""), tier, Budget())
        self.runner = WarmRunner("runner", tier, Budget(), {}, device=device)
        self.worker.ready()
        self.runner.ready()

    def take(self, submission: Submission, *, fresh: bool = False) -> Candidate:
        """Take a hand-in; return it, to be asked.

        Args:
            submission: what was handed in.
            fresh: in a worker of its own, for it needs one or spoils it.
        """
        budget = Budget(replace(LIMITS, part_seconds=SECONDS, run_seconds=SECONDS))
        self.taken += 1
        if self.taken % RENEWED_AFTER == 0:
            self.worker.stop()
            self.runner.stop()
        if fresh:
            self.worker.stop()
        self.worker.take(submission, budget)
        self.runner.take(budget)
        return Candidate(self.worker, self.runner)

    def __enter__(self) -> "WarmProcesses":
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.stop()
        self.runner.stop()
