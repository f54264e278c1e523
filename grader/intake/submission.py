"""The hand-in after it was read: its source, and where each line comes from."""

import bisect
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from grader.contract.exercises import WRITTEN
from grader.intake import contents

# The functions and the class of the contract.
PART = re.compile(
    rf"^({'|'.join(f'{part.keyword} {part.name}' for part in WRITTEN)})\b", re.M
)
# The body of a part that was not written yet.
STUB = re.compile(r"raise NotImplementedError\(\s*[\"']Exercise \d")
STUBS = 12  # in the starter


@dataclass(frozen=True)
class Submission:
    """One hand-in as it was read; the grader uses this and never reads the file again.

    Attributes:
        name: for the report.
        source: the bytes of `dqn.py`.
        problem: why nothing can be run, in words for the student; None if it can. A
            hand-in with a problem has no points.
        path: of the Python file that was read, for a debugger; graded is `source`.
        cells: for a notebook, the number of each cell's first line, from 0.
        notes: sentences on which file was taken and why, and on unusual text in it.
        exported: whether this Python file was saved from a notebook; it runs like one.
    """

    name: str
    source: bytes
    problem: str | None = None
    path: Path | None = None
    cells: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    exported: bool = False

    @property
    def sha256(self) -> str:
        """The SHA-256 hash of the source, in hex."""
        return hashlib.sha256(self.source).hexdigest()

    @property
    def text(self) -> str:
        """The source as text: this is run, and messages quote its lines."""
        return contents.decoded(self.source)

    @property
    def untouched(self) -> bool:
        """Whether the student wrote nothing: it is empty, or all parts are stubs."""
        return not self.source.strip() or len(STUB.findall(self.text)) >= STUBS

    @property
    def has_parts(self) -> bool:
        """Whether the source defines a part of the contract."""
        return not self.problem and bool(PART.search(self.text))

    def locate(self, text: str) -> str:
        """Replace lines of `dqn.py` by cells in a message about a notebook."""
        if self.exported or not self.cells:
            return text

        def place(found: re.Match[str]) -> str:
            number, line = self.cell_of(int(found[1]))
            return f"cell {number}, line {line}"

        return re.sub(r"\bdqn\.py(?:, line |:)(\d{1,7})\b", place, text)

    def cell_of(self, line: int) -> tuple[int, int]:
        """Return the cell of a line of the source, and the line's number in that cell.

        Both count from 1.
        """
        number = max(bisect.bisect(self.cells, line - 1), 1)
        return number, line - self.cells[number - 1]
