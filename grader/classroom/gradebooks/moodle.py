"""Read a grading worksheet of Moodle, or an export of its gradebook."""

from grader.classroom.gradebooks.export import Export, number, read
from grader.contract.outcomes import UsageError

KINDS = {
    "Identifier": "moodle",
    "ID number": "sid",
    "Email address": "email",
    "Username": "login",
    "Full name": "name",
}
NEEDED = {"Identifier", "Email address", "ID number"}  # one of them at least
GRADE, MAXIMUM = "Grade", "Maximum Grade"


def read_moodle(text: str, assignment: str) -> Export:
    """Return the export; scores are to be scaled to a row's Maximum Grade, if any.

    Args:
        text: of the export.
        assignment: the column's name in a gradebook; a worksheet has only one.

    Raises:
        UsageError: it is no such export, or has no such column.
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
    """Return the number of the column with the scores.

    Raises:
        UsageError: there is none, or more than one.
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
