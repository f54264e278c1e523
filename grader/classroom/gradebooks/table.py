"""Make the text of `grades.csv`: a row for each owner of each hand-in."""

from collections.abc import Iterable

from grader.classroom.entries import NOT_ON_ROSTER, Entry
from grader.classroom.gradebooks.people import MATCHED_BY
from grader.classroom.gradebooks.sheet import as_csv
from grader.classroom.layouts import Owner
from grader.classroom.pool import timeouts
from grader.contract.exercises import EXERCISES
from grader.escape import csv_cell
from grader.report.model import plain_number

# The columns with points, and all columns.
POINTS = ("score", "max_score", *EXERCISES)
PERSON = ("hand_in", "name", "id")
CHANGES = ("adjusted", "reasons")
HEAD = (*PERSON, *POINTS, "late", "timeouts", *CHANGES, "note", "file")
ABSENT = "no hand-in"
NO_FILE = "handed in, but no file was found"


def table(
    entries: Iterable[Entry],
    absent: Iterable[Owner] = (),
    without_file: Iterable[tuple[Owner, str]] = (),
) -> str:
    """Return the text of `grades.csv`.

    Args:
        entries: all hand-ins with their results.
        absent: the people of the course who handed in nothing. Each gets a row
            without points and with the note "no hand-in".
        without_file: the people who handed in something, but of whom no file was found,
            each with what there is. Each gets such a row, too, with this in the note.
    """
    rows = [row for entry in entries for row in rows_of(entry)]
    nothing = [""] * (len(HEAD) - len(PERSON) - 2)
    notes = [(owner, ABSENT) for owner in absent]
    notes += [(owner, f"{NO_FILE}: {what}") for owner, what in without_file]
    rows += [["", *cells_of(owner), *nothing, note, ""] for owner, note in notes]
    return as_csv([HEAD, *rows])


def rows_of(entry: Entry) -> list[list[str]]:
    """Return the rows of a hand-in, one for each owner."""
    notes = entry.report.notes if entry.report else []
    if entry.stranger:
        notes = [f"{NOT_ON_ROSTER}: {entry.stranger}", *notes]
    entered = "" if entry.entered is None else str(plain_number(entry.entered))
    about = [
        *points_of(entry),
        "late" if entry.hand_in.late else "",
        str(timeouts(entry.report) or "") if entry.report and entry.graded else "",
        entered,
        csv_cell("; ".join(change.in_words() for change in entry.changes)),
        csv_cell("; ".join(filter(None, [entry.problem, *notes]))),
        csv_cell(entry.hand_in.entry),
    ]
    hand_in = entry.hand_in
    return [[entry.id, *cells_of(o, hand_in.group), *about] for o in hand_in.owners]


def cells_of(owner: Owner, group: str = "") -> list[str]:
    """Return the cells for the name and the identifiers of a person or group.

    Args:
        owner: the person or group.
        group: the name of the group in the download. If the owner has this name, the
            number in Moodle is left out: it can be the group's, and thus anybody's.
    """
    kinds = [kind for kind in MATCHED_BY if kind in owner.ids]
    if group == owner.name and "moodle" in kinds:
        kinds.remove("moodle")
    known = [owner.ids[kind] for kind in kinds]
    return [csv_cell(owner.name), csv_cell(" ".join(known))]


def points_of(entry: Entry) -> list[str]:
    """Return a hand-in's cells for the score, the full score and each exercise.

    All cells are "" if there is no score. The cell of an exercise that was not graded
    is "", too.
    """
    report = entry.report
    if report is None or not entry.graded:
        return [""] * len(POINTS)
    found = {"score": report.score, "max_score": report.max_score}
    found |= {exercise.name: exercise.score for exercise in report.exercises}
    return [str(plain_number(found[n])) if n in found else "" for n in POINTS]
