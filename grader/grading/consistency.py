"""The consistency pass: all is asked again, in a fresh process, in reverse order.

A hand-in can keep from one call to the next what it was asked, and be right for the
first questions only, or remember its answers, or throw a coin when it is imported. So
the grader asks twice. Where a check comes out differently, the part is no function
of its arguments, and what it has earned in that exercise is withdrawn. Programs are
traced again, too; the runner compiles only those that differ from the first ones.
"""

from dataclasses import replace

from grader.contract.outcomes import Outcome
from grader.grading.passes import Pass
from grader.grading.plugin import Checks
from grader.report.model import Check, Exercise

AGAIN = "asked again by a fresh process"
DIFFERS = f"the answers to identical questions differ: {AGAIN}"
JUDGED = (Outcome.FAILED, Outcome.ERROR)


def ask_again(checks: Checks, first: Pass, exercises: list[str]) -> None:
    """Run the checks again, the last one first; withdraw what does not come out alike.

    Args:
        checks: to be run again.
        first: the pass in which they have run; its results are changed.
        exercises: to be checked again.

    Raises:
        GraderError: there is no worker, runner or reference to check with.
    """
    with first.graded.student.in_fresh_process() as again:
        second = Pass(replace(first.graded, student=again), first)
        checks.run(second, exercises, backwards=True)
    first.unanswered |= second.unanswered
    for name in exercises:
        compare(first.exercises[name], second.exercises[name])


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
    """Tell whether a check was passed one time and judged wrong the other."""
    outcomes = {first.outcome, second.outcome}
    return Outcome.PASSED in outcomes and bool(outcomes & {*JUDGED})
