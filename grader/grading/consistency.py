"""Run the consistency pass: the checks again, with a fresh worker, in reverse order.

A hand-in may count its calls and answer only the first questions right. It may store
its answers. It may choose at random, when it is imported, which answers to give.
Therefore the checks of exercises 1–8 run a second time, and all programs are exported a
second time. If a check passes in one pass and fails in the other, the part's results
depend on more than its arguments. The exercise then loses all its points.
"""

from dataclasses import replace

from grader.contract.outcomes import Outcome
from grader.grading.passes import Pass
from grader.grading.plugin import Checks
from grader.report.model import Check, Exercise

AGAIN = "asked again by a fresh process"
DIFFERS = f"the answers to identical questions differ: {AGAIN}"
JUDGED = (Outcome.FAILED, Outcome.ERROR)  # the hand-in answered, and was wrong


def ask_again(checks: Checks, first: Pass, exercises: list[str]) -> None:
    """Run checks a second time, last check first; withdraw points if results differ.

    If a check passed in one pass and was wrong in the other, its exercise loses all
    points. If a check passed in the first pass, but got no answer or was skipped in the
    second pass, this check alone loses its points.

    Args:
        checks: the collected checks.
        first: the first pass. This function changes the results that lose points, and
            adds the checks without an answer in the second pass to `first.unanswered`.
        exercises: the names of the exercises whose checks are run.

    Raises:
        GraderError: the grader itself failed during a check.
    """
    with first.graded.student.in_fresh_process() as again:
        second = Pass(replace(first.graded, student=again), first)
        checks.run(second, exercises, backwards=True)
    first.unanswered |= second.unanswered
    for name in exercises:
        compare(first.exercises[name], second.exercises[name])


def compare(first: Exercise, second: Exercise) -> None:
    """Withdraw points of an exercise if its two passes have different outcomes.

    If any check passed in one pass and was judged wrong in the other (see `differs`),
    all checks of the exercise lose their points. If a check passed in the first pass,
    but got no answer or was skipped in the second pass, this check alone loses its
    points.

    Args:
        first: the exercise's results in the first pass. For each check that loses its
            points, this function replaces outcome, score and message.
        second: the exercise's results in the second pass.
    """
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
    """Return whether a check passed in one pass and was judged wrong in the other.

    "Judged wrong" means that the outcome is failed or error.

    Args:
        first: the check's result in the first pass.
        second: the check's result in the second pass.
    """
    outcomes = {first.outcome, second.outcome}
    return Outcome.PASSED in outcomes and bool(outcomes & {*JUDGED})
