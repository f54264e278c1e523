"""Make text that strangers wrote harmless for each place where it is shown.

`plain` and `one_line` are applied where text comes in, so that a report holds nothing
else. The other functions are applied where text goes out; each one escapes what the
program that reads it would take for more than text. All accept any text; only `plain`
and `one_line` shorten it.
"""

import html as html_entities
import json
import math
import re
import unicodedata
from typing import Any, TextIO

# Some scripts set three marks on one letter; more of them would cover the lines above.
MAX_MARKS = 4
# A command in the logs of GitHub, Azure and TeamCity, anywhere in a line.
_COMMAND = re.compile(r"##(?=\w*\[)")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# The first characters of a formula; some spreadsheets know the full-width forms, too.
_FORMULA = tuple("=+-@\t\r＝＋－＠")
# In files whose cells are separated by semicolons, a formula can follow one.
_HIDDEN_FORMULA = re.compile(r"(;\s*)(?=[=+\-@])")


def printable(text: str) -> str:
    """Return text without control characters, lone surrogates and piles of marks.

    Marks of direction, invisible characters and unusual blanks count as control
    characters; all are shown as �. Newlines stay.
    """
    kept: list[str] = []
    marks = 0
    for c in _whole(text):
        marks = marks + 1 if unicodedata.category(c) in ("Mn", "Me") else 0
        if marks <= MAX_MARKS:
            kept.append(c if c.isprintable() or c == "\n" else "�")
    return "".join(kept)


def plain(text: Any, limit: int) -> str:
    """Return printable text of bounded length; for other objects, of their repr."""
    kept = text if isinstance(text, str) else repr(text)
    return _COMMAND.sub("## ", printable(kept[:limit]))


def one_line(text: Any, limit: int) -> str:
    """Return plain text of bounded length with blanks in the place of newlines."""
    return plain(text, limit).replace("\n", " ")


def terminal(text: str) -> str:
    """Escape text for a terminal and for the log that CI keeps of it.

    A line that GitHub would take for a command gets a sign before it.
    """
    lines = plain(text, len(text)).split("\n")
    return "\n".join(f"· {line}" if is_command(line) else line for line in lines)


def is_command(line: str) -> bool:
    """Return whether GitHub takes a line of a log for a command, as `::error::`."""
    return _COLOUR.sub("", line).lstrip().startswith("::")


class Log:
    """A stream that becomes a log of CI: no line in it is a command.

    It escapes at the very end, because wrapping can move any word to the beginning of a
    line. Everything else is passed on to the stream.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.line = ""  # the beginning of the line that is being written

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write text; each command gets a sign before it."""
        for part in _COMMAND.sub("## ", text).splitlines(keepends=True):
            if not is_command(self.line) and is_command(self.line + part):
                self.stream.write("· ")
                self.line = "·"
            self.stream.write(part)
            ended = part.splitlines() != [part]
            begins = _COLOUR.sub("", self.line + part).lstrip()
            self.line = "" if ended else begins[:2]
        return len(text)


def markdown(text: str) -> str:
    """Escape text for a line or a table's cell of GitHub's Markdown.

    It is shown as it was written, without markup, links, mentions or references to
    issues. Lines end in `<br>`.
    """
    kept = _PUNCTUATION.sub(r"\\\1", printable(text))
    # After Markdown, GitHub looks for mentions and issues in each piece of text: a tag
    # separates @ and # from the word that follows.
    kept = re.sub(r"\\([@#])", r"<span>\\\1</span>", kept)
    return "<br>".join(line.strip() for line in kept.split("\n"))


def markdown_block(text: str) -> str:
    """Return text as a block of code in Markdown, which shows it as it is."""
    kept = printable(text)
    ticks = max(map(len, re.findall("`+", kept)), default=0)
    fence = "`" * max(3, ticks + 1)
    return f"{fence}text\n{kept}\n{fence}\n"


def html(text: str) -> str:
    """Escape text for HTML, between tags or in a quoted attribute; newlines stay."""
    return html_entities.escape(printable(text), quote=True)


def csv_cell(text: str) -> str:
    """Escape text for a cell of a CSV file, so that no spreadsheet computes it.

    The result is one line, for programs that read CSV line by line. Quoting is left to
    `csv.writer`.
    """
    kept = printable(text).replace("\n", " ")
    kept = _HIDDEN_FORMULA.sub(r"\1'", kept)
    risky = text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA)
    return f"'{kept}" if risky else kept


def json_text(value: Any, indent: int | None = None) -> str:
    """Return a value as strict JSON: without NaN and lone surrogates.

    Args:
        value: of dicts with text as keys, lists, tuples, text, numbers, bools and None.
            NaN and infinity become null.
        indent: as for `json.dumps`.
    """
    return json.dumps(_as_json(value), indent=indent, allow_nan=False)


def _as_json(value: Any) -> Any:
    """Return the value without what JSON cannot express."""
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
    """Return text without lone surrogates, which no encoding can write."""
    return text.encode("utf-8", "replace").decode()
