"""An export of a gradebook: its rows, its columns, and its text with scores."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.contract.outcomes import UsageError
from grader.escape import csv_cell


@dataclass(frozen=True)
class Row:
    """One row: its text in the file with the end of the line, and its cells."""

    raw: str
    cells: list[str]

    def at(self, column: int) -> str:
        """Return a cell; "" where the row is too short."""
        return self.cells[column] if column < len(self.cells) else ""


@dataclass(frozen=True)
class Export:
    """An export, and where in it the scores go.

    Attributes:
        rows: of the file, the names of the columns first.
        delimiter: between cells.
        kinds: by the name of a column, which kind of id stands in it.
        first: the number of the first row of a student.
        column: the number of the column with the scores.
        maxima: for each row, the points that the full score is worth; 0 to enter our
            points as they are.
    """

    rows: list[Row]
    delimiter: str
    kinds: dict[str, str]
    first: int
    column: int
    maxima: list[float]

    def with_scores(self, scores: Mapping[int, str]) -> str:
        """Return the text of the file with these scores, by the numbers of rows."""
        parts = [row.raw for row in self.rows[: self.first]]
        for i, row in enumerate(self.rows[self.first :], self.first):
            cells = [harmless(cell) for cell in row.cells]
            if i in scores:
                cells += [""] * (self.column + 1 - len(cells))
                cells[self.column] = scores[i]
            if cells == row.cells:
                parts.append(row.raw)
            else:
                end = row.raw[len(row.raw.rstrip("\r\n")) :]
                parts.append(as_csv([cells], self.delimiter).removesuffix("\n") + end)
        return "".join(parts)


def read(text: str) -> tuple[list[Row], str]:
    """Return the rows of a CSV file and its delimiter.

    Raises:
        UsageError: it is no CSV file.
    """
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


def as_csv(rows: Iterable[Sequence[str]], delimiter: str = ",") -> str:
    """Return rows as the text of a CSV file."""
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return file.getvalue()


def number(cell: str) -> float:
    """Return the number in a cell, 0 where there is none."""
    try:
        return float(cell.strip().replace(",", "."))
    except ValueError:
        return 0.0


def harmless(cell: str) -> str:
    """Return a cell of the export so that a spreadsheet does not compute it.

    Numbers stay, with their signs, and so does "-".
    """
    if cell == "-":
        return cell
    try:
        float(cell)
    except ValueError:
        risky = csv_cell(cell).startswith("'") and not cell.startswith("'")
        return f"'{cell}" if risky else cell
    return cell
