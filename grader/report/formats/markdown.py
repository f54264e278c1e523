"""Write a summary in Markdown, for `$GITHUB_STEP_SUMMARY`."""

import textwrap

from grader.contract.outcomes import NOT_IMPLEMENTED
from grader.escape import markdown, markdown_block
from grader.report.exercise import marked_as, told_first
from grader.report.formats.words import (
    about_check,
    about_hand_in,
    about_printed,
    about_run,
    not_graded,
)
from grader.report.model import Check, Exercise, Report, plain_number
from grader.report.symbols import MARKS

WIDTH = 100  # largest width of lines in a code block, which GitHub does not wrap


def render(report: Report | None) -> str:
    """Return the summary in Markdown: score, exercises, checks that missed points.

    If nothing was graded, the summary only says why.

    Args:
        report: the report, or None if the grading ended without a report.
    """
    problem = not_graded(report)
    if not report or problem:
        return f"## No score\n\n{markdown(problem)}\n"
    hand_in = "\n".join(about_hand_in(report))
    lines = [
        *([markdown_block(hand_in)] if hand_in else []),
        f"## Score {points(report)}",
        "",
        "| | Exercise | Points |",
        "|--:|---|--:|",
        *(f"| {e.number} | `{e.name}` | {points(e)} |" for e in report.exercises),
        "",
        markdown_block(about_run(report)),
    ]
    for exercise in report.exercises:
        if not (exercise.is_complete or report.problem):
            name = f"{exercise.number} `{exercise.name}`"
            lines += [f"### {name} {points(exercise)}", ""]
            lines += about_exercise(exercise)
    if printed := about_printed(report):
        lines += ["### What the code printed", "", markdown_block(printed)]
    return "\n".join(lines) + "\n"


def points(graded: Report | Exercise | Check) -> str:
    """Return points in words: "4.5 / 10"."""
    return f"{plain_number(graded.score)} / {plain_number(graded.max_score)}"


def about_exercise(exercise: Exercise) -> list[str]:
    """Return Markdown lines on the checks of an exercise that missed points.

    There is a line for each such check. One of these checks also gets its message,
    reading and hints, see `told_first`. If the student has written nothing of the
    exercise, a single line says so.
    """
    if exercise.unwritten:
        return [f"{NOT_IMPLEMENTED}\n"]
    missed = [c for c in exercise.checks if c.score < c.max_score]
    told = told_first(exercise)
    lines = []
    for check in missed:
        mark = MARKS[marked_as(check)][0]
        lines.append(f"{mark} {markdown(check.description)} ({points(check)})\n")
        if check is told and about_check(check):
            lines.append(markdown_block(wrapped(about_check(check))))
    return lines


def wrapped(text: str) -> str:
    """Return a text in which lines of more than WIDTH characters are wrapped at spaces.

    Words are not broken. Continued lines are indented.
    """
    fill = textwrap.TextWrapper(
        WIDTH,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
    return "\n".join("\n".join(fill.wrap(line)) for line in text.split("\n"))
