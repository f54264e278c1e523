"""Make the page of the whole class, which shows names of students only on request."""

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from grader.classroom.after.roster import Attendance
from grader.classroom.entries import (
    NOT_ON_ROSTER,
    ODD,
    Entry,
    Trouble,
    troubles,
)
from grader.classroom.pages import charts
from grader.classroom.pages.render import SORT, render
from grader.classroom.pages.student import curve_of
from grader.classroom.similar.clusters import NEAR, Findings
from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import CALLS_EXPORTED, Outcome
from grader.report.model import Report, plain_number

SHORT = 8  # digits of an id that are shown; more if two ids begin alike
HIDDEN = "grades.csv says why"


class Label(NamedTuple):
    """How the page names a hand-in.

    Attributes:
        id: the hand-in's id, which is also in the file name of the student's page.
        short: the first digits of the id.
        has_page: whether the student's page exists, so that the label can link to it.
        owners: the owners' names in one text; None if the page shows no names.
    """

    id: str
    short: str
    has_page: bool
    owners: str | None


class Rate(NamedTuple):
    """How well the graded hand-ins did in one exercise or check.

    Attributes:
        name: the number and name of the exercise, or the description of the check.
        is_exercise: True for an exercise, False for a check.
        mean: the mean of the hand-ins' points.
        most: the largest possible points.
        passed: the fraction of the hand-ins that passed, from 0 to 1. To pass an
            exercise means to get all its points.
    """

    name: str
    is_exercise: bool
    mean: float
    most: float
    passed: float


class Mistake(NamedTuple):
    """A mistake that the diagnosis has named.

    Attributes:
        hand_ins: the number of hand-ins with this mistake.
        name: the mistake's name.
        hint: the hint that students read; "" if there is none.
    """

    hand_ins: int
    name: str
    hint: str


def page(
    entries: Sequence[Entry],
    findings: Findings,
    *,
    names: bool,
    left_out: Sequence[tuple[str, str]] = (),
    attended: Attendance | None = None,
) -> str:
    """Return the HTML page of the whole class.

    Args:
        entries: all hand-ins with their results.
        findings: the result of comparing the code of all hand-ins.
        names: whether to show the owners' names.
        left_out: the names of files that are no hand-in, each with the reason.
        attended: who handed in nothing; None without a roster.
    """
    entries = sorted(entries, key=lambda entry: entry.id)  # hides the order of names
    reports = {e.id: e.report for e in entries if e.report is not None and e.graded}
    graded = [*reports.values()]
    shares = [report.score / report.max_score for report in graded]
    return render(
        "class.html",
        SORT,
        names=names,
        labels=labels(entries, names=names),
        figures=[*figures(entries, graded)],
        troubles=[
            (t, HIDDEN if is_secret(t, names) else t.why) for t in troubles(entries)
        ],
        odd=[*ODD.values(), NOT_ON_ROSTER],
        attended=attended or Attendance(),
        # The reasons are private.
        adjusted=[(e.id, e.adjustment(reasons=names)) for e in entries if e.changes],
        left_out=left_out,
        reports=reports,
        histogram=charts.histogram(shares),
        rates=[*rates(graded)],
        mistakes=mistakes(graded),
        learning=learning(graded),
        findings=findings,
        near=NEAR,
        flags=[*findings.in_strings, *exported(reports)],
    )


def labels(entries: Iterable[Entry], *, names: bool) -> dict[str, Label]:
    """Return the label of each hand-in, by the hand-in's id.

    Args:
        entries: all hand-ins.
        names: whether the labels contain the owners' names.
    """
    known = {entry.id: entry for entry in entries}
    length = SHORT
    while len({id_[:length] for id_ in known}) < len(known):
        length += 1
    return {
        id_: Label(
            id=id_,
            short=id_[:length],
            has_page=entry.report is not None,
            owners=" & ".join(owner.name for owner in entry.hand_in.owners)
            if names
            else None,
        )
        for id_, entry in known.items()
    }


def figures(
    entries: Sequence[Entry], graded: Sequence[Report]
) -> Iterator[tuple[str, str]]:
    """Yield the figures at the top of the page, each as a pair of a name and a value.

    Args:
        entries: all hand-ins.
        graded: the reports of the hand-ins that have a score.
    """
    yield "Hand-ins", str(len(entries))
    yield "Graded", str(len(graded))
    if graded:
        scores = [report.score for report in graded]
        most = graded[0].max_score
        median = plain_number(statistics.median(scores))
        yield "Median", f"{median} / {plain_number(most)}"
        yield "Mean", f"{statistics.mean(scores):.1f}"
        yield "Full marks", str(sum(score == most for score in scores))
    if late := sum(entry.hand_in.late for entry in entries):
        yield "Late", str(late)


def is_secret(trouble: Trouble, names: bool) -> bool:
    """Return whether the page must hide why staff should look at a hand-in.

    The details of a hand-in that was not read or not imported can contain names of
    files, and so names of people. These details must be hidden if `names` is false.

    Args:
        trouble: the reason why staff should look at a hand-in.
        names: whether the page shows the owners' names.
    """
    if names:
        return False
    entry = trouble.entry
    return trouble.kind == NOT_ON_ROSTER or bool(entry.report and entry.problem)


def rates(graded: Sequence[Report]) -> Iterator[Rate]:
    """Yield a `Rate` for each exercise, followed by one for each of its checks.

    Args:
        graded: the reports of the hand-ins that have a score.
    """
    for name in EXERCISES:
        found = [e for report in graded for e in report.exercises if e.name == name]
        if not found:
            continue
        first = found[0]
        full = statistics.mean(e.is_complete for e in found)
        mean = statistics.mean(e.score for e in found)
        yield Rate(f"{first.number} {name}", True, mean, first.max_score, full)
        for i, check in enumerate(first.checks):
            alike = [e.checks[i] for e in found if i < len(e.checks)]
            passed = statistics.mean(c.outcome == Outcome.PASSED for c in alike)
            mean = statistics.mean(c.score for c in alike)
            yield Rate(check.description, False, mean, check.max_score, passed)


def mistakes(graded: Sequence[Report]) -> list[Mistake]:
    """Return the mistakes that the diagnosis has named, the most frequent first.

    Args:
        graded: the reports of the hand-ins that have a score.
    """
    found: Counter[str] = Counter()
    hints: dict[str, str] = {}
    for report in graded:
        checks = [c for exercise in report.exercises for c in exercise.checks]
        found.update({check.diagnosis for check in checks if check.diagnosis})
        for check in checks:
            if check.diagnosis and check.hint:
                hints.setdefault(check.diagnosis, check.hint)
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [Mistake(count, name, hints.get(name, "")) for name, count in ordered]


def learning(graded: Sequence[Report]) -> tuple[str, bool, charts.Chart] | None:
    """Summarize the trainings on CartPole in all reports.

    Args:
        graded: the reports of the hand-ins that have a score.

    Returns:
        None if no report has a training on CartPole. Otherwise a triple: a sentence on
        the results; whether some trainings never reached the mean return for full
        points; the chart of the learning curves.
    """
    runs = [run for report in graded if (run := curve_of(report))]
    if not runs:
        return None
    reached = sum(max(mean for _, mean in run) >= charts.FULL for run in runs)
    words = (
        f"{reached} of {len(runs)} runs on CartPole reach a mean return of "
        f"{charts.FULL:.0f}"
    )
    chart = charts.learning_curves(runs, f"Learning curves. {words}.")
    return words, reached < len(runs), chart


def exported(reports: Mapping[str, Report]) -> Iterator[tuple[str, str]]:
    """Yield (id, note) for each exercise in which a hand-in calls an exported program.

    Such a hand-in uses a program of `jax.export` in place of code that people can read.
    The note comes from the hand-in's report.

    Args:
        reports: the reports by the ids of the hand-ins.
    """
    for id_, report in reports.items():
        for note in report.notes:
            if note.startswith(CALLS_EXPORTED):
                yield id_, note
