"""Serve many hand-ins, one after the other, with the same worker and runner.

To start two processes for each hand-in would take longer than most checks. But a
hand-in can change the processes, and so the results of later hand-ins. Therefore only
the project's own hand-ins use warm processes: the solution, mutants and variants. The
exception is `make grade WATCH=1`: there a runner serves all texts that one student
saves, and each text has a worker of its own.
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

# The number of hand-ins after which new processes are started, because each hand-in
# leaves compiled programs in memory.
RENEWED_AFTER = 60
# The time limit of one hand-in in seconds. It is long, because a machine that grades
# hundreds of hand-ins at once is slow.
SECONDS = 600.0
DIAGNOSIS_SECONDS = 180.0  # the time limit of a diagnosis; long for the same reason


class WarmRunner(RunnerClient):
    """A runner that serves many hand-ins, one after the other.

    Programs of different hand-ins can have the same name. So this class puts the number
    of the hand-in before each program name that it sends to the process.
    """

    hand_in = 0  # the number of the current hand-in

    def take(self, budget: Budget) -> None:
        """Switch to the next hand-in, and forget the programs of the previous one.

        Args:
            budget: the time that the next hand-in may take.
        """
        self.hand_in += 1
        self.budget, self.programs, self.loaded = budget, {}, set()

    def untrusted(self, request: Args, *args: object, **kwargs: object) -> Args:
        """Call `RunnerClient.untrusted` for the current hand-in; return the answer.

        Args:
            request: the request. If it names a program, the number of the current
                hand-in is put before the name.
            args: further positional arguments of `RunnerClient.untrusted`.
            kwargs: further keyword arguments of `RunnerClient.untrusted`.
        """
        if "name" in request:
            request = {**request, "name": f"{self.hand_in} {request['name']}"}
        return super().untrusted(request, *args, **kwargs)  # type: ignore[arg-type]


class WarmWorker(WorkerClient):
    """A worker that serves many hand-ins, one after the other."""

    def take(self, submission: Submission, budget: Budget) -> None:
        """Switch to the next hand-in; the next request makes the worker import it.

        Args:
            submission: the next hand-in.
            budget: the time that the next hand-in may take.
        """
        self.submission, self.budget = submission, budget
        self.problem, self.restarts = None, {}
        self.loaded = self.imported = False
        self.skipped = []


class WarmProcesses:
    """A worker and a runner that serve many hand-ins, one after the other.

    An object of this class can be used in a with block. At the end of the block, both
    processes are ended.

    Args:
        tier: the tier of the sandbox.
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
        """Switch both processes to the next hand-in, and return its candidate.

        Candidates that earlier calls have returned must not be used after this call.

        Args:
            submission: the next hand-in.
            fresh: True to start a new worker process for this hand-in.
        """
        budget = Budget(
            replace(
                LIMITS,
                part_seconds=SECONDS,
                run_seconds=SECONDS,
                diagnosis_seconds=DIAGNOSIS_SECONDS,
            )
        )
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
