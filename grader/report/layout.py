"""Print lines of a report, wrapped to the width of the console.

Every text of a report is printed by a function of this module.
"""

import re
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from grader.escape import is_command
from grader.report.symbols import fit

MARGIN = "      "  # before all text on a check
LEAST = 24  # columns that must remain beside a label; else the text goes below it


def print_line(words: str, console: Console, style: str = "") -> None:
    """Print a text from the left edge, wrapped to the width of the console."""
    print_block(words, console, style, margin="")


def print_row(
    words: str, right: str, console: Console, *, mark: str = "", style: str = ""
) -> None:
    """Print a text, wrapped, with points at the right edge of its first line.

    Args:
        words: the text.
        right: the points in words.
        console: the console to print on.
        mark: printed before the text. Further lines of the text are indented by the
            length of the mark.
        style: rich's style for the mark. If there is no mark, or if the style is "dim",
            it is the style of the whole line.
    """
    mark = fit(mark, console.encoding)
    room = console.width - len(mark) - len(right) - 1
    first, *more = wrapped(words, console, room)
    of_text = ("dim" if style == "dim" else "") if mark else style
    whole = f"{set_cell_size(first, room)} {right}".rstrip()
    print_safely(Text.assemble((mark, style), (whole, of_text)), console, " ")
    for each in more:
        print_safely(Text(" " * len(mark) + each, of_text), console, " ")


def print_block(
    words: str,
    console: Console,
    style: str = "",
    *,
    label: str = "",
    margin: str = MARGIN,
) -> None:
    """Print a text with a margin, wrapped to the width of the console.

    Args:
        words: the text.
        console: the console to print on.
        style: rich's style of the text.
        label: printed before the text. Further lines of the text are indented by the
            length of the label. If less than `LEAST` columns remain beside the label,
            the text goes below it.
        margin: blanks before each line.
    """
    label = fit(label, console.encoding)
    room = console.width - len(margin) - len(label)
    if label and room < LEAST:
        print_safely(Text(margin + label.rstrip(), style), console, margin)
        label, room = "  ", console.width - len(margin) - 2
    for line in wrapped(words, console, room):
        print_safely(Text(f"{margin}{label}{line}", style), console, margin)
        label = " " * len(label)


def print_blocks(lines: Sequence[str], console: Console) -> None:
    """Print texts with a margin, each wrapped to the width of the console."""
    for line in lines:
        print_block(line, console)


def print_table(lines: Sequence[str], console: Console) -> None:
    """Print a table with a margin; columns for which there is no room are left out.

    The widest columns are left out first, but never the last two. A line below the
    table names the columns that are missing.

    Args:
        lines: the lines of the table, the headings first. Lines without columns may
            stand above them; they are cut if they are too long.
        console: the console to print on.
    """
    lines, room = [*lines], console.width - len(MARGIN)
    while lines and "  " not in lines[0].strip():
        print_cut(lines.pop(0), console)
    columns = [fitted(column, console.encoding) for column in columns_of(lines)]
    missing = []
    while width_of(columns) > room and len(columns) > 2:
        widest = max(columns[:-2], key=lambda column: len(column[0]))
        columns.remove(widest)
        missing.append(widest[0].strip())
    for cells in zip(*columns, strict=True):
        print_cut("  ".join(cells).rstrip(), console)
    if missing:
        print_block(f"(no room here for {', '.join(missing)})", console, "dim")


def print_cut(words: str, console: Console, style: str = "") -> None:
    """Print one line with a margin; what is too long is cut off."""
    words = fit(words, console.encoding)
    room = console.width - len(MARGIN)
    if cell_len(words) > room:
        dots = fit("…", console.encoding)
        words = set_cell_size(words, room - len(dots)) + dots
    print_safely(Text(MARGIN + words, style), console, MARGIN)


def columns_of(lines: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the columns of a table, each as a tuple of cells of equal width.

    Where every line has two blanks at the same place, a column ends.
    """
    width = max(map(len, lines), default=0)
    padded = [line.ljust(width) for line in lines]
    blank = "".join(
        " " if all(line[i] == " " for line in padded) else "x" for i in range(width)
    )
    spans = [found.span() for found in re.finditer(r"x+(?: x+)*", blank)]
    return [tuple(line[start:end] for line in padded) for start, end in spans]


def fitted(column: tuple[str, ...], encoding: str) -> tuple[str, ...]:
    """Return a column's cells with substitutes for symbols that an encoding lacks.

    A substitute can be longer than its symbol. So all cells get the same width again.

    Args:
        column: the cells, all of the same width.
        encoding: name of the encoding.
    """
    align = str.ljust if any(cell.endswith(" ") for cell in column) else str.rjust
    cells = [fit(cell.strip(), encoding) for cell in column]
    width = max(map(len, cells))
    return tuple(align(cell, width) for cell in cells)


def width_of(columns: Sequence[tuple[str, ...]]) -> int:
    """Return the width of a table with two blanks between its columns."""
    return sum(len(column[0]) + 2 for column in columns) - 2


def wrapped(words: str, console: Console, room: int) -> list[str]:
    """Return the lines of a text, wrapped to `room` columns; at least one line.

    Symbols that the console's encoding lacks are replaced by substitutes.
    """
    text = Text(fit(words, console.encoding))
    lines = text.wrap(console, max(room, 1))
    return [line.plain.rstrip() for line in lines] or [""]


def print_safely(line: Text, console: Console, margin: str) -> None:
    """Print a line so that no CI system takes it for a command in its log.

    If the line looks like a command, "· " is put before it. The line must be wrapped
    already, because wrapping can move any word to the beginning of a line.

    Args:
        line: the line, with its margin.
        console: the console to print on.
        margin: the blanks at the beginning of the line.
    """
    if is_command(line.plain):
        keep = max(len(margin) - 2, 0)
        mark = fit("· ", console.encoding)
        line = Text(f"{margin[:keep]}{mark}", line.style).append(line.plain.lstrip())
    console.print(line, soft_wrap=True)
