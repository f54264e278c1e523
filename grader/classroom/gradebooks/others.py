"""Read the gradebooks that Blackboard and Brightspace export.

The source of neither platform is public. The form of their files is known from public
programs that read them.
"""

import re
from collections.abc import Mapping, Sequence

from grader.classroom.gradebooks.export import Export, named, the_column, told
from grader.classroom.gradebooks.sheet import Sheet, number
from grader.contract.outcomes import UsageError

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
# As in "Homework [Total Pts: 100 Score] |123456". Other languages have other words.
POINTS = re.compile(
    r"(?P<name>.+) \[(?P<words>[^\[\]]*?)(?P<most>\d[\d.,]*)(?P<shown>[^\[\]]*)\]"
    r" *\|\d+"
)
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
        UsageError: no column, or more than one, has this name; or Blackboard shows
            something else than points in it.
    """
    export = read(sheet, assignment, "Blackboard", BLACKBOARD, POINTS)
    require_points(sheet, export.column, assignment)
    return export


def require_points(sheet: Sheet, column: int, assignment: str) -> None:
    """Check that the numbers in a column of Blackboard are points.

    Otherwise a number that is entered may be taken for a percentage. Of 100 points,
    both are the same number. The word for points is not known in all languages; there
    a number in the column shows that it has points.

    Args:
        sheet: the file from Blackboard.
        column: the index of the column, which has a name of the form `POINTS`.
        assignment: the name of the assignment, for the message.

    Raises:
        UsageError: the column shows percentages, letters or words, or perhaps does.
    """
    match = POINTS.fullmatch(sheet.head[column])
    shown = match["shown"].strip() if match else ""
    is_english = bool(match and match["words"].startswith("Total Pts"))
    cells = sheet.column(column)
    percent = any(cell.endswith("%") for cell in cells)
    percent = percent or shown == "Percentage"
    if percent and match and number(match["most"]) == 100:
        return
    known = shown in ("", "Score")
    if not (known or is_english):
        known = any(number(cell) is not None for cell in cells)
    if percent or not known:
        advice = ""
        if not (is_english or percent):
            advice = f" (if {shown} is this, enter one score there by hand first)"
        raise UsageError(
            f"ASSIGNMENT={assignment!r}: Blackboard shows its column as "
            f"{shown or 'percentages'}, and may take points for something else. Set "
            f"its primary display to Score in Blackboard, then download again{advice}"
        )


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
