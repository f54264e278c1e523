"""Draw the screen of a watch: the points, the exercise in view, and the keys.

The exercise in view is the one that is graded at each save.
"""

import time

from rich.console import Console
from rich.text import Text

from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import Outcome
from grader.report.exercise import heading_of, print_exercise, print_printed
from grader.report.layout import print_line
from grader.report.model import Exercise, plain_number
from grader.watch.warm_grader import Verdict

CLEAR = "\x1b[H\x1b[2J"  # the cursor goes to the first column of an empty screen
KEYS = "r again · n next · f all nine · q quit"
MARGIN = 3  # lines below an exercise: a blank one, the keys, and a `Clock`


class Clock:
    """A line that shows a text and the seconds since this object was made.

    Args:
        words: the text.
    """

    def __init__(self, words: str) -> None:
        self.words, self.started = words, time.monotonic()

    def __rich__(self) -> Text:
        """Return the line to show now; rich calls this several times a second."""
        return Text(f"{self.words} … {time.monotonic() - self.started:.0f} s")


def points_line(
    points: dict[str, Exercise], name: str, sha256: str, width: int
) -> Text:
    """Return one line with the points of all exercises: "5:15/15 6:12.5/20 7:·".

    The exercise in view is bold. Points of an older text are dim and in parentheses. A
    dot stands for points that are not known.

    Args:
        points: the exercises whose points are known, by name. The `sha256` of each is
            the hash of the text that was graded.
        name: the name of the exercise in view.
        sha256: hash of the hand-in's current text.
        width: largest number of columns. A line that would be longer has only the
            earned points: "5:15 6:12.5 7:·".
    """
    for maxima in (True, False):
        words = [Text("Points")] if maxima else []
        for number, exercise in enumerate(EXERCISES, 1):
            known, style = points.get(exercise), ""
            shown = "·"
            if known:
                shown = str(plain_number(known.score))
                if maxima:
                    shown += f"/{plain_number(known.max_score)}"
                if known.sha256 != sha256:
                    shown, style = f"({shown})", "dim"
                elif known.is_complete:
                    style = "green"
            if exercise == name:
                style = "bold"
            words.append(Text(f"{number}:{shown}", style))
        line = Text(" ").join(words)
        if len(line) <= width:
            break
    return line


def draw(
    line: Text, verdict: Verdict | None, level: int, state: str, console: Console
) -> None:
    """Clear the terminal, and draw points, verdict and keys with a single write.

    Lines of the verdict for which the window has no room are left out at the end.

    Args:
        line: the line from `points_line`.
        verdict: the verdict; None if nothing has been graded yet.
        level: how much of messages and hints is shown, see `report/hints.py`.
        state: a few words on the last grading, or "".
        console: the console to print on.
    """
    with console.capture() as captured:
        console.print(line)
        console.print()
    top = captured.get()
    room = max(1, console.height - top.count("\n") - MARGIN)
    body = body_of(verdict, level, console) if verdict else []
    if len(body) > room:
        more = len(body) - room + 1
        body = [*body[: room - 1], f"… {more} more lines: make the window higher"]
    with console.capture() as captured:
        console.print()
        keys = " · ".join(filter(None, [state, KEYS]))
        console.print(Text(keys, "dim"), overflow="ellipsis", no_wrap=True)
    console.file.write("".join([CLEAR, top, *(f"{x}\n" for x in body), captured.get()]))
    console.file.flush()


def body_of(verdict: Verdict, level: int, console: Console) -> list[str]:
    """Return the lines of a verdict: notes, the exercise, and what the code printed.

    Args:
        verdict: the verdict.
        level: how much of messages and hints is shown.
        console: the console for which the lines are made.
    """
    exercise = verdict.exercise
    with console.capture() as captured:
        for note in verdict.notes:
            print_line(f"note: {note}", console)
        if verdict.problem:
            print_line(verdict.problem, console, "bold red")
    above = captured.get().splitlines()
    with console.capture() as captured:
        if exercise.checks:
            # All marks count as explained, because the screen has no room for a legend.
            print_exercise(exercise, console, {*Outcome}, level=level, brief=True)
    lines = captured.get().splitlines()
    if lines and not verdict.whole:  # the points of the checks so far would mislead
        with console.capture() as captured:
            print_line(f"{heading_of(exercise)} …", console, "bold")
        lines[:1] = captured.get().splitlines()
    with console.capture() as captured:
        for printed in verdict.printed:
            print_printed(printed, "your code", console)
    return above + lines + captured.get().splitlines()
