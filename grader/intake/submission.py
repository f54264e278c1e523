"""A hand-in after reading: its source, and the notebook cell of each line."""

import bisect
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from grader.contract.exercises import WRITTEN
from grader.intake import contents

# The definition of a function or class that students write.
PART = re.compile(
    rf"^({'|'.join(f'{part.keyword} {part.name}' for part in WRITTEN)})\b", re.M
)
# The body of a part that is not written yet.
STUB = re.compile(r"raise NotImplementedError\(\s*[\"']Exercise \d")
STUBS = 12  # number of stubs in the starter


@dataclass(frozen=True)
class Submission:
    """A hand-in after reading. The grader never reads the file again.

    Attributes:
        name: name of the hand-in, for the report.
        source: bytes of the Python code that is graded.
        problem: why the hand-in cannot be run, as a sentence for the student; None if
            it can be run. A hand-in with a problem gets no points.
        path: path of the Python file that was read, for a debugger; None for a notebook
            and for a file in an archive.
        cells: for each notebook cell, the number of its first line in the source,
            counted from 0. Empty if the hand-in has no notebook cells.
        notes: sentences on the choice of the file, and on unusual text in the file.
        exported: whether the hand-in is a Python file that was saved from a notebook.
            Such a file is run statement by statement, as a notebook is.
        cell_names: the name of each cell for messages, "In[5]" or "cell 3". If empty,
            messages count the cells: "cell 1", "cell 2" and so on.
    """

    name: str
    source: bytes
    problem: str | None = None
    path: Path | None = None
    cells: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    exported: bool = False
    cell_names: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Return the SHA-256 hash of the source, in hex."""
        return hashlib.sha256(self.source).hexdigest()

    @property
    def text(self) -> str:
        """Return the source as text; this text is run, and messages quote its lines."""
        return contents.decoded(self.source)

    @property
    def untouched(self) -> bool:
        """Return whether the student wrote nothing.

        The source is then empty, or still has all stubs of the starter.
        """
        return not self.source.strip() or len(STUB.findall(self.text)) >= STUBS

    @property
    def has_parts(self) -> bool:
        """Return whether the source defines a part that students write.

        The result is False if the hand-in has a problem.
        """
        return not self.problem and bool(PART.search(self.text))

    def locate(self, text: str) -> str:
        """Return a message in which lines of a notebook are given by cell.

        For example "dqn.py, line 12" becomes "In[5], line 2", or "cell 3, line 2". If
        the hand-in is a Python file, even one that was saved from a notebook, the
        message stays as it is.

        Args:
            text: the message.
        """
        if self.exported or not self.cells:
            return text

        def place(found: re.Match[str]) -> str:
            number, line = self.cell_of(int(found[1]))
            name = self.cell_names[number - 1] if self.cell_names else f"cell {number}"
            return f"{name}, line {line}"

        return re.sub(r"\bdqn\.py(?:, line |:)(\d{1,7})\b", place, text)

    def cell_of(self, line: int) -> tuple[int, int]:
        """Return the number of a line's cell, and the line's number in this cell.

        All numbers count from 1. Call this function only if `cells` is not empty.

        Args:
            line: number of the line in the source.
        """
        number = max(bisect.bisect(self.cells, line - 1), 1)
        return number, line - self.cells[number - 1]
