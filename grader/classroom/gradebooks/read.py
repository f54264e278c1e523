"""Read an exported gradebook, whichever platform has written it."""

from grader.classroom.gradebooks.canvas import is_canvas, read_canvas
from grader.classroom.gradebooks.export import Export
from grader.classroom.gradebooks.moodle import is_moodle, read_moodle
from grader.classroom.gradebooks.others import (
    is_blackboard,
    is_brightspace,
    read_blackboard,
    read_brightspace,
)
from grader.classroom.gradebooks.sheet import Sheet
from grader.contract.outcomes import UsageError

READERS = (  # Moodle is the last, because its columns can have any name
    (is_canvas, read_canvas),
    (is_brightspace, read_brightspace),
    (is_blackboard, read_blackboard),
    (is_moodle, read_moodle),
)
EXPECTED = """\
- Canvas: the columns Student, ID, Section
- Moodle's worksheet: Participant 123 in the first column
- Moodle's gradebook: e-mail addresses, and the column Assignment: name (Real)
- Blackboard: the column Username, and name [Total Pts: 100 Score] |123
- Brightspace: the column OrgDefinedId"""


def read_export(sheet: Sheet, assignment: str) -> Export:
    """Find the students and the column for the scores in an exported gradebook.

    Args:
        sheet: the file.
        assignment: the name of the assignment, or of the column for its scores. A
            worksheet of Moodle needs no name.

    Raises:
        UsageError: the file is no gradebook of a known platform; or no column, or more
            than one, is for the scores; or Canvas accepts no scores in the column.
    """
    for is_export, read in READERS:
        if is_export(sheet):
            return read(sheet, assignment)
    head = ", ".join(sheet.head)[:200] or "nothing"
    words = f"GRADEBOOK: no export that is known begins like this: {head}"
    raise UsageError(f"{words}. Expected is one of\n{EXPECTED}")
