"""Read a grading worksheet or a gradebook that Moodle exports."""

from grader.classroom.gradebooks.export import Export, number, read
from grader.contract.outcomes import UsageError

KINDS = {  # by column name, the kind of identifier, see `Owner.ids`
    "Identifier": "moodle",
    "ID number": "sid",
    "Email address": "email",
    "Username": "login",
    "Full name": "name",
}
NEEDED = {"Identifier", "Email address", "ID number"}  # one at least is in every export
GRADE, MAXIMUM = "Grade", "Maximum Grade"


def read_moodle(text: str, assignment: str) -> Export:
    """Parse the text of a gradebook or grading worksheet from Moodle.

    The number of points for a full score is read, for each student, from the column
    "Maximum Grade". It is 0 if there is no such column.

    Args:
        text: the text of the file from Moodle.
        assignment: the name of the column for the scores. A worksheet has one such
            column, "Grade", and needs no name.

    Raises:
        UsageError: the text is no such file, or no column, or more than one, is for
            the scores.
    """
    rows, delimiter = read(text)
    head = rows[0].cells if rows else []
    if not NEEDED & {*head}:
        raise UsageError(
            "MOODLE: no worksheet and no export of a gradebook: none of the columns "
            "Identifier, Email address, ID number (set Moodle to English to export)"
        )
    column = column_of(head, assignment)
    maxima = [0.0] * len(rows)
    if MAXIMUM in head:
        maxima = [number(row.at(head.index(MAXIMUM))) for row in rows]
    return Export(rows, delimiter, KINDS, 1, column, maxima)


def column_of(head: list[str], assignment: str) -> int:
    """Return the index of the column for the scores, from 0.

    If no column has the name, the result is the column "Grade" of a worksheet.

    Args:
        head: the names of all columns.
        assignment: the name of the assignment or of its column; "" for a worksheet.

    Raises:
        UsageError: more than one column has the name, or the file has neither a column
            of this name nor a column "Grade".
    """
    wanted = {assignment, f"Assignment: {assignment} (Real)"} - {""}
    columns = [i for i, name in enumerate(head) if name in wanted]
    if not columns and GRADE in head:
        columns = [head.index(GRADE)]
    if len(columns) != 1:
        raise UsageError(
            f"ASSIGNMENT={assignment!r}: no column of that name in the export of "
            f"Moodle. It has: {', '.join(head)}"
        )
    return columns[0]
