"""Complete a report on one exercise with the results of the last report.

A run with `ONLY` grades one exercise. The results of all other exercises are copied
from the last report on the same hand-in, and marked as older. They keep the hash of the
text that was graded, so that the report can say whether the hand-in has changed since.
"""

from dataclasses import replace

from grader.contract.exercises import EXERCISES, LEARNING
from grader.report.model import Report


def with_older(report: Report, before: Report | None) -> Report:
    """Return a report on one exercise, completed with results of the last report.

    Args:
        report: the new report.
        before: the last report; None if there is none.

    Returns:
        A report on all exercises. The results that come from the last report are marked
        as older, and have the hash of the text that was graded. The new report is
        returned unchanged if there is no last report, or if `fits` is False for it.
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
    """Return whether the last report can complete a new one.

    The last report has to be on a hand-in of the same name, and on all exercises. This
    hand-in was read and imported, and the report has no fault of the grader.
    """
    same = before.submission.get("name") == report.submission.get("name")
    whole = [exercise.name for exercise in before.exercises] == list(EXERCISES)
    return same and whole and not (before.problem or before.grader_error)
