"""Hold each hand-in with its result, and list the hand-ins that staff must look at."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grader.classroom.after import adjust
from grader.classroom.layouts import HandIn
from grader.contract.outcomes import Outcome
from grader.intake.submission import Submission
from grader.report.model import NOT_IMPORTED, NOT_READ, Report, plain_number

NOT_GRADED = "not graded"
NOT_ON_ROSTER = "not on the roster"
STRANGE = "strange name"
# The outcomes of a check that staff should look at, with the kind of trouble.
ODD = {Outcome.TIMEOUT: "out of time", Outcome.KILLED: "the process died"}
# All kinds of trouble, the most urgent first.
KINDS = (
    NOT_READ.removesuffix(": "),
    NOT_IMPORTED.removesuffix(": "),
    NOT_GRADED,
    NOT_ON_ROSTER,
    STRANGE,
    *ODD.values(),
)


@dataclass(frozen=True)
class Entry:
    """One hand-in with its result.

    Attributes:
        id: a hash that names the hand-in on the class page and in the names of files.
        hand_in: the path of the hand-in, and its owners.
        report: the report of the grading; None if there is none.
        why_not: why there is no report; "" if there is one.
        changes: the changes that staff have made to the score.
        stranger: the owners who are not, or perhaps not, on the roster, as text; "" if
            there are no such owners, or no roster.
        zero_unread: whether 0 is entered if the hand-in was not read or not imported,
            and staff have not fixed the score.
        strange: why the hand-in's name in the download is strange; "" if it is not.
    """

    id: str
    hand_in: HandIn
    report: Report | None
    why_not: str = ""
    changes: tuple[adjust.Change, ...] = ()
    stranger: str = ""
    zero_unread: bool = False
    strange: str = ""

    @property
    def graded(self) -> bool:
        """Whether the hand-in has a score: it was read, and there is a report.

        A hand-in that was read but could not be imported has the score 0.
        """
        return self.report is not None and not self.report.problem.startswith(NOT_READ)

    @property
    def score(self) -> float | None:
        """The points before any change of staff; None if the hand-in was not graded."""
        return self.report.score if self.report and self.graded else None

    @property
    def entered(self) -> float | None:
        """The score after the changes of staff; None if no score is to be entered.

        Without a report, the result is None even if staff have fixed the score. If the
        hand-in could not be read or imported, and staff have not fixed the score, the
        changes do not count: the result is 0 if `zero_unread` is true, else None.
        """
        if self.report is None:
            return None
        if self.problem and not any(change.is_fixed for change in self.changes):
            return 0.0 if self.zero_unread else None
        return adjust.adjusted(self.score, self.report.max_score, self.changes)

    def adjustment(self, *, reasons: bool = True) -> str:
        """Return in words the score, its changes and what is entered.

        The result is "" if there are no changes.

        Args:
            reasons: whether the text lists the changes, each with its reason.
        """
        if self.report is None:
            return "not graded; nothing entered" if self.changes else ""
        if not self.changes:
            return ""
        given = "no score"
        if self.score is not None:
            most = plain_number(self.report.max_score)
            given = f"{plain_number(self.score)} of {most} by the grader"
        why = [change.in_words() for change in self.changes] if reasons else []
        told = "nothing" if self.entered is None else plain_number(self.entered)
        return "; ".join([given, *why, f"{told} entered"])

    @property
    def problem(self) -> str:
        """Why the hand-in was not graded, or why its import failed; "" if neither."""
        return self.report.problem if self.report else self.why_not


def id_of(name: str, submission: Submission | None) -> str:
    """Return the id of a hand-in: a hash of its name in the download and its contents.

    Args:
        name: the name in the download.
        submission: the hand-in as it was read, or None if it was not read.
    """
    hashed = hashlib.sha256(os.fsencode(name))
    if submission is not None:
        # The hash includes the contents, so that a name alone does not give the id.
        hashed.update(f"\0{submission.sha256}".encode())
    return hashed.hexdigest()


@dataclass(frozen=True)
class Trouble:
    """One reason for staff to look at a hand-in.

    Attributes:
        entry: the hand-in with its result.
        kind: one of `KINDS`, such as "not graded" or "out of time".
        why: the details in words. If the kind is "out of time" or "the process died":
            the names of exercises, each with the number of its checks that ended so.
    """

    entry: Entry
    kind: str
    why: str


def troubles(entries: Iterable[Entry]) -> list[Trouble]:
    """Return all reasons for staff to look at hand-ins, the most urgent kind first.

    A hand-in can have several reasons or none.
    """
    found = [trouble for entry in entries for trouble in troubles_of(entry)]
    return sorted(found, key=lambda trouble: KINDS.index(trouble.kind))


def troubles_of(entry: Entry) -> Iterator[Trouble]:
    """Yield the reasons for staff to look at one hand-in."""
    if entry.report is None:
        yield Trouble(entry, NOT_GRADED, entry.why_not)
    elif entry.problem:
        kind, _, why = entry.problem.partition(": ")
        yield Trouble(entry, kind, why)
    else:
        odd: dict[str, Counter[str]] = {}
        for exercise in entry.report.exercises:
            for check in exercise.checks:
                if check.outcome in ODD:
                    odd.setdefault(ODD[check.outcome], Counter())[exercise.name] += 1
        for kind, where in odd.items():
            why = ", ".join(f"{name} ({n})" for name, n in where.items())
            yield Trouble(entry, kind, why)
    if entry.stranger:
        yield Trouble(entry, NOT_ON_ROSTER, entry.stranger)
    if entry.strange:
        yield Trouble(entry, STRANGE, entry.strange)
