"""The pytest fixtures that a check can take as arguments."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from grader.contract.case import Answers, Case, Student
from grader.contract.cases import Cases
from grader.contract.learning import CARTPOLE, MAZE
from grader.contract.outcomes import NOT_IMPLEMENTED
from grader.contract.seeds import derive
from grader.diagnosis.learning_failures import Above
from grader.grading.items import exercise_of
from grader.grading.learning import results_of
from grader.grading.passes import Pass
from grader.grading.search import search
from grader.oracle.candidate import RunnerInterface
from grader.oracle.learning.results import Results
from grader.report.model import Exercise


class Fixtures:
    """The pytest fixtures of the checks; `plugin.Checks` inherits them.

    Attributes:
        now: the pass in which the current check runs.
    """

    now: Pass

    @pytest.fixture
    def student(self) -> Student:
        """Return the candidate, which asks the hand-in for the answer to a case."""
        return self.now.graded.student

    @pytest.fixture
    def reference(self) -> Answers:
        """Return the reference, which gives the right answer to a case."""
        return self.now.graded.reference

    @pytest.fixture
    def runner(self) -> RunnerInterface:
        """Return the client of the runner, the process that executes programs."""
        return self.now.graded.runner

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> np.random.Generator:
        """Return a random generator; its seed is derived by `seed_of`."""
        return np.random.default_rng(self.seed_of(request))

    @pytest.fixture
    def learned(self) -> Results:
        """Wait for the end of learning, and return the results of its tasks.

        The results of the maze and CartPole are also stored for report.json. A task is
        left out there if a part that it needs is still a stub.
        """
        graded = self.now.graded
        assert graded.learning is not None
        results = results_of(graded, graded.learning)
        for task in (MAZE, CARTPOLE):
            result = getattr(results, task)
            if not str(result.reason).startswith(NOT_IMPLEMENTED):
                graded.learned[task] = result.as_dict()
        return results

    @pytest.fixture
    def above(self, request: pytest.FixtureRequest) -> Above:
        """Return a dict of all exercises that ran before the current check's exercise.

        A key is the name of an exercise. The value is None for an exercise with full
        points. Otherwise it is the first sentence of the exercise's first hint; "" if
        the exercise has no hint.
        """
        this = exercise_of(request.node)
        others = (e for e in self.now.exercises.values() if e.name != this)
        return {e.name: None if e.is_complete else first_hint(e) for e in others}

    @pytest.fixture
    def passed(self, request: pytest.FixtureRequest) -> set[str]:
        """Return which checks have passed, in the exercise of the current check.

        In the first pass, the names of the checks that have passed so far are returned.
        In the second pass, the names of the checks that passed in the first pass are
        returned.
        """
        return self.now.passed_in(exercise_of(request.node))

    @pytest.fixture
    def for_each(self, request: pytest.FixtureRequest) -> Callable:
        """Return the function `for_each(cases, body)`, which runs a check on cases.

        The function calls `body(case)` for each fixed case of `cases`, and then for
        cases that hypothesis draws. An exception of `body` ends the function. No cases
        are drawn if the hand-in runs in a debugger. In the second pass, no cases are
        drawn for a check that passed in the first pass.
        """

        def run(cases: Cases, body: Callable[[Case], None]) -> None:
            for case in cases.fixed:
                body(case)
            phases = self.now.phases(request.node)
            student = self.now.graded.student
            if phases and not student.eager:
                called = any(map(student.is_called, cases.fixed))
                search(cases, body, self.seed_of(request), phases, called=called)

        return run

    def seed_of(self, request: pytest.FixtureRequest) -> int:
        """Return a check's seed, computed from the run's seed and the check's name."""
        seed = self.now.graded.seed
        return derive(seed, f"{request.path.name} {request.node.name}")


def first_hint(exercise: Exercise) -> str:
    """Return the first sentence of an exercise's first hint; "" without a hint."""
    hint = next((check.hint for check in exercise.checks if check.hint), "")
    return re.split(r"(?<=\.)\s", hint, maxsplit=1)[0]
