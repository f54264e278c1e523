"""The pytest plugin: fixtures, points, dependencies and outcomes of the checks.

Checks are ordinary pytest tests. `points(n)` says what one pays. `after(name, ...)`
names checks of the same file of which one must have passed, because what this one
asks would hold for a constant answer, too. `part(name)` names the part of the contract
that a check judges, where it is not named as the exercise is.

A check file may have `CASES`, for a part without questions of its own in `probes`: by
its answers to that ladder a known mistake is recognised.
"""

import inspect
import os
import sys
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.configuration import set_hypothesis_home_dir

from grader.contract.case import Answers, Case
from grader.contract.cases import Cases
from grader.contract.exercises import CHECKS, EXERCISES
from grader.contract.outcomes import (
    NOT_IMPLEMENTED,
    UNANSWERED,
    WAITS_FOR_ABOVE,
    GraderError,
    Outcome,
    Raised,
    Stopped,
    UsedUp,
    Waiting,
    Wrong,
)
from grader.contract.seeds import derive
from grader.diagnosis import diagnose
from grader.oracle.known import Known
from grader.oracle.budget import Budget
from grader.oracle.candidate import Candidate
from grader.oracle.runner_client import RunnerClient
from grader.report.model import Check, Exercise
from grader.sandbox.launch import own_prefix

MAX_EXAMPLES = 15
MAX_SHRINKS = 300


@dataclass
class Graded:
    """What the checks work with: made before pytest runs, read by the fixtures."""

    student: Candidate
    reference: Answers
    runner: RunnerClient
    budget: Budget
    seed: str
    live: bool
    cartpole: Callable[[], Any] | None = None
    problem: BaseException | None = None  # with the hand-in: then nothing is asked
    known: Known = field(default_factory=Known)
    learning: dict[str, Any] = field(default_factory=dict)


class Plugin:
    """Runs the checks for one hand-in and keeps their results.

    Args:
        graded: who is asked.
        on_check: told the exercise and the check that starts.
        on_exercise: told an exercise that is done.
    """

    def __init__(
        self,
        graded: Graded,
        on_check: Callable[[str, str], None],
        on_exercise: Callable[[Exercise], None],
    ) -> None:
        self.graded = graded
        self.on_check, self.on_exercise = on_check, on_exercise
        self.exercises: dict[str, Exercise] = {}
        self.failed: dict[str, list[Check]] = {}  # of this exercise, by part
        self.ladders: dict[str, tuple[Case, ...]] = {}  # by part
        self.hung: set[str] = set()  # parts that hung or died, not merely were slow
        self.trouble = ""  # without a worker, a runner or a reference none can go on

    # ------------------------------------------------------------ fixtures

    @pytest.fixture
    def student(self) -> Candidate:
        """The hand-in."""
        return self.graded.student

    @pytest.fixture
    def reference(self) -> Answers:
        """What is right: live or recorded."""
        return self.graded.reference

    @pytest.fixture
    def runner(self) -> RunnerClient:
        """The clean process, for trusted mathematics on the hand-in's programs."""
        return self.graded.runner

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> np.random.Generator:
        """Random numbers of this check in this run."""
        return np.random.default_rng(self.seed_of(request))

    @pytest.fixture
    def cartpole(self) -> Any:
        """The result of learning CartPole, which has run beside the other checks."""
        assert self.graded.cartpole is not None
        result = self.graded.cartpole()
        if not str(result.reason).startswith(NOT_IMPLEMENTED):
            self.graded.learning["cartpole"] = result.as_dict()
        return result

    @pytest.fixture
    def above(self, request: pytest.FixtureRequest) -> dict[str, bool]:
        """The exercises graded before this one, and whether they have all points."""
        this = exercise_of(request.node)
        others = (e for e in self.exercises.values() if e.name != this)
        return {e.name: e.score == e.max_score for e in others}

    @pytest.fixture
    def passed(self, request: pytest.FixtureRequest) -> set[str]:
        """The names of the exercise's checks that have passed so far."""
        return self.passed_in(exercise_of(request.node))

    @pytest.fixture
    def for_each(self, request: pytest.FixtureRequest) -> Callable:
        """`for_each(cases, body)`: the ladder, then hypothesis' own examples.

        Those only where the reference is live, or where `property` says that the body
        asks for none.
        """

        def run(
            cases: Cases, body: Callable[[Case], None], *, property: bool = False
        ) -> None:
            for case in cases.ladder:
                body(case)
            phases = self.phases(request.node)
            more = self.graded.live or (property and not self.graded.student.eager)
            if phases and more:
                search(cases, body, self.seed_of(request), phases)

        return run

    def phases(self, item: pytest.Item) -> tuple[Phase, ...]:
        """How hypothesis looks for a question that a check's hand-in gets wrong."""
        return (Phase.generate, Phase.shrink)

    def passed_in(self, name: str) -> set[str]:
        """The names of an exercise's checks that have passed so far."""
        checks = self.exercises[name].checks
        return {check.name for check in checks if check.outcome == Outcome.PASSED}

    def seed_of(self, request: pytest.FixtureRequest) -> int:
        """The seed of this check in this run."""
        return derive(self.graded.seed, f"{request.path.name} {request.node.name}")

    # ------------------------------------------------------------ hooks

    def pytest_configure(self, config: pytest.Config) -> None:
        """Declare the markers; nobody reads pytest's own pages on a failure."""
        config.option.tbstyle = "no"
        config.addinivalue_line("markers", "points(n): what the check pays")
        config.addinivalue_line("markers", "after(*names): one of them has passed")
        config.addinivalue_line("markers", "part(name): the part that it judges")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin a check, unless it has to wait for another.

        Raises:
            BaseException: the hand-in cannot be run at all.
            TimedOut: the whole run has no time left.
            Waiting: none of the checks that it comes after has passed.
        """
        name = exercise_of(item)
        # Before all that can fail: each exercise is to be in the report.
        self.exercises.setdefault(name, Exercise(name))
        if self.trouble:
            raise GraderError(self.trouble)
        self.graded.budget.exercise = name
        self.graded.budget.part = part_of(item)
        self.on_check(name, description_of(item))
        if cases := getattr(getattr(item, "module", None), "CASES", None):
            self.ladders[part_of(item)] = cases.ladder
        if self.graded.problem:
            raise self.graded.problem.with_traceback(None)  # else it grows each time
        self.graded.budget.left_of_run()
        names = {n for mark in item.iter_markers("after") for n in mark.args}
        if names and not self.passed_in(name) & names:
            raise Waiting(WAITS_FOR_ABOVE)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Book the check's result."""
        if call.when == "call" or (call.when == "setup" and call.excinfo):
            error = call.excinfo and call.excinfo.value
            outcome, message = outcome_of(error)
            if isinstance(error, GraderError):
                self.trouble = message
            if isinstance(error, Stopped) and not isinstance(error, UsedUp):
                self.hung.add(part_of(item))
            points = float(next(item.iter_markers("points")).args[0])
            check = Check(
                name=name_of(item),
                description=description_of(item),
                outcome=outcome,
                score=points if outcome == Outcome.PASSED else 0.0,
                max_score=points,
                message=message,
                hint=getattr(error, "hint", None),
                duration=call.duration,
            )
            self.exercises[exercise_of(item)].checks.append(check)
            if outcome in (Outcome.FAILED, Outcome.ERROR):
                self.failed.setdefault(part_of(item), []).append(check)
        return (yield)

    def pytest_runtest_teardown(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> None:
        """After an exercise's last check, find out what is wrong, and tell."""
        if nextitem is None or exercise_of(nextitem) != exercise_of(item):
            exercise = self.exercises[exercise_of(item)]
            if not self.trouble:
                self.diagnose(exercise)
            self.on_exercise(exercise)

    def diagnose(self, exercise: Exercise) -> None:
        """Name what is wrong with each part that has failed a check."""
        graded, failed = self.graded, self.failed
        self.failed = {}
        if graded.problem or graded.student.eager:
            return
        if any(c.outcome in UNANSWERED for c in exercise.checks):
            return
        for part, checks in failed.items():
            if part not in graded.known.right:
                continue
            graded.budget.part = part
            found = diagnose.diagnose(
                part,
                graded.student,
                graded.reference,
                graded.known,
                self.ladders.get(part, ()),
            )
            if found:
                for check in checks:
                    check.diagnosis, check.hint = found.id, found.hint


def outcome_of(error: BaseException | None) -> tuple[Outcome, str]:
    """What a check's end means, and the words for it."""
    if error is None:
        return Outcome.PASSED, ""
    outcome = getattr(error, "outcome", None)
    if isinstance(outcome, Outcome):
        return outcome, str(error)
    if isinstance(error, hypothesis.errors.Flaky):
        return Outcome.FAILED, "the answers to identical questions differ"
    # Anything else is a mistake of ours, never the student's zero.
    return Outcome.GRADER_ERROR, repr(error)


def search(
    cases: Cases, body: Callable[[Case], None], seed: int, phases: tuple[Phase, ...]
) -> None:
    """Let hypothesis look for a case on which the body fails, and shrink it.

    The number of tries is bounded by count and not by time, so that the same seed
    gives the same counterexample on every machine.
    """
    smallest: Exception | None = None
    tries = 0  # since the first failure

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=MAX_EXAMPLES,
        database=None,
        deadline=None,
        phases=phases,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @hypothesis.given(cases.strategy)
    def run(case: Case) -> None:
        nonlocal smallest, tries
        tries += smallest is not None
        if tries > MAX_SHRINKS:
            raise EnoughShrinking
        try:
            body(case)
        except (Wrong, Raised) as reason:
            smallest = reason
            raise

    try:
        run()
    except EnoughShrinking:
        assert smallest is not None
        raise smallest from None


class EnoughShrinking(BaseException):
    """Ends hypothesis' search from inside; no Exception, or it would be shrunk."""


def exercise_of(item: pytest.Item) -> str:
    """The exercise to which a check's file belongs."""
    files = {file: name for name, file in EXERCISES.items()}
    return files[item.path.name]


def name_of(item: pytest.Item) -> str:
    """The check's name in the report."""
    return item.name.removeprefix("test_")


def part_of(item: pytest.Item) -> str:
    """The part of the contract that a check judges."""
    marker = item.get_closest_marker("part")
    return marker.args[0] if marker else exercise_of(item)


def description_of(item: pytest.Item) -> str:
    """What the student reads: the first line of the check's docstring."""
    docstring = inspect.getdoc(getattr(item, "function", None)) or item.name
    return docstring.splitlines()[0].rstrip(".")


def run_checks(plugin: Plugin, exercises: list[str]) -> list[Exercise]:
    """Run the checks of these exercises under pytest, with nothing but this plugin.

    No conftest, no ini file, no plugin of the environment: what lies about on the
    machine has no say in a grade.

    Raises:
        GraderError: there is no worker, runner or reference to check with.
    """
    arguments = [
        *("-c", os.devnull, "--rootdir", str(CHECKS), "--noconftest"),
        *("--import-mode=importlib", "--assert=plain", "--capture=no"),
        *("-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:faulthandler"),
        *("-p", "no:debugging"),  # a student's breakpoint() is Python's own
        *(str(CHECKS / EXERCISES[name]) for name in exercises),
    ]
    with tempfile.TemporaryDirectory(prefix=own_prefix()) as storage:
        for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
            os.environ.pop(name, None)
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        # Not by its variable: hypothesis reads that once, and would make the folder of
        # the first call anew in a later one.
        set_hypothesis_home_dir(storage)
        code = pytest.main(arguments, plugins=[plugin])
    # Here pytest keeps the last failure, and with it all that its frames hold.
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
    if plugin.trouble:
        raise GraderError(plugin.trouble)
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise GraderError(f"the checks could not be run (pytest: {code!s})")
    return list(plugin.exercises.values())
