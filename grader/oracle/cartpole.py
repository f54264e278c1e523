"""CartPole: the hand-in learns in processes of its own, beside the other checks.

The grader only carries questions between the runner, which owns the loop, and the
worker, in which the hand-in's buffer and sync answer.
"""

import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from grader.contract import cases, compare
from grader.contract.case import Answer, Args, Case
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
from grader.oracle.budget import Budget
from grader.oracle.candidate import Candidate
from grader.oracle.faults import told
from grader.oracle.runner_client import Program, RunnerClient
from grader.oracle.worker_client import WorkerClient

CAPACITY = 10_000  # as train.SETTINGS has it
FULL, HALF = 450.0, 195.0
# The parts that answer the loop's questions, by what is asked.
ASKED = {"use_buffer": "ReplayBuffer", "sync_target": "sync_target"}


@dataclass
class Result:
    """What came of learning: the best of the runs, or why there was none."""

    mean_return: float | None = None  # None where no run was judged
    curve: list[list[float]] = field(default_factory=list)
    runs: int = 0
    held: int = 0  # updates that were held against other evidence
    watched: Args = field(default_factory=dict)  # by `training_log`
    problem: str = ""  # what stopped this run or a later one
    reason: BaseException | None = None  # an outcome: what kept it from learning

    def as_dict(self) -> dict[str, Any]:
        """Return what stands in report.json; no return where none was judged."""
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
    """Whose part runs, and how long each has run.

    The loop itself needs next to nothing, so that what the learner does between two
    questions is put down to the programs that it runs there.
    """

    BETWEEN = "epsilon_greedy or the network"

    def __init__(self) -> None:
        self.part = "tracing the programs"
        self.since = time.monotonic()
        self.seconds: dict[str, float] = {}

    def turn(self, part: str) -> None:
        """Begin the turn of another part."""
        now = time.monotonic()
        spent = self.seconds.get(self.part, 0.0) + now - self.since
        self.seconds[self.part] = spent
        self.part, self.since = part, now

    def longest(self) -> str:
        """Return the part that has run longest until now."""
        self.turn(self.part)
        return max(self.seconds, key=lambda part: self.seconds[part])


class CartPole:
    """Learning in the background.

    Args:
        submission: the hand-in.
        tier: of the sandbox.
        seed: of the run.
        device: "cpu" or "gpu".
        run: the budget of the other checks, which end when this one has to.
        programs: the hand-in's programs, shared with the other checks: the bytes that
            are checked there are the ones that learn here.
        on_progress: told what it is doing, in a few words.
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
        # The worker thinks while the runner waits: the runner's budget covers both.
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
        """Wait for both processes, before anything of the hand-in has run.

        Raises:
            GraderError: one does not come up.
        """
        self.worker.ready()
        self.runner.ready()

    def begin(self) -> None:
        """Let it learn from now on."""
        self.thread.start()

    def result(self) -> Result:
        """Wait for the end of learning."""
        self.thread.join()
        return self.outcome

    def stop(self) -> None:
        """End both processes."""
        self.worker.stop()
        self.runner.stop()

    def run(self) -> None:
        """Learn with one seed after the other, until one passes."""
        try:
            programs = self.export_programs()
            for index in range(self.limits.trainings):
                self.on_progress(
                    f"CartPole, seed {index + 1} of {self.limits.trainings}"
                )
                self.learn_once(programs, index)
                if (self.outcome.mean_return or 0.0) >= FULL:
                    break
        # In a thread of its own: whatever it is, it is told where the check waits.
        except BaseException as reason:
            judged = self.outcome.mean_return is not None
            theirs = Raised | Stopped | Waiting | Wrong
            if judged and isinstance(reason, theirs):
                self.outcome.problem = str(reason)  # what was reached stays reached
            else:
                self.outcome.reason = reason
        finally:
            self.stop()

    def learn_once(self, programs: dict[str, str], index: int) -> Args:
        """Train once; the outcome keeps the best run."""
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
            # Where learning was stopped, what had been seen of the curve until then.
            seen = answer["watched"]["returns"] if stopped else answer["curve"]
            self.outcome.curve = [
                [int(step), round(float(mean), 2)] for step, mean in seen
            ]
        return answer

    def with_blame(self, reason: Raised | Stopped) -> Raised | Stopped:
        """Return the reason why learning was stopped, with the part to blame."""
        part = self.clock.part
        if part in ASKED.values():
            return reason  # the worker's: it names its part
        if isinstance(reason, TimedOut):
            part = self.clock.longest()
            return TimedOut(f"{reason}; most of the time went to {part}")
        return type(reason)(f"{reason}\nwhile it ran {part}")

    def on_question(self, question: Args) -> Args:
        """Carry a question of the loop to the hand-in, and its answer back."""
        do = question["do"]
        self.clock.turn(ASKED.get(do, Clock.BETWEEN))
        answer = self.answer_to(question)
        self.clock.turn("td_update" if do == "use_buffer" else Clock.BETWEEN)
        return answer

    def answer_to(self, question: Args) -> Args:
        """Return the hand-in's answer to a question of the loop."""
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
            look = functools.partial(batches, shapes)
            return self.worker.ask(request, "ReplayBuffer", look=look).answer
        case = cases.sync(net="own", **question)
        look = functools.partial(one_tree, question["theta_Q"])
        return self.student.called(case, look=look)

    def export_programs(self) -> dict[str, str]:
        """Have the parts that learning needs traced; return their names in the runner.

        Raises:
            Waiting: a part is missing or cannot be traced.
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
            names[role] = needed(told(case), export)
        return names

    def open_buffer(self) -> None:
        """Open a new buffer for the next run."""
        request = {"do": "open_buffer", "capacity": CAPACITY}
        self.worker.ask(request, "ReplayBuffer", look=nothing)

    def fresh_network(self, seed: int) -> list[np.ndarray]:
        """Return the parameters of the hand-in's network for CartPole."""
        return self.student.answer(cases.fresh_network(seed, 4, 2)).leaves("theta")

    def opt_state(self, theta: list[np.ndarray]) -> list[np.ndarray]:
        """Return the optimizer's state before the first update."""
        request = {"do": "optimizer_init", "optimizer": "cartpole", "theta": theta}
        return self.runner.untrusted(request, "q_network's parameters")["opt_state"]


def batches(shapes: dict[str, tuple[int, ...]], answer: Args) -> None:
    """Look at an answer that has to be batches, each field of its shape.

    Raises:
        Wrong: it is not.
    """
    for name, shape in shapes.items():
        if problem := compare.shape_problem(
            f"sample's {name}", answer.get(name), shape
        ):
            raise Wrong(problem)
    if len(answer) > len(shapes):
        raise Wrong("sample: more came back than a batch's fields")


def one_tree(theta: list[np.ndarray], answer: Args) -> None:
    """Look at an answer that has to be parameters like these.

    Raises:
        Wrong: it is not.
    """
    leaves = Answer(answer).leaves("theta_T")
    kinds = [[(leaf.shape, leaf.dtype) for leaf in tree] for tree in (leaves, theta)]
    if kinds[0] != kinds[1] or len(answer) > 1:
        raise Wrong("sync_target returned neither theta_Q nor theta_T")


def nothing(answer: Args) -> None:
    """Look at an answer in which nothing can be.

    Raises:
        Wrong: there is something.
    """
    if answer:
        raise Wrong("an answer came back where none was expected")


def needed(part: str, step: Callable[[], Any]) -> Any:
    """Do a step that learning cannot do without.

    Raises:
        NotImplementedYet: the part is still a stub.
        Waiting: it fails in another way.
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
