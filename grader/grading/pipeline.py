"""Grade one hand-in: start the processes, run the checks, make the report."""

import contextlib
import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grader.contract import seeds
from grader.contract.exercises import EXERCISES, LEARNING
from grader.contract.limits import LIMITS, Limits
from grader.contract.outcomes import (
    CALLS_EXPORTED,
    GraderError,
    Stopped,
    UsageError,
    Wrong,
)
from grader.grading.consistency import ask_again
from grader.grading.diagnoses import diagnose_exercise
from grader.grading.passes import Graded, Pass
from grader.grading.plugin import Checks, OnCheck, nobody, run_script
from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.candidate import Candidate
from grader.oracle.faults import IMPORTING
from grader.oracle.learning.run import Learning
from grader.oracle.reference import Reference, load_known, load_programs
from grader.oracle.runner_client import Program, RunnerClient
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
        official: refuse to grade where no sandbox isolates, unless `tier` says so.
        limits: of times, tries and sizes.
        twice: ask all of it a second time; None to do so where all is graded.
    """

    seed: str
    only: tuple[str, ...] = ()
    tier: str = ""
    device: str = "cpu"
    official: bool = False
    limits: Limits = LIMITS
    twice: bool | None = None

    @property
    def exercises(self) -> list[str]:
        """Return the names of the exercises to be graded, in the contract's order."""
        return [name for name in EXERCISES if not self.only or name in self.only]


@dataclass(frozen=True)
class Progress:
    """Who is told how far the grading is; results are told once, in the report.

    Attributes:
        on_check: told the exercise and the check that starts.
        on_learning: told in a few words what learning does.
    """

    on_check: OnCheck = nobody
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
    options = replace(options, tier=choose(options.tier))
    check_device(options.device)
    programs, known = load_programs(), load_known()
    with contextlib.ExitStack() as processes:
        worker, runner, learning = start_helpers(
            processes, submission, options, progress
        )
        graded = Graded(
            student=Candidate(worker, runner),
            reference=Reference(runner, programs),
            runner=runner,
            budget=worker.budget,
            seed=options.seed,
            learning=learning,
            known=known,
            problem=why_not_imported(worker),
        )
        if graded.problem and learning:
            learning.stop()
        results = run_passes(graded, options, progress)
    return Report(
        seed=options.seed,
        sandbox=options.tier,
        device=options.device,
        submission=about(
            submission,
            not_imported(graded.problem),
            [*worker.left_out, *exported_parts(results)],
        ),
        exercises=results,
        learning=graded.learned,
        printed=[output.as_dict(stage) for stage, output in worker.printed.items()],
        duration=time.monotonic() - started,
    )


def start_helpers(
    processes: contextlib.ExitStack,
    submission: Submission,
    options: Options,
    progress: Progress,
) -> tuple[WorkerClient, RunnerClient, Learning | None]:
    """Start the worker, the runner and, where it is graded, learning.

    All are up before anything of the hand-in runs: what fails to come up afterwards,
    or comes too late, is the hand-in's doing.

    Args:
        processes: ends them.
        submission: the hand-in.
        options: with the tier that was chosen.
        progress: told how far learning is.

    Raises:
        GraderError: one does not come up.
    """
    tier, device = options.tier, options.device
    budget, programs = Budget(options.limits), dict[str, Program]()
    runner = RunnerClient("runner", tier, budget, programs, device=device)
    processes.callback(runner.stop)
    worker = WorkerClient(submission, tier, budget)
    processes.callback(worker.stop)
    learning = None
    if LEARNING in options.exercises:
        told = progress.on_learning
        learning = Learning(
            submission, tier, options.seed, device, budget, programs, told
        )
        processes.callback(learning.stop)
    runner.ready()
    worker.ready()
    if learning:
        learning.ready()
        learning.begin()
    return worker, runner, learning


def run_passes(graded: Graded, options: Options, progress: Progress) -> list[Exercise]:
    """Ask and judge, ask again in a fresh process, diagnose, wait for learning.

    Raises:
        GraderError: the grader could not do its work.
    """
    units = [name for name in options.exercises if name != LEARNING]
    # Who tries one exercise does not wait for a second pass.
    twice = not options.only if options.twice is None else options.twice
    first = Pass(graded)

    def script(checks: Checks) -> None:
        checks.run(first, units)
        if twice and units and not graded.problem:
            ask_again(checks, first, units)  # while the network learns
        for name in units:
            diagnose_exercise(first, name)
        if LEARNING in options.exercises:
            checks.run(first, [LEARNING])

    run_script(options.exercises, script, progress.on_check)
    return list(first.exercises.values())


def unread(submission: Submission, options: Options, progress: Progress) -> Report:
    """Report on a hand-in that could not be read: no points, and no helper is started.

    Raises:
        GraderError: the wanted sandbox does not work here.
        UsageError: what the options ask for is not here.
    """
    check_device(options.device)
    nobody_asked: Any = None
    graded = Graded(
        student=nobody_asked,
        reference=nobody_asked,
        runner=nobody_asked,
        budget=Budget(),
        seed=options.seed,
        problem=Wrong(submission.problem or ""),
    )
    return Report(
        seed=options.seed,
        sandbox=tiers.choose_tier(options.tier),
        device=options.device,
        submission=about(submission, f"{NOT_READ}{submission.problem}"),
        exercises=run_passes(graded, options, progress),
    )


def about(
    submission: Submission, problem: str | None, left_out: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what the report says of the hand-in itself."""
    return {
        "name": submission.name,
        "sha256": submission.sha256,
        "problem": problem,
        "notes": [*submission.notes, *left_out],
    }


def exported_parts(results: Sequence[Exercise]) -> list[str]:
    """Return a note on each exercise in which exported programs stand in for code."""
    return [
        f"{CALLS_EXPORTED}: {exercise.name}"
        for exercise in results
        if any(CALLS_EXPORTED in check.message for check in exercise.checks)
    ]


def why_not_imported(worker: WorkerClient) -> BaseException | None:
    """Have the hand-in imported; return the outcome where that fails.

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
    """Return the problem of a hand-in whose import failed, in one line."""
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
