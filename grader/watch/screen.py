"""Draw the screen of a watch: the points, the exercise in view, and the keys."""

import time
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import Outcome
from grader.report import terminal
from grader.report.model import Exercise, plain_number
from grader.watch.desk import Verdict

CLEAR = "\x1b[H\x1b[2J"  # the cursor goes to the first column of an empty screen
KEYS = "r again · n next · f all nine · q quit"
MARGIN = 3  # lines below an exercise: blank, keys, what goes on


@dataclass(frozen=True)
class Points:
    """The points of one exercise, and for which text they were given.

    Attributes:
        score: the points that the hand-in earned.
        most: the points that the exercise pays.
        sha256: hash of the text that was graded.
    """

    score: float
    most: float
    sha256: str


class Shortened(Exercise):
    """An exercise whose checks that passed or were skipped are left out.

    Its points are those of the whole exercise.

    Args:
        whole: the exercise.
    """

    def __init__(self, whole: Exercise) -> None:
        left_out = (Outcome.PASSED, Outcome.SKIPPED)
        super().__init__(
            whole.name, [c for c in whole.checks if c.outcome not in left_out]
        )
        self.whole = whole

    @property
    def score(self) -> float:
        """Return the points that the hand-in earned in all checks."""
        return self.whole.score

    @property
    def max_score(self) -> float:
        """Return the points that all checks pay together."""
        return self.whole.max_score


class Clock:
    """A line with a text and the seconds since the line was made.

    Args:
        words: the text.
    """

    def __init__(self, words: str) -> None:
        self.words, self.started = words, time.monotonic()

    def __rich__(self) -> Text:
        """Return the line to show now; rich calls this several times a second."""
        return Text(f"{self.words} … {time.monotonic() - self.started:.0f} s")


def points_line(points: dict[str, Points], name: str, sha256: str, width: int) -> Text:
    """Return one line with the points of all exercises: "5:15/15 6:12.5/20 7:·".

    The exercise in view is bold. Points of an older text are dim and in parentheses. A
    dot stands for points that are not known.

    Args:
        points: the known points, by the exercise's name.
        name: the name of the exercise in view.
        sha256: hash of the present text.
        width: largest number of columns. If there is not enough room, the points that
            the exercises pay are left out.
    """
    for maxima in (True, False):
        words = [Text("Points")] if maxima else []
        for number, exercise in enumerate(EXERCISES, 1):
            known, style = points.get(exercise), ""
            shown = "·"
            if known:
                shown = str(plain_number(known.score))
                if maxima:
                    shown += f"/{plain_number(known.most)}"
                if known.sha256 != sha256:
                    shown, style = f"({shown})", "dim"
                elif known.score == known.most:
                    style = "green"
            if exercise == name:
                style = "bold"
            words.append(Text(f"{number}:{shown}", style))
        line = Text(" ").join(words)
        if len(line) <= width:
            break
    return line


def draw(line: Text, verdict: Verdict | None, state: str, console: Console) -> None:
    """Clear the terminal, and draw points, verdict and keys with a single write.

    What does not fit into the window is left out at the end.

    Args:
        line: the line from `points_line`.
        verdict: the verdict; None if nothing has been graded yet.
        state: a few words on what was done last.
        console: the console to print on.
    """
    with console.capture() as captured:
        console.print(line)
        console.print()
    top = captured.get()
    room = console.height - top.count("\n") - MARGIN
    body = body_of(verdict, console, room) if verdict else []
    if len(body) > room:
        more = len(body) - room + 1
        body = [*body[: room - 1], f"… {more} more lines: make the window higher"]
    with console.capture() as captured:
        console.print()
        keys = " · ".join(filter(None, [state, KEYS]))
        console.print(Text(keys, "dim"), overflow="ellipsis", no_wrap=True)
    console.file.write("".join([CLEAR, top, *(f"{x}\n" for x in body), captured.get()]))
    console.file.flush()


def body_of(verdict: Verdict, console: Console, room: int) -> list[str]:
    """Return the lines of a verdict.

    Args:
        verdict: the verdict.
        console: the console for which the lines are made.
        room: the number of lines that fit. If there are more, checks that passed are
            left out.
    """
    with console.capture() as captured:
        for note in verdict.notes:
            terminal.print_wrapped(Text(f"note: {note}"), console)
        if verdict.problem:
            terminal.print_wrapped(Text(verdict.problem, "bold red"), console)
    above = captured.get().splitlines()
    with console.capture() as captured:
        for printed in verdict.printed:
            terminal.print_printed(printed, "your code", console)
    below = captured.get().splitlines()
    if not verdict.exercise.checks:
        return above + below
    lines = lines_of(verdict.exercise, console)
    if len(above) + len(lines) + len(below) > room:
        lines = lines_of(Shortened(verdict.exercise), console)
    if not verdict.whole:  # the points of the checks so far would mislead
        with console.capture() as captured:
            console.print(Text(f"{terminal.heading_of(verdict.exercise)} …", "bold"))
        lines[0] = captured.get().rstrip("\n")
    return above + lines + below


def lines_of(exercise: Exercise, console: Console) -> list[str]:
    """Return the lines that the report shows of an exercise."""
    with console.capture() as captured:
        terminal.print_exercise(exercise, console, set())
    return captured.get().splitlines()
