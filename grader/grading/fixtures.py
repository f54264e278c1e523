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
        """Return the candidate, which answers cases by the hand-in."""
        return self.now.graded.student

    @pytest.fixture
    def reference(self) -> Answers:
        """Return the reference, which gives the right answers."""
        return self.now.graded.reference

    @pytest.fixture
    def runner(self) -> RunnerInterface:
        """Return the client of the runner, the process that executes programs."""
        return self.now.graded.runner

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> np.random.Generator:
        """Return a random generator, whose seed depends on the check and the run."""
        return np.random.default_rng(self.seed_of(request))

    @pytest.fixture
    def learned(self) -> Results:
        """Wait for the end of learning, and return the results of its tasks.

        The results of the maze and CartPole are also stored for report.json, except
        where a part of the hand-in is still a stub.
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
    def above(self, request: pytest.FixtureRequest) -> dict[str, bool]:
        """Return a dict from each exercise graded before to whether it has all points.

        The exercise of the check that uses this fixture is left out.
        """
        this = exercise_of(request.node)
        others = (e for e in self.now.exercises.values() if e.name != this)
        return {e.name: e.score == e.max_score for e in others}

    @pytest.fixture
    def passed(self, request: pytest.FixtureRequest) -> set[str]:
        """Return the names of the checks in the same exercise that have passed so far.

        In the second pass, these are the checks that passed in the first pass.
        """
        return self.now.passed_in(exercise_of(request.node))

    @pytest.fixture
    def for_each(self, request: pytest.FixtureRequest) -> Callable:
        """Return the function `for_each(cases, body)`.

        The function calls the body with each fixed case, and then with cases that
        hypothesis draws. No cases are drawn for a hand-in in a debugger (`eager`), nor
        in the second pass for a check that passed in the first.
        """

        def run(cases: Cases, body: Callable[[Case], None]) -> None:
            for case in cases.fixed:
                body(case)
            phases = self.now.phases(request.node)
            if phases and not self.now.graded.student.eager:
                search(cases, body, self.seed_of(request), phases)

        return run

    def seed_of(self, request: pytest.FixtureRequest) -> int:
        """Return a check's seed: an int derived from its name and the run's seed."""
        seed = self.now.graded.seed
        return derive(seed, f"{request.path.name} {request.node.name}")
