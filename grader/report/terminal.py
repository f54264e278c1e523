"""Print to the terminal: the progress of a grading, then its report."""

import re
import time
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.text import Text

from grader.contract.exercises import EXERCISES, LEARNING
from grader.contract.outcomes import NOT_IMPLEMENTED, Outcome
from grader.escape import is_command
from grader.report import learning
from grader.report.model import Check, Exercise, Report, plain_number
from grader.report.printed import about_tracers, shown_lines

WIDTH = 80  # columns
NOT_RUN = "not run: see above"
MAX_LINES = 14  # of a check's message
MARKS = {
    Outcome.PASSED: ("✓", "green"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.ERROR: ("!", "red"),
    Outcome.TIMEOUT: ("⧖", "red"),
    Outcome.KILLED: ("☠", "red"),
    Outcome.SKIPPED: ("–", "dim"),
    Outcome.GRADER_ERROR: ("?", "magenta"),
}
# For outcomes that the message alone does not explain, words before the message.
WORDS = {
    Outcome.ERROR: "your code raised an exception",
    Outcome.TIMEOUT: "out of time",
    Outcome.KILLED: "the process died",
}


class Live:
    """The display of a grading's progress, used in a `with` block.

    On a terminal, one line is written again and again. In a log, a line is printed when
    an exercise begins.

    Args:
        console: the console to print on.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started = time.monotonic()
        self.check = "starting"
        self.learning = ""
        self.begun: set[str] = set()  # exercises
        self.status: Status | None = None

    def __enter__(self) -> "Live":
        # The file is asked, too: with FORCE_COLOR rich takes a log for a terminal.
        if self.console.is_terminal and self.console.file.isatty():
            self.status = self.console.status(self)
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
            seconds = time.monotonic() - self.started
            number = list(EXERCISES).index(exercise) + 1
            self.console.print(
                f"{seconds:6.1f} s  {number} {exercise}", highlight=False
            )

    def on_learning(self, words: str) -> None:
        """Show the progress of learning.

        Args:
            words: the progress in a few words.
        """
        self.learning = words

    def __rich__(self) -> Text:
        """Return the line to show now; rich calls this several times a second."""
        seconds = f"{time.monotonic() - self.started:.0f} s"
        words = " · ".join(filter(None, [seconds, self.learning, self.check]))
        return Text(words[: WIDTH - 6])


def make_console() -> Console:
    """Return a console of at most 80 columns, with colours if the terminal has them."""
    console = Console(soft_wrap=False, highlight=False)
    if not console.is_terminal or console.width > WIDTH:
        console = Console(width=WIDTH, highlight=False)
    return console


def print_report(report: Report, console: Console, notes: list[str]) -> None:
    """Print the report: problem of the hand-in, exercises, score, and notes at the end.

    Args:
        report: the report.
        console: the console to print on.
        notes: lines to print after the score.
    """
    console.print()
    for line in about_hand_in(report):
        print_wrapped(Text(line, "bold red" if report.problem else ""), console)
    if report.problem or report.notes:
        console.print()
    shown: set[str] = set()
    printed = {each["exercise"]: each for each in report.printed}
    if "import" in printed:
        print_printed(printed["import"], "dqn.py, when it was imported,", console)
    for exercise in report.exercises:
        if report.problem:
            print_row(heading_of(exercise), NOT_RUN, points_of(exercise), "", console)
            continue
        print_exercise(exercise, console, shown)
        if exercise.name in printed:
            print_printed(printed[exercise.name], "your code", console)
    for line in learning.results(report.learning):  # for other tasks, a check says why
        console.print(Text(f"      {line}"))
    console.print()
    score = f"Score {plain_number(report.score)} / {plain_number(report.max_score)}"
    if report.grader_error:
        score = "No score: the grader could not do all of its work"
    full = report.score == report.max_score
    console.print(Text(score, "bold green" if full else "bold"))
    for line in [*notes, next_step(report)]:
        print_wrapped(Text(line), console)
    console.print(
        Text(
            f"seed {report.seed} · sandbox {report.sandbox} · {report.device}"
            f" · {report.duration:.1f} s",
            "dim",
        )
    )


def about_hand_in(report: Report) -> list[str]:
    """Return the first lines of a report: the hand-in's problem and notes, if any."""
    return [*filter(None, [report.problem]), *(f"note: {n}" for n in report.notes)]


def print_wrapped(text: Text, console: Console) -> None:
    """Print text, wrapped to the width of the console."""
    for part in text.wrap(console, console.width):
        part.rstrip()
        if is_command(part.plain):
            part = Text("· ").append_text(part)
        console.print(part)


def print_exercise(exercise: Exercise, console: Console, shown: set[str]) -> None:
    """Print an exercise: a heading, a line for each check, messages and hints.

    Only one message is printed in full: that of the first check that neither passed nor
    was skipped. If there is no such check, it is that of the first skipped check. If
    another check ended with an exception, the exception and its place are printed. Any
    other message is printed only if it has a single line.

    Args:
        exercise: the results of the exercise.
        console: the console to print on.
        shown: messages, readings and hints that are already printed and so are left
            out. The function adds those that it prints.
    """
    heading, points = heading_of(exercise), points_of(exercise)
    if exercise.unwritten:
        print_row(heading, NOT_IMPLEMENTED, points, "bold", console)
        return
    print_row(heading, "", points, "bold", console)
    reasons = [c for c in exercise.checks if c.outcome != Outcome.PASSED and c.message]
    first = next((c for c in reasons if c.outcome != Outcome.SKIPPED), None)
    first = first or next(iter(reasons), None)
    for check in exercise.checks:
        print_check(check, console)
        words, *more = check.message.split("\n")
        raised = check.outcome == Outcome.ERROR
        # Exceptions at one place count as the same if only their numbers differ.
        without_numbers = re.sub(r"[\d\s]+", "", words)
        key = "\n".join([without_numbers, *more[:1]]) if raised else words
        if words and key not in shown:
            # A first line alone is printed if it is the whole message or names an
            # exception. Without the following lines, other first lines say nothing.
            whole = check is first
            if whole or raised or not more:
                print_message(check, console, shown, whole=whole)
                shown.update([key, *more[1:]] if raised else [key])
        elif words and raised and more:
            place = more[0].partition(": ")[0]
            print_indented(Text(f"the same exception, {place}", "yellow"), console)
        if check.reading and check.reading not in shown:
            shown.add(check.reading)
            for line in check.reading.splitlines():
                print_indented(Text(line), console)
        for hint in (check.hint or "").splitlines():
            if hint not in shown:
                shown.add(hint)
                print_indented(Text(f"→ {hint}", "cyan"), console)


def heading_of(exercise: Exercise) -> str:
    """Return an exercise's number and name: "6 td_loss"."""
    return f"{exercise.number} {exercise.name}"


def points_of(exercise: Exercise) -> str:
    """Return an exercise's points in words: "4.5 / 10"."""
    return f"{plain_number(exercise.score)} / {plain_number(exercise.max_score)}"


def print_row(left: str, middle: str, right: str, style: str, console: Console) -> None:
    """Print one line with two texts on the left and points on the right.

    Args:
        left: the first text.
        middle: the second text, or "".
        right: the points in words.
        style: rich's style of the line.
        console: the console to print on.
    """
    room = console.width - len(right) - 1
    line = f"{left}  {middle}" if middle else left
    console.print(Text(f"{line[:room]:<{room}} {right}", style))


def print_check(check: Check, console: Console) -> None:
    """Print a check's line: the sign of its outcome, its description, its points."""
    mark, style = MARKS[check.outcome]
    points = f"{plain_number(check.score)}/{plain_number(check.max_score)}"
    room = console.width - len(points) - 5
    words = check.description
    if len(words) > room:
        words = words[: room - 1] + "…"
    line = Text(f"  {mark} ", style)
    line.append(f"{words:<{room}} {points}", "dim" if style == "dim" else "default")
    console.print(line)


def print_message(
    check: Check, console: Console, shown: set[str], *, whole: bool
) -> None:
    """Print a check's message, indented under the check's line.

    Args:
        check: the check.
        console: the console to print on.
        shown: the texts that are already printed.
        whole: True prints all lines, at most `MAX_LINES`. False prints only the first
            line; of an exception, also the line with its place, and those lines of the
            explanation that are not in `shown`.
    """
    if check.message == NOT_IMPLEMENTED:
        lines = [NOT_IMPLEMENTED]
    else:
        lines = check.message.splitlines()
        if whole and check.outcome in WORDS:
            lines.insert(0, WORDS[check.outcome])
    if not whole and check.outcome == Outcome.ERROR:
        lines = lines[:2] + [line for line in lines[2:] if line not in shown]
    elif not whole:
        lines = lines[:1]
    if len(lines) > MAX_LINES:
        lines = [*lines[: MAX_LINES - 1], "…"]
    for line in lines:
        style = "dim" if check.outcome == Outcome.SKIPPED else "yellow"
        print_indented(Text(line, style), console)


def print_printed(printed: dict[str, Any], who: str, console: Console) -> None:
    """Print the hand-in's output as far as it was kept, with a mark before each line.

    Args:
        printed: an entry of `Report.printed`.
        who: the subject of the heading "What ... printed:", for example "your code".
        console: the console to print on.
    """
    console.print(Text(f"      What {who} printed:", "dim"))
    for line in shown_lines(printed):
        for part in Text(line).wrap(console, console.width - 8):
            part.rstrip()
            console.print(Text(f"      │ {part.plain}", "dim"))
    for line in about_tracers(printed):
        print_indented(Text(line, "cyan"), console)


def print_indented(text: Text, console: Console) -> None:
    """Print text, indented by six columns and wrapped to the width of the console."""
    for line in text.wrap(console, console.width - 6):
        line.rstrip()
        # After wrapping, because wrapping can move any word to a line's beginning.
        margin = "    · " if is_command(line.plain) else "      "
        console.print(Text(margin).append_text(line))


def next_step(report: Report) -> str:
    """Return a sentence that tells the student what to do next."""
    if report.grader_error:
        return "Please tell the course staff; your work is not at fault."
    if report.problem:
        return "Next: mend what stands at the top, then grade it again."
    whole = len(report.exercises) == len(EXERCISES)
    if whole and report.score == report.max_score:
        return "Everything passed. The official run asks the same with fresh seeds."
    open_ones = [e for e in report.exercises if e.score < e.max_score]
    if not open_ones:
        return "This exercise is complete; `make grade` checks the whole homework."
    name = open_ones[0].name
    if name == LEARNING and not open_ones[0].unwritten:
        return "Next: mend what is named above, then `make grade`."
    verb = "write" if open_ones[0].unwritten else "look at"
    return (
        f"Next: {verb} {name}, then `make grade ONLY={name}`. The official run asks "
        "the same with fresh seeds."
    )
