"""Grade many known hand-ins quickly, on warm processes."""

import ast
import atexit
import contextlib
import functools
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace

from grader.contract.exercises import CHECKS, EXERCISES
from grader.contract.limits import LIMITS
from grader.grading.passes import Graded, Pass
from grader.grading.pipeline import Options, Progress, grade
from grader.grading.plugin import run_checks
from grader.intake.submission import Submission
from grader.oracle.candidate import Candidate, LiveReference
from grader.oracle.known import Known
from grader.oracle.recorded import RecordedReference, load_known
from grader.oracle.warm import WarmProcesses
from grader.report.model import Check, Exercise

PARTS = [name for name in EXERCISES if name != "learning"]
PROCESSES = 2
BOTH = ("recorded", "live")


@dataclass(frozen=True)
class HandIn:
    """A hand-in, and how to grade it.

    Attributes:
        name: name of the hand-in; the tests' ids show it.
        source: text of `dqn.py`.
        exercises: names of the exercises to grade.
        fresh: True if the hand-in changes JAX's settings; then it gets its own worker.
        seed: seed of the run.
        modes: kinds of reference: "recorded", "live" or both. Known mistakes are named
            with "recorded" only. In the second mode, only exercises whose checks use
            the reference are graded.
        tries: maximal number of training runs, for the exercise `learning`.
    """

    name: str
    source: str
    exercises: tuple[str, ...]
    fresh: bool = False
    seed: str = "1"
    modes: tuple[str, ...] = BOTH
    tries: int = LIMITS.trainings


Results = dict[str, dict[str, Exercise]]  # by mode, then by exercise


@functools.cache
def warm() -> WarmProcesses:
    """Return this process' warm worker and runner; the first call starts them."""
    opened = WarmProcesses("", live=True)
    atexit.register(opened.__exit__)
    return opened


@functools.cache
def record() -> tuple[RecordedReference, Known]:
    """Return the record and the known mistakes; only the first call reads the files."""
    return RecordedReference(), load_known()


def grade_warm(hand_in: HandIn) -> Results:
    """Grade a hand-in in all of its modes, and return the results.

    The warm processes are used, except for exercise 9, which starts new processes.
    """
    if hand_in.exercises == ("learning",):
        submission = Submission(hand_in.name, hand_in.source.encode())
        mode = hand_in.modes[0]
        limits = replace(LIMITS, trainings=hand_in.tries)
        options = Options(hand_in.seed, ("learning",), mode=mode, limits=limits)
        return {mode: by_name(grade(submission, options, Progress()).exercises)}
    first, *others = hand_in.modes
    with taken(hand_in) as student:
        results = {first: checked(hand_in, student, first)}
        asking = tuple(filter(asks_reference, hand_in.exercises))
        for mode in others if asking else ():
            results[mode] = checked(replace(hand_in, exercises=asking), student, mode)
    return results


def grade_with_seeds(hand_in: HandIn, seeds: tuple[str, ...]) -> list[Results]:
    """Grade a hand-in once for each seed, in the mode `modes[0]`.

    Returns:
        The results for each seed, in the order of the seeds.
    """
    mode = hand_in.modes[0]
    with taken(hand_in) as student:
        return [
            {mode: checked(replace(hand_in, seed=seed), student, mode)}
            for seed in seeds
        ]


@contextlib.contextmanager
def taken(hand_in: HandIn) -> Iterator[Candidate]:
    """Load a hand-in into the warm processes and yield the candidate.

    A hand-in with `fresh` gets a new worker, which is stopped afterwards.
    """
    submission = Submission(hand_in.name, hand_in.source.encode())
    student = warm().take(submission, fresh=hand_in.fresh)
    try:
        yield student
    finally:
        if hand_in.fresh:
            student.worker.stop()


@functools.cache
def asks_reference(exercise: str) -> bool:
    """Return whether a check of the exercise uses the reference.

    An exercise without such a check has the same result in both modes.
    """
    arguments = {
        argument.arg
        for node in functions_of(exercise)
        if node.name.startswith("test_")
        for argument in node.args.args
    }
    return bool(arguments & {"reference", "for_each"})


def checked(hand_in: HandIn, student: Candidate, mode: str) -> dict[str, Exercise]:
    """Run the checks of a hand-in in one mode; return the exercises' results by name.

    Args:
        hand_in: the hand-in and its exercises.
        student: candidate that answers for the hand-in.
        mode: "recorded" or "live".
    """
    recorded, known = record()
    live = mode == "live"
    graded = Graded(
        student=student,
        reference=LiveReference(student.runner) if live else recorded,
        runner=student.runner,
        budget=student.worker.budget,
        seed=hand_in.seed,
        live=live,
        known=known if mode == "recorded" else Known(),
    )
    return by_name(run_checks(Pass(graded), list(hand_in.exercises)))


def by_name(exercises: list[Exercise]) -> dict[str, Exercise]:
    """Return a dict from names to exercises."""
    return {exercise.name: exercise for exercise in exercises}


@functools.cache
def processes() -> ProcessPoolExecutor:
    """Return the pool of processes that grade hand-ins; the first call makes it."""
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(PROCESSES, mp_context=spawn)


def submit(hand_in: HandIn) -> Future:
    """Grade a hand-in in the pool; return a future of its `Results`."""
    return processes().submit(grade_warm, hand_in)


def checks_of(exercise: str) -> list[str]:
    """Return the names of an exercise's checks, in the order of the checks' file."""
    names = [node.name for node in functions_of(exercise)]
    return [n.removeprefix("test_") for n in names if n.startswith("test_")]


def functions_of(exercise: str) -> list[ast.FunctionDef]:
    """Return the top-level functions of the file with an exercise's checks."""
    body = ast.parse((CHECKS / EXERCISES[exercise]).read_text(encoding="utf-8")).body
    return [node for node in body if isinstance(node, ast.FunctionDef)]


def lost(exercise: Exercise) -> list[Check]:
    """Return the checks of an exercise that have less than full points."""
    return [check for check in exercise.checks if check.score < check.max_score]
