"""Print one exercise of a report: its checks, what is wrong, and hints.

A mark is the symbol of an outcome, such as ✓. The place of an exception is the line of
the code that raised it.
"""

import re
from collections.abc import Iterable
from typing import Any

from rich.console import Console

from grader.contract.outcomes import NOT_IMPLEMENTED, Outcome
from grader.report import hints, learning
from grader.report.layout import (
    MARGIN,
    print_block,
    print_blocks,
    print_row,
    print_table,
    wrapped,
)
from grader.report.model import Check, Exercise, plain_number
from grader.report.printed import about_tracers, shown_lines
from grader.report.symbols import MARKS, MEANINGS

MAX_LINES = 14  # largest number of lines of a check's message
MORE = "(HINT=3 shows this in numbers)"
# Words to print before the message, for outcomes that the message does not explain.
WORDS = {
    Outcome.ERROR: "your code raised an exception",
    Outcome.TIMEOUT: "out of time",
    Outcome.KILLED: "the process died",
}


def print_exercise(
    exercise: Exercise,
    console: Console,
    shown: set[str],
    *,
    level: int = hints.WHAT,
    brief: bool = False,
    learned: learning.Learned | None = None,
) -> None:
    """Print an exercise: a heading, a line for each check, messages and hints.

    Only one check's message is printed in full, see `told_first`. The message of any
    other check is printed, perhaps shortened, only if `tells_itself` is True for the
    check. If several checks have the same message, reading or hint, it is printed once.
    An unwritten exercise gets a single line.

    Args:
        exercise: the results of the exercise.
        console: the console to print on.
        shown: what is already printed. Readings, hints and meanings of marks are not
            printed again. "The same as above" is printed instead of a message on an
            exception, a timeout or a dead process. This function adds what it prints.
        level: how much of messages and hints is shown, see `hints`.
        brief: True to print a single line for all checks that passed, and no line for a
            check that failed or was skipped for the same reason as a check above.
        learned: the results of learning, which are printed below the checks of
            learning; None without results.
    """
    if exercise.unwritten:
        print_unwritten(exercise, console)
        return
    print_row(heading_of(exercise), points_of(exercise), console, style="bold")
    print_legend(map(marked_as, exercise.checks), console, shown)
    first = told_first(exercise)
    told: set[str] = set()  # the causes that this exercise has shown
    summed_up: list[str] = []  # lines on learning below checks that get no line
    for check in exercise.checks:
        cause, below = cause_of(check), learning.below(check, learned or {})
        if brief and (check.outcome == Outcome.PASSED or cause in told):
            summed_up += below
            continue
        print_check(check, console)
        new = cause not in told and (check is first or tells_itself(check))
        if new and cause in shown and check.outcome in WORDS:
            print_block("the same as above", console, "yellow")
        elif new:
            print_message(check, console, shown, level, whole=check is first)
        print_blocks(below, console)
        if not explained_later(check, exercise):
            print_reading(check, console, shown, level)
            if check is first or check.hint:
                print_hints(check, exercise, console, shown, level)
        if new:
            print_again(check, exercise, console, brief=brief)
            told.add(cause)
    shown.update(told)
    if brief:
        print_passed(exercise, console)
    print_blocks(summed_up, console)


def told_first(exercise: Exercise) -> Check | None:
    """Return the check whose message is printed in full; None if all passed.

    The check is the first one that found a mistake. If no check found a mistake, it is
    the first one that found a stub, or else the first one that was skipped.
    """
    lost = [c for c in exercise.checks if c.outcome != Outcome.PASSED and c.message]
    asked = [c for c in lost if c.outcome != Outcome.SKIPPED]
    return next(iter([c for c in asked if fails(c)] or asked or lost), None)


def fails(check: Check) -> bool:
    """Return whether a check found a mistake.

    A check that passed, that was skipped, or that found a stub has found no mistake.
    Any other check has found one, even if it ended with a fault of the grader.
    """
    return marked_as(check) not in (Outcome.PASSED, Outcome.SKIPPED)


def marked_as(check: Check) -> Outcome:
    """Return the outcome whose mark is printed before a check.

    A check that found a stub has the outcome failed, but the mark of the outcome
    skipped, because a stub is not judged.
    """
    stub = check.message.startswith(NOT_IMPLEMENTED)
    return Outcome.SKIPPED if stub else check.outcome


def explained_later(check: Check, exercise: Exercise) -> bool:
    """Return whether the reading and hint of a check are left to other checks.

    The result is True if the check ended with an exception, and another check with the
    same reading found a wrong answer: the reading explains the wrong answer.

    Args:
        check: the check.
        exercise: the exercise with all its checks.
    """
    return check.outcome == Outcome.ERROR and any(
        other.reading == check.reading and other.outcome == Outcome.FAILED
        for other in exercise.checks
    )


def tells_itself(check: Check) -> bool:
    """Return whether the first line of a check's message says enough by itself.

    The result is True if the message has a single line, or if the check ended with an
    exception, out of time or because the process died. It is False if there is no
    message.
    """
    one_line = "\n" not in check.message
    return bool(check.message) and (one_line or check.outcome in WORDS)


def cause_of(check: Check) -> str:
    """Return a text that is equal for checks that failed for the same reason.

    The text is the message, or "" if there is no message. For a check that ended with
    an exception, the text is the exception without numbers, and the line of code that
    raised it.
    """
    if check.outcome != Outcome.ERROR:
        return check.message
    words, *more = check.message.split("\n")
    return "\n".join([re.sub(r"[\d\s]+", "", words), *more[:1]])


def print_unwritten(exercise: Exercise, console: Console) -> None:
    """Print the line of an exercise in which the student has written nothing."""
    heading, points = heading_of(exercise), points_of(exercise)
    room = console.width - len(heading) - len(points) - 3
    words = NOT_IMPLEMENTED if room >= len(NOT_IMPLEMENTED) else "not written"
    print_row(f"{heading}  {words}", points, console, style="bold")


def heading_of(exercise: Exercise) -> str:
    """Return an exercise's number and name: "6 td_loss"."""
    return f"{exercise.number} {exercise.name}"


def points_of(exercise: Exercise) -> str:
    """Return an exercise's points in words: "4.5 / 10"."""
    return f"{plain_number(exercise.score)} / {plain_number(exercise.max_score)}"


def print_legend(
    outcomes: Iterable[Outcome],
    console: Console,
    shown: set[str],
    margin: str = "  ",
) -> None:
    """Print what the marks of outcomes mean, and add these outcomes to `shown`.

    Outcomes that are in `shown` before the call are left out.
    """
    unknown = {*outcomes} - shown
    new = [outcome for outcome in MARKS if outcome in unknown]
    shown.update(new)
    if new:
        words = "  ".join(f"{MARKS[x][0]} {MEANINGS[x]}" for x in new)
        print_block(words, console, "dim", margin=margin)


def print_check(check: Check, console: Console) -> None:
    """Print a check's line: the mark of its outcome, its description, its points."""
    points = f"{plain_number(check.score)}/{plain_number(check.max_score)}"
    print_marked(marked_as(check), check.description, points, console)


def print_marked(outcome: Outcome, words: str, right: str, console: Console) -> None:
    """Print a text after the mark of an outcome, with points at the right edge."""
    mark, style = MARKS[outcome]
    print_row(words, right, console, mark=f"  {mark} ", style=style)


def print_passed(exercise: Exercise, console: Console) -> None:
    """Print how many checks of an exercise have passed, if any have."""
    passed = [c for c in exercise.checks if c.outcome == Outcome.PASSED]
    if passed:
        words = f"{counted(len(passed), 'check')} passed"
        points = plain_number(sum(check.score for check in passed))
        print_marked(Outcome.PASSED, words, f"{points}/{points}", console)


def print_message(
    check: Check, console: Console, shown: set[str], level: int, *, whole: bool
) -> None:
    """Print a check's message, indented under the check's line.

    At most `MAX_LINES` lines of the message are printed.

    Args:
        check: the check.
        console: the console to print on.
        shown: lines that are already printed. If the check ended with an exception, the
            lines of its message from the third on are added.
        level: how much of the message is shown, see `hints`.
        whole: True to print all lines of the level. With False, it depends on how the
            check ended. After an exception, the first two lines (the exception, and the
            line of code that raised it) and those later lines that are not in `shown`
            are printed. After a timeout or the death of the process, all lines are
            printed. In any other case, only the first line is printed.
    """
    lines = hints.message_lines(check, level)
    raised = check.outcome == Outcome.ERROR
    if whole and check.outcome in WORDS:
        lines.insert(0, WORDS[check.outcome])
    elif not whole and raised:
        lines = lines[:2] + [line for line in lines[2:] if line not in shown]
    elif not whole and check.outcome not in WORDS:
        lines = lines[:1]
    if raised:
        shown.update(check.message.splitlines()[2:])
    if len(lines) > MAX_LINES:
        lines = [*lines[: MAX_LINES - 1], "…"]
    for line in lines:
        style = "dim" if check.outcome == Outcome.SKIPPED else "yellow"
        print_block(line, console, style)


def print_reading(check: Check, console: Console, shown: set[str], level: int) -> None:
    """Print what the part computes and what is asked; at level 3, an example too.

    Nothing is printed at level 1, or if the check has no reading, or if the reading is
    in `shown`. A reading that is printed is added to `shown`.
    """
    if level < hints.WHAT or not check.reading or check.reading in shown:
        return
    shown.add(check.reading)
    for label, words in hints.formulas(check):
        print_block(words, console, label=f"{label:<21}")
    if level >= hints.NUMBERS:
        print_table(hints.table(check), console)
    elif hints.table(check) and MORE not in shown:
        shown.add(MORE)
        print_block(MORE, console, "dim")


def print_hints(
    check: Check, exercise: Exercise, console: Console, shown: set[str], level: int
) -> None:
    """Print the lines of a check's hint, and add them to `shown`.

    `level` chooses the lines, see `hints`. Lines that are in `shown` before the call
    are left out. Nothing is printed if the check passed or was skipped.
    """
    if check.outcome in (Outcome.PASSED, Outcome.SKIPPED):
        return
    for hint in hints.hint_lines(check, exercise.name, level):
        if hint not in shown:
            shown.add(hint)
            print_block(hint, console, "cyan", label="→ ")


def print_again(
    check: Check, exercise: Exercise, console: Console, *, brief: bool
) -> None:
    """Print which other check ended for the same reason, or how many if there are more.

    Nothing is printed if there is no other check, or if `check` was skipped and `brief`
    is False: the lines of the other checks then say that these were skipped, too.

    Args:
        check: the check whose message was printed.
        exercise: the exercise with all its checks.
        console: the console to print on.
        brief: whether the other checks have no lines of their own.
    """
    others = [c for c in exercise.checks if c is not check]
    again = [c for c in others if cause_of(c) == cause_of(check)]
    if not again or (check.outcome == Outcome.SKIPPED and not brief):
        return  # the marks of the other checks say that they were skipped
    style = "dim" if check.outcome == Outcome.SKIPPED else "yellow"
    more = counted(len(again), "more check")
    if len(again) == 1:
        more = f"“{again[0].description}”"
    print_block(f"the same in {more}", console, style)


def print_printed(printed: dict[str, Any], who: str, console: Console) -> None:
    """Print the hand-in's output as far as it was kept, with "│" before each line.

    A heading stands above. If the output shows a tracer, a sentence below explains it.

    Args:
        printed: an entry of `Report.printed`.
        who: the subject of the heading "What ... printed:", for example "your code".
        console: the console to print on.
    """
    print_block(f"What {who} printed:", console, "dim")
    for line in shown_lines(printed):
        for part in wrapped(line, console, console.width - len(MARGIN) - 2):
            print_block(part, console, "dim", label="│ ")
    for line in about_tracers(printed):
        print_block(line, console, "cyan")


def counted(number: int, noun: str) -> str:
    """Return a number with a noun: "1 check", "2 checks"."""
    return f"{number} {noun}{'s' if number != 1 else ''}"
