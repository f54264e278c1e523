"""Read changes of scores from a file, such as a penalty, and apply them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.classroom.after.who import Known
from grader.classroom.gradebooks.sheet import Sheet
from grader.contract.outcomes import UsageError
from grader.report.model import plain_number

_CHANGE = re.compile(r"'?(?P<sign>[-+=])\s*(?P<amount>\d+([.,]\d+)?)\s*(?P<percent>%?)")
BONUS = "bonus"  # a reason with this word may lift a score above the maximum
FORM = "write -5, +5, -10% or =85"


@dataclass(frozen=True)
class Change:
    """One change of a score.

    Attributes:
        sign: "-" or "+" for a change of the score so far, "=" for a new score.
        amount: the number of points or percent, not negative.
        is_percent: whether the amount is a percentage of the score so far.
        reason: why the score changes, for the student.
    """

    sign: str
    amount: float
    is_percent: bool
    reason: str

    @property
    def is_fixed(self) -> bool:
        """Whether the new score does not depend on the score so far."""
        return self.sign == "="

    def apply(self, score: float | None, most: float) -> float | None:
        """Return the score after this change.

        The result is None if `score` is None, unless the change sets a new score. The
        result is never below 0. The score rises above the largest score only if the
        change sets a new score, or if the change's reason has the word "bonus".

        Args:
            score: the score so far, or None.
            most: the largest score that the grader gives.
        """
        if self.is_fixed:
            return self.amount
        if score is None:
            return None
        points = score * self.amount / 100 if self.is_percent else self.amount
        changed = max(0.0, score - points if self.sign == "-" else score + points)
        is_bonus = BONUS in self.reason.casefold()
        return changed if is_bonus else min(changed, max(score, most))

    def in_words(self) -> str:
        """Return the change and its reason in words, as in "−10 %: one day late"."""
        amount = f"{plain_number(self.amount)}{' %' if self.is_percent else ''}"
        sign = {"-": "−", "+": "+", "=": "set to "}[self.sign]
        return f"{sign}{amount}: {self.reason}"


@dataclass(frozen=True)
class Line:
    """One line of the file of changes.

    Attributes:
        number: the line's number in the file, from 1.
        who: name or identifier of a person, a hand-in or a group, see `Known.find`.
        change: the change.
    """

    number: int
    who: str
    change: Change


def read_adjustments(sheet: Sheet) -> list[Line]:
    """Return the lines of a file of changes.

    Each line has three cells: who, change (-5, +5, -10% or =85) and reason. The first
    line may be the head "who, change, reason".

    Args:
        sheet: the file.

    Raises:
        UsageError: a line has no person or no reason, its change is not of these forms,
            or its change may be cut at a decimal comma; the message has all such lines.
    """
    lines, wrong = [], []
    first = 1
    for row in sheet.rows:
        here, first = first, first + 1 + sum(cell.count("\n") for cell in row.raw)
        who, how, *why = [*(cell.strip() for cell in row.cells), "", ""]
        if not (who or how) or (here == 1 and who.casefold() == "who"):
            continue
        reason = ", ".join(filter(None, why))
        how = how.replace("−", "-")
        match = _CHANGE.fullmatch(how)
        cut = f"{how},{why[0]}"  # a number with a decimal comma, if it is a number
        if not who:
            wrong.append(f"line {here}: it does not say who")
        elif match is None or (match["sign"] == "=" and match["percent"]):
            wrong.append(
                f"line {here}: {how!r} is no change: {FORM} "
                "(a name with a comma needs quotes)"
            )
        elif sheet.delimiter == "," and _CHANGE.fullmatch(cut):
            wrong.append(
                f"line {here}: is {cut!r} meant? Write {cut.replace(',', '.')}, "
                "or put it in quotes"
            )
        elif not reason:
            wrong.append(f"line {here}: the reason is missing")
        else:
            amount, is_percent = (
                float(match["amount"].replace(",", ".")),
                bool(match["percent"]),
            )
            change = Change(match["sign"], amount, is_percent, reason)
            lines.append(Line(here, who, change))
    refuse(wrong)
    return lines


def changes_of(lines: Iterable[Line], known: Known) -> dict[str, tuple[Change, ...]]:
    """Return the changes of each hand-in's score, by the hand-in's id.

    Args:
        lines: the lines of the file.
        known: the hand-ins of the class.

    Raises:
        UsageError: a line does not belong to exactly one hand-in, or names one person
            of a group. Or a hand-in has several changes, and one sets a new score.
    """
    found: dict[str, list[Line]] = {}
    wrong = []
    for line in lines:
        try:
            id_ = known.find(line.who)
        except UsageError as error:
            wrong.append(f"line {line.number}: {error}")
            continue
        hand_in = known.hand_ins[id_]
        if not known.is_whole(line.who, id_):
            is_one = "is" if len(hand_in.owners) > 1 else "may be"
            wrong.append(
                f"line {line.number}: {line.who!r} {is_one} one of a group, and a "
                "change holds for all of it: "
                f"write {hand_in.group or hand_in.entry!r} for it"
            )
        found.setdefault(id_, []).append(line)
    for several in found.values():
        if len(several) > 1 and any(line.change.is_fixed for line in several):
            numbers = " and ".join(str(line.number) for line in several)
            wrong.append(f"lines {numbers}: beside a fixed score there is no change")
    refuse(wrong)
    return {id_: tuple(line.change for line in mine) for id_, mine in found.items()}


def refuse(wrong: Sequence[str]) -> None:
    """Raise an error that lists what is wrong with the file, if anything is.

    Raises:
        UsageError: the list is not empty.
    """
    if wrong:
        raise UsageError("\n  ".join(["ADJUST: nothing was graded, for", *wrong]))


def adjusted(
    score: float | None, most: float, changes: Iterable[Change]
) -> float | None:
    """Return a score after all changes, made in their order.

    The result is None if the grader gave no score and no change sets one.

    Args:
        score: the score that the grader gave; None if it gave none.
        most: the largest score that the grader gives.
        changes: the changes.
    """
    for change in changes:
        score = change.apply(score, most)
    return score
