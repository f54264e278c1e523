"""Read the gradebook that Canvas exports."""

import re

from grader.classroom.gradebooks.export import Export, number, read
from grader.contract.outcomes import UsageError

KINDS = {  # by column name, the kind of identifier, see `Owner.ids`
    "ID": "canvas",
    "SIS User ID": "sid",
    "SIS Login ID": "login",
    "Student": "name",
}
ABOUT = 5  # columns before the assignments: Student, ID, Section and the like


def read_canvas(text: str, assignment: str) -> Export:
    """Parse the text of a gradebook from Canvas.

    The number of points for a full score is read from the row "Points Possible" and
    holds for all students. It is 0 if there is no such row.

    Args:
        text: the text of the file from Canvas.
        assignment: the name of the column for the scores; the number that Canvas adds,
            as in "Homework 2 (123)", may be left out.

    Raises:
        UsageError: the text is no gradebook of Canvas, or no column, or more than one,
            has this name.
    """
    rows, delimiter = read(text)
    head = rows[0].cells if rows else []
    if "Student" not in head or "ID" not in head:
        raise UsageError("CANVAS: no export of a gradebook: no columns Student and ID")
    column = column_of(head, assignment)
    first, possible = 1, 0.0
    for i, row in enumerate(rows):
        if row.cells and row.cells[0].strip() == "Points Possible":
            first, possible = i + 1, number(row.at(column))
    return Export(rows, delimiter, KINDS, first, column, [possible] * len(rows))


def column_of(head: list[str], assignment: str) -> int:
    """Return the index of the column for the scores, from 0.

    Args:
        head: the names of all columns. The first `ABOUT` columns are skipped, because
            they describe the student.
        assignment: the column's name, with or without the number that Canvas adds.

    Raises:
        UsageError: no column, or more than one, has this name.
    """
    named = re.compile(re.escape(assignment) + r"( \(\d+\))?")
    columns = [i for i, name in enumerate(head) if named.fullmatch(name) and i >= ABOUT]
    if not assignment or len(columns) != 1:
        others = ", ".join(name for name in head if re.search(r"\(\d+\)$", name))
        kind = "no column" if not columns else "more than one column"
        raise UsageError(
            f"ASSIGNMENT={assignment!r}: {kind} of that name in the export of Canvas. "
            f"It has: {others or 'no assignments'}"
        )
    return columns[0]
