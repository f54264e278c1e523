"""What a check can ask for by the name of an argument."""

from collections.abc import Callable

import numpy as np
import pytest

from grader.contract.case import Answers, Case, Student
from grader.contract.cases import Cases
from grader.contract.outcomes import NOT_IMPLEMENTED
from grader.contract.seeds import derive
from grader.grading.items import exercise_of
from grader.grading.passes import Pass
from grader.grading.search import search
from grader.oracle.candidate import RunnerInterface
from grader.oracle.cartpole import Result


class Fixtures:
    """The fixtures of the checks.

    Attributes:
        now: the pass in which a check is run.
    """

    now: Pass

    @pytest.fixture
    def student(self) -> Student:
        """Return the hand-in."""
        return self.now.graded.student

    @pytest.fixture
    def reference(self) -> Answers:
        """Return who gives the right answers."""
        return self.now.graded.reference

    @pytest.fixture
    def runner(self) -> RunnerInterface:
        """Return the clean process, for trusted mathematics on exported programs."""
        return self.now.graded.runner

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> np.random.Generator:
        """Return random numbers of this check in this run."""
        return np.random.default_rng(self.seed_of(request))

    @pytest.fixture
    def cartpole(self) -> Result:
        """Return the result of learning, which has run beside the other checks."""
        graded = self.now.graded
        assert graded.cartpole is not None
        result = graded.cartpole()
        if not str(result.reason).startswith(NOT_IMPLEMENTED):
            graded.learning["cartpole"] = result.as_dict()
        return result

    @pytest.fixture
    def above(self, request: pytest.FixtureRequest) -> dict[str, bool]:
        """Return the exercises graded before, and whether they have all points."""
        this = exercise_of(request.node)
        others = (e for e in self.now.exercises.values() if e.name != this)
        return {e.name: e.score == e.max_score for e in others}

    @pytest.fixture
    def passed(self, request: pytest.FixtureRequest) -> set[str]:
        """Return the names of the exercise's checks that have passed so far."""
        return self.now.passed_in(exercise_of(request.node))

    @pytest.fixture
    def for_each(self, request: pytest.FixtureRequest) -> Callable:
        """Return `for_each(cases, body)`: run the body on fixed, then on drawn cases.

        A debugger sees the fixed cases only.
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
