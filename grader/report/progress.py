"""Keep the progress of a student: a run of one exercise completes the last report.

A run with `ONLY` grades one exercise anew. All other results are taken over from the
last report on the same hand-in, and marked as older. They keep the hash of the text
that was graded, so that the report can tell which of them hold for the present text.
"""

from dataclasses import replace

from grader.contract.exercises import EXERCISES, LEARNING
from grader.report.model import Report


def with_older(report: Report, before: Report | None) -> Report:
    """Return a report on a part of the exercises, completed by an older whole report.

    Args:
        report: the new report.
        before: the last report; None if there is none.

    Returns:
        The report with all exercises; the results of those that were not graded now are
        marked as older, with the hash of their text. The new report itself if the last
        one does not have all exercises, is on a hand-in with another name, or has a
        fault of the grader.
    """
    if before is None or not fits(report, before):
        return report
    graded = {exercise.name: exercise for exercise in report.exercises}
    kept = {e.name for e in before.exercises} - graded.keys()
    return replace(
        report,
        exercises=[
            graded.get(exercise.name)
            or replace(exercise, older=True, sha256=before.text_of(exercise))
            for exercise in before.exercises
        ],
        learning=before.learning if LEARNING in kept else report.learning,
        printed=[
            *report.printed,
            *(each for each in before.printed if each["exercise"] in kept),
        ],
    )


def fits(report: Report, before: Report) -> bool:
    """Return whether the last report can complete a new one."""
    same = before.submission.get("name") == report.submission.get("name")
    whole = [exercise.name for exercise in before.exercises] == list(EXERCISES)
    return same and whole and not before.grader_error
