"""Compute what the class page tells of all hand-ins together."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from grader.classroom.entries import Entry
from grader.classroom.pages import charts
from grader.classroom.pages.student import curve_of
from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import Outcome
from grader.report.model import Report, plain_number


class Rate(NamedTuple):
    """How well the graded hand-ins did in one exercise or check.

    Attributes:
        name: the name of the exercise, or the description of the check.
        mean: the mean of the hand-ins' points.
        most: the largest possible points.
        passed: the fraction of the hand-ins that passed, from 0 to 1. To pass an
            exercise means to get all its points.
    """

    name: str
    mean: float
    most: float
    passed: float


class ExerciseRates(NamedTuple):
    """How well the graded hand-ins did in an exercise, and in each of its checks."""

    number: int
    name: str
    rate: Rate
    checks: list[Rate]


class Mistake(NamedTuple):
    """A mistake that the diagnosis has named.

    Attributes:
        ids: the ids of the hand-ins with this mistake.
        name: the mistake's name.
        hint: the hint that students read; "" if there is none.
    """

    ids: tuple[str, ...]
    name: str
    hint: str


def figures(
    entries: Sequence[Entry], scores: Sequence[float], most: float
) -> Iterator[tuple[str, str]]:
    """Yield the figures at the top of the page, each as a pair of a name and a value.

    Args:
        entries: all hand-ins.
        scores: the scores of the hand-ins that have one.
        most: the largest possible score.
    """
    yield "Hand-ins", str(len(entries))
    yield "Graded", str(len(scores))
    if scores:
        median = plain_number(statistics.median(scores))
        yield "Median", f"{median} / {plain_number(most)}"
        mean, spread = statistics.mean(scores), statistics.pstdev(scores)
        yield "Mean ± SD", f"{mean:.1f} ± {spread:.1f}"
        low, high = plain_number(min(scores)), plain_number(max(scores))
        yield "Range", f"{low} to {high}"
        yield "Full marks", str(sum(score == most for score in scores))
    if late := sum(entry.hand_in.late for entry in entries):
        yield "Late", str(late)


def rates(graded: Sequence[Report]) -> Iterator[ExerciseRates]:
    """Yield how well the hand-ins did in each exercise and its checks.

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
        checks = []
        for i, check in enumerate(first.checks):
            alike = [e.checks[i] for e in found if i < len(e.checks)]
            passed = statistics.mean(c.outcome == Outcome.PASSED for c in alike)
            points = statistics.mean(c.score for c in alike)
            checks.append(Rate(check.description, points, check.max_score, passed))
        whole = Rate(name, mean, first.max_score, full)
        yield ExerciseRates(first.number, name, whole, checks)


def mistakes(reports: Mapping[str, Report]) -> list[Mistake]:
    """Return the mistakes that the diagnosis has named, the most frequent first.

    Args:
        reports: the reports of the hand-ins that have a score, by id.
    """
    found: dict[str, list[str]] = {}
    hints: dict[str, str] = {}
    for id_, report in reports.items():
        checks = [c for exercise in report.exercises for c in exercise.checks]
        for diagnosis in {check.diagnosis for check in checks if check.diagnosis}:
            found.setdefault(diagnosis, []).append(id_)
        for check in checks:
            if check.diagnosis and check.hint:
                hints.setdefault(check.diagnosis, check.hint)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return [Mistake(tuple(ids), name, hints.get(name, "")) for name, ids in ordered]


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
