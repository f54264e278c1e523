"""Grade many known hand-ins quickly, on warm processes.

A warm process serves many hand-ins, so it starts and imports JAX only once.
"""

import ast
import atexit
import contextlib
import functools
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from grader.contract.case import Answer
from grader.contract.exercises import CHECKS, EXERCISES
from grader.contract.limits import LIMITS
from grader.grading.passes import Graded, Pass
from grader.grading.pipeline import Options, Progress, grade
from grader.grading.plugin import run_checks
from grader.intake.submission import Submission
from grader.oracle.candidate import Candidate
from grader.oracle.known import Known
from grader.oracle.learning.run import Learning
from grader.oracle.reference import Reference, load_known, load_programs
from grader.oracle.warm import WarmProcesses
from grader.report.model import Check, Exercise
from tests.support.patient import PATIENT

PROCESSES = 2
ANSWERS: dict[str, Answer] = {}  # the reference's answers, for all hand-ins


@dataclass(frozen=True)
class HandIn:
    """A known hand-in, and how to grade it.

    Attributes:
        name: the name of the hand-in; the tests' ids show it.
        source: the text of `dqn.py`.
        exercises: the names of the exercises to grade.
        fresh: True if the hand-in changes JAX's settings. Then its worker serves no
            other hand-in.
        seed: the seed of the run.
        tries: how often a task of the exercise `learning` is trained at most.
    """

    name: str
    source: str
    exercises: tuple[str, ...]
    fresh: bool = False
    seed: str = "1"
    tries: int = LIMITS.trainings


Results = dict[str, Exercise]  # by name


@functools.cache
def warm() -> WarmProcesses:
    """Return the warm worker and runner that belong to this process.

    The first call makes them; they end when this process ends.
    """
    opened = WarmProcesses("")
    atexit.register(opened.__exit__)
    return opened


@functools.cache
def record() -> tuple[dict[str, np.ndarray], Known]:
    """Return the reference's programs, and the fingerprints of the known mistakes.

    The programs are arrays uint8 [n] by `program_key`. The files are read only once.
    """
    return load_programs(), load_known()


def grade_warm(hand_in: HandIn) -> Results:
    """Grade a hand-in with its own seed, as `grade_with_seeds` does."""
    (results,) = grade_with_seeds(hand_in, (hand_in.seed,))
    return results


def grade_with_seeds(hand_in: HandIn, seeds: tuple[str, ...]) -> list[Results]:
    """Grade a hand-in once with each seed; return one `Results` for each seed.

    The seeds replace `HandIn.seed`. All seeds use the same warm processes; but if the
    only exercise is `learning`, each seed gets new processes.
    """
    if hand_in.exercises == ("learning",):
        return [trained(replace(hand_in, seed=seed)) for seed in seeds]
    results = []
    with taken(hand_in) as student:
        for seed in seeds:
            student.worker.budget.begin()
            results.append(checked(replace(hand_in, seed=seed), student))
    return results


def trained(hand_in: HandIn) -> Results:
    """Grade the learning of a hand-in in new processes; return the results."""
    submission = Submission(hand_in.name, hand_in.source.encode())
    limits = replace(PATIENT, trainings=hand_in.tries)
    options = Options(hand_in.seed, ("learning",), limits=limits)
    return by_name(grade(submission, options, Progress()).exercises)


@contextlib.contextmanager
def taken(hand_in: HandIn) -> Iterator[Candidate]:
    """Load a hand-in into the warm processes; provide the candidate for a with block.

    A hand-in with `fresh` gets a new worker, which is stopped after the block.
    """
    submission = Submission(hand_in.name, hand_in.source.encode())
    student = warm().take(submission, fresh=hand_in.fresh)
    try:
        yield student
    finally:
        if hand_in.fresh:
            student.worker.stop()


def checked(hand_in: HandIn, student: Candidate) -> Results:
    """Run the checks of a hand-in's exercises, and return the results.

    Args:
        hand_in: the hand-in.
        student: the candidate that `taken` has made of this hand-in.
    """
    now = Pass(graded_by(student, hand_in.seed))
    return by_name(run_checks(now, list(hand_in.exercises)))


def graded_by(
    student: Candidate, seed: str, learning: Learning | None = None
) -> Graded:
    """Return the objects that the checks use, for a hand-in in the warm processes.

    Args:
        student: the candidate that `WarmProcesses.take` has made of the hand-in.
        seed: the seed of the run.
        learning: the learning of exercise 9; None if it is not graded.
    """
    programs, known = record()
    return Graded(
        student=student,
        reference=Reference(student.runner, programs, ANSWERS),
        runner=student.runner,
        budget=student.worker.budget,
        seed=seed,
        learning=learning,
        known=known,
    )


def by_name(exercises: list[Exercise]) -> dict[str, Exercise]:
    """Return the exercises in a dict, by the name of the exercise."""
    return {exercise.name: exercise for exercise in exercises}


@functools.cache
def processes() -> ProcessPoolExecutor:
    """Return the pool of processes that grade hand-ins; the first call makes it."""
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(PROCESSES, mp_context=spawn)


def submit(hand_in: HandIn) -> Future:
    """Start to grade a hand-in in the pool; return a future of its `Results`."""
    return processes().submit(grade_warm, hand_in)


def checks_of(exercise: str) -> list[str]:
    """Return the names of an exercise's checks, in the order of the check file.

    Args:
        exercise: the name of the exercise.
    """
    names = [node.name for node in functions_of(exercise)]
    return [n.removeprefix("test_") for n in names if n.startswith("test_")]


def functions_of(exercise: str) -> list[ast.FunctionDef]:
    """Return the syntax trees of the top-level functions in an exercise's check file.

    Args:
        exercise: the name of the exercise.
    """
    body = ast.parse((CHECKS / EXERCISES[exercise]).read_text(encoding="utf-8")).body
    return [node for node in body if isinstance(node, ast.FunctionDef)]


def lost(exercise: Exercise) -> list[Check]:
    """Return the checks of an exercise that have less than full points."""
    return [check for check in exercise.checks if check.score < check.max_score]
