"""Enter scores into an export, the CSV file of a gradebook.

A row gets a score only if it is certain to which person the row belongs.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from grader.classroom.entries import Entry
from grader.classroom.gradebooks.groups import Places
from grader.classroom.gradebooks.sheet import number
from grader.report.model import plain_number


@dataclass
class Filled:
    """An export with scores entered, and lists of the scores that were not entered.

    Attributes:
        text: the text of the whole file.
        encoding: the encoding of the export's file.
        file: the name of the file to write.
        without_row: the names of people who should get a score and have no row.
        without_score: for each student's row that got no score, the text of its first
            cell.
        with_problem: the names of people who got no score because their hand-in was not
            read or not imported.
        disputes: sentences on scores that were not entered. Either several hand-ins
            belong to the same row, or it is not certain which row belongs to a person,
            or the row must not be changed.
        replaced: for each row in which a score took the place of another number, whose
            row it is and both numbers.
        unscaled: whether scores were entered without scaling, because the export does
            not say what a full score is worth.
    """

    text: str = ""
    encoding: str = "utf-8"
    file: str = "gradebook.csv"
    without_row: list[str] = field(default_factory=list)
    without_score: list[str] = field(default_factory=list)
    with_problem: list[str] = field(default_factory=list)
    disputes: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    unscaled: bool = False


def fill(places: Places, entries: Iterable[Entry]) -> Filled:
    """Enter the scores of a class into an export, and list the scores not entered.

    Args:
        places: the rows of the export.
        entries: all hand-ins with their results.
    """
    export = places.export
    filled = Filled(encoding=export.sheet.encoding, file=export.file)
    claims: dict[int, dict[int, Entry]] = {}  # by row, the hand-ins of its owner
    for i, entry in enumerate(entries):
        for name, row, doubt in places.of(entry.hand_in):
            if row is not None:
                claims.setdefault(row, {})[i] = entry
            if doubt:
                filled.disputes.append(not_entered(name, doubt))
            if entry.report is None:
                continue
            if entry.entered is None:
                filled.with_problem.append(name)
            elif row is None and not doubt:
                filled.without_row.append(name)
    scores: dict[int, float] = {}
    for row, claim in claims.items():
        (entry, *others) = claim.values()
        score = score_of(entry, export.maxima[row])
        who = export.value(row, "name") or export.rows[row].at(0)
        if others:
            filled.disputes.append(not_entered(who, several(claim.values())))
        elif score is not None and (why := export.kept.get(row)):
            filled.disputes.append(not_entered(who, why))
        elif score is not None:
            scores[row] = score
            cell, new = export.rows[row].at(export.column), plain_number(score)
            if number(cell) not in (None, new):
                filled.replaced.append(f"{who}: {cell.strip()} → {new}")
    filled.without_score = [
        row.at(0)
        for i, row in enumerate(export.rows)
        if i >= export.first and any(row.cells) and i not in scores
    ]
    filled.unscaled = bool(scores) and not any(export.maxima)
    filled.text = export.with_scores(scores)
    return filled


def not_entered(who: str, why: str) -> str:
    """Return the sentence on a score that is not entered: whose it is, and why."""
    return f"{who}: not entered, for {why}"


def several(claim: Collection[Entry]) -> str:
    """Return why a row gets no score: several hand-ins belong to it.

    Args:
        claim: all hand-ins that belong to the row.
    """
    names = ", ".join(entry.hand_in.entry for entry in claim)
    return f"{len(claim)} hand-ins claim this row ({names})"


def score_of(entry: Entry, maximum: float) -> float | None:
    """Return the score to enter, after the changes of staff; None to enter nothing.

    Args:
        entry: the hand-in with its result.
        maximum: the number to enter for a full score; every other score is scaled in
            proportion. 0 means that scores are not scaled.
    """
    if entry.report is None or entry.entered is None:
        return None
    full = entry.report.max_score
    return entry.entered * (maximum or full) / full
