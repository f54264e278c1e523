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

from grader.contract.outcomes import UNANSWERED, Outcome, Waiting
from grader.grading.plugin import Plugin, exercise_of, name_of, part_of, run_checks
from grader.oracle.candidate import Candidate
from grader.oracle.known import Known
from grader.report.model import Check, Exercise

AGAIN = "asked again by a fresh process"
DIFFERS = f"the answers to identical questions differ: {AGAIN}"
JUDGED = (Outcome.FAILED, Outcome.ERROR)


class SecondTime(Plugin):
    """Runs the checks again, the last one first.

    Args:
        first: has run them.
    """

    def __init__(self, first: Plugin) -> None:
        before = first.graded.student
        student = Candidate(before.worker, before.runner, mark="again ")
        # Checks that build on such a part use a stand-in for it, as before.
        student.stopped |= before.stopped
        graded = replace(first.graded, student=student, known=Known(), learning={})
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

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin a check, unless its part hangs and it got no answer the first time.

        It has no points to be withdrawn, and would use up the time of others.

        Raises:
            TimedOut, Waiting: as in `Plugin`; also where it is not asked again.
        """
        super().pytest_runtest_setup(item)
        checks = self.first.exercises[exercise_of(item)].checks
        unanswered = {c.name for c in checks if c.outcome in UNANSWERED}
        if part_of(item) in self.first.hung and name_of(item) in unanswered:
            raise Waiting("it got no answer the first time")


def ask_again(first: Plugin, exercises: list[str]) -> None:
    """Run the checks again; withdraw what does not come out alike.

    Args:
        first: has run them; its results are changed.
        exercises: to be checked again.

    Raises:
        GraderError: there is no worker, runner or reference to check with.
    """
    worker = first.graded.student.worker
    worker.renew()
    printed, worker.printed = worker.printed, {}  # it prints the same again
    second = {e.name: e for e in run_checks(SecondTime(first), exercises)}
    worker.printed = printed
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
        if now.outcome in JUDGED:
            words = f"{DIFFERS}, this check fails:\n{now.message}"
            outcome = Outcome.FAILED
        elif now.outcome != Outcome.PASSED:
            words, outcome = f"{AGAIN}:\n{now.message}", now.outcome
        elif others:
            words = f"{DIFFERS}, “{others[0].description}” comes out differently"
            outcome = Outcome.FAILED
        else:
            continue
        check.outcome, check.score, check.message = outcome, 0.0, words


def differs(first: Check, second: Check) -> bool:
    """Whether a check was passed one time and judged wrong the other."""
    outcomes = {first.outcome, second.outcome}
    return Outcome.PASSED in outcomes and bool(outcomes & {*JUDGED})
