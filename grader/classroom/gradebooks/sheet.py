"""Read the CSV file of a learning platform, and write it with some cells changed.

All other cells keep their bytes: the quotes, the line breaks, the encoding. Only a cell
that may be a formula gets an apostrophe in front.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from grader.contract.outcomes import UsageError
from grader.escape import csv_cell

# Blackboard's `.xls` is UTF-16 with tabs, as is "Unicode text" of Excel.
ENCODINGS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
QUOTED = '"[^"]*(?:""[^"]*)*"'


@dataclass(frozen=True)
class Row:
    """One row of a CSV file.

    Attributes:
        raw: the texts of the cells as they are in the file, with their quotes.
        end: the line break at the row's end; "" if there is none.
    """

    raw: list[str]
    end: str

    @cached_property
    def cells(self) -> list[str]:
        """The texts of the cells without the quotes."""
        return [
            text[1:-1].replace('""', '"') if text.startswith('"') else text
            for text in self.raw
        ]

    def at(self, column: int) -> str:
        """Return the cell in a column; "" if the row is shorter.

        Args:
            column: the index of the column, from 0.
        """
        return self.cells[column] if column < len(self.cells) else ""


@dataclass(frozen=True)
class Sheet:
    """A CSV file, cut into cells.

    Attributes:
        rows: all rows; the first one holds the columns' names.
        delimiter: the character between cells.
        mark: the byte order mark, with which the text begins, or "".
        encoding: the encoding of the file, as Python names it.
        suffix: the end of the file's name, such as ".csv".
    """

    rows: list[Row]
    delimiter: str
    mark: str
    encoding: str
    suffix: str

    @property
    def head(self) -> list[str]:
        """The columns' names, without spaces around them."""
        return [name.strip() for name in self.rows[0].cells] if self.rows else []

    def column(self, index: int, first: int = 1) -> list[str]:
        """Return the cells of a column without spaces around them.

        A row is left out if all its cells are empty.

        Args:
            index: the index of the column, from 0.
            first: the index of the first row to take.
        """
        return [row.at(index).strip() for row in self.rows[first:] if any(row.cells)]

    def text_with(self, changed: Mapping[tuple[int, int], str], first: int) -> str:
        """Return the file's text with some cells changed.

        If a spreadsheet would take any other cell for a formula, this cell gets an
        apostrophe in front, except in the rows before the first student's.

        Args:
            changed: the new texts of cells, by the indices of row and column. They get
                no apostrophe.
            first: the index of the first student's row.
        """
        parts = [self.mark]
        for i, row in enumerate(self.rows):
            raw = list(row.raw)
            for j, cell in enumerate(row.cells if i >= first else []):
                if (safe := harmless(cell)) != cell:
                    raw[j] = self.written(safe, raw[j])
            for (_, j), text in ((k, v) for k, v in changed.items() if k[0] == i):
                raw += [""] * (j + 1 - len(raw))
                raw[j] = self.written(text, raw[j])
            parts.append(self.delimiter.join(raw) + row.end)
        return "".join(parts)

    def written(self, text: str, before: str) -> str:
        """Return a cell's new text as it goes to the file, in quotes if need be.

        Args:
            text: the new text.
            before: the cell as it was in the file: if it had quotes, the new one has.
        """
        if before.startswith('"') or re.search(rf'["\r\n{self.delimiter}]', text):
            return '"' + text.replace('"', '""') + '"'
        return text


def sheet_at(path: str, option: str) -> Sheet:
    """Read a CSV file.

    Args:
        path: the path of the file.
        option: the option that names the file, for error messages.

    Raises:
        UsageError: the file cannot be read, or is text neither in UTF-8 nor in UTF-16
            with a byte order mark. Or a quote is not closed, or a cell goes on after
            its closing quote.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{option}={path}: {error.strerror}") from None
    encoding = ENCODINGS.get(data[:2], "utf-8")
    try:
        return sheet_of(data.decode(encoding), encoding, Path(path).suffix)
    except UnicodeDecodeError:
        words = f"{option}={path} is not UTF-8 text: export it as CSV UTF-8"
        raise UsageError(words) from None
    except UsageError as error:
        raise UsageError(f"{option}={path}: {error}") from None


def sheet_of(text: str, encoding: str = "utf-8", suffix: str = ".csv") -> Sheet:
    """Cut the text of a CSV file into cells.

    The delimiter is a comma, a semicolon or a tab: the most frequent one in the first
    line outside quotes.

    Args:
        text: the text of the file.
        encoding: the encoding of the file.
        suffix: the end of the file's name.

    Raises:
        UsageError: a quote is not closed, or a cell goes on after its closing quote.
    """
    body = text.removeprefix("\ufeff")
    names = re.sub(QUOTED, "", body).partition("\n")[0]
    delimiter = max(",;\t", key=names.count)
    one = re.compile(rf'({QUOTED}|(?:[^"\r\n{delimiter}][^\r\n{delimiter}]*)?)')
    after = re.compile(rf"{delimiter}|\r\n|\r|\n|\Z")
    rows: list[Row] = []
    raw: list[str] = []
    place = 0
    while place < len(body) or raw:
        cell = one.match(body, place)
        end = after.match(body, cell.end()) if cell else None
        if not cell or not end:
            words = f"it is no CSV file: row {len(rows) + 1} has an open quote"
            raise UsageError(words)
        raw.append(cell[0])
        place = end.end()
        if end[0] != delimiter:
            rows.append(Row(raw, end[0]))
            raw = []
    return Sheet(rows, delimiter, text[: len(text) - len(body)], encoding, suffix)


def as_csv(rows: Iterable[Sequence[str]]) -> str:
    """Return the text of a CSV file with these rows.

    Args:
        rows: the texts of the cells of each row.
    """
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()


def number(cell: str) -> float | None:
    """Return the number in a cell, or None if the cell holds no number.

    The last point or comma is the decimal point, and the others are left out. This is
    how Canvas reads a gradebook (instructure/canvas-lms, lib/gradebook_importer.rb).
    """
    text = re.sub(r"\s", "", cell)
    if not re.fullmatch(r"[-+]?[\d.,]*\d[\d.,]*", text):
        return None
    *parts, last = re.split("[.,]", text)
    return float("".join(parts) + "." + last if parts else last)


def harmless(cell: str) -> str:
    """Return a cell's text, with an apostrophe in front if it may be a formula.

    Numbers with a sign and the cell "-" are no formulas.
    """
    if cell == "-" or number(cell) is not None:
        return cell
    risky = csv_cell(cell).startswith("'") and not cell.startswith("'")
    return f"'{cell}" if risky else cell
