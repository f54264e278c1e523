"""Everything is asked once more: of a fresh process, and in the opposite order.

A hand-in can keep from one call to the next what it was asked, and be right for the
first questions only, or remember its answers, or throw a coin when it is imported. So
whoever grades asks twice. Where a check comes out differently, the part is no function
of its arguments, and what it has earned in that exercise is withdrawn. Programs are
traced again, too; the runner compiles only those that have become others.
"""

from dataclasses import replace

import pytest
from hypothesis import Phase

from grader.diagnose import Known
from grader.outcomes import Outcome
from grader.plugin import Plugin, exercise_of, name_of, run_checks
from grader.report import Check, Exercise
from grader.session import Student, Worker

DIFFERS = "the answers to identical questions differ: asked again by a fresh process"
JUDGED = (Outcome.FAILED, Outcome.ERROR)


class SecondTime(Plugin):
    """Runs the checks again, the last one first.

    Args:
        first: has run them.
        worker: a fresh one.
    """

    def __init__(self, first: Plugin, worker: Worker) -> None:
        graded = replace(
            first.graded,
            student=Student(worker, first.graded.runner, mark="again "),
            budget=worker.budget,
            known=Known(),
            learning={},
        )
        super().__init__(graded, first.on_check, lambda exercise: None)
        self.first = first

    def passed_in(self, name: str) -> set[str]:
        """What had passed when it was the checks' turn for the first time."""
        return self.first.passed_in(name)

    def phases(self, item: pytest.Item) -> tuple[Phase, ...]:
        """What has passed is asked the fixed questions, the rest the same as before."""
        passed = self.passed_in(exercise_of(item))
        return () if name_of(item) in passed else (Phase.generate,)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """The last check first."""
        items.reverse()


def ask_again(first: Plugin, worker: Worker, exercises: list[str]) -> None:
    """Run the checks again; withdraw what does not come out alike.

    Args:
        first: has run them; its results are changed.
        worker: a fresh one, with a budget of its own.
        exercises: to be checked again.

    Raises:
        GraderError: there is no worker, runner or reference to check with.
    """
    second = {e.name: e for e in run_checks(SecondTime(first, worker), exercises)}
    for name in exercises:
        compare(first.exercises[name], second[name])


def compare(first: Exercise, second: Exercise) -> None:
    """Withdraw what an exercise has earned by checks that come out differently."""
    again = {check.name: check for check in second.checks}
    others = [c for c in first.checks if differs(c, again[c.name])]
    for check in first.checks:
        if check.outcome != Outcome.PASSED:
            continue
        now = again[check.name]
        if now.outcome != Outcome.PASSED:
            words = f"this check fails:\n{now.message}"
            outcome = Outcome.FAILED if now.outcome in JUDGED else now.outcome
        elif others:
            words = f"“{others[0].description}” comes out differently"
            outcome = Outcome.FAILED
        else:
            continue
        check.outcome, check.score = outcome, 0.0
        check.message = f"{DIFFERS}, {words}"


def differs(first: Check, second: Check) -> bool:
    """Whether a check was passed one time and judged wrong the other."""
    outcomes = {first.outcome, second.outcome}
    return Outcome.PASSED in outcomes and bool(outcomes & {*JUDGED})
