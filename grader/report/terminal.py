"""Print a report to the terminal, to be read from top to bottom.

If several exercises were graded, the first one with a mistake is printed in full. Any
other exercise has one line, and if it failed, a second line on its first failure.
Exercise 9 then also has its reason.
"""

from typing import Any

from rich.console import Console

from grader.contract.exercises import EXERCISES, LEARNING, PARTS
from grader.contract.outcomes import NOT_IMPLEMENTED, Outcome
from grader.report import hints, learning
from grader.report.exercise import (
    counted,
    fails,
    heading_of,
    marked_as,
    points_of,
    print_exercise,
    print_legend,
    print_marked,
    print_printed,
    told_first,
)
from grader.report.layout import print_block, print_blocks, print_line, print_row
from grader.report.model import Check, Exercise, Report, plain_number
from grader.report.symbols import MARKS

WIDTH = 100  # columns; longer lines are hard to read
LOG_WIDTH = 80  # columns of output that does not go to a terminal
OLDER = "*"  # printed after points that are for an older text of the hand-in
GAP = 2  # blanks between two exercises in a line


def make_console() -> Console:
    """Return a console of at most 100 columns, with colours if the terminal has them.

    For output that does not go to a terminal, it has 80 columns.
    """
    console = Console(highlight=False)
    width = min(console.width, WIDTH) if console.is_terminal else LOG_WIDTH
    return Console(width=width, highlight=False)


def print_report(
    report: Report,
    console: Console,
    notes: list[str],
    *,
    level: int = hints.WHAT,
    verbose: bool = False,
) -> None:
    """Print the report: lines on the hand-in, exercises, score, and notes at the end.

    Args:
        report: the report.
        console: the console to print on.
        notes: lines to print after the score.
        level: how much of messages and hints is shown, see `hints`.
        verbose: True to print all checks of all exercises.
    """
    console.print()
    print_about_hand_in(report, console)
    printed = {each["exercise"]: each for each in report.printed}
    if "import" in printed:
        print_printed(printed["import"], "dqn.py, when it was imported,", console)
        console.print()
    graded = [] if report.problem else [e for e in report.exercises if not e.older]
    brief = len(graded) > 1 and not verbose
    told = told_in_full(graded) if brief else None
    shown: set[str] = set()
    if brief:
        print_legend(outcomes_in(graded, told), console, shown, margin="")
    for exercise in graded:
        full = not brief or exercise is told
        learned = report.learning if exercise.name == LEARNING else {}
        if full:
            print_exercise(
                exercise, console, shown, level=level, brief=brief, learned=learned
            )
        else:
            print_in_short(exercise, console, level)
            if exercise.is_complete:
                print_blocks(learning.results(learned), console)
        if exercise.name in printed:
            print_printed_in(exercise, printed[exercise.name], console, full=full)
    if report.problem or len(graded) < len(report.exercises):
        if graded:
            console.print()
        print_points(report, console)
    print_end(report, console, notes)


def print_about_hand_in(report: Report, console: Console) -> None:
    """Print why the hand-in was not read or not imported, and the notes on the hand-in.

    If it was imported, only the notes are printed.
    """
    if report.problem:
        first, *more = problem_lines(report)
        print_line(first, console, "bold red")
        for line in more:
            print_block(line, console, "yellow")
    for note in report.notes:
        print_line(f"note: {note}", console)
    if report.problem or report.notes:
        console.print()


def problem_lines(report: Report) -> list[str]:
    """Return the lines of `Report.problem`: first what is wrong, then where.

    `Report.problem` says in one line why the hand-in was not read or not imported. The
    message of this run's first check has the same reason, in one or more lines. The
    result has the same line breaks.
    """
    new = [check for e in report.exercises if not e.older for check in e.checks]
    more = [*filter(None, new[0].message.split("\n")[1:])] if new else []
    rest = "".join(f"; {line}" for line in more)
    if not report.problem.endswith(rest):
        return [report.problem]
    return [report.problem.removesuffix(rest), *more]


def told_in_full(exercises: list[Exercise]) -> Exercise | None:
    """Return the first exercise with a check that found a mistake; None without one."""
    return next((e for e in exercises if any(map(fails, e.checks))), None)


def outcomes_in(exercises: list[Exercise], told: Exercise | None) -> list[Outcome]:
    """Return the outcomes whose symbols a report on several exercises shows.

    The exercise that is printed in full has a symbol, such as ✓, for each check. Any
    other exercise has at most one symbol.

    Args:
        exercises: the exercises that were graded.
        told: the exercise that is printed in full; None if there is none.
    """
    outcomes: list[Outcome] = []
    for exercise in exercises:
        first = told_first(exercise)
        if exercise is told:
            outcomes += map(marked_as, exercise.checks)
        elif exercise.is_complete:
            outcomes.append(Outcome.PASSED)
        elif first and not exercise.unwritten:
            outcomes.append(marked_as(first))
    return outcomes


def print_in_short(exercise: Exercise, console: Console, level: int) -> None:
    """Print an exercise in one line, and its first failure, if any, in a second one.

    A failure to learn gets its reason, too, as far as `level` allows: its cause is
    usually another part, which the second line does not name.
    """
    heading, points = heading_of(exercise), points_of(exercise)
    first = told_first(exercise)
    if exercise.is_complete:
        mark, style = MARKS[Outcome.PASSED]
        width = max(len(name) for name in EXERCISES) + 2
        print_row(f"{heading:<{width}}  {mark}", points, console, style=style)
    elif exercise.unwritten or not first:
        print_exercise(exercise, console, set())
    else:
        print_row(heading, points, console, style="bold")
        print_marked(marked_as(first), in_short(first), "", console)
        if exercise.name == LEARNING and fails(first):
            print_block(first.message.splitlines()[0], console, "yellow")
            for hint in hints.hint_lines(first, exercise.name, level)[:1]:
                print_block(hint, console, "cyan", label="→ ")


def in_short(check: Check) -> str:
    """Return one line on a check that has not passed.

    The line is the check's description. If the check was skipped, the line says instead
    why. If the check found a stub, the line says this, too.
    """
    words = check.message.splitlines()[0]
    if check.outcome == Outcome.SKIPPED:
        return words
    unwritten = check.message.startswith(NOT_IMPLEMENTED)
    return f"{check.description}: {words}" if unwritten else check.description


def print_printed_in(
    exercise: Exercise, printed: dict[str, Any], console: Console, *, full: bool
) -> None:
    """Print what the hand-in printed in an exercise, or only how many lines it is.

    Args:
        exercise: the exercise.
        printed: the exercise's entry of `Report.printed`.
        console: the console to print on.
        full: True to print the text, False to print only the number of its lines.
    """
    if full:
        print_printed(printed, "your code", console)
    else:
        lines = counted(len(printed["text"].rstrip("\n").split("\n")), "line")
        words = f"Your code printed {lines}: see `make grade ONLY={exercise.name}`"
        print_block(words, console, "dim")


def print_points(report: Report, console: Console) -> None:
    """Print all exercises' points; mark those for an older text of the hand-in."""
    width = max(len(name) for name in EXERCISES)
    cells = []
    for exercise in report.exercises:
        points = points_of(exercise).replace(" ", "")
        mark = " " if report.is_of_this_text(exercise) else OLDER
        cells.append(f"{exercise.number} {exercise.name:<{width}} {points:>7}{mark}")
    size = len(cells[0]) + GAP
    number = max(1, (console.width + GAP) // size)  # of exercises in a line
    for row in range(0, len(cells), number):
        line = (" " * GAP).join(cells[row : row + number])
        print_row(line.rstrip(), "", console)
    if not all(map(report.is_of_this_text, report.exercises)):
        words = "graded before your file changed; `make grade` renews all"
        print_block(words, console, "dim", label=f"{OLDER} ", margin="")


def print_end(report: Report, console: Console, notes: list[str]) -> None:
    """Print the score, the notes, what to do next, and the run's settings and time."""
    console.print()
    score = f"Score {plain_number(report.score)} / {plain_number(report.max_score)}"
    if report.grader_error:
        score = "No score: the grader could not do all of its work"
    full = report.score == report.max_score
    print_line(score, console, "bold green" if full else "bold")
    for line in [*notes, next_step(report)]:
        print_line(line, console)
    print_line(
        f"seed {report.seed} · sandbox {report.sandbox} · {report.device}"
        f" · {report.duration:.1f} s",
        console,
        "dim",
    )


def next_step(report: Report) -> str:
    """Return a sentence that tells the student what to do next."""
    if report.grader_error:
        return "Please tell the course staff; your work is not at fault."
    if report.problem:
        return "Next: mend what stands at the top, then grade it again."
    current = [e for e in report.exercises if report.is_of_this_text(e)]
    # The exercises of this run come first, because they are printed above.
    for group in ([e for e in current if not e.older], current, report.exercises):
        left = [e for e in group if not e.is_complete]
        if left:
            exercise = told_in_full(left) or left[0]
            return step_for(exercise, is_current=exercise in current)
    if len(current) == len(EXERCISES):
        return "Everything passed. The official run asks the same with fresh seeds."
    return "This exercise is complete; `make grade` checks the whole homework."


def step_for(exercise: Exercise, *, is_current: bool) -> str:
    """Return what to do next for an exercise that lacks points.

    Args:
        exercise: the exercise.
        is_current: whether the exercise was graded for the current text of the hand-in.
    """
    name = exercise.name
    command = f"`make grade ONLY={name}`"
    if exercise.unwritten:
        unless = "" if is_current else " if you have not yet"
        return f"Next: write {parts_in_words(exercise)}{unless}, then {command}."
    if not is_current:
        return f"Next: grade {name} again: {command}. Your file has changed since."
    if exercise.older:
        return f"Next: look at {name}: {command} shows what is wrong."
    if name == LEARNING:
        stubs = all(NOT_IMPLEMENTED in check.message for check in exercise.checks)
        verb = "write what it waits for" if stubs else "mend what is named above"
        return f"Next: {verb}, then `make grade`."
    return f"Next: look at {name}, then {command}."


def parts_in_words(exercise: Exercise) -> str:
    """Return the names that an exercise's parts have in dqn.py: "mc_loss and …"."""
    parts = [
        p.name for p in PARTS.values() if p.exercise == exercise.name and not p.given
    ]
    return " and ".join(parts)
