"""Exports are filled in place: only scores change, and only where the row is sure."""

import csv
from pathlib import Path

import pytest

from grader.classroom import gradebooks
from grader.classroom.gradebooks import Entry, fill_canvas, fill_moodle
from grader.classroom.layouts import HandIn, Owner
from grader.outcomes import Outcome
from grader.report import Check, Exercise, Report
from grader.submission import UsageError

CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,DQN (55),DQN 2 (56),Final\r\n"
    ",,,,,Manual Posting,,\r\n"
    '"    Points Possible",,,,,50.0,10,(read only)\r\n'
    '"Doe, ""JD"" Jane",11,s11,jane,"A, B",,7,"1,5"\r\n'
    '"Lee, Bo",12,s12,bo@example.org,A,33,-2,\r\n'
    '"=Roe, Cy",13,s13,cy,A,,,\r\n'
    '"Student, Test",99,,abc,A,,,\r\n'
)
MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Feedback comments\n"
    'Participant 4711,Jane Doe,jane@example.org,Submitted,,"20,00",\n'
    "Participant 12,Bo Lee,bo@example.org,Submitted,3,20.00,good\n"
)


def entry(score: float | None, name: str = "?", **ids: str) -> Entry:
    """A hand-in of one person with a score out of 100, or not graded."""
    report = None
    if score is not None:
        checks = [
            Check("a", "", Outcome.TIMEOUT, 0, 100 - score),
            Check("b", "", Outcome.PASSED, score, score),
        ]
        report = Report("1", "", "", "", {}, [Exercise("td_loss", checks)])
    hand_in = HandIn(Path("x"), f"{name}.py", (Owner(name, ids),), late=True)
    return Entry("0a1b2c3d", hand_in, report, "" if report else "it broke")


def test_canvas():
    """Scaled to Points Possible, in the one column; all else is as it was."""
    filled = fill_canvas(CANVAS, "DQN", [entry(87, canvas="11"), entry(0, canvas="12")])
    expected = CANVAS.replace('"A, B",,7', '"A, B",43.5,7').replace(",33,", ",0,")
    assert filled.text == expected.replace('"=Roe', "\"'=Roe")
    assert filled.without_row == []
    assert filled.without_score == ["=Roe, Cy", "Student, Test"]
    head = CANVAS.index('"Doe')
    assert filled.text[:head] == CANVAS[:head]


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("?", {"sid": "S11"}),
        ("?", {"login": "jane"}),
        ("?", {"canvas": "404", "login": "jane"}),
        ("Cy", {"sid": "s11", "login": "cy"}),
        ('Jane "JD" Doe', {}),
    ],
)
def test_canvas_by_other_names(name, ids):
    """The surest of what is known of somebody decides."""
    filled = fill_canvas(CANVAS, "DQN (55)", [entry(100, name, **ids)])
    rows = list(csv.reader(filled.text.splitlines()))
    assert [row[5] for row in rows[3:]] == ["50", "33", "", ""]


def test_who_has_no_row_is_told_and_no_row_is_made():
    """A guess would give one student's points to another."""
    filled = fill_canvas(CANVAS, "DQN", [entry(100, "Jane", canvas="77")])
    assert filled.without_row == ["Jane"]
    assert filled.text.count("\r\n") == CANVAS.count("\r\n")
    twice = CANVAS + '"Doe, ""JD"" Jane",14,s14,other,A,,,\r\n'
    filled = fill_canvas(twice, "DQN", [entry(100, 'Jane "JD" Doe')])
    assert filled.without_row == ['Jane "JD" Doe']


def test_what_was_not_graded_keeps_its_cell():
    """No score is not zero."""
    filled = fill_canvas(CANVAS, "DQN", [entry(None, canvas="12")])
    assert '"Lee, Bo",12,s12,bo@example.org,A,33,-2,\r\n' in filled.text


@pytest.mark.parametrize("name", ["", "DQ", "Student", "DQN 3", "Final (1)"])
def test_an_unknown_column_is_refused(name):
    """Canvas would make an assignment of it."""
    with pytest.raises(UsageError, match="ASSIGNMENT") as refusal:
        fill_canvas(CANVAS, name, [])
    assert "DQN (55), DQN 2 (56)" in str(refusal.value)


def test_moodle_worksheet():
    """By participant or e-mail, scaled to the row's maximum; feedback stays."""
    entries = [entry(75, moodle="4711"), entry(50, email="BO@example.org")]
    filled = fill_moodle(MOODLE, "", entries)
    expected = MOODLE.replace('Submitted,,"20,00"', 'Submitted,15,"20,00"')
    assert filled.text == expected.replace("Submitted,3,", "Submitted,10,")


def test_moodle_gradebook():
    """The column of the assignment, points as they are; semicolons stay."""
    text = "First name;ID number;Assignment: DQN (Real);Other\nJane;42;;x;y\nBo;43;-;\n"
    filled = fill_moodle(text, "DQN", [entry(87.5, sid="42")])
    assert filled.text == text.replace("42;;", "42;87.5;")
    with pytest.raises(UsageError, match="no column of that name"):
        fill_moodle(text, "", [])


@pytest.mark.parametrize("fill", [fill_canvas, fill_moodle])
@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", '"open', "\0"])
def test_no_export(fill, text):
    """Another file is refused in a sentence."""
    with pytest.raises(UsageError, match="export"):
        fill(text, "DQN", [])


def test_own_table():
    """A row for each person; a cell that a spreadsheet would compute is harmless."""
    text = gradebooks.table([entry(5, "=cmd()", login="+1"), entry(None, "Bo\nLee")])
    first, second = csv.DictReader(text.splitlines())
    assert (first["name"], first["id"], first["score"]) == ("'=cmd()", "'+1", "5")
    assert (first["td_loss"], first["timeouts"], first["late"]) == ("5", "1", "late")
    assert (second["score"], second["note"]) == ("", "it broke")
    assert second["name"] == "Bo Lee"
