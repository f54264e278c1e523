"""Read the gradebook that Canvas exports.

The source of Canvas (instructure/canvas-lms) says what is in the file, in
lib/gradebook_exporter.rb, and what Canvas accepts back, in lib/gradebook_importer.rb.
"""

import re

from grader.classroom.gradebooks.export import Export, named, the_column, told
from grader.classroom.gradebooks.sheet import Sheet, number
from grader.contract.outcomes import UsageError

# These names are English in all languages. Teachers without the right to see SIS data
# get neither the SIS User ID nor the Integration ID.
KINDS = {
    "canvas": ["ID"],
    "sid": ["SIS User ID"],
    "login": ["SIS Login ID"],
    "name": ["Student", "LastName", "FirstName"],
}
WITH_NUMBER = re.compile(r"(.+) \(\d+\)", re.S)
NO_STUDENT = re.compile(r"\s*(Muted|Manual Posting.*)?\s*", re.I)


def is_canvas(sheet: Sheet) -> bool:
    """Return whether a file is a gradebook of Canvas."""
    names = {*sheet.head}
    return {"ID", "Section"} <= names and bool({"Student", "LastName"} & names)


def read_canvas(sheet: Sheet, assignment: str) -> Export:
    """Find the students and the column for the scores in a gradebook of Canvas.

    The number of points for a full score is read from the row "Points Possible" and
    holds for all students. If the row or the number is missing, scores are not scaled.

    Args:
        sheet: the file from Canvas.
        assignment: the name of the column for the scores; the number that Canvas adds,
            as in "Homework 2 (123)", may be left out.

    Raises:
        UsageError: no column, or more than one, has this name, or Canvas accepts no
            scores in it.
    """
    head = sheet.head
    # Columns of the teacher's own follow after the section; only assignments have a
    # number.
    numbered = [
        i for i in range(head.index("Section"), len(head)) if WITH_NUMBER.match(head[i])
    ]
    found = [
        i
        for i in numbered
        if assignment == head[i]
        or ((match := WITH_NUMBER.fullmatch(head[i])) and match[1] == assignment)
    ]
    column = the_column(found, assignment, [head[i] for i in numbered])
    first, possible = 1, 0.0
    for row in sheet.rows[1:]:
        cell = row.at(column).strip()
        if "Points Possible" in row.at(0):
            if cell and number(cell) is None:
                words = f"Canvas does not let its column be changed: {cell}"
                raise UsageError(f"ASSIGNMENT={assignment!r}: {words}")
            possible = number(cell) or 0.0
        elif not all(NO_STUDENT.fullmatch(text) for text in row.cells):
            break
        elif cell.startswith("Manual Posting "):  # (scores hidden from instructors)
            words = "it is anonymous, and Canvas accepts no scores yet"
            advice = "post its grades in Canvas and export again"
            raise UsageError(f"ASSIGNMENT={assignment!r}: {words}: {advice}")
        first += 1
    columns = named(head, KINDS)
    maxima = [possible] * len(sheet.rows)
    kept = told(sheet, first, column)
    return Export("Canvas", sheet, columns, first, column, maxima, kept)
