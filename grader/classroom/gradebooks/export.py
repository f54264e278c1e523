"""Hold an export: the CSV file of a gradebook that a learning platform has written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.classroom.gradebooks.sheet import Row, Sheet, number
from grader.contract.outcomes import UsageError
from grader.report.model import plain_number

# Blackboard writes this into the cells of hand-ins that wait for a score.
WAITING = re.compile(r"-?|(Needs Grading|Needs Marking|In Progress)\b.*", re.I | re.S)


@dataclass(frozen=True)
class Export:
    """The CSV file of a gradebook, and the place of the scores in it.

    Attributes:
        platform: the name of the platform that has written the file.
        sheet: the file's cells.
        columns: the columns that can identify a student. The key is the kind of
            identifier (see `Owner.ids`), "name", or "group" for the name of the
            student's group. The value holds the indices of the columns, from 0: the
            parts of a name can be in several columns.
        first: the index of the first row that belongs to a student, from 0.
        column: the index of the column for the scores, from 0.
        maxima: for each row, the number to enter for a full score; every other score is
            scaled in proportion. 0 means that scores are not scaled.
        kept: for each row whose score must not be changed, the reason.
        note: a sentence on how the file was read; "" if there is nothing to say.
    """

    platform: str
    sheet: Sheet
    columns: dict[str, tuple[int, ...]]
    first: int
    column: int
    maxima: list[float]
    kept: dict[int, str] = field(default_factory=dict)
    note: str = ""

    @property
    def rows(self) -> list[Row]:
        """All rows of the file; the first row holds the columns' names."""
        return self.sheet.rows

    @property
    def file(self) -> str:
        """The name of the file that is written with the scores."""
        return f"gradebook{self.sheet.suffix}"

    def value(self, row: int, kind: str) -> str:
        """Return the identifier of one kind in a row; "" if there is none.

        Args:
            row: the index of the row, from 0.
            kind: the kind, as in the keys of `columns`. The texts of several columns of
                this kind are joined with spaces.
        """
        parts = (self.rows[row].at(column) for column in self.columns.get(kind, ()))
        return " ".join(part.strip() for part in parts if part.strip())

    def with_scores(self, scores: Mapping[int, float]) -> str:
        """Return the file's text with the scores in their column.

        Args:
            scores: the numbers to enter, already scaled, by the index of the row.
        """
        comma = decimal_comma(self.sheet, self.column)
        changed = {}
        for row, score in scores.items():
            text = str(plain_number(score))
            changed[row, self.column] = text.replace(".", ",") if comma else text
        return self.sheet.text_with(changed, self.first)


def decimal_comma(sheet: Sheet, column: int) -> bool:
    """Return whether the numbers of a file have a decimal comma.

    If no number in the column for the scores has a decimal sign, all columns are looked
    at. The result is False if commas and points both occur, or neither.

    Args:
        sheet: the file's cells.
        column: the index of the column for the scores, from 0.
    """
    for cells in (sheet.column(column), [c for row in sheet.rows for c in row.cells]):
        signs = {
            match[1]
            for cell in cells
            if (match := re.fullmatch(r"-?\d[\d.,]*([.,])\d+", cell.strip()))
        }
        if signs:
            return signs == {","}
    return False


def named(
    head: Sequence[str], kinds: Mapping[str, Sequence[str]]
) -> dict[str, tuple[int, ...]]:
    """Return the indices of columns by kind of identifier, for `Export.columns`.

    Kinds without a column are left out. Upper and lower case count as equal.

    Args:
        head: the names of all columns.
        kinds: by kind of identifier, the possible names of its columns.
    """
    found = {}
    for kind, names in kinds.items():
        wanted = {name.casefold() for name in names}
        if here := tuple(i for i, name in enumerate(head) if name.casefold() in wanted):
            found[kind] = here
    return found


def the_column(found: Sequence[int], assignment: str, others: Sequence[str]) -> int:
    """Return the only column of an assignment.

    Args:
        found: the indices of the columns with its name.
        assignment: the name, for error messages.
        others: the names of all columns for scores, for error messages.

    Raises:
        UsageError: no column, or more than one, has the name.
    """
    if len(found) == 1:
        return found[0]
    kind = "more than one column" if found else "no column"
    raise UsageError(
        f"ASSIGNMENT={assignment!r}: {kind} of that name in the gradebook. "
        f"It has: {', '.join(others) or 'no assignments'}"
    )


def told(sheet: Sheet, first: int, column: int) -> dict[int, str]:
    """Return why some scores must not be changed; the keys are indices of rows.

    The cell for such a score has a text, which is somebody's decision, as `EX` of
    Canvas is: the student is excused. An empty cell, "-", and Blackboard's words for a
    hand-in that waits for a score, such as "Needs Grading", are no decision.

    Args:
        sheet: the file's cells.
        first: the index of the first student's row.
        column: the index of the column for the scores.
    """
    return {
        i: f"its cell says {cell!r}"
        for i, row in enumerate(sheet.rows)
        if i >= first
        and number(cell := row.at(column).strip()) is None
        and not WAITING.fullmatch(cell)
    }
