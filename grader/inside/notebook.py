"""A hand-in that was a notebook: its cells are run one statement at a time."""

import __future__

import ast
import faulthandler
import re
import signal
import time
import types
from pathlib import Path
from typing import Any

from grader.inside.errors import first_lines

# The compiler's flags for everything that `from __future__` can change.
FEATURES = 0
for feature in __future__.all_feature_names:
    FEATURES |= getattr(__future__, feature).compiler_flag
DEFINITIONS = ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom
MAX_LEFT_OUT = 20  # cells that the grader is told about
GRACE_SECONDS = 2.0


def whole_or_cells(text: str, path: Path, cells: Any) -> Any:
    """Return the cells of a file saved from a notebook; one cell if all of it parses.

    Args:
        text: of the file.
        path: of the file, for messages.
        cells: the number of each cell's first line, from 0.

    Raises:
        SyntaxError: it does not parse and has one cell, so nothing would be left.
    """
    try:
        ast.parse(text, str(path))
    except SyntaxError:
        if len(cells) == 1:
            raise
        return cells
    return cells[:1]  # a mark between cells may stand in the middle of a statement


class TooLong(BaseException):
    """A statement of a notebook runs for too long."""


class Notebook:
    """Runs a notebook's cells one statement after the other.

    A statement that fails is left out, and the rest of its cell still counts: a
    notebook, too, goes on after a cell has failed.

    Args:
        module: in which they run.
        skipped: lines of statements that are not run.
        seconds: for all of them. Each may take a quarter of what is left, so that the
            statements after one that never ends have time, too. Definitions and
            imports have no limit of their own: without them the rest fails as well.
        errors: the descriptor to which the line of a statement is written that cannot
            be interrupted, before the process ends.
    """

    def __init__(
        self, module: types.ModuleType, skipped: set[int], seconds: float, errors: int
    ) -> None:
        self.names, self.path = vars(module), str(module.__file__)
        self.skipped, self.errors = skipped, errors
        self.ends = time.monotonic() + seconds
        self.features = 0  # from __future__
        self.failed: list[dict[str, Any]] = []  # by cell
        self.slow: list[int] = []  # lines of statements that ran for too long
        self.running = False

    def left_out(self) -> dict[str, Any]:
        """Return what failed: `left_out` cells, the number of `more`, `slow` lines."""
        more = max(len(self.failed) - MAX_LEFT_OUT, 0)
        slow = self.slow[:MAX_LEFT_OUT]
        return {"left_out": self.failed[:MAX_LEFT_OUT], "more": more, "slow": slow}

    def run(self, text: str, start: int) -> None:
        """Run a cell.

        Args:
            text: of the cell.
            start: the number of its first line in the file, from 0.
        """
        try:
            tree = ast.parse(text, self.path)
        except BaseException as error:
            line = start + (getattr(error, "lineno", None) or 1)
            why = f"{in_words(error)} (line {line - start})"
            self.failed.append({"line": line, "whole": True, "more": 0, "why": why})
            return
        ast.increment_lineno(tree, start)
        tried = [(node.lineno, self.failure(node)) for node in tree.body]
        failed = [(line, why) for line, why in tried if why]
        if failed:
            line, why = failed[0]
            whole, more = len(tried) == 1, len(failed) - 1
            self.failed.append({"line": line, "whole": whole, "more": more, "why": why})

    def failure(self, node: ast.stmt) -> str:
        """Run a statement; return why it failed or was skipped, or "" if it ended."""
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
            return in_words(error)
        return ""

    def run_statement(self, node: ast.stmt) -> None:
        """Run a statement, with a time limit unless it is a definition or an import."""
        tree = ast.Module([node], [])
        code = compile(tree, self.path, "exec", self.features, dont_inherit=True)
        self.features |= code.co_flags & FEATURES
        if isinstance(node, DEFINITIONS):
            exec(code, self.names)
            return
        seconds = max((self.ends - time.monotonic()) / 4, 0.1)
        # Compiled code that waits does not notice a signal: then the process ends.
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
        """Interrupt the statement that runs.

        Raises:
            TooLong: a statement runs.
        """
        if self.running:
            raise TooLong


def in_words(error: BaseException) -> str:
    """Say in one line why a statement is left out."""
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
