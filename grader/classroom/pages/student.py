"""Make the page for a student: the report on one hand-in."""

from collections.abc import Iterator
from typing import NamedTuple

from grader.classroom.entries import Entry
from grader.classroom.pages import charts
from grader.classroom.pages.render import render
from grader.contract.outcomes import Outcome
from grader.report import learning as words
from grader.report.formats.words import about_printed
from grader.report.model import Check, Exercise, Report, plain_number
from grader.report.symbols import MARKS

COLOURS = {"green": "good", "red": "bad", "dim": "soft", "magenta": "warn"}


class Line(NamedTuple):
    """A check as the page shows it.

    A text that the page already shows at an earlier check of the exercise is left out.

    Attributes:
        check: the check with its points.
        mark: the sign of the check's outcome.
        colour: the colour of the sign, a CSS class of `page.css`.
        words: the outcome in words, for people who cannot see the sign.
        message: the check's message; "" if it is left out.
        reading: what the part computes; "" if it is left out.
        hints: the lines of the check's hint, without those that are left out.
    """

    check: Check
    mark: str
    colour: str
    words: str
    message: str
    reading: str
    hints: tuple[str, ...]


def page(entry: Entry) -> str:
    """Return the HTML page for a hand-in that has a report."""
    report = entry.report
    assert report is not None
    return render(
        "student.html",
        report=report,
        names=", ".join(owner.name for owner in entry.hand_in.owners),
        figures=[*figures(entry, report)],
        adjusted=entry.adjustment(),
        exercises=[
            (exercise, [*lines(exercise)])
            for exercise in ([] if report.problem else report.exercises)
        ],
        printed=about_printed(report),
        learning=learning(report),
    )


def figures(entry: Entry, report: Report) -> Iterator[tuple[str, str]]:
    """Yield the figures at the top of the page, each as a pair of name and value."""
    most = plain_number(report.max_score)
    yield "Score", f"{plain_number(report.score)} / {most}" if entry.graded else "none"
    yield "Seed", report.seed
    if entry.hand_in.late:
        yield "Handed in", "late"


def lines(exercise: Exercise) -> Iterator[Line]:
    """Yield the checks of an exercise; a text that two checks share is shown once."""
    shown: set[str] = set()

    def once(text: str | None) -> str:
        new = "" if text is None or text in shown else text
        shown.add(new)
        return new

    for check in exercise.checks:
        passed = check.outcome == Outcome.PASSED
        message = "" if passed else once(check.message)
        reading = once(check.reading)
        hints = tuple(filter(None, map(once, (check.hint or "").splitlines())))
        mark, style = MARKS[check.outcome]
        words = str(check.outcome).replace("_", " ")
        yield Line(check, mark, COLOURS[style], words, message, reading, hints)


def learning(report: Report) -> tuple[list[str], charts.Chart | None] | None:
    """Return sentences on the tasks of learning, and CartPole's learning curve.

    Returns:
        None if no task was judged. Otherwise a list with a sentence on each judged
        task, and a chart of the curve. The chart is None if the report has no curve of
        CartPole.
    """
    tasks = words.judged(report.learning)
    if not tasks:
        return None
    lines = [words.about(task, report.learning[task]) for task in tasks]
    if not (run := curve_of(report)):
        return lines, None
    return lines, charts.learning_curves([run], f"Learning curve. {lines[-1]}.")


def curve_of(report: Report) -> list[list[float]]:
    """Return CartPole's learning curve in a report; an empty list if there is none.

    Each entry is a list of two numbers: an environment step and the mean return then.
    """
    curve: list[list[float]] = report.learning.get("cartpole", {}).get("curve") or []
    return curve
