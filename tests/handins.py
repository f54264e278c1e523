"""Hand-ins made from the solution, and a quick way to grade many of them.

Starting a worker and a runner costs more than grading an exercise, so two desks, each
a process of its own, keep one of each for hand-in after hand-in.
"""

import ast
import atexit
import functools
import multiprocessing
import sys
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from grader import sandbox  # noqa: E402
from grader.grading import Options, Progress, grade  # noqa: E402
from grader.plugin import Graded, Plugin, run_checks  # noqa: E402
from grader.reference import RecordedReference  # noqa: E402
from grader.report import EXERCISES, Check, Exercise  # noqa: E402
from grader.session import Args, Budget, Runner, Student, Worker  # noqa: E402
from grader.submission import Submission  # noqa: E402

SOLUTION = (ROOT / "solution" / "dqn.py").read_text()
PARTS = [name for name in EXERCISES if name != "learning"]
BUILT_ON = {  # an exercise's later part, or another one, that has to bear its mistakes
    "monte_carlo": ["monte_carlo"],
    "td_loss": ["td_loss", "td_update"],
}
DESKS = 2


@dataclass(frozen=True)
class HandIn:
    """One hand-in and what to grade of it.

    Attributes:
        name: for the tests' ids.
        source: of its dqn.py.
        exercises: to grade.
        fresh: it sets what outlives it (JAX's settings), so no process is shared.
        seed: of the run.
    """

    name: str
    source: str
    exercises: tuple[str, ...]
    fresh: bool = False
    seed: str = "1"


def edited(part: str, *changes: tuple[str, str]) -> str:
    """The solution with changes to the text of one of its functions or classes.

    Raises:
        ValueError: a text to be changed is not there once, the docstring left aside.
    """
    node = next(
        node
        for node in ast.parse(SOLUTION).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == part
    )
    lines = SOLUTION.splitlines(keepends=True)
    start = node.body[0].end_lineno  # of the docstring
    before = "".join(lines[:start])
    text = "".join(lines[start : node.end_lineno])
    after = "".join(lines[node.end_lineno :])
    for old, new in changes:
        if text.count(old) != 1:
            raise ValueError(f"{old!r} stands {text.count(old)} times in {part}")
        text = text.replace(old, new)
    return before + text + after


def with_definitions(text: str, first: str = "") -> str:
    """The solution with definitions that take the place of its own.

    Args:
        text: the definitions; a later one of the same name wins.
        first: lines to stand before everything else.
    """
    return f"{first}\n{SOLUTION}\n\n{text}"


class WarmRunner(Runner):
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
        return super().untrusted(request, *args, **kwargs)


class WarmWorker(Worker):
    """A worker that imports one hand-in after the other."""

    def take(self, submission: Submission, budget: Budget) -> None:
        """Begin with another hand-in."""
        self.submission, self.budget = submission, budget
        self.problem, self.loaded, self.restarts = None, False, {}


class Desk:
    """Grades one hand-in after the other in recorded mode."""

    def __init__(self) -> None:
        self.tier = sandbox.choose_tier("")
        self.worker = WarmWorker(Submission("", b""), self.tier, Budget())
        self.runner = WarmRunner("runner", self.tier, Budget(), {})
        self.reference = RecordedReference()
        atexit.register(self.close)

    def grade(self, hand_in: HandIn) -> dict[str, Exercise]:
        """The results of its exercises by name."""
        submission = Submission(hand_in.name, hand_in.source.encode())
        if "learning" in hand_in.exercises:
            options = Options(hand_in.seed, only="learning", mode="recorded")
            report = grade(submission, options, Progress())
            rest = tuple(name for name in hand_in.exercises if name != "learning")
            return by_name(report.exercises) | self.grade(
                HandIn(hand_in.name, hand_in.source, rest, hand_in.fresh, hand_in.seed)
            )
        if not hand_in.exercises:
            return {}
        budget = Budget()
        if hand_in.fresh:
            self.worker.stop()
        self.worker.take(submission, budget)
        self.runner.take(budget)
        graded = Graded(
            student=Student(self.worker, self.runner),
            reference=self.reference,
            runner=self.runner,
            budget=budget,
            seed=hand_in.seed,
            live=False,
        )
        plugin = Plugin(graded, lambda exercise, check: None, lambda exercise: None)
        try:
            return by_name(run_checks(plugin, list(hand_in.exercises)))
        finally:
            if hand_in.fresh:
                self.worker.stop()

    def close(self) -> None:
        """End both processes."""
        self.worker.stop()
        self.runner.stop()


def by_name(exercises: list[Exercise]) -> dict[str, Exercise]:
    """The exercises by their names."""
    return {exercise.name: exercise for exercise in exercises}


@functools.cache
def desk() -> Desk:
    """The desk of the process in which one asks."""
    return Desk()


def grade_at_desk(hand_in: HandIn) -> dict[str, Exercise]:
    """Grade in a desk's process."""
    return desk().grade(hand_in)


@functools.cache
def desks() -> ProcessPoolExecutor:
    """The desks' processes, started when first needed."""
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(DESKS, mp_context=spawn)


def submit(hand_in: HandIn) -> Future:
    """Have a hand-in graded; the future holds its exercises by name."""
    return desks().submit(grade_at_desk, hand_in)


def submit_collected(session: pytest.Session, module: object) -> dict[HandIn, Future]:
    """Have the hand-ins of all the tests that are to run in a module graded."""
    parameters = [
        item.callspec.params
        for item in session.items
        if isinstance(item, pytest.Function)
        and item.module is module
        and hasattr(item, "callspec")
    ]
    hand_ins = [p["hand_in"] for p in parameters if "hand_in" in p]
    return {hand_in: submit(hand_in) for hand_in in hand_ins}


def lost(exercise: Exercise) -> list[Check]:
    """The checks that did not pay in full."""
    return [check for check in exercise.checks if check.score < check.max_score]


def in_words(checks: list[Check]) -> str:
    """What went wrong, for a failed test's message."""
    return "\n".join(f"{c.name}: {c.outcome}: {c.message}" for c in checks)
