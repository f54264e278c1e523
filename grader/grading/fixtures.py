"""The fixtures that a check can use as arguments."""

from collections.abc import Callable

import numpy as np
import pytest

from grader.contract.case import Answers, Case, Student
from grader.contract.cases import Cases
from grader.contract.learning import CARTPOLE, MAZE
from grader.contract.outcomes import NOT_IMPLEMENTED
from grader.contract.seeds import derive
from grader.grading.items import exercise_of
from grader.grading.learning import results_of
from grader.grading.passes import Pass
from grader.grading.search import search
from grader.oracle.candidate import RunnerInterface
from grader.oracle.learning.results import Results


class Fixtures:
    """The fixtures of the checks.

    Attributes:
        now: the pass in which the current check runs.
    """

    now: Pass

    @pytest.fixture
    def student(self) -> Student:
        """Return the hand-in."""
        return self.now.graded.student

    @pytest.fixture
    def reference(self) -> Answers:
        """Return the reference, which gives the right answers."""
        return self.now.graded.reference

    @pytest.fixture
    def runner(self) -> RunnerInterface:
        """Return the process that runs exported programs without the hand-in's code."""
        return self.now.graded.runner

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> np.random.Generator:
        """Return a generator of random numbers, seeded for this check and this run."""
        return np.random.default_rng(self.seed_of(request))

    @pytest.fixture
    def learned(self) -> Results:
        """Return the results of learning, which runs beside the other checks."""
        graded = self.now.graded
        assert graded.learning is not None
        results = results_of(graded, graded.learning)
        for task in (MAZE, CARTPOLE):
            result = getattr(results, task)
            if not str(result.reason).startswith(NOT_IMPLEMENTED):
                graded.learned[task] = result.as_dict()
        return results

    @pytest.fixture
    def above(self, request: pytest.FixtureRequest) -> dict[str, bool]:
        """Return for each other exercise graded so far whether it has all points."""
        this = exercise_of(request.node)
        others = (e for e in self.now.exercises.values() if e.name != this)
        return {e.name: e.score == e.max_score for e in others}

    @pytest.fixture
    def passed(self, request: pytest.FixtureRequest) -> set[str]:
        """Return the names of this exercise's checks that have passed so far."""
        return self.now.passed_in(exercise_of(request.node))

    @pytest.fixture
    def for_each(self, request: pytest.FixtureRequest) -> Callable:
        """Return the function `for_each(cases, body)`.

        The function runs the body on each fixed case, and then, in a pass that has
        phases for the check, on random cases. A hand-in in a debugger (`eager`) gets
        the fixed cases only.
        """

        def run(cases: Cases, body: Callable[[Case], None]) -> None:
            for case in cases.fixed:
                body(case)
            phases = self.now.phases(request.node)
            if phases and not self.now.graded.student.eager:
                search(cases, body, self.seed_of(request), phases)

        return run

    def seed_of(self, request: pytest.FixtureRequest) -> int:
        """Return the seed of a check in this run."""
        seed = self.now.graded.seed
        return derive(seed, f"{request.path.name} {request.node.name}")
