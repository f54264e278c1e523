"""The report on the terminal: live while it runs, then a line for each check."""

import re
import time
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.text import Text

from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import NOT_IMPLEMENTED, Outcome
from grader.escape import is_command
from grader.report.model import Check, Exercise, Report, plain_number

WIDTH = 80
NOT_RUN = "not run: see above"
MAX_LINES = 14
MAX_PRINTED = 6  # lines of an exercise
BARS = "▁▂▃▄▅▆▇█"
FULL_BAR = 500.0  # CartPole's largest return
MARKS = {
    Outcome.PASSED: ("✓", "green"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.ERROR: ("!", "red"),
    Outcome.TIMEOUT: ("⧖", "red"),
    Outcome.KILLED: ("☠", "red"),
    Outcome.SKIPPED: ("–", "dim"),
    Outcome.GRADER_ERROR: ("?", "magenta"),
}
# Said where the outcome is more than "wrong answer".
WORDS = {
    Outcome.ERROR: "your code raised an exception",
    Outcome.TIMEOUT: "out of time",
    Outcome.KILLED: "the process died",
}


class Live:
    """What is going on, on one line that rewrites itself; plain lines in a log."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started = time.monotonic()
        self.check = "starting"
        self.learning = ""
        self.begun: set[str] = set()  # exercises
        self.status: Status | None = None

    def __enter__(self) -> "Live":
        # Rich takes FORCE_COLOR for a terminal, but a notebook or a log is not one.
        if self.console.is_terminal and self.console.file.isatty():
            self.status = self.console.status(self)
            self.status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.status:
            self.status.stop()

    def on_check(self, exercise: str, check: str) -> None:
        """Show that a check starts; a log has a line for each exercise."""
        self.check = f"{exercise}: {check}"
        if not self.status and exercise in EXERCISES and exercise not in self.begun:
            self.begun.add(exercise)
            seconds = time.monotonic() - self.started
            number = list(EXERCISES).index(exercise) + 1
            self.console.print(
                f"{seconds:6.1f} s  {number} {exercise}", highlight=False
            )

    def on_learning(self, words: str) -> None:
        """Show how far learning has come."""
        self.learning = words

    def __rich__(self) -> Text:
        """Return the line as it is now; called several times a second."""
        seconds = f"{time.monotonic() - self.started:.0f} s"
        words = " · ".join(filter(None, [seconds, self.learning, self.check]))
        return Text(words[: WIDTH - 6])


def make_console() -> Console:
    """Make a console of 80 columns at most; colour only where it can be shown."""
    console = Console(soft_wrap=False, highlight=False)
    if not console.is_terminal or console.width > WIDTH:
        console = Console(width=WIDTH, highlight=False)
    return console


def print_report(report: Report, console: Console, notes: list[str]) -> None:
    """Print the whole report: the hand-in's problem, exercises, score, notes."""
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
    if "cartpole" in report.learning:
        cartpole = report.learning["cartpole"]
        if cartpole["mean_return"] is not None:  # else the checks say why
            words = (
                f"{about_cartpole(cartpole)} after {cartpole['runs']} training run(s)"
            )
            console.print(Text(f"      {words}"))
        if line := sparkline(report.learning["cartpole"]["curve"]):
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
            f"seed {report.seed} · sandbox {report.sandbox} · reference {report.mode}"
            f" · {report.device} · {report.duration:.1f} s",
            "dim",
        )
    )


def about_hand_in(report: Report) -> list[str]:
    """Return what comes before anything else: the hand-in's problem, then notes."""
    return [*filter(None, [report.problem]), *(f"note: {n}" for n in report.notes)]


def print_wrapped(text: Text, console: Console) -> None:
    """Print text in lines that are short enough."""
    for part in text.wrap(console, console.width):
        part.rstrip()
        if is_command(part.plain):
            part = Text("· ").append_text(part)
        console.print(part)


def print_exercise(exercise: Exercise, console: Console, shown: set[str]) -> None:
    """Print a heading, a line for each check, the first failure in full, hints.

    Args:
        exercise: its checks have run.
        console: to print on.
        shown: the messages printed so far; none is printed twice.
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
        # An exception and its place; that only its numbers differ is nothing new.
        told = (
            "\n".join([re.sub(r"[\d\s]+", "", words), *more[:1]]) if raised else words
        )
        if words and told not in shown:
            # Numbers without their question say nothing; an exception does.
            whole = check is first
            if whole or raised or not more:
                print_message(check, console, shown, whole=whole)
                shown.update([told, *more[1:]] if raised else [told])
        elif words and raised and more:
            place = more[0].partition(": ")[0]
            print_indented(Text(f"the same exception, {place}", "yellow"), console)
        if check.hint and check.hint not in shown:
            shown.add(check.hint)
            for hint in check.hint.splitlines():
                print_indented(Text(f"→ {hint}", "cyan"), console)


def heading_of(exercise: Exercise) -> str:
    """Return an exercise's number and name."""
    return f"{exercise.number} {exercise.name}"


def points_of(exercise: Exercise) -> str:
    """Return what an exercise has earned of what there is."""
    return f"{plain_number(exercise.score)} / {plain_number(exercise.max_score)}"


def print_row(left: str, middle: str, right: str, style: str, console: Console) -> None:
    """Print text on the left, points on the right."""
    room = console.width - len(right) - 1
    line = f"{left}  {middle}" if middle else left
    console.print(Text(f"{line[:room]:<{room}} {right}", style))


def print_check(check: Check, console: Console) -> None:
    """Print one line for a check."""
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
    """Print what was obtained and expected, indented under the check.

    Args:
        check: that did not pass.
        console: to print on.
        shown: what was printed so far.
        whole: not only its first line. An exception's place is printed always, and
            its explanation if it was not printed yet.
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
    """Print what the hand-in printed, each line marked as its own."""
    console.print(Text(f"      What {who} printed:", "dim"))
    lines = printed["text"].rstrip("\n").split("\n")
    for line in lines[:MAX_PRINTED]:
        cut = Text(f"      │ {line}", "dim")
        cut.truncate(console.width, overflow="ellipsis")
        console.print(cut)
    left = []
    if len(lines) > MAX_PRINTED:
        left.append(f"{len(lines) - MAX_PRINTED} more lines in report.json")
    if printed["dropped"]:
        left.append(f"{printed['dropped']} bytes more were not kept")
    if left:
        console.print(Text(f"      │ … {', '.join(left)}", "dim"))


def print_indented(text: Text, console: Console) -> None:
    """Print text under a check, wrapped."""
    for line in text.wrap(console, console.width - 6):
        line.rstrip()
        # Wrapped first: any word may come to stand at the beginning of a line.
        margin = "    · " if is_command(line.plain) else "      "
        console.print(Text(margin).append_text(line))


def about_cartpole(cartpole: dict[str, Any]) -> str:
    """Return the mean return in a line, or why there is none."""
    if cartpole["mean_return"] is None:
        reason = cartpole["not_judged"].splitlines()[0]
        return f"CartPole: not judged: {reason}"
    return f"CartPole: mean return {cartpole['mean_return']:.1f} of 500"


def sparkline(curve: list[list[float]]) -> str:
    """Return the learning curve in one line; "" where there is none.

    Args:
        curve: environment step and mean return of each validation.
    """
    if not curve:
        return ""
    heights = [int(mean / FULL_BAR * len(BARS)) for _, mean in curve]
    bars = "".join(BARS[min(height, len(BARS) - 1)] for height in heights)
    step, best = max(curve, key=lambda point: point[1])
    return f"step {curve[0][0]} {bars} {curve[-1][0]}, best {best:.0f} at {step}"


def next_step(report: Report) -> str:
    """Return what to do next, in a sentence."""
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
    verb = "write" if open_ones[0].unwritten else "look at"
    return (
        f"Next: {verb} {name}, then `make grade ONLY={name}`. The official run asks "
        "the same with fresh seeds."
    )
