"""Make the page of the whole class, which shows names of students only with NAMES=1."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from grader.classroom.after.attendance import Attendance
from grader.classroom.entries import (
    NOT_GRADED,
    NOT_ON_ROSTER,
    ODD,
    STRANGE,
    Entry,
    Trouble,
    troubles,
    troubles_of,
)
from grader.classroom.layouts import words_of
from grader.classroom.pages import charts, summary
from grader.classroom.pages.render import SORT, render
from grader.classroom.pages.student import sign_of
from grader.classroom.similar.clusters import NEAR, Findings
from grader.contract.outcomes import CALLS_EXPORTED, Outcome
from grader.report.exercise import marked_as
from grader.report.model import NOT_IMPORTED, NOT_READ, Exercise, Report

SHORT = 8  # digits of an id that are shown; more if two ids begin alike
HIDDEN = "grades.csv says why"
ALIKE, UNUSUAL = "nearly the same", "unusual code"
ADJUSTED = "adjusted score"
UNREAD, UNIMPORTED = (kind.removesuffix(": ") for kind in (NOT_READ, NOT_IMPORTED))
SERIOUS = (UNREAD, UNIMPORTED, NOT_GRADED)
# By kind of trouble, what it means for the score and what to do.
ADVICE = {
    UNREAD: "No score, not zero.",
    UNIMPORTED: "Graded, with no points: no check could ask the code.",
    NOT_GRADED: "No score, not zero. The next run tries it again.",
    STRANGE: "Graded like all others. Is it a hand-in, and whose?",
    NOT_ON_ROSTER: "Graded like all others. Is the roster complete?",
    ODD[Outcome.TIMEOUT]: "It was tried twice, the second time without the others.",
    ODD[Outcome.KILLED]: "Out of memory, a crash, or code that ends its own process.",
    ALIKE: "No proof, and no points are lost: read the hand-ins, ask their authors.",
    UNUSUAL: "Strings and exported programs can hide code; both have honest uses, too. "
    "No proof, and code in strings loses no points: look at the lines.",
    ADJUSTED: "Entered like this; all other figures are the grader's.",
}


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


class Group(NamedTuple):
    """Hand-ins that staff should look at for the same kind of reason.

    Attributes:
        kind: the kind of reason, such as "not read".
        colour: the colour of the kind, a CSS class of `page.css`.
        advice: what the kind means for the score, and what to do; "" for nothing.
        items: pairs (ids, details). The ids are those of one hand-in, or of several
            that look alike.
    """

    kind: str
    colour: str
    advice: str
    items: list[tuple[tuple[str, ...], str]]

    @property
    def number(self) -> int:
        """Return the number of hand-ins in the group."""
        return len({id_ for ids, _ in self.items for id_ in ids})


class Row(NamedTuple):
    """A hand-in in the table of everyone's points.

    Attributes:
        place: the hand-in's place, from 0, if all are sorted by the owners' names, or
            by the ids if the page shows no names.
        entry: the hand-in with its result.
        why: why the hand-in has no score, such as "not read"; "" if it has one.
        exercises: the exercises with their points, with None in the place of one of
            which no check was judged; [] if the hand-in has no score.
    """

    place: int
    entry: Entry
    why: str
    exercises: list[Exercise | None]


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
    scores = [entry.score for entry in entries if entry.score is not None]
    most = graded[0].max_score if graded else 0
    return render(
        "class.html",
        SORT,
        names=names,
        labels=labels(entries, names=names),
        figures=[*summary.figures(entries, scores, most)],
        groups=[*groups(entries, findings, reports, names=names)],
        attended=attended or Attendance(),
        left_out=left_out,
        reports=reports,
        histogram=charts.histogram(scores, most),
        mistakes=summary.mistakes(reports),
        rates=[*summary.rates(graded)],
        learning=summary.learning(graded),
        rows=rows(entries, names=names),
        dash=sign_of(Outcome.SKIPPED),
        findings=findings,
        near=NEAR,
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
            owners=entry.hand_in.who if names else None,
        )
        for id_, entry in known.items()
    }


def groups(
    entries: Sequence[Entry],
    findings: Findings,
    reports: Mapping[str, Report],
    *,
    names: bool,
) -> Iterator[Group]:
    """Yield the groups of hand-ins that staff should look at, the most urgent first.

    Args:
        entries: all hand-ins.
        findings: the result of comparing the code of all hand-ins.
        reports: the reports of the hand-ins that have a score, by id.
        names: whether the page shows the owners' names.
    """
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for trouble in troubles(entries):
        why = HIDDEN if is_secret(trouble, names) else trouble.why
        found.setdefault(trouble.kind, []).append(((trouble.entry.id,), why))
    found[ALIKE] = [
        (one.names, f"each shares at least {int(100 * one.share)}% with another one")
        for one in findings.clusters
    ]
    unusual = [*findings.in_strings, *exported(reports)]
    found[UNUSUAL] = [((id_,), what) for id_, what in unusual]
    # The reasons of changes are private.
    found[ADJUSTED] = [
        ((e.id,), e.adjustment(reasons=names)) for e in entries if e.changes
    ]
    for kind, items in found.items():
        if items:
            colour = "bad" if kind in SERIOUS else "warn"
            yield Group(kind, colour, ADVICE.get(kind, ""), items)


def is_secret(trouble: Trouble, names: bool) -> bool:
    """Return whether the page must hide the reason why staff should look at a hand-in.

    If `names` is false, it must hide a reason that can contain names of people: a
    hand-in is not on the roster, or it was not read or not imported (the reason can
    contain names of files).

    Args:
        trouble: the reason why staff should look at a hand-in.
        names: whether the page shows the owners' names.
    """
    if names:
        return False
    entry = trouble.entry
    return trouble.kind == NOT_ON_ROSTER or bool(entry.report and entry.problem)


def rows(entries: Iterable[Entry], *, names: bool) -> list[Row]:
    """Return the rows of everyone's points.

    Hand-ins without a score always come last. The others are in the order of their
    owners' names if `names` is true; if not, the highest score comes first.

    Args:
        entries: all hand-ins, sorted by id.
        names: whether the page shows the owners' names.
    """
    found = []
    for place, entry in enumerate(sorted(entries, key=names_of) if names else entries):
        why = ""
        judged: list[Exercise | None] = []
        if entry.report is None or entry.score is None:
            why = next(troubles_of(entry)).kind
        else:
            judged = [e if is_judged(e) else None for e in entry.report.exercises]
        found.append(Row(place, entry, why, judged))
    return sorted(
        found,
        key=lambda row: (
            bool(row.why),
            row.place if names else -(row.entry.score or 0),
        ),
    )


def names_of(entry: Entry) -> list[list[str]]:
    """Return the words of the owners' names to sort by; "Ö" is sorted as "O"."""
    return [words_of(owner.name) for owner in entry.hand_in.owners]


def is_judged(exercise: Exercise) -> bool:
    """Return whether at least one check of an exercise was judged."""
    return any(marked_as(check) != Outcome.SKIPPED for check in exercise.checks)


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
