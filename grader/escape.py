"""Text that strangers wrote, made harmless for each place where it is shown.

`plain` is applied where text comes in, so that no report holds anything else; the
others where it goes out, each knowing what its reader takes for more than text. All
may be used on any text; none but `plain` shortens it.
"""

import html as html_entities
import json
import math
import re
import unicodedata
from typing import Any, TextIO

# Some scripts set three marks on one letter; piles of them cover the lines above.
MAX_MARKS = 4
# GitHub's, Azure's and TeamCity's logs take it for an order, wherever it stands.
_ORDER = re.compile(r"##(?=\w*\[)")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# What a spreadsheet computes; some take the wide forms of East Asia as well.
_FORMULA = tuple("=+-@\t\r＝＋－＠")
# Where a semicolon separates cells, what stands behind one begins a cell.
_HIDDEN_FORMULA = re.compile(r"(;\s*)(?=[=+\-@])")


def printable(text: str) -> str:
    """Text without control characters, lone surrogates and piles of marks.

    Directions of writing, invisible characters and odd blanks count as controls; all
    are shown as �. Lines stay lines.
    """
    kept: list[str] = []
    marks = 0
    for c in _whole(text):
        marks = marks + 1 if unicodedata.category(c) in ("Mn", "Me") else 0
        if marks <= MAX_MARKS:
            kept.append(c if c.isprintable() or c == "\n" else "�")
    return "".join(kept)


def plain(text: Any, limit: int) -> str:
    """Printable text, bounded in length; anything else is shown as Python has it."""
    kept = text if isinstance(text, str) else repr(text)
    return _ORDER.sub("## ", printable(kept[:limit]))


def terminal(text: str) -> str:
    """For a terminal, and for the log that CI makes of what is printed there.

    A line that GitHub would take for an order does not begin as one any more.
    """
    lines = plain(text, len(text)).split("\n")
    return "\n".join(f"· {line}" if is_order(line) else line for line in lines)


def is_order(line: str) -> bool:
    """Whether GitHub takes a line of a log for an order: it begins so, blanks aside."""
    return _COLOUR.sub("", line).lstrip().startswith("::")


class Log:
    """A stream that becomes a log: none of its lines is an order to what reads it.

    What is written may have been wrapped, so that any word stands at the beginning of
    a line. All else is as the stream has it.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.line = ""  # how the last one begins

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write text, an order with a sign before it."""
        for part in _ORDER.sub("## ", text).splitlines(keepends=True):
            if not is_order(self.line) and is_order(self.line + part):
                self.stream.write("· ")
                self.line = "·"
            self.stream.write(part)
            ended = part.splitlines() != [part]
            begins = _COLOUR.sub("", self.line + part).lstrip()
            self.line = "" if ended else begins[:2]
        return len(text)


def workflow(text: str) -> str:
    """For the message of a GitHub workflow command, after `::error …::`; one line."""
    kept = plain(text, len(text)).replace("%", "%25")
    return kept.replace("\n", "%0A")


def workflow_property(text: str) -> str:
    """For a value before that message: `::error title=…::`."""
    return workflow(text).replace(":", "%3A").replace(",", "%2C")


def markdown(text: str) -> str:
    """For a line or a table's cell of GitHub's Markdown: it reads as it was written.

    No markup, link, mention or reference comes of it. Lines end in `<br>`.
    """
    kept = _PUNCTUATION.sub(r"\\\1", printable(text))
    # Who is mentioned, and which issue, is looked for after Markdown is done, in one
    # piece of text each.
    kept = re.sub(r"\\([@#])", r"<span>\\\1</span>", kept)
    return "<br>".join(line.strip() for line in kept.split("\n"))


def markdown_block(text: str) -> str:
    """For lines of their own in Markdown, shown as they are: a block of code."""
    kept = printable(text)
    ticks = max(map(len, re.findall("`+", kept)), default=0)
    fence = "`" * max(3, ticks + 1)
    return f"{fence}text\n{kept}\n{fence}\n"


def html(text: str) -> str:
    """For HTML, between tags or in a quoted attribute. Lines stay lines."""
    return html_entities.escape(printable(text), quote=True)


def csv_cell(text: str) -> str:
    """For a cell of a CSV file that a spreadsheet opens: text, never a formula.

    It is one line, for what reads CSV line by line. Quoting is left to `csv.writer`.
    """
    kept = printable(text).replace("\n", " ")
    kept = _HIDDEN_FORMULA.sub(r"\1'", kept)
    risky = text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA)
    return f"'{kept}" if risky else kept


def json_text(value: Any, indent: int | None = None) -> str:
    """A value as JSON that every reader takes: no NaN, no lone surrogates.

    Args:
        value: made of dicts with text as keys, lists, tuples, text, numbers, bools and
            None. Numbers that JSON lacks become null.
        indent: as `json.dumps` has it.
    """
    return json.dumps(_as_json(value), indent=indent, allow_nan=False)


def _as_json(value: Any) -> Any:
    """The value without what JSON has no way to write."""
    if isinstance(value, str):
        return _whole(str(value))
    if isinstance(value, dict):
        return {_whole(key): _as_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _whole(text: str) -> str:
    """Without lone surrogates, which are no text in any encoding."""
    return text.encode("utf-8", "replace").decode()
