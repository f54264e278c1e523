"""The page of the whole class, on which hand-ins go by ids unless names are wanted."""

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from grader.classroom.entries import ODD, Entry, Trouble, troubles
from grader.classroom.pages import charts
from grader.classroom.pages.render import SORT, render
from grader.classroom.pages.student import curve_of
from grader.classroom.similar.clusters import NEAR, Findings
from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import CALLS_EXPORTED, Outcome
from grader.report.model import Report, plain_number

SHORT = 8  # digits of an id that are shown, where they tell it from all others
HIDDEN = "its report says why"


class Label(NamedTuple):
    """How a hand-in is called on the page.

    Attributes:
        id: of the hand-in, as in the name of its page.
        short: the first digits of the id.
        has_page: whether there is a page to link to.
        owners: their names; None where no names are wanted.
    """

    id: str
    short: str
    has_page: bool
    owners: str | None


class Rate(NamedTuple):
    """How many passed an exercise or a check.

    Attributes:
        name: of the exercise, or what the check is about.
        is_exercise: whether it is an exercise; its checks follow.
        mean: points.
        most: points.
        passed: share of the hand-ins, 0 to 1.
    """

    name: str
    is_exercise: bool
    mean: float
    most: float
    passed: float


class Mistake(NamedTuple):
    """A mistake that was recognised."""

    hand_ins: int
    name: str
    hint: str


def page(
    entries: Sequence[Entry],
    findings: Findings,
    *,
    names: bool,
    left_out: Sequence[tuple[str, str]] = (),
) -> str:
    """Return the page of the whole class.

    Args:
        entries: all hand-ins.
        findings: of the comparison of their code.
        names: whether to show the owners' names.
        left_out: names of files that were not taken for hand-ins, each with the reason.
    """
    entries = sorted(entries, key=lambda entry: entry.id)  # says nothing about names
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
        odd=[*ODD.values()],
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
    """Return how each hand-in is called, by its id."""
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
    """Yield the names and values of what is shown large."""
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
    """Return whether the reason may name files, and so people, and must not."""
    entry = trouble.entry
    return entry.report is not None and bool(entry.problem) and not names


def rates(graded: Sequence[Report]) -> Iterator[Rate]:
    """Yield the share that passed: of each exercise, then of its checks."""
    for name in EXERCISES:
        found = [e for report in graded for e in report.exercises if e.name == name]
        if not found:
            continue
        first = found[0]
        full = statistics.mean(e.score == e.max_score for e in found)
        mean = statistics.mean(e.score for e in found)
        yield Rate(f"{first.number} {name}", True, mean, first.max_score, full)
        for i, check in enumerate(first.checks):
            alike = [e.checks[i] for e in found if i < len(e.checks)]
            passed = statistics.mean(c.outcome == Outcome.PASSED for c in alike)
            mean = statistics.mean(c.score for c in alike)
            yield Rate(check.description, False, mean, check.max_score, passed)


def mistakes(graded: Sequence[Report]) -> list[Mistake]:
    """Return the mistakes that were recognised, the most frequent first."""
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
    """Return the results of all trainings on CartPole; None if there is no training.

    Returns:
        The results in words, whether some trainings did not reach full marks, and the
        learning curves as a chart.
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
    """Yield the ids of hand-ins that call an exported program, each with the note."""
    for id_, report in reports.items():
        for note in report.notes:
            if note.startswith(CALLS_EXPORTED):
                yield id_, note
