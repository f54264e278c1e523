"""Run a notebook's cells, one statement after another."""

import __future__

import ast
import faulthandler
import re
import signal
import time
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.inside.errors import first_lines

# The compiler's flags that `from __future__ import ...` can set.
FEATURES = 0
for feature in __future__.all_feature_names:
    FEATURES |= getattr(__future__, feature).compiler_flag
DEFINITIONS = ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom
MAX_LEFT_OUT = 20  # largest number of failed cells, and of slow statements, in a list
# If a statement cannot be interrupted, the process is ended this many seconds after the
# attempt to interrupt it.
GRACE_SECONDS = 2.0


def whole_or_cells(text: str, path: Path, cells: Any) -> Any:
    """Decide whether a notebook is run as one cell or cell by cell.

    If the whole text is valid Python, it is run as one cell. Otherwise it is run cell
    by cell, so that only the cells with syntax errors are left out.

    Args:
        text: text of a Python file that was saved from a notebook.
        path: path of the file, for messages.
        cells: array [n] with the number of each cell's first line, from 0.

    Returns:
        The first lines of the cells to run: `cells[:1]` for one cell, or `cells`.

    Raises:
        SyntaxError: the text is not valid Python and has only one cell.
    """
    try:
        ast.parse(text, str(path))
    except SyntaxError:
        if len(cells) == 1:
            raise
        return cells
    # One cell, because the mark of a cell can stand in the middle of a statement.
    return cells[:1]


class TooLong(BaseException):
    """Raised if a statement of a notebook runs for too long."""


@dataclass(frozen=True)
class Failure:
    """A statement that has failed, or a cell with a syntax error.

    Attributes:
        line: the line of the statement or of the syntax error, in the file, from 1.
        why: why it failed, in words.
        unknown: the statement, if it failed because it uses a name that is not defined;
            else None.
    """

    line: int
    why: str
    unknown: ast.stmt | None = None


@dataclass
class Cell:
    """What has failed in a cell.

    Attributes:
        statements: how many statements the cell has; 1 if it has a syntax error.
        failed: the failures, in the order of the lines.
    """

    statements: int
    failed: list[Failure]

    def as_row(self) -> dict[str, Any]:
        """Return the cell's entry in the list "left_out", see `Notebook.left_out`."""
        first, *more = self.failed
        whole = self.statements == 1
        return {"line": first.line, "whole": whole, "more": len(more), "why": first.why}


class Notebook:
    """A notebook whose statements are run one after another.

    After a statement has failed, the next statement is run, because students go on
    after a failed cell in Jupyter, too. A statement is interrupted when it has used a
    quarter of the remaining time, so that later statements have time, too. Definitions
    and imports are not interrupted, because other statements need them.

    In the student's kernel, a cell may have run before one that stands above it. So a
    statement that uses a name which a later cell defines is run again at the end, see
    `run_again`.

    Args:
        module: the hand-in's module, in which the statements run.
        skipped: line numbers in the file, from 1. Statements on these lines are not
            run.
        seconds: time for all statements together, in seconds.
        errors: file descriptor for a traceback. If a statement cannot be interrupted,
            its traceback is written there, and the process ends.
    """

    def __init__(
        self, module: types.ModuleType, skipped: set[int], seconds: float, errors: int
    ) -> None:
        self.names, self.path = vars(module), str(module.__file__)
        self.skipped, self.errors = skipped, errors
        self.ends = time.monotonic() + seconds
        self.features = 0  # compiler flags of the notebook's `from __future__` imports
        self.cells: list[Cell] = []
        self.slow: list[int] = []  # lines of statements that ran for too long
        self.running = False  # whether a statement runs that may be interrupted

    def left_out(self) -> dict[str, Any]:
        """Return which statements have failed or were skipped so far.

        A skipped statement counts as failed, and so does the line of a syntax error.
        Lines are counted in the file, from 1.

        Returns:
            A dict with three entries:

            - "left_out": a list with a dict for each cell that has a failed statement,
              at most MAX_LEFT_OUT cells. Its entries: "line" of the first failed
              statement, "why" (a text), "whole" (True if the cell has no other
              statement, or has a syntax error), and "more" (how many further
              statements of this cell failed).
            - "more": how many further cells have a failed statement.
            - "slow": a list with the lines of the first MAX_LEFT_OUT statements that
              took too long or were skipped.
        """
        rows = [cell.as_row() for cell in self.cells if cell.failed]
        more = max(len(rows) - MAX_LEFT_OUT, 0)
        slow = self.slow[:MAX_LEFT_OUT]
        return {"left_out": rows[:MAX_LEFT_OUT], "more": more, "slow": slow}

    def run(self, text: str, start: int) -> None:
        """Run the statements of a cell; remember the cell if a statement fails.

        `left_out` returns the cells that were remembered. If the cell has a syntax
        error, no statement is run, and the cell is remembered, too.

        Args:
            text: text of the cell.
            start: number of the cell's first line in the file, from 0.
        """
        try:
            tree = ast.parse(text, self.path)
        except BaseException as error:
            line = start + (getattr(error, "lineno", None) or 1)
            why = f"{in_words(error)} (line {line - start})"
            self.cells.append(Cell(1, [Failure(line, why)]))
            return
        ast.increment_lineno(tree, start)
        tried = [self.failure(node) for node in tree.body]
        self.cells.append(Cell(len(tried), [each for each in tried if each]))

    def run_again(self) -> None:
        """Run statements again that used an unknown name, after all cells have run.

        Only functions, classes and assignments are run again, and only if no statement
        has defined their own names. This is repeated until no further one succeeds. A
        statement that still fails keeps the reason for which it failed at first.
        """
        known = {*self.names}
        waiting = True
        while waiting:
            waiting = False
            for cell in self.cells:
                left = [each for each in cell.failed if not self.mended(each, known)]
                waiting = waiting or len(left) < len(cell.failed)
                cell.failed = left

    def mended(self, failed: Failure, known: set[str]) -> bool:
        """Run a statement again if it defines new names; return whether it succeeded.

        Args:
            failed: the failure of the statement.
            known: the names that were defined when all cells had run.
        """
        node = failed.unknown
        names = defined_by(node) if node else set()
        return bool(node and names and not names & known and not self.failure(node))

    def failure(self, node: ast.stmt) -> Failure | None:
        """Run a statement; return its failure, or None if it did not fail.

        A statement on a line in `skipped` is not run, and counts as failed.
        """
        starts = [node, *getattr(node, "decorator_list", [])]
        lines = range(min(n.lineno for n in starts), (node.end_lineno or 0) + 1)
        try:
            if not self.skipped.isdisjoint(lines):
                raise TooLong
            self.run_statement(node)
        except BaseException as error:
            self.running = False
            if isinstance(error, TooLong):
                self.slow.append(node.lineno)
            unknown = node if isinstance(error, NameError) else None
            return Failure(node.lineno, in_words(error), unknown)
        return None

    def run_statement(self, node: ast.stmt) -> None:
        """Run a statement, with a time limit unless it is a definition or an import.

        Raises:
            TooLong: the statement took longer than its limit.
            BaseException: the statement has raised this exception.
        """
        tree = ast.Module([node], [])
        code = compile(tree, self.path, "exec", self.features, dont_inherit=True)
        self.features |= code.co_flags & FEATURES
        if isinstance(node, DEFINITIONS):
            exec(code, self.names)
            return
        seconds = max((self.ends - time.monotonic()) / 4, 0.1)
        # The alarm below cannot interrupt compiled code that waits. In this case
        # faulthandler ends the process a little later.
        faulthandler.dump_traceback_later(
            seconds + GRACE_SECONDS, exit=True, file=self.errors
        )
        self.running = True
        try:
            if hasattr(signal, "setitimer"):
                signal.signal(signal.SIGALRM, self.on_alarm)
                signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
            exec(code, self.names)
        finally:
            self.running = False
            faulthandler.cancel_dump_traceback_later()
            if hasattr(signal, "setitimer"):
                signal.setitimer(signal.ITIMER_REAL, 0)

    def on_alarm(self, *_: object) -> None:
        """Handle the signal SIGALRM: interrupt the statement that is running.

        Raises:
            TooLong: a statement is running that may be interrupted.
        """
        if self.running:
            raise TooLong


def defined_by(node: ast.stmt) -> set[str]:
    """Return the names that a function, a class or an assignment defines.

    For any other statement, and for an assignment that changes an object, the result is
    empty.
    """
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return set()
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    parts = [part for target in targets for part in ast.walk(target)]
    if any(isinstance(part, ast.Attribute | ast.Subscript) for part in parts):
        return set()
    return {part.id for part in parts if isinstance(part, ast.Name)}


def in_words(error: BaseException) -> str:
    """Return one line that says why a statement failed.

    Args:
        error: the exception that the statement has raised.
    """
    if isinstance(error, TooLong):
        return "it ran for too long"
    if isinstance(error, SyntaxError):
        words = str(error.msg)
        if re.search("(await|async).* outside", words):
            words += ", which only a notebook allows"
    else:
        words = first_lines(error)
    first = words.partition("\n")[0][:300]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
