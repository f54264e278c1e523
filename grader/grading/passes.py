"""One pass over the checks: who is asked, and what comes out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import pytest
from hypothesis import Phase

from grader.contract.case import Answers, Case, Student
from grader.contract.outcomes import (
    UNANSWERED,
    WAITS_FOR_ABOVE,
    GraderError,
    Outcome,
    Stopped,
    UsedUp,
    Waiting,
)
from grader.grading.items import (
    description_of,
    exercise_of,
    name_of,
    part_of,
    points_of,
    waits_for,
)
from grader.oracle.budget import Budget
from grader.oracle.candidate import RunnerInterface
from grader.oracle.cartpole import Result
from grader.oracle.known import Known
from grader.report.model import Check, Exercise


@dataclass
class Graded:
    """What the checks work with: made before pytest runs, read by the fixtures.

    Attributes:
        student: the hand-in.
        reference: gives the right answers.
        runner: the clean process.
        budget: of time.
        seed: of the run.
        cartpole: waits for the result of learning.
        problem: with the hand-in, an outcome: then nothing is asked.
        known: the recorded mistakes.
        learning: as it will stand in report.json.
    """

    student: Student
    reference: Answers
    runner: RunnerInterface
    budget: Budget
    seed: str
    cartpole: Callable[[], Result] | None = None
    problem: BaseException | None = None
    known: Known = field(default_factory=Known)
    learning: dict[str, Any] = field(default_factory=dict)


@dataclass
class Pass:
    """One pass over the checks, and the books of its outcomes.

    Attributes:
        graded: what the checks work with.
        first: the pass that this one repeats; None for a first one.
        exercises: the results, by exercise.
        failed: the checks with a wrong answer or an exception, by exercise and part.
        fixed: the fixed cases of a check file's `CASES`, by part.
        unanswered: the checks that got no answer, as exercise and name.
        hung: parts that hung or died, not merely were slow.
        trouble: why no check can go on: there is no worker, runner or reference.
    """

    graded: Graded
    first: "Pass | None" = None
    exercises: dict[str, Exercise] = field(default_factory=dict)
    failed: dict[str, dict[str, list[Check]]] = field(default_factory=dict)
    fixed: dict[str, tuple[Case, ...]] = field(default_factory=dict)
    unanswered: set[tuple[str, str]] = field(default_factory=set)
    hung: set[str] = field(default_factory=set)
    trouble: str = ""

    def begin(self, item: pytest.Item) -> None:
        """Begin a check, unless it has to wait for another.

        Raises:
            BaseException: the hand-in cannot be run at all.
            TimedOut: the whole run has no time left.
            Waiting: none of the checks that it comes after has passed; or it got no
                answer in the first pass, and its part hangs.
        """
        graded, name = self.graded, exercise_of(item)
        graded.budget.exercise, graded.budget.part = name, part_of(item)
        if cases := getattr(getattr(item, "module", None), "CASES", None):
            self.fixed[part_of(item)] = cases.fixed
        if graded.problem:
            raise graded.problem.with_traceback(None)  # else it grows each time
        graded.budget.left_of_run()
        if waits_for(item) and not self.passed_in(name) & waits_for(item):
            raise Waiting(WAITS_FOR_ABOVE)
        # It has no points to be withdrawn, and would use up the time of others.
        if self.first and self.first.got_no_answer(item):
            raise Waiting("it got no answer the first time")

    def book(
        self, item: pytest.Item, error: BaseException | None, seconds: float
    ) -> None:
        """Book how a check ended: with an exception, or None."""
        outcome, message = outcome_of(error)
        if isinstance(error, GraderError):
            self.trouble = message
        if isinstance(error, Stopped) and not isinstance(error, UsedUp):
            self.hung.add(part_of(item))
        points = points_of(item)
        check = Check(
            name=name_of(item),
            description=description_of(item),
            outcome=outcome,
            score=points if outcome == Outcome.PASSED else 0.0,
            max_score=points,
            message=message,
            hint=getattr(error, "hint", None),
            duration=seconds,
        )
        name = exercise_of(item)
        self.exercises.setdefault(name, Exercise(name)).checks.append(check)
        if outcome in UNANSWERED:
            self.unanswered.add((name, check.name))
        if outcome in (Outcome.FAILED, Outcome.ERROR):
            by_part = self.failed.setdefault(name, {})
            by_part.setdefault(part_of(item), []).append(check)

    def passed_in(self, name: str) -> set[str]:
        """Return the names of an exercise's checks that have passed so far.

        In a second pass, of those that have passed in the first one.
        """
        exercise = (self.first or self).exercises.get(name, Exercise(name))
        return {c.name for c in exercise.checks if c.outcome == Outcome.PASSED}

    def got_no_answer(self, item: pytest.Item) -> bool:
        """Tell whether a check of a part that hangs got no answer."""
        check = exercise_of(item), name_of(item)
        return part_of(item) in self.hung and check in self.unanswered

    def phases(self, item: pytest.Item) -> tuple[Phase, ...]:
        """Return how hypothesis looks for a case that the hand-in gets wrong.

        In a second pass a check that has passed is asked its fixed cases, and the
        others the same as before.
        """
        if not self.first:
            return (Phase.generate, Phase.shrink)
        passed = name_of(item) in self.passed_in(exercise_of(item))
        return () if passed else (Phase.generate,)


def outcome_of(error: BaseException | None) -> tuple[Outcome, str]:
    """Return what a check's end means, and the words for it.

    Args:
        error: that it ended with; None where it returned.
    """
    if error is None:
        return Outcome.PASSED, ""
    outcome = getattr(error, "outcome", None)
    if isinstance(outcome, Outcome):
        return outcome, str(error)
    if isinstance(error, hypothesis.errors.Flaky):
        return Outcome.FAILED, "the answers to identical questions differ"
    # Anything else is a mistake of ours, never the student's zero.
    return Outcome.GRADER_ERROR, repr(error)
