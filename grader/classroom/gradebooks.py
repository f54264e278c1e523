"""Scores as CSV: a table of our own, and exports of Canvas and Moodle filled in place.

In an export only cells of scores change; what is above them, the column's names and
Canvas' Points Possible, stays to the byte.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from grader.classroom.entries import Entry
from grader.classroom.layouts import Owner, normal_name
from grader.classroom.pool import timeouts
from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import UsageError
from grader.escape import csv_cell
from grader.report.model import Report, plain_number

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


@dataclass
class Filled:
    """An export with scores.

    Attributes:
        text: of the whole file.
        without_row: who has a score, and no row that is surely theirs.
        without_score: rows left as they were, by their first cell.
        with_problem: whose cell was left alone, for the hand-in was not read or not
            imported.
        disputes: sentences on rows that were left alone, for more than one hand-in or
            somebody else could be meant.
    """

    text: str
    without_row: list[str] = field(default_factory=list)
    without_score: list[str] = field(default_factory=list)
    with_problem: list[str] = field(default_factory=list)
    disputes: list[str] = field(default_factory=list)


def table(entries: Iterable[Entry]) -> str:
    """`grades.csv`: a row for each person that handed in."""
    head = ["hand_in", "name", "id", "score", "max_score", *EXERCISES]
    head += ["late", "timeouts", "note", "file"]
    rows = [head]
    for entry in entries:
        report = entry.report if entry.graded else None
        points, late_answers = [""] * (2 + len(EXERCISES)), ""
        if report is not None:
            by_name = {e.name: str(plain_number(e.score)) for e in report.exercises}
            totals = [str(plain_number(n)) for n in (report.score, report.max_score)]
            late_answers = str(timeouts(report) or "")
            points = [*totals, *(by_name.get(name, "") for name in EXERCISES)]
        notes = entry.report.notes if entry.report else []
        note = "; ".join(filter(None, [entry.problem, *notes]))
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
                    csv_cell(note),
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


def fill_canvas(
    text: str, assignment: str, entries: Iterable[Entry], *, unread: str = ""
) -> Filled:
    """Canvas' exported gradebook with scores in the assignment's column.

    Scores are scaled to the column's Points Possible.

    Args:
        text: of the export.
        assignment: the column's name, with or without Canvas' number after it.
        entries: the class.
        unread: what is entered where there is nothing that runs; "": nothing.

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
    people = People(rows, CANVAS_COLUMNS, first)
    return fill(people, delimiter, column, maxima, entries, unread)


def fill_moodle(
    text: str, assignment: str, entries: Iterable[Entry], *, unread: str = ""
) -> Filled:
    """Moodle's grading worksheet, or an export of its gradebook, with scores.

    Scores are scaled to the row's Maximum Grade, where there is one.

    Args:
        text: of the export.
        assignment: the column's name in a gradebook; a worksheet has only one.
        entries: the class.
        unread: what is entered where there is nothing that runs; "": nothing.

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
    people = People(rows, MOODLE_COLUMNS, 1)
    return fill(people, delimiter, columns[0], maxima, entries, unread)


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


class People:
    """Who has which row of an export.

    Args:
        rows: of the export, names of columns first.
        kinds: for names of columns, what they identify somebody by.
        first: row of a student.

    Attributes:
        doubts: sentences on hand-ins whose row is not sure.
    """

    def __init__(self, rows: list[Row], kinds: dict[str, str], first: int) -> None:
        self.rows, self.first = rows, first
        self.columns = {
            kinds[name]: i for i, name in enumerate(rows[0].cells) if name in kinds
        }
        self.places: dict[str, dict[str, set[int]]] = {kind: {} for kind in MATCHED_BY}
        for kind, column in self.columns.items():
            for i, row in enumerate(rows[first:], first):
                if value := normal(row.at(column), kind):
                    # Some log in with their address.
                    for known_as in (kind, "email") if kind == "login" else (kind,):
                        self.places[known_as].setdefault(value, set()).add(i)
        self.doubts: list[str] = []

    def row_of(self, owner: Owner) -> int | None:
        """The row that is surely this person's; None where none is."""
        known = {**owner.ids, "name": owner.name}
        if [*owner.ids] == ["login"]:  # a folder's name may be any of these
            known |= dict.fromkeys(("sid", "email"), owner.ids["login"])
            rows = set().union(*self.found(known).values())
        else:
            rows = set()
            for kind, some in self.found(known).items():
                if kind == "moodle" and (other := self.others(some, owner.name)):
                    whose = f"number {known[kind]} is that of {other}"
                    self.doubts.append(f"{owner.name}: not entered, for {whose}")
                    return None
                rows = rows & some or rows or some
        if len(rows) > 1:
            self.doubts.append(
                f"{owner.name}: not entered, for {len(rows)} rows could be meant"
            )
        return next(iter(rows)) if len(rows) == 1 else None

    def found(self, known: dict[str, str]) -> dict[str, set[int]]:
        """The rows that agree with what is known of somebody, the surest kind first."""
        return {
            kind: some
            for kind in MATCHED_BY
            if kind in known
            if (some := self.places[kind].get(normal(known[kind], kind)))
        }

    def others(self, rows: set[int], name: str) -> str:
        """Whose rows they are instead, or "" where one may be of who has the name.

        Moodle numbers groups as well, and participants have the same numbers.
        """
        told = [self.name_in(row) for row in sorted(rows)]
        if any(same_name(name, other) for other in told):
            return ""
        return " and ".join(other or "somebody without a name" for other in told)

    def name_in(self, row: int) -> str:
        """The name in a row; where names are hidden, what is before the number."""
        if "name" in self.columns:
            return self.rows[row].at(self.columns["name"])
        return re.sub(r"\s*\d+\s*$", "", self.rows[row].at(self.columns["moodle"]))


def same_name(folder: str, name: str) -> bool:
    """Whether a folder of Moodle's is that of who has the name.

    Moodle leaves out of a folder's name what file systems do not take, and puts a group
    and a hyphen before it. Of bytes that are no text only the rest can be compared.
    """
    parts = folder.split("-")
    told = {letters("-".join(parts[i:])) for i in range(len(parts))}
    if re.search("[\ud800-\udfff�]", folder):
        return letters(ascii_of(name)) == letters(ascii_of(folder)) != ""
    return not letters(folder) or letters(name) in told


def letters(name: str) -> str:
    """The letters of a name in an order that does not depend on that of its parts."""
    return "".join(sorted(normal_name(name).replace(" ", "")))


def ascii_of(name: str) -> str:
    """What of a name is ASCII."""
    composed = unicodedata.normalize("NFC", name)
    return "".join(c for c in composed if c.isascii())


def fill(
    people: People,
    delimiter: str,
    column: int,
    maxima: list[float],
    entries: Iterable[Entry],
    unread: str,
) -> Filled:
    """The rows with scores.

    Args:
        people: of the export.
        delimiter: between cells.
        column: of the scores.
        maxima: for each row, the points that the full score is worth; 0 for our own.
        entries: the class.
        unread: what is entered where there is nothing that runs; "": nothing.
    """
    filled = Filled("")
    claims: dict[int, dict[int, Entry]] = {}
    for number, entry in enumerate(entries):
        for owner in entry.hand_in.owners:
            doubts = len(people.doubts)
            place = people.row_of(owner)
            if place is not None:
                claims.setdefault(place, {})[number] = entry
            if entry.report is None:
                continue
            if entry.problem and not unread:
                filled.with_problem.append(owner.name)
            elif place is None and len(people.doubts) == doubts:
                filled.without_row.append(owner.name)
    filled.disputes += people.doubts
    scores: dict[int, str] = {}
    for place, claim in claims.items():
        (entry, *others) = claim.values()
        if others:
            names = ", ".join(one.hand_in.entry for one in claim.values())
            who = people.rows[place].cells[0]
            words = f"not entered, for {len(claim)} hand-ins claim this row ({names})"
            filled.disputes.append(f"{who}: {words}")
        elif entry.report is not None and entry.problem:
            scores |= {place: unread} if unread else {}
        elif entry.report is not None:
            scores[place] = scaled(entry.report, maxima[place])
    parts = []
    for i, row in enumerate(people.rows):
        if i >= people.first and row.cells and i not in scores:
            filled.without_score.append(row.cells[0])
        if i < people.first:
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


def normal(value: str, kind: str) -> str:
    """What identifies somebody, so that it can be compared."""
    if kind == "name":
        return normal_name(value)
    if kind == "moodle":  # "Participant 123", in the site's language
        digits = re.search(r"\d+\s*$", value)
        return digits[0].strip() if digits else ""
    return unicodedata.normalize("NFKC", value).strip().casefold()


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
