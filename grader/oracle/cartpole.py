"""Let the hand-in learn CartPole in two processes of its own, beside the other checks.

The learner runs the loop and the hand-in's programs. A worker runs the hand-in's
replay buffer and `sync_target`. The learner asks them questions during the loop, and
the grader passes each question to the worker and the answer back.
"""

import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from grader.contract import cases
from grader.contract.case import Args, Case
from grader.contract.outcomes import (
    NOT_IMPLEMENTED,
    GraderError,
    NotImplementedYet,
    Raised,
    Stopped,
    TimedOut,
    Waiting,
    Wrong,
)
from grader.contract.seeds import derive
from grader.intake.submission import Submission
from grader.oracle import looks
from grader.oracle.budget import Budget
from grader.oracle.candidate import Candidate
from grader.oracle.faults import part_name
from grader.oracle.runner_client import Program, RunnerClient
from grader.oracle.worker_client import WorkerClient

CAPACITY = 10_000  # as `capacity` of `Settings` in starter/train.py
FULL, HALF = 450.0, 195.0  # the mean returns that pay all and half of the points
# By question of the loop, the part that answers.
ASKED = {"use_buffer": "ReplayBuffer", "sync_target": "sync_target"}


@dataclass
class Result:
    """The result of learning: the best training run, or why no run was judged.

    Attributes:
        mean_return: the mean return of the best run; None if no run was judged.
        curve: pairs of environment step and mean return of a validation.
        runs: how many training runs were made.
        held: how many updates of the best run the learner verified.
        watched: numbers of the best run, from `inside/learning/training_log.py`.
        problem: why this run, or a later one, was stopped; "" if none was.
        reason: the exception that prevented learning, or None.
    """

    mean_return: float | None = None
    curve: list[list[float]] = field(default_factory=list)
    runs: int = 0
    held: int = 0
    watched: Args = field(default_factory=dict)
    problem: str = ""
    reason: BaseException | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the entry "cartpole" of report.json.

        Without a judged run, it has no mean return and no curve, but says why.
        """
        mean = self.mean_return
        return {
            "mean_return": None if mean is None else round(mean, 2),
            "not_judged": str(self.reason or self.problem) if mean is None else None,
            "curve": [] if mean is None else self.curve,
            "runs": self.runs,
            "held": self.held,
            "max_return": 500,
        }


class Clock:
    """Measures how long each part of the hand-in has run during a training run.

    The time between two questions counts for the programs that the learner runs there.
    The loop itself takes almost no time.
    """

    BETWEEN = "epsilon_greedy or the network"

    def __init__(self) -> None:
        self.part = "tracing the programs"
        self.since = time.monotonic()
        self.seconds: dict[str, float] = {}

    def turn(self, part: str) -> None:
        """Stop the time of the current part and start that of another part."""
        now = time.monotonic()
        spent = self.seconds.get(self.part, 0.0) + now - self.since
        self.seconds[self.part] = spent
        self.part, self.since = part, now

    def longest(self) -> str:
        """Return the name of the part that has run longest until now."""
        self.turn(self.part)
        return max(self.seconds, key=lambda part: self.seconds[part])


class CartPole:
    """Learning of CartPole in a thread, with a worker and a learner of its own.

    Args:
        submission: the hand-in.
        tier: the tier of the sandbox.
        seed: the seed of the run.
        device: "cpu" or "gpu".
        run: the budget of the other checks. Learning has its own budgets, but the time
            of the whole run ends at the same moment.
        programs: the hand-in's exported programs by name. The other checks share this
            dict, so that learning uses the programs that they judge.
        on_progress: called with a few words on the progress.
    """

    def __init__(
        self,
        submission: Submission,
        tier: str,
        seed: str,
        device: str,
        run: Budget,
        programs: dict[str, Program],
        on_progress: Callable[[str], None],
    ) -> None:
        self.seed, self.limits = seed, run.limits
        self.on_progress = on_progress
        # Two budgets, because the learner waits while the worker answers: in a shared
        # budget this time would count twice.
        budget, worker_budget = (
            replace(
                run,
                limits=replace(run.limits, part_seconds=run.limits.all_learn_seconds),
                exercise="learning",
                part="learning",
                spent={},
            )
            for _ in range(2)
        )
        self.worker = WorkerClient(submission, tier, worker_budget)
        self.runner = RunnerClient("learner", tier, budget, programs, device=device)
        self.student = Candidate(self.worker, self.runner)
        self.outcome = Result()
        self.clock = Clock()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def ready(self) -> None:
        """Wait until both processes are ready, before the hand-in runs.

        Raises:
            GraderError: a process ended or was too slow.
        """
        self.worker.ready()
        self.runner.ready()

    def begin(self) -> None:
        """Start learning in the background."""
        self.thread.start()

    def result(self) -> Result:
        """Wait for the end of learning and return its result."""
        self.thread.join()
        return self.outcome

    def stop(self) -> None:
        """End both processes."""
        self.worker.stop()
        self.runner.stop()

    def run(self) -> None:
        """Train with one seed after the other, until a run has full points."""
        try:
            programs = self.export_programs()
            for index in range(self.limits.trainings):
                self.on_progress(
                    f"CartPole, seed {index + 1} of {self.limits.trainings}"
                )
                self.learn_once(programs, index)
                if (self.outcome.mean_return or 0.0) >= FULL:
                    break
        # Every exception is kept, because this is a thread: the check raises it later.
        except BaseException as reason:
            judged = self.outcome.mean_return is not None
            theirs = Raised | Stopped | Waiting | Wrong
            if judged and isinstance(reason, theirs):
                self.outcome.problem = str(reason)  # the judged run still counts
            else:
                self.outcome.reason = reason
        finally:
            self.stop()

    def learn_once(self, programs: dict[str, str], index: int) -> Args:
        """Train once, and keep the run in `outcome` if it is the best so far.

        Args:
            programs: the names of the programs in the learner, by role.
            index: the number of the training run, from 0.

        Returns:
            The learner's answer.

        Raises:
            Wrong, Raised, Stopped: a part gave no answer.
        """
        seed = derive(self.seed, f"cartpole {index}")
        theta = self.fresh_network(derive(self.seed, f"network {index}") % 2**31)
        request = {
            "do": "learn",
            "seed": seed,
            "programs": programs,
            "theta": theta,
        }
        self.open_buffer()
        seconds = self.limits.learn_seconds
        self.clock.turn(Clock.BETWEEN)
        try:
            answer = self.runner.untrusted(
                request, "learning CartPole", seconds, self.on_question
            )
        except (Raised, Stopped) as reason:
            raise self.with_blame(reason) from None
        self.outcome.runs = index + 1
        stopped, best = answer["problem"], self.outcome.mean_return
        if best is None or not (stopped or answer["mean_return"] < best):
            self.outcome.mean_return = None if stopped else answer["mean_return"]
            self.outcome.problem = stopped or ""
            self.outcome.watched = answer["watched"]
            self.outcome.held = answer.get("held", 0)
            # If the run was stopped, the part of the curve until then.
            seen = answer["watched"]["returns"] if stopped else answer["curve"]
            self.outcome.curve = [
                [int(step), round(float(mean), 2)] for step, mean in seen
            ]
        return answer

    def with_blame(self, reason: Raised | Stopped) -> Raised | Stopped:
        """Return the exception with the name of the part that was running.

        Args:
            reason: the exception that stopped learning.
        """
        part = self.clock.part
        if part in ASKED.values():
            return reason  # from the worker: the message names the part already
        if isinstance(reason, TimedOut):
            part = self.clock.longest()
            return TimedOut(f"{reason}; most of the time went to {part}")
        return type(reason)(f"{reason}\nwhile it ran {part}")

    def on_question(self, question: Args) -> Args:
        """Return the answer to a question of the loop, and measure each part's time.

        Args:
            question: `do` and its arguments, from the learner.
        """
        do = question["do"]
        self.clock.turn(ASKED.get(do, Clock.BETWEEN))
        answer = self.answer_to(question)
        self.clock.turn("td_update" if do == "use_buffer" else Clock.BETWEEN)
        return answer

    def answer_to(self, question: Args) -> Args:
        """Return the answer to a question of the loop; {} to a message of progress.

        Args:
            question: `do` and its arguments, from the learner.

        Raises:
            Wrong, Raised, TimedOut, Killed: the hand-in gave no answer.
        """
        do = question.pop("do")
        if do == "progress":
            self.on_progress(f"CartPole, {question['env_step']} steps")
            return {}
        if do == "use_buffer":
            request = {"do": "use_buffer", **question}
            sizes = question["num_batches"], question["batch_size"]
            shapes = {
                name: (*sizes, *column.shape[1:])
                for name, column in question["rows"].items()
            }
            look = functools.partial(looks.batches, shapes)
            return self.worker.ask(request, "ReplayBuffer", look=look).answer
        case = cases.sync(net="own", **question)
        look = functools.partial(looks.one_tree, question["theta_Q"])
        return self.student.called(case, look=look)

    def export_programs(self) -> dict[str, str]:
        """Export the parts for the learner; return the programs' names, by role.

        The parts that are called are tried once.

        Raises:
            Waiting: a part is a stub, cannot be exported or fails.
        """
        fresh: dict[str, Case] = {}

        def network() -> None:
            theta = self.fresh_network(0)
            fresh.update(cases.learning(theta, self.opt_state(theta)))

        def sync() -> None:
            theta = cases.probe(np.random.default_rng(0), 4, 2)
            self.student.answer(cases.sync(theta, theta, 1, 1))

        steps: dict[str, Callable[[], Any]] = {
            "q_network": network,
            "epsilon_greedy": lambda: self.student.export(
                cases.learning([], [])["act"]
            ),
            "ReplayBuffer": self.open_buffer,
            "sync_target": sync,
        }
        missing = []
        for part, step in steps.items():
            try:
                needed(part, step)
            except NotImplementedYet:
                missing.append(part)
        if missing:
            raise Waiting(f"{NOT_IMPLEMENTED}: waits for {', '.join(missing)}")
        names = {}
        for role, case in fresh.items():
            export = functools.partial(self.student.export, case)
            names[role] = needed(part_name(case), export)
        return names

    def open_buffer(self) -> None:
        """Let the worker make a new buffer for the next training run."""
        request = {"do": "open_buffer", "capacity": CAPACITY}
        self.worker.ask(request, "ReplayBuffer", look=looks.nothing)

    def fresh_network(self, seed: int) -> list[np.ndarray]:
        """Return the initial parameters of the hand-in's network for CartPole.

        Args:
            seed: the seed of the key for `q_network`.
        """
        return self.student.answer(cases.fresh_network(seed, 4, 2)).leaves("theta")

    def opt_state(self, theta: list[np.ndarray]) -> list[np.ndarray]:
        """Return the state of learning's optimizer before the first update.

        Args:
            theta: the initial parameters, a list of arrays.
        """
        request = {"do": "optimizer_init", "optimizer": "cartpole", "theta": theta}
        return self.runner.untrusted(request, "q_network's parameters")["opt_state"]


def needed(part: str, step: Callable[[], Any]) -> Any:
    """Return the result of a step that learning needs.

    Args:
        part: the name of the part that the step asks.
        step: the step, a function without arguments.

    Raises:
        NotImplementedYet: the part is a stub.
        Waiting: the step failed in another way; the message names the part.
        GraderError: the grader could not do its work.
    """
    try:
        return step()
    except (NotImplementedYet, GraderError):
        raise
    except (Exception, Stopped) as reason:
        words = str(reason).removeprefix(f"{part}: ")
        if not isinstance(reason, Raised):  # an exception's words come with its place
            words = words.partition("\n")[0]
        raise Waiting(f"waits for {part}, which fails: {words}") from None
