"""One hand-in is graded anew; the reports on all others, and its older one, stay."""

import json

import pytest
from rich.console import Console

from grader.classroom import pool
from grader.classroom.after.regrade import chosen_by, grade_anew, options_of_others
from grader.classroom.after.who import Known
from grader.classroom.entries import id_of
from grader.contract.outcomes import UsageError
from grader.grading.pipeline import Options
from grader.intake.submission import Submission
from tests.support.classes import hand_in_of, report_of

CLASS = {
    "jane": Submission("jane", b"1"),
    "bo": Submission("bo", b"2"),
    "copy": Submission("copy", b"1"),
}
NAMES = {
    entry: pool.name_of(submission, Options(""), "code")
    for entry, submission in CLASS.items()
}


@pytest.fixture
def kept(tmp_path) -> pool.Kept:
    """Return the reports of the class, each with 80 points and the seed "first"."""
    store = pool.Kept(tmp_path / "kept")
    for name in {*NAMES.values()}:
        store.put(name, report_of(80, seed="first").as_json(), alone=True)
    return store


def regraded(kept: pool.Kept, entry: str, graded: pool.Graded):
    """Grade a hand-in anew, with a given result of the grading.

    Returns:
        What `grade_anew` returns.
    """

    def start(tasks, alone):
        for name in tasks:
            yield name, graded

    reports = kept.folder.parent / "reports"
    console = Console(quiet=True)
    return grade_anew(start, entry, CLASS, NAMES, kept, reports, console)


def test_the_new_report_counts_and_the_old_one_is_kept(kept):
    """The lines say what changed in points; each older report has a name of its own."""
    new = report_of(95, seed="second")
    lines, why_not = regraded(kept, "bo", pool.Graded(new.as_json()))
    assert why_not == ""
    assert "graded anew: bo: 80 of 100 before, 95 now" in lines
    assert "graded anew: bo: 6 td_loss: 80 → 95" in lines
    assert kept.get(NAMES["bo"]).score == 95
    assert kept.get(NAMES["jane"]).score == 80
    lines, _ = regraded(kept, "bo", pool.Graded(report_of(95).as_json()))
    assert "graded anew: bo: 95 of 100 again" in lines
    assert not [line for line in lines if "td_loss" in line]
    id_ = id_of("bo", CLASS["bo"])
    folder = kept.folder.parent / "reports"
    for number, score in ((1, 80), (2, 95)):
        text = (folder / f"{id_}.before-{number}.json").read_text()
        assert json.loads(text)["score"] == score
        assert json.loads(text)["submission"]["name"] == "bo"
    assert len([*folder.iterdir()]) == 2


def test_equal_hand_ins_are_told(kept):
    """Equal hand-ins share a report, so the lines say for whom else the new one is."""
    lines, _ = regraded(kept, "jane", pool.Graded(report_of(70).as_json()))
    assert lines[-1].endswith("equal hand-ins: copy")
    lines, _ = regraded(kept, "bo", pool.Graded(report_of(70).as_json()))
    assert not [line for line in lines if "equal hand-ins" in line]


def test_without_a_new_report_the_old_one_stays(kept):
    """If the grader fails, the result is the older one, and the lines say why."""
    lines, why_not = regraded(kept, "bo", pool.Graded("", "the runner died"))
    told = "bo: not graded anew, the older result stays: the runner died"
    assert (lines, why_not) == ([told], "the runner died")
    assert kept.get(NAMES["bo"]).score == 80
    assert not (kept.folder.parent / "reports").exists()


def test_what_was_never_graded(kept):
    """Without an older report, the hand-in is graded, and nothing is compared."""
    (kept.folder / f"{NAMES['bo']}.json").unlink()
    lines, _ = regraded(kept, "bo", pool.Graded(report_of(70).as_json()))
    assert lines == ["graded anew: bo: it was not graded before"]
    assert kept.get(NAMES["bo"]).score == 70


def test_a_seed_is_that_of_the_one(kept):
    """The other hand-ins keep their reports, whatever the seed of the class was."""
    seeded = Options("7")
    assert options_of_others(seeded, CLASS, "code", kept) == Options("")
    name = pool.name_of(CLASS["bo"], seeded, "code")
    kept.put(name, report_of(60).as_json(), alone=True)
    assert options_of_others(seeded, CLASS, "code", kept) == seeded
    with pytest.raises(UsageError, match="REGRADE: no other hand-in has a result"):
        options_of_others(Options(""), CLASS, "another code", kept)


def test_who_is_graded_anew():
    """An unknown or ambiguous name, or a hand-in that cannot be read, is refused."""
    ids = {id_of(e, s): hand_in_of(e) for e, s in CLASS.items()}
    known = Known(ids, [])
    assert chosen_by("BO", known, CLASS) == "bo"
    assert chosen_by(id_of("bo", CLASS["bo"])[:9], known, CLASS) == "bo"
    assert chosen_by("", known, CLASS) == ""
    with pytest.raises(UsageError, match=r"REGRADE: 'ja' is the name of no.*mean jane"):
        chosen_by("ja", known, CLASS)
    with pytest.raises(UsageError, match="REGRADE: bo cannot be read"):
        chosen_by("bo", known, {})
    unread = {"bo": Submission("bo", b"", problem="it is not UTF-8 text")}
    with pytest.raises(UsageError, match="bo cannot be read: it is not UTF-8 text"):
        chosen_by("bo", known, unread)
