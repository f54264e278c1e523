"""Make the page for a student: the report on one hand-in."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from grader.classroom.entries import Entry
from grader.classroom.pages import charts
from grader.classroom.pages.render import render
from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import Outcome
from grader.report import hints
from grader.report import learning as words
from grader.report.exercise import cause_of, marked_as, told_first
from grader.report.model import Check, Exercise, Report, plain_number
from grader.report.printed import about_tracers, shown_lines
from grader.report.symbols import MARKS, MEANINGS, SUBSTITUTES
from grader.report.terminal import problem_lines

COLOURS = {"green": "good", "red": "bad", "dim": "soft", "magenta": "warn"}
RARE = MARKS[Outcome.TIMEOUT][0]  # few fonts of browsers have this mark
WAITS = "it waits for another check, or for code that is not written"


class Sign(NamedTuple):
    """The mark of an outcome.

    Attributes:
        mark: the mark.
        colour: the colour of the mark, a CSS class of `page.css`.
        words: what the mark means.
    """

    mark: str
    colour: str
    words: str


class Line(NamedTuple):
    """A check as the page shows it.

    A text that the page already shows at an earlier check of the exercise is left out.

    Attributes:
        check: the check with its points.
        sign: the mark of the check's outcome.
        message: the check's message; "" if it is left out.
        formulas: what the part computes and what is asked, as pairs of label and text.
        table: the lines of the reading's table; "" if there is none.
        hints: the lines of the check's hint, without those that are left out.
    """

    check: Check
    sign: Sign
    message: str
    formulas: tuple[tuple[str, str], ...]
    table: str
    hints: tuple[str, ...]

    @property
    def tells(self) -> bool:
        """Return whether the check shows a text that no earlier check has shown."""
        return bool(self.message or self.formulas or self.table or self.hints)


class Section(NamedTuple):
    """An exercise as the page shows it.

    Attributes:
        exercise: the exercise with its points.
        sign: the mark of the exercise, see `outcome_of`.
        failed: the checks that show a mistake.
        waiting: the checks that were not judged.
        passed: the checks that passed.
    """

    exercise: Exercise
    sign: Sign
    failed: list[Line]
    waiting: list[Line]
    passed: list[Line]

    @property
    def why(self) -> str:
        """Return why an exercise without a mistake lacks points; "" for all others."""
        first = None if self.failed else told_first(self.exercise)
        return first.message if first else ""


def page(entry: Entry) -> str:
    """Return the HTML page for a hand-in that has a report."""
    report = entry.report
    assert report is not None
    exercises = [] if report.problem else report.exercises
    sections = [section_of(exercise) for exercise in exercises]
    return render(
        "student.html",
        report=report,
        graded=entry.graded,
        problem=problem_lines(report) if report.problem else [],
        names=", ".join(owner.name for owner in entry.hand_in.owners),
        figures=[*figures(entry, report)],
        adjusted=entry.adjustment(),
        sections=sorted(sections, key=urgency),
        legend=[*legend(exercises)],
        printed=[*printed(report)],
        learning=learning(report),
    )


def figures(entry: Entry, report: Report) -> Iterator[tuple[str, str]]:
    """Yield the figures at the top of the page, each as a pair of name and value."""
    most = plain_number(report.max_score)
    yield "Score", f"{plain_number(report.score)} / {most}" if entry.graded else "none"
    checks = [check for exercise in report.exercises for check in exercise.checks]
    if checks and not report.problem:
        passed = sum(check.outcome == Outcome.PASSED for check in checks)
        yield "Checks passed", f"{passed} of {len(checks)}"
    if entry.hand_in.late:
        yield "Handed in", "late"


def sign_of(outcome: Outcome) -> Sign:
    """Return the mark of an outcome, its colour and its meaning."""
    mark, style = MARKS[outcome]
    return Sign(
        SUBSTITUTES[mark] if mark == RARE else mark, COLOURS[style], MEANINGS[outcome]
    )


def outcome_of(exercise: Exercise) -> Outcome:
    """Return the outcome whose mark an exercise gets.

    If the exercise has all points, the outcome is passed. Otherwise it is that of the
    first check that found a mistake, or skipped if no check found one.
    """
    if exercise.is_complete:
        return Outcome.PASSED
    first = told_first(exercise)
    return marked_as(first) if first else Outcome.SKIPPED


def urgency(section: Section) -> int:
    """Return a number to sort by: 0 with a mistake, 1 if not judged, 2 if complete."""
    return 0 if section.failed else 2 if section.exercise.is_complete else 1


def legend(exercises: Iterable[Exercise]) -> Iterator[tuple[Sign, str]]:
    """Yield each mark that the page shows, with what it means."""
    used = {marked_as(check) for exercise in exercises for check in exercise.checks}
    for outcome in MARKS:
        if outcome in used:
            sign = sign_of(outcome)
            waits = f"{sign.words}: {WAITS}"
            yield sign, waits if outcome == Outcome.SKIPPED else sign.words


def section_of(exercise: Exercise) -> Section:
    """Return an exercise as the page shows it."""
    failed: list[Line] = []
    waiting: list[Line] = []
    passed: list[Line] = []
    groups = {Outcome.PASSED: passed, Outcome.SKIPPED: waiting}
    for line in lines(exercise):
        groups.get(marked_as(line.check), failed).append(line)
    return Section(exercise, sign_of(outcome_of(exercise)), failed, waiting, passed)


def lines(exercise: Exercise) -> Iterator[Line]:
    """Yield the checks of an exercise; a text that two checks share is shown once."""
    shown: set[str] = set()

    def once(text: str | None, cause: str = "") -> str:
        cause = cause or text or ""
        new = "" if cause in shown else text or ""
        shown.add(cause)
        return new

    for check in exercise.checks:
        sign = sign_of(marked_as(check))
        if check.outcome == Outcome.PASSED:
            yield Line(check, sign, "", (), "", ())
            continue
        message = once(check.message, cause_of(check))
        is_new = bool(once(check.reading))
        formulas = tuple(hints.formulas(check)) if is_new else ()
        table = "\n".join(hints.table(check)) if is_new else ""
        told = tuple(filter(None, map(once, (check.hint or "").splitlines())))
        yield Line(check, sign, message, formulas, table, told)


def printed(report: Report) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the hand-in's output, one entry for the import and for each exercise.

    An import or exercise without output has no entry.

    Args:
        report: the report on the hand-in.

    Yields:
        Triples: when it was printed, such as "In `td_loss`"; the output; sentences that
        explain it, if it shows arrays without numbers (tracers).
    """
    for each in report.printed:
        name = each["exercise"]
        where = f"In `{name}`" if name in EXERCISES else "When `dqn.py` was imported"
        notes = [note.removeprefix("→ ") for note in about_tracers(each)]
        yield where, "\n".join(shown_lines(each)), notes


def learning(report: Report) -> tuple[list[str], charts.Chart | None] | None:
    """Return sentences on the tasks of learning, and CartPole's learning curve.

    Returns:
        None if no task was judged. Otherwise a list with a sentence on each judged
        task and on why others were not, and a chart of the curve. The chart is None if
        the report has no curve of CartPole.
    """
    tasks = words.judged(report.learning)
    if not tasks:
        return None
    lines = [words.about(task, report.learning[task]) for task in tasks]
    about = [*lines, *words.reasons(report.learning)]
    if not (run := curve_of(report)):
        return about, None
    return about, charts.learning_curves([run], f"Learning curve. {lines[-1]}.")


def curve_of(report: Report) -> list[list[float]]:
    """Return CartPole's learning curve in a report; an empty list if there is none.

    Each entry is a list of two numbers: an environment step and the mean return then.
    """
    curve: list[list[float]] = report.learning.get("cartpole", {}).get("curve") or []
    return curve
