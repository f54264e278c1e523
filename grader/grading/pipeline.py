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
    RUN_USED_UP,
    GraderError,
    Outcome,
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
    """The options of one grading.

    Attributes:
        seed: seed of all random numbers in the run; "" to draw a secret seed.
        only: names of the exercises to grade; empty to grade all exercises.
        tier: tier of the sandbox; "" for the strongest tier that works on this machine.
        device: "cpu" or "gpu".
        official: True to grade only on a tier that has passed the self-test. An
            exception is the tier "process", which is used without a self-test.
        limits: limits of times and of numbers of tries.
        twice: whether the checks of exercises 1–8 run a second time. With None, they do
            so only if all exercises are graded.
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
        """Return the names of the exercises to be graded, in the homework's order."""
        return [name for name in EXERCISES if not self.only or name in self.only]


@dataclass(frozen=True)
class Progress:
    """The functions that display the progress of a grading while it runs.

    Attributes:
        on_check: called when a check starts, with the exercise's name and the check's
            description.
        on_learning: called from another thread when learning makes progress, with a
            text of a few words.
    """

    on_check: OnCheck = nobody
    on_learning: Callable[[str], None] = lambda words: None


def grade(submission: Submission, options: Options, progress: Progress) -> Report:
    """Grade one hand-in and return the report.

    Args:
        submission: the hand-in.
        options: the options of this grading.
        progress: the functions to call during the grading.

    Raises:
        GraderError: the grader itself failed, or the required sandbox does not work.
        UsageError: the device is "gpu", and JAX with CUDA is not installed.
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
            [
                *cut_short(results),
                *worker.left_out,
                *exported_parts(results),
                *graded.faults,
            ],
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
    """Start the worker and the runner; start learning too if it is graded.

    The hand-in runs only after all processes are ready. So if a process can be started
    now but not later, the hand-in is the cause.

    Args:
        processes: exit stack that gets, for each process, a callback to end it.
        submission: the hand-in.
        options: the options; `tier` names the chosen tier.
        progress: during learning, another thread calls its `on_learning`.

    Returns:
        The client of the worker, the client of the runner, and the learning, which has
        begun. The learning is None if it is not graded.

    Raises:
        GraderError: a process does not become ready.
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
    """Run the checks, run them again, diagnose, wait for learning; return the results.

    The checks run again only if the options say so and the hand-in was imported. The
    checks of learning run last and only once. The results are one `Exercise` for each
    exercise that is graded.

    Args:
        graded: the objects that the checks use.
        options: the options of this grading.
        progress: the functions to call while the checks run.

    Raises:
        GraderError: the grader itself failed during a check.
    """
    units = [name for name in options.exercises if name != LEARNING]
    # A student who tries one exercise should not have to wait for a second pass.
    twice = not options.only if options.twice is None else options.twice
    first = Pass(graded)

    def script(checks: Checks) -> None:
        checks.run(first, units)
        if twice and units and not graded.problem:
            ask_again(checks, first, units)  # learning goes on in the background
        for name in units:
            diagnose_exercise(first, name)
        if LEARNING in options.exercises:
            checks.run(first, [LEARNING])

    run_script(options.exercises, script, progress.on_check)
    return list(first.exercises.values())


def unread(submission: Submission, options: Options, progress: Progress) -> Report:
    """Return the report on a hand-in that could not be read.

    All checks fail; their message says why the hand-in could not be read. No helper
    process is started.

    Raises:
        GraderError: the required sandbox does not work on this machine.
        UsageError: the device is "gpu", and JAX with CUDA is not installed.
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
    """Return the report's entry on the hand-in.

    Args:
        submission: the hand-in.
        problem: why the hand-in was not read or not imported; None if it was imported.
        left_out: notes to be added to those of the submission, for example on notebook
            cells that were left out.

    Returns:
        A dict with "name", "sha256", "problem" and "notes", a list of texts.
    """
    return {
        "name": submission.name,
        "sha256": submission.sha256,
        "problem": problem,
        "notes": [*submission.notes, *left_out],
    }


def exported_parts(results: Sequence[Exercise]) -> list[str]:
    """Return a note on each exercise in which the hand-in calls an exported program.

    Such a hand-in uses a program of `jax.export` instead of code that students can
    read. A check recognises this, and its message contains `CALLS_EXPORTED`.

    Args:
        results: the results of the exercises.

    Returns:
        One text for each such exercise; [] if there is none.
    """
    return [
        f"{CALLS_EXPORTED}: {exercise.name}"
        for exercise in results
        if any(CALLS_EXPORTED in check.message for check in exercise.checks)
    ]


def cut_short(results: Sequence[Exercise]) -> list[str]:
    """Return a note on the checks without an answer because the run had no time left.

    Args:
        results: the results of the exercises.

    Returns:
        One text; [] if there was time for all checks.
    """
    checks = [
        check
        for exercise in results
        for check in exercise.checks
        if check.outcome == Outcome.TIMEOUT and RUN_USED_UP in check.message
    ]
    return [f"{RUN_USED_UP}: checks not judged: {len(checks)}"] if checks else []


def why_not_imported(worker: WorkerClient) -> BaseException | None:
    """Let the worker import the hand-in; return the exception if the import fails.

    The result is None if the import succeeds.

    Raises:
        GraderError: the grader itself failed.
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
    """Return one line that says why the import failed; None if it did not fail.

    Args:
        reason: the exception from `why_not_imported`; None if the import did not fail.
    """
    if reason is None:
        return None
    words = str(reason).removeprefix(f"{IMPORTING}: ")
    return NOT_IMPORTED + "; ".join(filter(None, words.split("\n")))


def check_device(device: str) -> None:
    """Check that JAX with CUDA is installed if the device is "gpu".

    Raises:
        UsageError: the device is "gpu", and JAX with CUDA is not installed.
    """
    plugins = ("jax_cuda12_plugin", "jax_cuda13_plugin")
    if device == "gpu" and not any(map(importlib.util.find_spec, plugins)):
        raise UsageError(
            "DEVICE=gpu: no JAX with CUDA is installed (Linux: `make gpu` installs "
            "it); leave DEVICE out to grade on the CPU"
        )
