"""Read the gradebooks that Blackboard and Brightspace export.

The source of neither platform is public. The form of their files is known from public
programs that read them.
"""

import re
from collections.abc import Mapping, Sequence

from grader.classroom.gradebooks.export import Export, named, the_column, told
from grader.classroom.gradebooks.sheet import Sheet, number

BLACKBOARD = {
    "sid": ["Student ID"],
    "login": ["Username"],
    "name": ["First Name", "Last Name"],
}
BRIGHTSPACE = {  # the values of the first two begin with "#"
    "sid": ["OrgDefinedId"],
    "login": ["Username"],
    "email": ["Email"],
    "name": ["First Name", "Last Name"],
}
# As in "Homework [Total Pts: 100 Score] |123456".
POINTS = re.compile(r"(?P<name>.+) \[[^\[\]]*?(?P<most>\d[\d.,]*)[^\[\]]*\] *\|\d+")
# As in "Homework Points Grade <Numeric MaxPoints:100 Weight:5>".
GRADE = re.compile(r"(?P<name>.+) Points Grade(?: <\D*(?P<most>\d[\d.,]*).*>)?")


def is_blackboard(sheet: Sheet) -> bool:
    """Return whether a file is a gradebook of Blackboard."""
    return "Username" in sheet.head and any(map(POINTS.fullmatch, sheet.head))


def read_blackboard(sheet: Sheet, assignment: str) -> Export:
    """Find the students and the column for the scores in a gradebook of Blackboard.

    Args:
        sheet: the file from Blackboard.
        assignment: the name of the assignment, such as "Homework", or of the whole
            column, such as "Homework [Total Pts: 100 Score] |123456".

    Raises:
        UsageError: no column, or more than one, has this name.
    """
    return read(sheet, assignment, "Blackboard", BLACKBOARD, POINTS)


def is_brightspace(sheet: Sheet) -> bool:
    """Return whether a file is a gradebook of Brightspace."""
    return "End-of-Line Indicator" in sheet.head or "OrgDefinedId" in sheet.head


def read_brightspace(sheet: Sheet, assignment: str) -> Export:
    """Find the students and the column for the scores in a gradebook of Brightspace.

    Args:
        sheet: the file from Brightspace.
        assignment: the name of the assignment, such as "Homework", or of the whole
            column, such as "Homework Points Grade <Numeric MaxPoints:100 Weight:5>".

    Raises:
        UsageError: no column, or more than one, has this name.
    """
    return read(sheet, assignment, "Brightspace", BRIGHTSPACE, GRADE)


def read(
    sheet: Sheet,
    assignment: str,
    platform: str,
    kinds: Mapping[str, Sequence[str]],
    pattern: re.Pattern,
) -> Export:
    """Find the students and the column for the scores in a gradebook.

    Args:
        sheet: the file.
        assignment: the name of the assignment, or of the whole column for the scores.
        platform: the name of the platform.
        kinds: by kind of identifier, the names of its columns.
        pattern: the form of the name of a column for scores. Its group "name" is the
            assignment's name; "most" is the number of points for a full score.

    Raises:
        UsageError: no column, or more than one, has this name.
    """
    matches = {i: m for i, n in enumerate(sheet.head) if (m := pattern.fullmatch(n))}
    found = [i for i, m in matches.items() if assignment in (m[0], m["name"])]
    column = the_column(found, assignment, [m["name"] for m in matches.values()])
    most = number(matches[column]["most"] or "") or 0.0
    maxima, kept = [most] * len(sheet.rows), told(sheet, 1, column)
    return Export(platform, sheet, named(sheet.head, kinds), 1, column, maxima, kept)
