"""Enter scores into an export: the CSV file of a gradebook, as `export` reads it.

A row gets a score only if it is certain to which person the row belongs.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from grader.classroom.entries import Entry
from grader.classroom.gradebooks.export import Export
from grader.classroom.gradebooks.people import People
from grader.report.model import plain_number


@dataclass
class Filled:
    """An export with scores entered, and lists of the scores that were not entered.

    Attributes:
        text: the text of the whole file.
        without_row: the names of people who should get a score and have no row.
        without_score: for each student's row that got no score, the text of its first
            cell.
        with_problem: the names of people who got no score because their hand-in was not
            read or not imported.
        disputes: sentences on scores that were not entered. Either several hand-ins
            belong to the same row, or it is not certain which row belongs to a person.
    """

    text: str = ""
    without_row: list[str] = field(default_factory=list)
    without_score: list[str] = field(default_factory=list)
    with_problem: list[str] = field(default_factory=list)
    disputes: list[str] = field(default_factory=list)


def fill(
    export: Export, entries: Iterable[Entry], *, zero_unread: bool = False
) -> Filled:
    """Enter the scores of a class into an export, and list the scores not entered.

    Args:
        export: the export of Canvas or Moodle.
        entries: all hand-ins with their results.
        zero_unread: whether to enter 0 for a hand-in that was not read or not imported.
            If false, nothing is entered for such a hand-in.
    """
    filled, people = Filled(), People(export)
    claims: dict[int, dict[int, Entry]] = {}  # by row, the hand-ins of its owner
    for number, entry in enumerate(entries):
        for owner in entry.hand_in.owners:
            place, doubt = people.row_of(owner)
            if place is not None:
                claims.setdefault(place, {})[number] = entry
            if doubt:
                filled.disputes.append(doubt)
            if entry.report is None:
                continue
            if not (entry.is_settled or zero_unread):
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
    """Return the message on a row that gets no score: several hand-ins belong to it.

    Args:
        claim: all hand-ins that belong to the row.
    """
    names = ", ".join(entry.hand_in.entry for entry in claim)
    return f"not entered, for {len(claim)} hand-ins claim this row ({names})"


def score_of(entry: Entry, maximum: float, zero_unread: bool) -> str:
    """Return the text to enter as a score; "" if nothing is to be entered.

    Args:
        entry: the hand-in with its result.
        maximum: the number to enter for a full score; every other score is scaled in
            proportion. 0 means that scores are not scaled.
        zero_unread: whether to return "0" for a hand-in that was not read or not
            imported.
    """
    if entry.report is None:
        return ""
    if entry.entered is None or not entry.is_settled:
        return "0" if zero_unread else ""
    full = entry.report.max_score
    return str(plain_number(entry.entered * (maximum or full) / full))
