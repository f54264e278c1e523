"""Make the text of `grades.csv`: a row for each owner of each hand-in."""

from collections.abc import Iterable

from grader.classroom.entries import Entry
from grader.classroom.gradebooks.people import MATCHED_BY
from grader.classroom.gradebooks.sheet import as_csv
from grader.classroom.pool import timeouts
from grader.contract.exercises import EXERCISES
from grader.escape import csv_cell
from grader.report.model import plain_number

# The columns with points, and all columns.
POINTS = ("score", "max_score", *EXERCISES)
HEAD = ("hand_in", "name", "id", *POINTS, "late", "timeouts", "note", "file")


def table(entries: Iterable[Entry]) -> str:
    """Return the text of `grades.csv`.

    Args:
        entries: all hand-ins with their results.
    """
    return as_csv([HEAD, *(row for entry in entries for row in rows_of(entry))])


def rows_of(entry: Entry) -> list[list[str]]:
    """Return the rows of a hand-in, one for each owner."""
    notes = entry.report.notes if entry.report else []
    about = [
        *points_of(entry),
        "late" if entry.hand_in.late else "",
        str(timeouts(entry.report) or "") if entry.report and entry.graded else "",
        csv_cell("; ".join(filter(None, [entry.problem, *notes]))),
        csv_cell(entry.hand_in.entry),
    ]
    rows = []
    for owner in entry.hand_in.owners:
        known = [owner.ids[kind] for kind in MATCHED_BY if kind in owner.ids]
        who = [csv_cell(owner.name), csv_cell(" ".join(known))]
        rows.append([entry.id, *who, *about])
    return rows


def points_of(entry: Entry) -> list[str]:
    """Return a hand-in's cells for the score, the largest score and each exercise.

    All cells are "" if there is no score. The cell of an exercise that was not graded
    is "", too.
    """
    report = entry.report
    if report is None or not entry.graded:
        return [""] * len(POINTS)
    found = {"score": report.score, "max_score": report.max_score}
    found |= {exercise.name: exercise.score for exercise in report.exercises}
    return [str(plain_number(found[n])) if n in found else "" for n in POINTS]
