"""Run the checks once (one pass): prepare each check, and keep its result."""

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
    Waiting,
)
from grader.escape import one_line
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
from grader.oracle.known import Known
from grader.oracle.learning.run import Learning
from grader.report.model import Check, Exercise

NO_DIAGNOSIS = "the grader has no diagnosis of"  # begins a note of `Graded.faults`


@dataclass
class Graded:
    """The objects that the checks of one hand-in use; the fixtures return them.

    Attributes:
        student: the candidate, which asks the hand-in.
        reference: the reference, which gives right answers.
        runner: the client of the runner.
        budget: the time that the hand-in may still take.
        seed: the seed of the run.
        learning: the learning that runs beside the checks; None if it is not graded.
        problem: the exception that says why the hand-in was not read or not imported;
            each check raises it. None if the hand-in was imported.
        known: the recorded fingerprints of known mistakes.
        learned: for each task ("maze", "cartpole"), its entry in report.json, from
            `Result.as_dict`.
        faults: for each diagnosis that failed by a fault of the grader, a note for the
            report.
    """

    student: Student
    reference: Answers
    runner: RunnerInterface
    budget: Budget
    seed: str
    learning: Learning | None = None
    problem: BaseException | None = None
    known: Known = field(default_factory=Known)
    learned: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def keep_fault(self, part: str, fault: Exception) -> None:
        """Add a note to `faults`: a part has no diagnosis because of a fault of ours.

        The fault ends no grading, because a hand-in may be able to provoke it.

        Args:
            part: name of the part.
            fault: the exception of the diagnosis.
        """
        words = f"{NO_DIAGNOSIS} {part}: {one_line(repr(fault), 300)}"
        note = f"{words}; please tell the course staff"
        if note not in self.faults:
            self.faults.append(note)


@dataclass
class Pass:
    """One run of the checks, and its results.

    Attributes:
        graded: the objects that the checks use.
        first: for the second pass, the first pass; for the first pass, None.
        exercises: the results so far, by the exercise's name.
        failed: `failed[exercise][part]` lists the results of the part's checks whose
            outcome is failed or error.
        fixed: for each part whose check file has `CASES`, the fixed cases of `CASES`.
        unanswered: the checks without an answer, as pairs (exercise, check's name).
        trouble: the message of a grader error, which ends the pass; else "".
    """

    graded: Graded
    first: "Pass | None" = None
    exercises: dict[str, Exercise] = field(default_factory=dict)
    failed: dict[str, dict[str, list[Check]]] = field(default_factory=dict)
    fixed: dict[str, tuple[Case, ...]] = field(default_factory=dict)
    unanswered: set[tuple[str, str]] = field(default_factory=set)
    trouble: str = ""

    def begin(self, item: pytest.Item) -> None:
        """Prepare to run a check; raise an exception if the check must not be run.

        The exception determines the check's outcome.

        Raises:
            BaseException: the hand-in was not read or not imported. The exception is
                `Graded.problem`.
            UsedUp: the whole run has no time left.
            Waiting: none of the checks in the marker `after` has passed. Or this is the
                second pass, and in the first pass the check got no answer.
        """
        graded, name = self.graded, exercise_of(item)
        graded.budget.exercise, graded.budget.part = name, part_of(item)
        if cases := getattr(getattr(item, "module", None), "CASES", None):
            self.fixed[part_of(item)] = cases.fixed
        if graded.problem:
            # Without a traceback, because each raise would make it longer.
            raise graded.problem.with_traceback(None)
        graded.budget.left_of_run()
        if waits_for(item) and not self.passed_in(name) & waits_for(item):
            raise Waiting(WAITS_FOR_ABOVE)
        # This check has no points to withdraw, and could use up time of other checks.
        if self.first and (name, name_of(item)) in self.first.unanswered:
            raise Waiting("it got no answer the first time")

    def book(
        self, item: pytest.Item, error: BaseException | None, seconds: float
    ) -> None:
        """Add a check's result to this pass.

        Args:
            item: the check.
            error: the exception that ended the check; None if there was no exception.
            seconds: the duration of the check.
        """
        outcome, message = outcome_of(error)
        if isinstance(error, GraderError):
            self.trouble = message
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
        """Return the names of those checks of an exercise that have passed so far.

        In the second pass, the checks that passed in the first pass are returned.

        Args:
            name: the exercise's name.
        """
        exercise = (self.first or self).exercises.get(name, Exercise(name))
        return {c.name for c in exercise.checks if c.outcome == Outcome.PASSED}

    def phases(self, item: pytest.Item) -> tuple[Phase, ...]:
        """Return the phases of hypothesis for a check: `generate`, `shrink` or none.

        In the first pass, hypothesis draws cases, and shrinks a case that fails. In the
        second pass, a check that passed in the first pass has no phases: only its fixed
        cases are asked. For every other check, hypothesis draws cases in the second
        pass, too, but does not shrink them.
        """
        if not self.first:
            return (Phase.generate, Phase.shrink)
        passed = name_of(item) in self.passed_in(exercise_of(item))
        return () if passed else (Phase.generate,)


def outcome_of(error: BaseException | None) -> tuple[Outcome, str]:
    """Return a check's outcome, and the message for the report.

    The message is "" if the check has passed.

    Args:
        error: the exception that ended the check; None if there was no exception.
    """
    if error is None:
        return Outcome.PASSED, ""
    outcome = getattr(error, "outcome", None)
    if isinstance(outcome, Outcome):
        return outcome, str(error)
    if isinstance(error, hypothesis.errors.Flaky):
        return Outcome.FAILED, "the answers to identical questions differ"
    # Any other exception is a mistake in the grader and costs the student no points.
    return Outcome.GRADER_ERROR, repr(error)
