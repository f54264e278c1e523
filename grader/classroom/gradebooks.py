"""Scores as CSV: a table of our own, and exports of Canvas and Moodle filled in place.

In an export only cells of scores change; what is above them, the column's names and
Canvas' Points Possible, stays to the byte.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from grader.classroom.layouts import HandIn, normal_name
from grader.classroom.pool import timeouts
from grader.escape import csv_cell
from grader.report import EXERCISES, Report, plain_number
from grader.submission import UsageError

# What hand-in and row are matched by, the surest first.
MATCHED_BY = ("canvas", "moodle", "sid", "email", "login", "name")
CANVAS_COLUMNS = {
    "ID": "canvas",
    "SIS User ID": "sid",
    "SIS Login ID": "login",
    "Student": "name",
}
MOODLE_COLUMNS = {
    "Identifier": "moodle",
    "ID number": "sid",
    "Email address": "email",
    "Username": "login",
    "Full name": "name",
}
MOODLE_GRADE, MOODLE_MAXIMUM = "Grade", "Maximum Grade"


@dataclass(frozen=True)
class Entry:
    """One hand-in with its result.

    Attributes:
        id: by which the class page calls it.
        hand_in: whose it is.
        report: of its grading, or None.
        why_not: why there is no report.
    """

    id: str
    hand_in: HandIn
    report: Report | None
    why_not: str = ""

    @property
    def score(self) -> float | None:
        """Points, if it was graded."""
        return self.report.score if self.report else None


@dataclass
class Filled:
    """An export with scores.

    Attributes:
        text: of the whole file.
        without_row: hand-ins with a score that no row could be found for.
        without_score: rows left as they were, by their first cell.
    """

    text: str
    without_row: list[str] = field(default_factory=list)
    without_score: list[str] = field(default_factory=list)


def table(entries: Iterable[Entry]) -> str:
    """`grades.csv`: a row for each person that handed in."""
    head = ["hand_in", "name", "id", "score", "max_score", *EXERCISES]
    head += ["late", "timeouts", "note", "file"]
    rows = [head]
    for entry in entries:
        report = entry.report
        points, late_answers = [""] * (2 + len(EXERCISES)), ""
        if report is not None:
            by_name = {e.name: str(plain_number(e.score)) for e in report.exercises}
            totals = [str(plain_number(n)) for n in (report.score, report.max_score)]
            late_answers = str(timeouts(report) or "")
            points = [*totals, *(by_name.get(name, "") for name in EXERCISES)]
        for owner in entry.hand_in.owners:
            known = [owner.ids[kind] for kind in MATCHED_BY if kind in owner.ids]
            rows.append(
                [
                    entry.id,
                    csv_cell(owner.name),
                    csv_cell(" ".join(known)),
                    *points,
                    "late" if entry.hand_in.late else "",
                    late_answers,
                    csv_cell(entry.why_not),
                    csv_cell(entry.hand_in.entry),
                ]
            )
    return as_csv(rows)


def as_csv(rows: Iterable[Sequence[str]], delimiter: str = ",") -> str:
    """Rows as the text of a CSV file."""
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return file.getvalue()


# ---------------------------------------------------------------------- the exports


def fill_canvas(text: str, assignment: str, entries: Iterable[Entry]) -> Filled:
    """Canvas' exported gradebook with scores in the assignment's column.

    Scores are scaled to the column's Points Possible.

    Args:
        text: of the export.
        assignment: the column's name, with or without Canvas' number after it.
        entries: the class.

    Raises:
        UsageError: it is no such export, or has no such column.
    """
    rows, delimiter = read(text)
    head = rows[0].cells if rows else []
    if "Student" not in head or "ID" not in head:
        raise UsageError("CANVAS: no export of a gradebook: no columns Student and ID")
    named = re.compile(re.escape(assignment) + r"( \(\d+\))?")
    # "Student", "ID", "Section" and the like are no assignments.
    columns = [i for i, name in enumerate(head) if named.fullmatch(name) and i > 4]
    if not assignment or len(columns) != 1:
        others = ", ".join(name for name in head if re.search(r"\(\d+\)$", name))
        kind = "no column" if not columns else "more than one column"
        raise UsageError(
            f"ASSIGNMENT={assignment!r}: {kind} of that name in the export of Canvas. "
            f"It has: {others or 'no assignments'}"
        )
    (column,) = columns
    first, possible = 1, 0.0
    for i, row in enumerate(rows):
        if row.cells and row.cells[0].strip() == "Points Possible":
            first, possible = i + 1, number(row.at(column))
    maxima = [possible] * len(rows)
    return fill(rows, delimiter, CANVAS_COLUMNS, column, first, maxima, entries)


def fill_moodle(text: str, assignment: str, entries: Iterable[Entry]) -> Filled:
    """Moodle's grading worksheet, or an export of its gradebook, with scores.

    Scores are scaled to the row's Maximum Grade, where there is one.

    Args:
        text: of the export.
        assignment: the column's name in a gradebook; a worksheet has only one.
        entries: the class.

    Raises:
        UsageError: it is no such export, or has no such column.
    """
    rows, delimiter = read(text)
    head = rows[0].cells if rows else []
    if not set(head) & {"Identifier", "Email address", "ID number"}:
        raise UsageError(
            "MOODLE: no worksheet and no export of a gradebook: none of the columns "
            "Identifier, Email address, ID number (set Moodle to English to export)"
        )
    wanted = {assignment, f"Assignment: {assignment} (Real)"} - {""}
    columns = [i for i, name in enumerate(head) if name in wanted]
    if not columns and MOODLE_GRADE in head:
        columns = [head.index(MOODLE_GRADE)]
    if len(columns) != 1:
        raise UsageError(
            f"ASSIGNMENT={assignment!r}: no column of that name in the export of "
            f"Moodle. It has: {', '.join(head)}"
        )
    maxima = [0.0] * len(rows)
    if MOODLE_MAXIMUM in head:
        maxima = [number(row.at(head.index(MOODLE_MAXIMUM))) for row in rows]
    return fill(rows, delimiter, MOODLE_COLUMNS, columns[0], 1, maxima, entries)


@dataclass(frozen=True)
class Row:
    """One row: its text in the file, its end included, and its cells."""

    raw: str
    cells: list[str]

    def at(self, column: int) -> str:
        """A cell; "" where the row is too short."""
        return self.cells[column] if column < len(self.cells) else ""


def read(text: str) -> tuple[list[Row], str]:
    """The rows of a CSV file, and what is between its cells."""
    body = text.removeprefix("\ufeff")
    first = body.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    lines = io.StringIO(body, newline="")
    taken: list[str] = []

    def noted() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    rows = []
    try:
        for cells in csv.reader(noted(), delimiter=delimiter):
            rows.append(Row("".join(taken), cells))
            taken.clear()
    except csv.Error as error:
        raise UsageError(f"the export is no CSV file: {error}") from None
    if rows and text != body:
        rows[0] = Row("\ufeff" + rows[0].raw, rows[0].cells)
    return rows, delimiter


def fill(
    rows: list[Row],
    delimiter: str,
    kinds: dict[str, str],
    column: int,
    first: int,
    maxima: list[float],
    entries: Iterable[Entry],
) -> Filled:
    """The rows with scores.

    Args:
        rows: of the export, names of columns first.
        delimiter: between cells.
        kinds: for names of columns, what they identify somebody by.
        column: of the scores.
        first: row of a student.
        maxima: for each row, the points that the full score is worth; 0 for our own.
        entries: the class.
    """
    head = rows[0].cells
    people = [(i, kinds[name]) for i, name in enumerate(head) if name in kinds]
    places = {kind: row_by_value(rows, first, i, kind) for i, kind in people}
    places["email"] = {**places.get("login", {}), **places.get("email", {})}
    scores: dict[int, str] = {}
    filled = Filled("")
    for entry in entries:
        if entry.report is None:
            continue
        for owner in entry.hand_in.owners:
            # A folder's name may be any of these; a full name is never sure.
            known = {**owner.ids, "name": owner.name}
            if "login" in known:
                known = {"sid": known["login"], "email": known["login"], **known}
            found = (
                places.get(kind, {}).get(normal(known[kind], kind))
                for kind in MATCHED_BY
                if kind in known
            )
            place = next((place for place in found if place is not None), None)
            if place is None:
                filled.without_row.append(owner.name)
            else:
                scores[place] = scaled(entry.report, maxima[place])
    parts = []
    for i, row in enumerate(rows):
        if i >= first and row.cells and i not in scores:
            filled.without_score.append(row.cells[0])
        if i < first:
            parts.append(row.raw)
            continue
        cells = [harmless(cell) for cell in row.cells]
        if i in scores:
            cells += [""] * (column + 1 - len(cells))
            cells[column] = scores[i]
        if cells == row.cells:
            parts.append(row.raw)
        else:
            end = row.raw[len(row.raw.rstrip("\r\n")) :]
            parts.append(as_csv([cells], delimiter).removesuffix("\n") + end)
    filled.text = "".join(parts)
    return filled


def row_by_value(
    rows: list[Row], first: int, column: int, kind: str
) -> dict[str, int | None]:
    """By what a column says of somebody, the row; None where two rows say the same."""
    found: dict[str, int | None] = {}
    for i, row in enumerate(rows[first:], first):
        value = normal(row.at(column), kind)
        if value:
            found[value] = None if value in found else i
    return found


def normal(value: str, kind: str) -> str:
    """What identifies somebody, so that it can be compared."""
    if kind == "name":
        return normal_name(value)
    if kind == "moodle":  # "Participant 123", in the site's language
        digits = re.search(r"\d+\s*$", value)
        return digits[0].strip() if digits else ""
    return value.strip().casefold()


def scaled(report: Report, maximum: float) -> str:
    """The score as it is entered.

    Args:
        report: of the hand-in.
        maximum: what the full score is worth; 0 for the report's own.
    """
    full = report.max_score
    return str(plain_number(report.score * (maximum or full) / full))


def number(cell: str) -> float:
    """A number of an export, 0 where it is none."""
    try:
        return float(cell.strip().replace(",", "."))
    except ValueError:
        return 0.0


def harmless(cell: str) -> str:
    """A cell that is in the export already; numbers stay, signs and all, and "-"."""
    if cell == "-":
        return cell
    try:
        float(cell)
    except ValueError:
        risky = csv_cell(cell).startswith("'") and not cell.startswith("'")
        return f"'{cell}" if risky else cell
    return cell
