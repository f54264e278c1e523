"""The classes for what a reader finds, and functions that write tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One mistake of a part.

    Attributes:
        name: name of the mistake, as in the report's `diagnosis`.
        hint: text for the student: what is wrong and, in brackets, the slides that
            teach it. It may show a single right expression, but never the corrected
            part as a whole.
    """

    name: str
    hint: str


@dataclass(frozen=True)
class Reading:
    """What a part computes, and how this differs from right code.

    A reader returns a reading only if the part's answers fit it. If several readings
    fit, the reader may return the one with the fewest mistakes.

    Attributes:
        computes: formula or sentence about the hand-in's part, in the lecture's
            symbols; "" if there is none, as for a part that raises an exception.
        asked: formula or sentence about right code.
        differences: the mistakes, the most basic one first.
        table: lines of a small table of examples; () if there is no table. The first
            line may name the question, see `headed`.
    """

    computes: str
    asked: str
    differences: tuple[Difference, ...]
    table: tuple[str, ...] = ()


def in_columns(
    rows: Sequence[tuple[str, ...]],
    align: Callable[[str, int], str] = str.ljust,
    *,
    most: int | None = None,
) -> tuple[str, ...]:
    """Return the lines of a table with aligned columns.

    Two blanks separate the columns; only one, if the table would be wider than `most`.
    No cell is cut, even if the table is still too wide.

    Args:
        rows: the cells of each row; the first row has the headings.
        align: `str.ljust` or `str.rjust`.
        most: largest width with two blanks, in characters; None for no limit. The
            width includes two blanks after the last column.

    Returns:
        () if there are only headings.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    width = sum(widths) + 2 * len(widths)
    gap = "  " if most is None or width <= most else " "
    lines = (gap.join(map(align, row, widths)).rstrip() for row in rows)
    return tuple(lines) if len(rows) > 1 else ()


def headed(question: str, table: tuple[str, ...]) -> tuple[str, ...]:
    """Return a table with one more line at the top, which names a question.

    The table's numbers belong to this question. The line is needed because a check's
    message shows the case of the check, and a reader asks other questions.

    Args:
        question: for example "another batch, γ = 0.7".
        table: the lines of the table.

    Returns:
        () if the table has no lines.
    """
    return (f"{question}:", *table) if table else ()
