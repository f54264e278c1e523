"""Fill an export with scores, only where it is sure whose row it is."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from grader.classroom.entries import Entry
from grader.classroom.gradebooks.export import Export
from grader.classroom.gradebooks.people import People
from grader.report.model import plain_number


@dataclass
class Filled:
    """An export with scores, and people and rows without.

    Attributes:
        text: of the whole file.
        without_row: names of people who have a score, but no row.
        without_score: the first cells of rows that were left as they were.
        with_problem: names of people whose hand-in was not read or not imported, and
            whose cell was left alone.
        disputes: sentences on rows that were left alone because more than one hand-in,
            or somebody else, could be meant.
    """

    text: str = ""
    without_row: list[str] = field(default_factory=list)
    without_score: list[str] = field(default_factory=list)
    with_problem: list[str] = field(default_factory=list)
    disputes: list[str] = field(default_factory=list)


def fill(
    export: Export, entries: Iterable[Entry], *, zero_unread: bool = False
) -> Filled:
    """Return the export with the scores of a class.

    Args:
        export: of Canvas or Moodle.
        entries: all hand-ins.
        zero_unread: enter 0 for what was not read or not imported, instead of nothing.
    """
    filled, people = Filled(), People(export)
    claims: dict[int, dict[int, Entry]] = {}  # by row, the hand-ins by their number
    for number, entry in enumerate(entries):
        for owner in entry.hand_in.owners:
            place, doubt = people.row_of(owner)
            if place is not None:
                claims.setdefault(place, {})[number] = entry
            if doubt:
                filled.disputes.append(doubt)
            if entry.report is None:
                continue
            if entry.problem and not zero_unread:
                filled.with_problem.append(owner.name)
            elif place is None and not doubt:
                filled.without_row.append(owner.name)
    scores: dict[int, str] = {}
    for place, claim in claims.items():
        (entry, *others) = claim.values()
        if others:
            who = export.rows[place].cells[0]
            filled.disputes.append(f"{who}: {dispute(claim.values())}")
        elif score := score_of(entry, export.maxima[place], zero_unread):
            scores[place] = score
    filled.without_score = [
        row.cells[0]
        for i, row in enumerate(export.rows)
        if i >= export.first and row.cells and i not in scores
    ]
    filled.text = export.with_scores(scores)
    return filled


def dispute(claim: Collection[Entry]) -> str:
    """Return the words on a row that belongs to the owners of several hand-ins."""
    names = ", ".join(entry.hand_in.entry for entry in claim)
    return f"not entered, for {len(claim)} hand-ins claim this row ({names})"


def score_of(entry: Entry, maximum: float, zero_unread: bool) -> str:
    """Return the score as it is entered; "" to leave the cell alone.

    Args:
        entry: the hand-in.
        maximum: what the full score is worth; 0 for the report's own points.
        zero_unread: enter 0 for what was not read or not imported.
    """
    if entry.report is None:
        return ""
    if entry.problem:
        return "0" if zero_unread else ""
    full = entry.report.max_score
    return str(plain_number(entry.report.score * (maximum or full) / full))
