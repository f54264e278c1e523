"""Scores are entered into the files that gradebooks have exported.

Nothing else in a file changes, with one exception: a cell that is a spreadsheet formula
becomes text.
"""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from grader.classroom.entries import Entry
from grader.classroom.gradebooks.fill import Filled, fill
from grader.classroom.gradebooks.groups import Places
from grader.classroom.gradebooks.read import read_export
from grader.classroom.gradebooks.sheet import sheet_of
from grader.classroom.gradebooks.table import table
from grader.classroom.layouts import HandIn, Owner
from grader.classroom.results import about_gradebook
from grader.contract.outcomes import Outcome, UsageError
from grader.report.model import Check, Exercise, Report

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


def entry(
    score: float | None, name: str = "?", *, problem: str = "", **ids: str
) -> Entry:
    """Return the entry of one person's hand-in.

    Args:
        score: points out of 100; None if the hand-in was not graded.
        name: name of the person.
        problem: why the hand-in was not read or not imported; "" if it runs.
        ids: ids of the person, such as `canvas` or `email`.
    """
    report = None
    if score is not None:
        checks = [
            Check("a", "", Outcome.TIMEOUT, 0, 100 - score),
            Check("b", "", Outcome.PASSED, score, score),
        ]
        about = {"problem": problem or None, "notes": ["dqn (1).py was taken"]}
        report = Report("1", "", "", about, [Exercise("td_loss", checks)])
    hand_in = HandIn(Path("x"), f"{name}.py", (Owner(name, ids),), late=True)
    return Entry("0a1b2c3d", hand_in, report, "" if report else "it broke")


def filled_in(text: str, assignment: str, entries: list[Entry]) -> Filled:
    """Fill the scores into the column `assignment` of an exported text.

    Returns:
        A `Filled`: the new text, and lists of the scores that were not entered.
    """
    return fill(Places(read_export(sheet_of(text), assignment), {}), entries)


def test_canvas():
    """Scores are scaled to Points Possible and entered in the assignment's column.

    Nothing else changes, except that a name that is a spreadsheet formula becomes text.
    """
    filled = filled_in(
        CANVAS,
        "DQN",
        [entry(87, "Doe JD Jane", canvas="11"), entry(0, "lee bo", canvas="12")],
    )
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
        ("Jane", {"sid": "s11", "email": "jane@example.org"}),
        ('Jane "JD" Doe', {}),
    ],
)
def test_canvas_by_other_names(name, ids):
    """A person's row is found by the most reliable id, whatever the name is."""
    filled = filled_in(CANVAS, "DQN (55)", [entry(100, name, **ids)])
    rows = list(csv.reader(filled.text.splitlines()))
    assert [row[5] for row in rows[3:]] == ["50", "33", "", ""]


def test_who_has_no_row_is_told_and_no_row_is_made():
    """A person without a row, or with two rows, is reported; no row is added."""
    filled = filled_in(CANVAS, "DQN", [entry(100, "Jane", canvas="77")])
    assert filled.without_row == ["Jane"]
    assert filled.text.count("\r\n") == CANVAS.count("\r\n")
    twice = CANVAS + '"Doe, ""JD"" Jane",14,s14,other,A,,,\r\n'
    filled = filled_in(twice, "DQN", [entry(100, 'Jane "JD" Doe')])
    assert filled.without_row == []  # because there are two rows with this name
    assert "2 rows" in filled.disputes[0]


def test_what_was_not_graded_keeps_its_cell():
    """If a hand-in was not graded, its cell in the gradebook is unchanged."""
    filled = filled_in(CANVAS, "DQN", [entry(None, "Lee Bo", canvas="12")])
    assert '"Lee, Bo",12,s12,bo@example.org,A,33,-2,\r\n' in filled.text


@pytest.mark.parametrize("words", ["not read: it is a rar", "not imported: no"])
@pytest.mark.parametrize(
    ("text", "ids"),
    [(CANVAS.replace("'=", "="), {"canvas": "12"}), (MOODLE, {"moodle": "12"})],
)
def test_what_does_not_run_keeps_its_cell_unless_told(text, ids, words):
    """A hand-in that does not run gets 0 points only if `zero_unread` is true.

    Otherwise the cell is unchanged, and the person is listed in `with_problem`.
    """
    hand_in = entry(0, "Bo Lee", problem=words, **ids)
    filled = filled_in(text, "DQN", [hand_in])
    assert filled.text.replace("'=", "=") == text
    assert filled.with_problem == ["Bo Lee"]
    filled = filled_in(text, "DQN", [replace(hand_in, zero_unread=True)])
    expected = text.replace(",33,", ",0,").replace("Submitted,3,", "Submitted,0,")
    assert filled.text.replace("'=", "=") == expected != text
    assert filled.with_problem == []


@pytest.mark.parametrize(
    "other", [entry(None, "bolee", canvas=" 12"), entry(9, "bo lee")]
)
def test_two_hand_ins_for_one_row(other):
    """If two hand-ins belong to one row, no score is entered and both are reported."""
    entries = [entry(80, "Lee, Bo", canvas="12"), other]
    for some in (entries, entries[::-1]):
        filled = filled_in(CANVAS, "DQN", some)
        assert ",A,33,-2," in filled.text
        (told,) = filled.disputes
        assert "Lee, Bo" in told
        assert "Lee, Bo.py" in told
        assert other.hand_in.entry in told


@pytest.mark.parametrize(
    "name",
    ["Group A", "Jane Doe", "Lee", "Team-Bo", "12", "Bo-Lee Ann", "\udce9\udce9"],
)
def test_a_number_of_moodles_that_is_another_ones(name):
    """If a folder has one person's number and another person's name, no row is filled.

    Moodle numbers groups and participants alike, so the folder may belong to a group.
    """
    filled = filled_in(MOODLE, "", [entry(100, name, moodle="12")])
    assert filled.text == MOODLE
    assert filled.without_row == []
    (told,) = filled.disputes
    assert "Bo Lee" in told


@pytest.mark.parametrize(
    "name",
    ["Bo Lee", "Lee Bo", "BO LÉE", "Team 1-Bo Lee", "Bo-Lee", "BoLee", "Bo\udce9 Lee"],
)
def test_a_folder_of_moodles_in_other_words(name):
    """A row is found if the folder's name and the person's name differ a little.

    They may differ in order, case, accents, a group's name, or unreadable bytes.
    """
    filled = filled_in(MOODLE, "", [entry(100, name, moodle="12")])
    assert "Submitted,20," in filled.text
    assert filled.disputes == []


@pytest.mark.parametrize("word", ["Participant ", "Teilnehmer/in"])
def test_moodle_without_names(word):
    """If an export has no names, the number in the folder's name finds the row.

    The name must be a word that Moodle uses for a person, such as "Participant".
    """
    text = f"Identifier,Status,Grade,Maximum Grade\n{word}12,,3,20.00\n"
    name = word.replace("/", "").strip()
    filled = filled_in(text, "", [entry(50, name, moodle="12")])
    assert filled.text == text.replace(",3,", ",10,")
    filled = filled_in(text, "", [entry(50, "Group A", moodle="12")])
    assert filled.text == text
    assert filled.without_row == []
    assert "Group A: not entered" in filled.disputes[0]


@pytest.mark.parametrize("status", ["Status", "Stav"])
def test_moodle_without_names_says_the_numbers(status):
    """A person without a name is told by the number, not by the status of the work."""
    text = f"Identifier,{status},Grade,Maximum grade,Grade can be changed\n"
    text += "".join(f"Participant {i},Submitted,3,20.00,Yes\n" for i in (12, 13))
    text += "Participant 14,Submitted,4,20.00,No\nParticipant 15,-,,20.00,Yes\n"
    text += "Participant 16,Submitted,,20.00,Yes\n"
    entries = [entry(50, "Participant", moodle=f"{i}") for i in (12, 14)]
    filled = filled_in(text, "", entries)
    assert filled.replaced == ["Participant 12: 3 → 10"]
    why = "not entered, for Moodle does not let its grade be changed"
    assert filled.disputes == [f"Participant 14: {why}"]


@pytest.mark.parametrize("value", ["cy", "S12", "bo@example.org", "doe jane jd"])
def test_one_hand_in_for_two_rows(value):
    """If the id of one hand-in fits two rows of the gradebook, no score is entered."""
    more = f'"Doe, Max",21,{value.upper()} ,max,A,5,,\r\n'
    filled = filled_in(CANVAS + more, "DQN", [entry(100, value, login=value)])
    assert filled.text == (CANVAS + more).replace('"=Roe', "\"'=Roe")
    assert filled.without_row == []
    assert "2 rows" in filled.disputes[0]
    assert filled_in(CANVAS, "DQN", [entry(100, value, login=value)]).disputes == []


@pytest.mark.parametrize("name", ["", "DQ", "Student", "DQN 3", "Final (1)"])
def test_an_unknown_column_is_refused(name):
    """A column that the export does not have is refused.

    Canvas would make a new assignment from an unknown column.
    """
    with pytest.raises(UsageError, match="ASSIGNMENT") as refusal:
        filled_in(CANVAS, name, [])
    assert "DQN (55), DQN 2 (56)" in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "name", "ids", "words"),
    [
        (
            CANVAS,
            "?",
            {"sid": "s11", "email": "bo@example.org"},
            'the student ID is that of Doe, "JD" Jane, and the e-mail address is that',
        ),
        (
            CANVAS,
            "Bo Lee",
            {"sid": "s11", "email": "x@example.org"},
            'the student ID is that of Doe, "JD" Jane, and the name is that of Lee, Bo',
        ),
        (
            MOODLE,
            "Bo Lee",
            {"moodle": "77"},
            "of this name has another participant number: Participant 12, not 77",
        ),
        (
            MOODLE,
            "Bo Lee",
            {"email": "bl@example.org"},
            "the row of this name has another e-mail address: bo@example.org, not bl",
        ),
    ],
)
def test_identifiers_that_contradict_each_other(text, name, ids, words):
    """If what is known of a person fits no single row, nothing is entered."""
    filled = filled_in(text, "DQN", [entry(100, name, **ids)])
    assert filled.text == text.replace('"=Roe', "\"'=Roe")
    assert filled.without_row == []
    (told,) = filled.disputes
    assert words in told


def test_moodle_worksheet():
    """In Moodle's worksheet, rows are found by number or e-mail.

    Scores are scaled to the maximum grade.
    """
    entries = [entry(75, "Jane Doe", moodle="4711"), entry(50, email="BO@example.org")]
    filled = filled_in(MOODLE, "", entries)
    expected = MOODLE.replace('Submitted,,"20,00"', 'Submitted,15,"20,00"')
    assert filled.text == expected.replace("Submitted,3,", "Submitted,10,")


def test_numbers_that_are_replaced_are_told():
    """The summary has each number that was there and differs; an equal one is none."""
    entries = [entry(40, "Jane Doe", moodle="4711"), entry(50, "Bo Lee", moodle="12")]
    filled = filled_in(
        MOODLE.replace('Submitted,,"', 'Submitted,"8,00","'), "", entries
    )
    assert "gradebook.csv: replaced 1 score that was there: Bo Lee: 3 → 10" in [
        *about_gradebook(filled)
    ]
    assert filled_in(MOODLE, "", entries[:1]).replaced == []


def test_moodle_gradebook():
    """Moodle's gradebook gets points without scaling and keeps its semicolons."""
    text = "First name;ID number;Assignment: DQN (Real);Other\nJane;42;;x;y\nBo;43;-;\n"
    filled = filled_in(text, "DQN", [entry(87.5, sid="42")])
    assert filled.text == text.replace("42;;", "42;87.5;")
    with pytest.raises(UsageError, match="no column of that name"):
        filled_in(text, "", [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "begins like this: nothing"),
        (
            "a,b\n1,2\n",
            "begins like this: a, b. Expected is one of\n- Canvas: the columns Student",
        ),
        ('Student,ID\n"open', "no CSV file: row 2 has an open quote"),
        ("\0", "no export"),
    ],
)
def test_no_export(text, words):
    """A file that is no export is refused, with what was expected and what is there."""
    with pytest.raises(UsageError, match=words):
        read_export(sheet_of(text), "DQN")


def test_own_table():
    """The grader's own table has a row for each person.

    A cell that would be a spreadsheet formula becomes text.
    """
    text = table([entry(5, "=cmd()", login="+1"), entry(None, "Bo\nLee")])
    first, second = csv.DictReader(text.splitlines())
    assert (first["name"], first["id"], first["score"]) == ("'=cmd()", "'+1", "5")
    assert (first["td_loss"], first["timeouts"], first["late"]) == ("5", "1", "late")
    assert (second["score"], second["note"]) == ("", "it broke")
    assert second["name"] == "Bo Lee"


def test_own_table_says_what_was_not_read():
    """In the grader's own table, the note says first why a hand-in does not run.

    A hand-in that was not read has no score; one that was not imported has the score 0.
    """
    unread = entry(0, problem="not read: =1+1 is a rar")
    text = table([unread, entry(0, problem="not imported: no"), entry(7)])
    first, second, third = csv.DictReader(text.splitlines())
    assert first["note"] == "not read: =1+1 is a rar; dqn (1).py was taken"
    assert (first["score"], first["max_score"], first["td_loss"]) == ("", "", "")
    assert second["note"].startswith("not imported: no")
    assert (second["score"], third["score"]) == ("0", "7")
    assert third["note"] == "dqn (1).py was taken"
