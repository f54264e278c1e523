"""The Python in a notebook, as the text of a `dqn.py`, and which cell each line is of.

A notebook is data here: it is read, and nothing in it is run. Orders to the notebook
itself (magics, shell lines, help) are left out, in a way that keeps the lines' numbers.
"""

import re
import warnings
from dataclasses import dataclass

from grader.outcomes import Wrong

MAX_NOTEBOOK = 16 << 20  # bytes; pictures are in there, too
# Brackets and commas: in memory a piece of JSON takes a hundred times its room.
MAX_PIECES = 500_000

# Cells that are Python but for their first line; all others with %% are not.
PYTHON = re.compile(r"%%(time|capture|prun)\b|%%(writefile|file)\b.*\bdqn\.py\s*$")
# Orders: %time f(), !ls, ?jax, x = !ls, x = %who, jax.jit?
ORDER = re.compile(r"[%!?]|[\w.,\[\] ]+=\s*[%!]|[\w.]+\?{1,2}\s*$")
# An order as a call: Jupyter makes it one of one line.
CALL = re.compile(r"([\w.,\[\] ]+=\s*)?get_ipython\(\)\.\w+\(.*\)$")
QUOTES = re.compile(r"'''|\"\"\"|['\"#()\[\]{}]")


@dataclass(frozen=True)
class Source:
    """The Python of a notebook.

    Attributes:
        text: all of it.
        starts: of each of its cells of code, the number of the first line, from 0.
    """

    text: str
    starts: tuple[int, ...]


def read(data: bytes, name: str, limit: int) -> Source:
    """The Python in a notebook.

    Args:
        data: the notebook's bytes.
        name: for messages.
        limit: how many characters of code are taken.

    Raises:
        Wrong: it is no notebook, or has no code, or too much.
    """
    if len(data) > MAX_NOTEBOOK:
        size = MAX_NOTEBOOK >> 20
        raise Wrong(f"{name} is larger than {size} MiB: clear its outputs, save again")
    if sum(map(data.count, (b"[", b"{", b","))) > MAX_PIECES:
        raise Wrong(f"{name} holds too many pieces: clear its outputs, save it again")
    cells = code_cells(data, name)
    if not any(map(str.strip, cells)):
        raise Wrong(f"{name} has no cell with code")
    if sum(map(len, cells)) > limit:
        raise Wrong(f"the code in {name} is larger than {limit >> 20} MiB")
    lines: list[str] = []
    starts: list[int] = []
    for cell in cells:
        starts.append(len(lines))
        lines += python_of(re.sub("\r\n?", "\n", cell).split("\n"))
    return Source("".join(f"{line}\n" for line in lines), tuple(starts))


def code_cells(data: bytes, name: str) -> list[str]:
    """The text of each cell of code, in order.

    Raises:
        Wrong: it is no notebook.
    """
    import nbformat  # late: few hand-ins are notebooks

    try:
        with warnings.catch_warnings(action="ignore"):
            document = nbformat.reader.reads(data.decode("utf-8-sig"))
            cells = nbformat.convert(document, 4)["cells"]
        texts = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    # Strange data find every way to make a reader fail: whatever it is, it is theirs.
    except Exception:
        raise Wrong(
            f"{name} cannot be read as a notebook: save it again as .ipynb"
        ) from None
    if not all(isinstance(text, str) for text in texts):
        raise Wrong(f"{name} has a cell whose source is no text: save it again")
    # JSON can say what no text has.
    return [text.encode("utf-8", "replace").decode() for text in texts]


def exported(text: str) -> tuple[str, list[int]]:
    """A Python file without the orders of the notebook that it was made from.

    Colab leaves them as they are, Jupyter writes them as calls of `get_ipython()`.

    Returns:
        its text, in as many lines, and the numbers of those that were left out.
    """
    lines = text.split("\n")
    kept = python_of(lines)
    scan = Scanner()
    for i, line in enumerate(kept):
        begins = scan.between
        scan.line(line)
        if begins and scan.between and CALL.match(line.strip()):
            kept[i] = line[: len(line) - len(line.lstrip())] + "pass"
    changed = (i for i, line in enumerate(lines, 1) if line != kept[i - 1])
    return "\n".join(kept), list(changed)


def python_of(lines: list[str]) -> list[str]:
    """The lines of a cell; those that are no Python empty, or `pass` in a block."""
    kept: list[str] = []
    scan = Scanner()
    begun = goes_on = False  # the cell; an order that is not yet at its end
    for line in lines:
        words = line.lstrip()
        magic = not begun and line.startswith("%%")
        if magic and not PYTHON.match(line):
            return [""] * len(lines)
        begun = begun or bool(words)
        if magic or goes_on or (scan.between and ORDER.match(words)):
            blanks = line[: len(line) - len(words)]
            kept.append(f"{blanks}pass" if blanks and not goes_on else "")
            goes_on = line.endswith("\\")
        else:
            scan.line(line)
            kept.append(line)
    return kept


class Scanner:
    """Knows, line by line, whether the next one begins a statement.

    `%` may begin a line in the midst of brackets or of a text, where it is no order.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.quote = ""
        self.goes_on = False

    @property
    def between(self) -> bool:
        """Whether a statement may begin here."""
        return not (self.depth or self.quote or self.goes_on)

    def line(self, line: str) -> None:
        """Go over one line of Python."""
        at = 0
        self.goes_on = line.endswith("\\")
        while found := (self.end_of_text() if self.quote else QUOTES).search(line, at):
            token, at = found[0], found.end()
            if self.quote:
                if token == self.quote:
                    self.quote = ""
            elif token == "#":
                self.goes_on = False
                break
            elif token in "([{":
                self.depth += 1
            elif token in ")]}":
                self.depth = max(0, self.depth - 1)
            else:
                self.quote = token
        if len(self.quote) == 1 and not self.goes_on:
            self.quote = ""  # a mistake, which ends with its line

    def end_of_text(self) -> re.Pattern[str]:
        """What ends the text that has begun, or is skipped on the way."""
        return re.compile(rf"\\.|{self.quote}")
