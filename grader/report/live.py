"""Show the progress of a grading while it runs."""

import time

from rich.console import Console
from rich.status import Status
from rich.text import Text

from grader.contract.exercises import EXERCISES, LEARNING
from grader.report.layout import print_line
from grader.report.symbols import fit


class Live:
    """The display of a grading's progress, used in a `with` block.

    On a terminal, one line is rewritten several times a second. In a log, a line is
    printed when an exercise begins. Once the checks of learning have begun, a line is
    also printed when a training begins.

    Args:
        console: the console to print on.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started = time.monotonic()
        self.check = "starting"
        self.learning = ""
        self.training = ""  # the last training for which a line was printed
        self.begun: set[str] = set()  # the exercises that have begun
        self.status: Status | None = None

    def __enter__(self) -> "Live":
        # The file is asked, too: with FORCE_COLOR rich takes a log for a terminal.
        if self.console.is_terminal and self.console.file.isatty():
            # The usual spinner is of Braille dots; "line" is one of ASCII.
            kind = "dots" if self.console.encoding.startswith("utf") else "line"
            self.status = self.console.status(self, spinner=kind)
            self.status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.status:
            self.status.stop()

    def on_check(self, exercise: str, check: str) -> None:
        """Show that a check begins.

        Args:
            exercise: the name of the check's exercise.
            check: the check's description.
        """
        self.check = f"{exercise}: {check}"
        if not self.status and exercise in EXERCISES and exercise not in self.begun:
            self.begun.add(exercise)
            self.log(f"{list(EXERCISES).index(exercise) + 1} {exercise}")

    def on_learning(self, words: str) -> None:
        """Show the progress of learning.

        Args:
            words: the progress in a few words, such as "maze, seed 1 of 3, step 512
                of at most 4096".
        """
        self.learning = words
        training = ", ".join(words.split(", ")[:2])
        if not self.status and LEARNING in self.begun and training != self.training:
            self.training = training
            self.log(f"  learning: {training}")

    def log(self, words: str) -> None:
        """Print a line: the seconds since the start, then a text."""
        seconds = time.monotonic() - self.started
        print_line(f"{seconds:6.1f} s  {words}", self.console)

    def __rich__(self) -> Text:
        """Return the line to show now; rich calls this several times a second."""
        seconds = f"{time.monotonic() - self.started:.0f} s"
        words = " · ".join(filter(None, [seconds, self.learning, self.check]))
        return Text(fit(words, self.console.encoding)[: self.console.width - 6])
