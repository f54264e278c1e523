"""Grade one hand-in: start the processes, run the checks, make the report."""

import contextlib
import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grader.contract import exercises, seeds
from grader.contract.case import Answers
from grader.contract.exercises import EXERCISES
from grader.contract.limits import LIMITS, Limits
from grader.contract.outcomes import GraderError, Stopped, UsageError, Wrong
from grader.grading.consistency import ask_again
from grader.grading.plugin import Graded, Plugin, run_checks
from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.candidate import Candidate, LiveReference
from grader.oracle.cartpole import CartPole
from grader.oracle.faults import IMPORTING
from grader.oracle.recorded import RecordedReference, load_known
from grader.oracle.runner_client import RunnerClient
from grader.oracle.worker_client import WorkerClient
from grader.report.model import NOT_IMPORTED, NOT_READ, Exercise, Report
from grader.sandbox import launch, self_test, tiers


@dataclass(frozen=True)
class Options:
    """How to grade.

    Attributes:
        seed: of everything random in the run; "" to draw a secret one.
        only: the names of exercises; empty for all.
        tier: of the sandbox, or "" for the strongest that works here.
        device: "cpu" or "gpu".
        mode: "live", "recorded", or "" for live where there is a solution.
        official: refuse to grade where no sandbox isolates, unless `tier` says so.
        limits: of times, tries and sizes.
        twice: ask all of it a second time; None to do so where all is graded.
    """

    seed: str
    only: tuple[str, ...] = ()
    tier: str = ""
    device: str = "cpu"
    mode: str = ""
    official: bool = False
    limits: Limits = LIMITS
    twice: bool | None = None

    @property
    def exercises(self) -> list[str]:
        """The names of the exercises to be graded, in the contract's order."""
        return [name for name in EXERCISES if not self.only or name in self.only]


@dataclass(frozen=True)
class Progress:
    """Who is told how far the grading is."""

    on_check: Callable[[str, str], None] = lambda exercise, check: None
    on_exercise: Callable[[Exercise], None] = lambda exercise: None
    on_learning: Callable[[str], None] = lambda words: None


def grade(submission: Submission, options: Options, progress: Progress) -> Report:
    """Run the checks on one hand-in.

    Raises:
        GraderError: the grader could not do its work.
        UsageError: what the options ask for is not here.
    """
    options = replace(options, seed=options.seed or seeds.draw())
    if submission.problem:
        return unread(submission, options, progress)
    started = time.monotonic()
    launch.remove_leftovers()
    choose = self_test.choose_official_tier if options.official else tiers.choose_tier
    tier = choose(options.tier)
    mode = choose_mode(options.mode)
    check_device(options.device)
    known = load_known()
    exercises = options.exercises
    twice = not options.only if options.twice is None else options.twice
    budget = Budget(options.limits)
    programs: dict = {}
    cartpole = None
    with contextlib.ExitStack() as processes:
        runner = RunnerClient(
            "runner", tier, budget, programs, live=mode == "live", device=options.device
        )
        processes.callback(runner.stop)
        worker = WorkerClient(submission, tier, budget)
        processes.callback(worker.stop)
        reference: Answers = (
            LiveReference(runner) if mode == "live" else RecordedReference()
        )
        if "learning" in exercises:
            cartpole = CartPole(
                submission,
                tier,
                options.seed,
                options.device,
                budget,
                programs,
                progress.on_learning,
            )
            processes.callback(cartpole.stop)
        # All are up before anything of the hand-in runs: what fails to come up
        # afterwards, or comes too late, is the hand-in's doing.
        runner.ready()
        worker.ready()
        if cartpole:
            cartpole.ready()
            cartpole.begin()
        graded = Graded(
            student=Candidate(worker, runner),
            reference=reference,
            runner=runner,
            budget=budget,
            seed=options.seed,
            live=mode == "live",
            cartpole=cartpole.result if cartpole else None,
            known=known,
            problem=why_not_imported(worker),
        )
        if graded.problem and cartpole:
            cartpole.stop()
        plugin = Plugin(graded, progress.on_check, progress.on_exercise)
        parts = [name for name in exercises if name != "learning"]
        results = run_checks(plugin, parts) if parts else []
        if twice and parts and not graded.problem:
            # While the network learns; who tries one exercise does not wait for it.
            ask_again(plugin, parts)
        if "learning" in exercises:
            results = run_checks(plugin, ["learning"])
    return Report(
        seed=options.seed,
        sandbox=tier,
        mode=mode,
        device=options.device,
        submission=about(submission, not_imported(graded.problem), worker.left_out),
        exercises=results,
        learning=graded.learning,
        printed=[output.as_dict(stage) for stage, output in worker.printed.items()],
        duration=time.monotonic() - started,
    )


def unread(submission: Submission, options: Options, progress: Progress) -> Report:
    """Report on a hand-in that could not be read: no points, and no helper is started.

    Raises:
        GraderError: the wanted sandbox does not work here.
        UsageError: what the options ask for is not here.
    """
    check_device(options.device)
    nobody: Any = None  # is asked
    graded = Graded(
        student=nobody,
        reference=nobody,
        runner=nobody,
        budget=Budget(),
        seed=options.seed,
        live=False,
        problem=Wrong(submission.problem or ""),
    )
    plugin = Plugin(graded, progress.on_check, progress.on_exercise)
    return Report(
        seed=options.seed,
        sandbox=tiers.choose_tier(options.tier),
        mode=choose_mode(options.mode),
        device=options.device,
        submission=about(submission, f"{NOT_READ}{submission.problem}"),
        exercises=run_checks(plugin, options.exercises),
    )


def about(
    submission: Submission, problem: str | None, left_out: Sequence[str] = ()
) -> dict[str, Any]:
    """What the report says of the hand-in itself."""
    return {
        "name": submission.name,
        "sha256": submission.sha256,
        "problem": problem,
        "notes": [*submission.notes, *left_out],
    }


def why_not_imported(worker: WorkerClient) -> BaseException | None:
    """Have the hand-in imported; the outcome where that fails.

    Raises:
        GraderError: no worker can be started at all.
    """
    worker.budget.exercise = worker.budget.part = "import"
    try:
        worker.load()
    except GraderError:
        raise
    except (Exception, Stopped) as reason:
        return reason
    return None


def not_imported(reason: BaseException | None) -> str | None:
    """The problem of a hand-in whose import failed, in one line."""
    if reason is None:
        return None
    words = str(reason).removeprefix(f"{IMPORTING}: ")
    return NOT_IMPORTED + "; ".join(filter(None, words.split("\n")))


def check_device(device: str) -> None:
    """Make sure that what DEVICE asks for is installed.

    Raises:
        UsageError: it is not.
    """
    plugins = ("jax_cuda12_plugin", "jax_cuda13_plugin")
    if device == "gpu" and not any(map(importlib.util.find_spec, plugins)):
        raise UsageError(
            "DEVICE=gpu: no JAX with CUDA is installed (Linux: `make gpu` installs "
            "it); leave DEVICE out to grade on the CPU"
        )


def choose_mode(wanted: str) -> str:
    """Live where the solution is at hand, recorded elsewhere, unless one is wanted.

    Raises:
        UsageError: live is wanted and there is no solution.
    """
    there = exercises.SOLUTION.exists()
    if wanted == "live" and not there:
        raise UsageError("REFERENCE=live needs solution/dqn.py, which is not here")
    return wanted or ("live" if there else "recorded")
