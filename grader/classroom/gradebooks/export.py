"""Read and write the CSV file of a gradebook, which is called an export here."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.contract.outcomes import UsageError
from grader.escape import csv_cell


@dataclass(frozen=True)
class Row:
    """One row of a CSV file.

    Attributes:
        raw: the row's text as it is in the file, with the line break at its end.
        cells: the texts of the row's cells.
    """

    raw: str
    cells: list[str]

    def at(self, column: int) -> str:
        """Return the cell in a column; "" if the row is shorter.

        Args:
            column: the index of the column, from 0.
        """
        return self.cells[column] if column < len(self.cells) else ""


@dataclass(frozen=True)
class Export:
    """The CSV file of a gradebook, parsed, and the place of the scores in it.

    Attributes:
        rows: all rows of the file; the first row holds the columns' names.
        delimiter: the character between cells.
        kinds: the columns that can identify a student. The key is the column's name;
            the value is the kind of identifier (see `Owner.ids`) in this column.
        first: the index of the first row that belongs to a student, from 0.
        column: the index of the column for the scores, from 0.
        maxima: for each row, the number to enter for a full score; every other score is
            scaled in proportion. 0 means that scores are not scaled.
    """

    rows: list[Row]
    delimiter: str
    kinds: dict[str, str]
    first: int
    column: int
    maxima: list[float]

    def with_scores(self, scores: Mapping[int, str]) -> str:
        """Return the file's text with the scores in their column.

        In the rows of students, a cell that a spreadsheet would take for a formula gets
        an apostrophe in front.

        Args:
            scores: the text of each score, by the index of the row in `rows`.
        """
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
    """Return the rows of a CSV file, and the delimiter between its cells.

    The delimiter is a comma, a semicolon or a tab: the most frequent one in the first
    line.

    Args:
        text: the file's text.

    Raises:
        UsageError: the text is no CSV file.
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
    """Return the text of a CSV file with these rows.

    Args:
        rows: the texts of the cells of each row.
        delimiter: the character between cells.
    """
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return file.getvalue()


def number(cell: str) -> float:
    """Return the number in a cell; 0 if the cell holds no number.

    A comma counts as a decimal point.
    """
    try:
        return float(cell.strip().replace(",", "."))
    except ValueError:
        return 0.0


def harmless(cell: str) -> str:
    """Return a cell's text, with an apostrophe in front if it may be a formula.

    Numbers with a sign and the cell "-" are no formulas.
    """
    if cell == "-":
        return cell
    try:
        float(cell)
    except ValueError:
        risky = csv_cell(cell).startswith("'") and not cell.startswith("'")
        return f"'{cell}" if risky else cell
    return cell
