"""Make text from a hand-in harmless for each place where it is shown.

`plain` and `one_line` are applied when the grader receives text, so that a report holds
only plain text. The other functions are applied when text is written for a terminal, a
web page or another program. They escape the characters that would act there as
commands, markup or formulas. Only `plain` and `one_line` limit the length.
"""

import html as html_entities
import json
import math
import re
import unicodedata
from typing import Any, TextIO

# Largest number of combining marks on one letter. Some scripts need three. A letter
# with very many marks would cover the lines above it.
MAX_MARKS = 4
# A command in the logs of GitHub, Azure and TeamCity, anywhere in a line.
_COMMAND = re.compile(r"##(?=\w*\[)")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# A cell that begins with one of these may be a formula; the last four are full-width.
_FORMULA = tuple("=+-@\t\r＝＋－＠")
# Some spreadsheets split cells at semicolons, so a formula may follow a semicolon.
_HIDDEN_FORMULA = re.compile(r"(;\s*)(?=[=+\-@])")


def printable(text: str) -> str:
    """Return a text with a substitute for each character that cannot be shown safely.

    Control characters, invisible characters, unusual spaces and marks that change the
    direction of writing become �. Lone surrogates become ?. Newlines stay. Of the
    combining marks on one letter, only the first `MAX_MARKS` stay.
    """
    kept: list[str] = []
    marks = 0
    for c in _whole(text):
        marks = marks + 1 if unicodedata.category(c) in ("Mn", "Me") else 0
        if marks <= MAX_MARKS:
            kept.append(c if c.isprintable() or c == "\n" else "�")
    return "".join(kept)


def plain(text: Any, limit: int) -> str:
    """Return the beginning of a text, printable and without commands of CI logs.

    Characters that cannot be shown safely are replaced, see `printable`. A command such
    as `##[error]` becomes harmless by a space after ##.

    Args:
        text: the text; of an object that is not a str, the repr is used.
        limit: largest number of characters that are taken from the text.
    """
    kept = text if isinstance(text, str) else repr(text)
    return _COMMAND.sub("## ", printable(kept[:limit]))


def one_line(text: Any, limit: int) -> str:
    """Return the result of `plain` with a space in place of each newline.

    Args:
        text: the text; of an object that is not a str, the repr is used.
        limit: largest number of characters that are taken from the text.
    """
    return plain(text, limit).replace("\n", " ")


def terminal(text: str) -> str:
    """Return a text that is safe for a terminal and for a log of CI.

    The text is escaped as by `plain`, but not shortened. Each line that GitHub would
    take for a command gets "· " in front.
    """
    lines = plain(text, len(text)).split("\n")
    return "\n".join(f"· {line}" if is_command(line) else line for line in lines)


def is_command(line: str) -> bool:
    """Return whether GitHub takes a line of a log for a command such as `::error::`."""
    return _COLOUR.sub("", line).lstrip().startswith("::")


class Log:
    """An output stream that writes to a given stream and lets no command of CI through.

    The text is searched for commands only when it is written, because then all line
    breaks are final. A line break can move any word to the beginning of a line, where
    the word can be a command. All attributes except `write` are those of `stream`.

    Args:
        stream: the stream that gets the text.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.line = ""  # the beginning of the line that is being written

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write text to the stream, with "· " before each line that is a command.

        A command such as `##[error]`, which can stand anywhere, gets a space after ##.

        Returns:
            The number of characters in `text`.
        """
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
    """Return a text escaped for one line, or one cell of a table, of GitHub's Markdown.

    GitHub then shows the text as it was written: without markup, links, mentions or
    references to issues. Newlines become `<br>`.
    """
    kept = _PUNCTUATION.sub(r"\\\1", printable(text))
    # GitHub looks for mentions (@name) and issues (#1) after it has read the Markdown.
    # A tag separates @ and # from the word that follows, so that none is found.
    kept = re.sub(r"\\([@#])", r"<span>\\\1</span>", kept)
    return "<br>".join(line.strip() for line in kept.split("\n"))


def markdown_block(text: str) -> str:
    """Return a text as a code block of Markdown, in which no character is markup."""
    kept = printable(text)
    ticks = max(map(len, re.findall("`+", kept)), default=0)
    fence = "`" * max(3, ticks + 1)
    return f"{fence}text\n{kept}\n{fence}\n"


def html(text: str) -> str:
    """Return a text escaped for HTML: between tags, or in a quoted attribute."""
    return html_entities.escape(printable(text), quote=True)


def csv_cell(text: str) -> str:
    """Return a text for a cell of a CSV file, so that no spreadsheet reads a formula.

    An apostrophe is put before what could be a formula. Newlines become spaces, because
    some programs read CSV line by line. No quotes are added, because `csv.writer` adds
    them.
    """
    kept = printable(text).replace("\n", " ")
    kept = _HIDDEN_FORMULA.sub(r"\1'", kept)
    risky = text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA)
    return f"'{kept}" if risky else kept


def json_text(value: Any, indent: int | None = None) -> str:
    """Convert a value to strict JSON: without NaN, infinity and lone surrogates.

    Args:
        value: dicts with str keys, lists, tuples, str, numbers, bools and None, in any
            combination. NaN and infinity become null, and lone surrogates become ?.
        indent: the indentation, as for `json.dumps`.
    """
    return json.dumps(_as_json(value), indent=indent, allow_nan=False)


def _as_json(value: Any) -> Any:
    """Return a copy of a value with None for NaN and infinity, ? for lone surrogates.

    Args:
        value: a value as for `json_text`. Tuples become lists.
    """
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
    """Return a text with ? for each lone surrogate, which UTF-8 cannot encode."""
    return text.encode("utf-8", "replace").decode()
