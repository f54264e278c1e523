"""Make the results of a class without grading anything."""

from pathlib import Path

from grader.classroom.entries import Entry
from grader.classroom.layouts import HandIn, Owner
from grader.contract.outcomes import Outcome
from grader.report.model import Check, Exercise, Report


def report_of(score: float, *, problem: str = "", seed: str = "1") -> Report:
    """Return a report with this score of 100, all in the exercise `td_loss`.

    Args:
        score: the points.
        problem: why the hand-in was not read or not imported; "" if it runs.
        seed: the seed of the run.
    """
    checks = [
        Check("a", "", Outcome.FAILED, 0, 100 - score),
        Check("b", "", Outcome.PASSED, score, score),
    ]
    about = {"name": "dqn.py", "sha256": "0" * 64, "problem": problem or None}
    return Report(seed, "bwrap", "cpu", about, [Exercise("td_loss", checks)])


def hand_in_of(entry: str, *owners: Owner, group: str = "") -> HandIn:
    """Return a hand-in of this name in the download.

    Args:
        entry: the name in the download.
        owners: the owners; a person with the name as login if there are none.
        group: the name of the group.
    """
    people = owners or (Owner(entry, {"login": entry}),)
    return HandIn(Path(entry), entry, people, group=group)


def entry_of(number: int, hand_in: HandIn, score: float | None = 80, **more) -> Entry:
    """Return a hand-in with its result.

    Args:
        number: the number with which the id begins.
        hand_in: the hand-in.
        score: the points of 100; None if there is no report.
        more: more attributes of the `Entry`, or `problem` for the report.
    """
    problem = more.pop("problem", "")
    report = None if score is None else report_of(score, problem=problem)
    why_not = "" if report else "the runner died"
    return Entry(f"{number:08x}".ljust(64, "0"), hand_in, report, why_not, **more)
