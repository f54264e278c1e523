"""A small file changes scores, and only of those whom it certainly means."""

import csv

import pytest

from grader.classroom.after.adjust import Change, changes_of, read_adjustments
from grader.classroom.after.roster import read_roster
from grader.classroom.after.who import Known
from grader.classroom.entries import Entry
from grader.classroom.gradebooks.canvas import read_canvas
from grader.classroom.gradebooks.fill import Filled, fill
from grader.classroom.gradebooks.groups import Places
from grader.classroom.gradebooks.people import People
from grader.classroom.gradebooks.sheet import sheet_of
from grader.classroom.gradebooks.table import table
from grader.classroom.layouts import HandIn, Owner
from grader.classroom.pages import overview, student
from grader.classroom.similar.clusters import Findings
from grader.contract.outcomes import UsageError
from tests.support.classes import entry_of, hand_in_of

JANE = hand_in_of("doejane_11_7_dqn.py", Owner("doejane", {"canvas": "11"}))
BO = hand_in_of("bo", Owner("Bo Lee", {"email": "bo@example.org", "sid": "s12"}))
TEAM = hand_in_of("9", Owner("Ann Ox", {}), Owner("Cy Roe", {}), group="Team 7")
IDS = {"a" * 64: JANE, "ab12cd34".ljust(64, "b"): BO, "c" * 64: TEAM}
BOOK = (
    "Student,ID,SIS User ID,SIS Login ID,Section,DQN (1)\n"
    "    Points Possible,,,,,50\n"
    '"Doe, Jane",11,s11,jd1,A,\n'
    '"Lee, Bo",12,s12,bo7,A,\n'
)


def known(ids: dict[str, HandIn] = IDS, *books: str) -> Known:
    """Return the hand-ins, together with lists of people as texts."""
    return Known(ids, [People(read_roster(sheet_of(book))) for book in books])


def changed(text: str, score: float | None = 80) -> float | None:
    """Return the score of a hand-in after the changes in a file about "bo"."""
    changes = changes_of(read_adjustments(sheet_of(text)), known())
    return entry_of(1, BO, score, changes=changes[[*IDS][1]]).entered


def filled_in(text: str, *entries: Entry) -> Filled:
    """Fill the scores into the text of Canvas' gradebook."""
    return fill(Places(read_canvas(sheet_of(text), "DQN"), {}), entries)


@pytest.mark.parametrize(
    ("who", "found"),
    [
        ("Jane Doe", JANE),
        ("DOE, Jané", JANE),
        ("11", JANE),
        ("doejane_11_7_dqn.py", JANE),
        ("lee bo", BO),
        ("BO@example.org", BO),
        ("S12 ", BO),
        ("bo", BO),
        ("ab12cd34", BO),
        ("Team 7", TEAM),
        ("Cy Roe", TEAM),
    ],
)
def test_who(who, found):
    """A hand-in is found by name, identifier, file, group, or the digits of its id."""
    assert IDS[known().find(who)] == found


def test_who_by_a_gradebook():
    """What a gradebook says of a person counts, if the person's row is certain."""
    assert IDS[known(IDS, BOOK).find("jd1")] == JANE
    twice = BOOK + '"Doe, J",11,s19,jd9,A,\n'
    with pytest.raises(UsageError, match="'jd1' is the name of no hand-in"):
        known(IDS, twice).find("jd1")


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ("lee", r"no hand-in: did you mean Bo Lee \(bo\)\?"),
        ("doejnae", "did you mean doejane"),
        ("max", "no hand-in; grades.csv lists all names"),
        ("ab12", "no hand-in"),
        ("", "no hand-in"),
        ("_", "no hand-in"),
    ],
)
def test_nobody_is_guessed(who, told):
    """A text that is only like a name means nobody; the candidates are listed."""
    with pytest.raises(UsageError, match=told):
        known().find(who)


@pytest.mark.parametrize("who", ["bo", "BO LEE", "s12"])
def test_two_are_none(who):
    """A name of two hand-ins means none of them, and both are listed."""
    other = hand_in_of("again", Owner("Lee Bo", {"login": "bo", "sid": "S12"}))
    with pytest.raises(UsageError, match=r"Bo Lee \(bo\), Lee Bo \(again\): say which"):
        known({**IDS, "d" * 64: other}).find(who)


def test_a_login_is_not_taken_for_somebody_elses_name():
    """A name written as one word means only the people of Canvas, who are named so."""
    janet = hand_in_of("x", Owner("Janet Doe", {"login": "janedoe"}))
    with pytest.raises(UsageError, match="no hand-in"):
        known({"e" * 64: janet}).find("Jane Doe")


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("bo, -5, late", 75),
        ("bo,+5,recount", 85),
        ("who,change,reason\nbo,−10%,one day late", 72),
        ("bo;-2,5;late\n\nbo;-10 %;more", 69.75),
        ("bo,-10%,late\nbo,-2.5,more", 69.5),
        ("bo, =85, oral exam", 85),
        ("bo,'=0,no oral exam", 0),
        ("bo, -90, late", 0),
        ("bo, +30, recount", 100),
        ("bo, +30, Bonus for the best plot", 110),
        ("bo, +30, bonus\nbo, +1, recount", 110),
        ("bo, =105, prize", 105),
        ("bo, -5, late, and not a little", 75),
        ('bo,"-2,5",late', 77.5),
        ("bo,-2.5,5 days late", 77.5),
        ("bo,-10%,5,days late", 72),
        ("bo;-2;5", 78),
    ],
)
def test_changes(text, score):
    """Points, percent of the score so far and fixed scores, one line after the other.

    A score is never below 0, and above the maximum only if the file says so.
    """
    assert changed(text) == pytest.approx(score)


def test_without_a_score():
    """What was not read gets a score from a fixed one, and from nothing else."""
    unread = {"problem": "not read: it is a rar"}
    fixed, less = (Change(sign, 5, False, "oral exam") for sign in "=-")
    assert entry_of(1, BO, 0, changes=(fixed,), **unread).entered == 5
    assert entry_of(1, BO, 0, changes=(less,), **unread).entered is None
    entry = entry_of(1, BO, None, changes=(fixed,))
    assert entry.entered is None
    assert entry.adjustment() == "not graded; nothing entered"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bo, 85, oral exam", r"line 1: '85' is no change: write -5, \+5, -10% or =85"),
        ("\nbo, minus five, late", "line 2: 'minus five' is no change"),
        ('"a\nb", -1, x\nbo, x, late', "line 3: 'x' is no change"),
        ("Doe, Jane, -5, late", "a name with a comma needs quotes"),
        ("bo, =85%, oral exam", "'=85%' is no change"),
        ("bo, --5, late", "'--5' is no change"),
        ("bo,-2,5,late", r"line 1: is '-2,5' meant\? Write -2.5, or put it in quotes"),
        ("bo, −10, 5 %, late", "line 1: is '-10,5 %' meant"),
        ("bo,=79,5", "line 1: is '=79,5' meant"),
        ("bo, -5,", "line 1: the reason is missing"),
        ("bo, -5", "line 1: the reason is missing"),
        (", -5, late", "line 1: it does not say who"),
        ("bo", "line 1: '' is no change"),
        ("bo,-5,late\nbo,=85,oral exam", "lines 1 and 2: beside a fixed score"),
        ("max,-5,late", "line 1: 'max' is the name of no hand-in"),
        ("Ann Ox,-5,late", "'Ann Ox' is one of a group.*write 'Team 7' for it"),
    ],
)
def test_wrong_files(text, told):
    """A line that is wrong stops the run, and the message says which and why."""
    with pytest.raises(UsageError, match=told):
        changed(text)


def test_a_number_in_a_file_may_be_that_of_one_member():
    """Such a number changes the score only if the gradebook has it beside the name."""
    pair = hand_in_of("pair1_13_8_dqn.py", Owner("pair1", {"canvas": "13"}))
    ids = {**IDS, "e" * 64: pair}
    with pytest.raises(UsageError, match=r"'13' may be one of a group.*'pair1_13_8"):
        changes_of(read_adjustments(sheet_of("13,-5,late")), known(ids, BOOK))
    assert changes_of(read_adjustments(sheet_of("11,-5,late")), known(ids, BOOK))
    assert changes_of(read_adjustments(sheet_of("Pair 1,-5,late")), known(ids, BOOK))


def test_a_number_of_a_team_in_moodle_is_nobodys():
    """A member's number does not mean the team that has the same number."""
    book = (
        "Identifier,Full name,Group,Grade,Maximum grade\n"
        "Participant 55,Jane Doe,Group 1,,100\nParticipant 56,Bo Lee,Group 2,,100\n"
    )
    teams = [
        hand_in_of(name, Owner(name, {"moodle": number}), group=name)
        for name, number in (("Group 1", "77"), ("Group 2", "55"))
    ]
    with pytest.raises(UsageError, match="'55' is the name of no hand-in"):
        known(dict(zip("de", teams, strict=True)), book).find("55")
    (row,) = csv.DictReader(table([entry_of(1, teams[1])]).splitlines())
    assert (row["name"], row["id"]) == ("Group 2", "")


def test_a_name_of_two_people_of_whom_one_handed_in():
    """A list that has a name twice makes it mean nobody; the file's name is certain."""
    known_twice = known(IDS, BOOK + '"Doe, Jane",14,s14,jd4,A,\n')
    with pytest.raises(UsageError, match="'Jane Doe' is the name of two people: write"):
        known_twice.find("Jane Doe")
    assert IDS[known_twice.find("doejane_11_7_dqn.py")] == JANE
    assert IDS[known_twice.find("Bo Lee")] == BO


def test_all_wrong_lines_are_told():
    """The message has every wrong line."""
    with pytest.raises(UsageError, match=r"nothing was graded.*\n  line 1.*\n  line 3"):
        read_adjustments(sheet_of("bo,5,x\nbo,-5,x\nbo,-5,\n"))


def test_where_changes_are_shown():
    """The table, the gradebook and both pages have the new score and the reason.

    The grader's report is unchanged. The class page has the reason only with names.
    """
    late = Change("-", 10, True, "one day late")
    entry = entry_of(1, BO, 88, changes=(late,))
    before = entry.report.as_json()
    words = "88 of 100 by the grader; −10 %: one day late; 79.2 entered"
    assert entry.adjustment() == words
    assert words in student.page(entry)
    assert words in overview.page([entry], Findings(), names=True)
    page = overview.page([entry], Findings(), names=False)
    assert "88 of 100 by the grader; 79.2 entered" in page
    assert "one day" not in page
    (row,) = csv.DictReader(table([entry]).splitlines())
    assert (row["score"], row["adjusted"]) == ("88", "79.2")
    assert row["reasons"] == "−10 %: one day late"
    filled = filled_in(BOOK, entry)
    assert filled.text == BOOK.replace("bo7,A,", "bo7,A,39.6")
    assert entry.report.as_json() == before
    assert "by the grader" not in student.page(entry_of(1, BO, 88))


def test_points_for_what_was_not_imported_are_not_promised():
    """The pages and the table say what the gradebook gets: nothing without asking."""
    more = Change("+", 10, False, "recount")
    entry = entry_of(1, BO, 0, problem="not imported: y", changes=(more,))
    words = "0 of 100 by the grader; +10: recount; nothing entered"
    assert entry.adjustment() == words
    (row,) = csv.DictReader(table([entry]).splitlines())
    assert (row["score"], row["adjusted"]) == ("0", "")


@pytest.mark.parametrize(
    ("problem", "given"),
    [("not read: x", "no score"), ("not imported: y", "0 of 100 by the grader")],
)
def test_a_zero_that_is_entered_is_told(problem, given):
    """With UNREAD=0, pages and table say that 0 is entered, as the gradebook has it.

    A fixed score is entered instead of 0. Without a report, nothing is entered.
    """
    more, fixed = Change("+", 10, False, "recount"), Change("=", 85, False, "oral")
    about = {"problem": problem, "zero_unread": True}
    entry = entry_of(1, BO, 0, changes=(more,), **about)
    assert entry.adjustment() == f"{given}; +10: recount; 0 entered"
    assert entry.adjustment() in student.page(entry)
    (row,) = csv.DictReader(table([entry]).splitlines())
    assert row["adjusted"] == "0"
    filled = filled_in(BOOK, entry)
    assert filled.text == BOOK.replace("bo7,A,", "bo7,A,0")
    entry = entry_of(1, BO, 0, changes=(fixed,), **about)
    assert entry.adjustment() == f"{given}; set to 85: oral; 85 entered"
    entry = entry_of(1, BO, None, changes=(more,), zero_unread=True)
    assert entry.adjustment() == "not graded; nothing entered"


def test_a_fixed_score_is_entered_for_what_was_not_read():
    """A fixed score goes into the gradebook without UNREAD=0; a penalty does not."""
    fixed, less = Change("=", 85, False, "oral exam"), Change("-", 5, False, "late")
    for problem in ("not read: x", "not imported: y"):
        entry = entry_of(1, BO, 0, problem=problem, changes=(fixed,))
        filled = filled_in(BOOK, entry)
        assert filled.text == BOOK.replace("bo7,A,", "bo7,A,42.5")
        assert filled.with_problem == []
        entry = entry_of(1, BO, 0, problem=problem, changes=(less,))
        filled = filled_in(BOOK, entry)
        assert filled.text == BOOK
        assert filled.with_problem == ["Bo Lee"]
