"""Every platform's own form of a gradebook is filled in; the rest keeps its bytes.

The texts have the form of the platforms' exporters: instructure/canvas-lms,
lib/gradebook_exporter.rb; moodle/moodle, mod/assign/gradingtable.php and
grade/export/txt. Each test says which cells change, and everything else must not.
"""

from pathlib import Path

import pytest

from grader.classroom.after.who import Known
from grader.classroom.entries import Entry
from grader.classroom.gradebooks.fill import Filled, fill
from grader.classroom.gradebooks.groups import Places, read_members
from grader.classroom.gradebooks.people import People
from grader.classroom.gradebooks.read import read_export
from grader.classroom.gradebooks.sheet import sheet_at, sheet_of
from grader.classroom.layouts import HandIn, Owner
from grader.contract.outcomes import Outcome, UsageError
from grader.report.model import Check, Exercise, Report

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Integration ID,Root Account,Section,Notes,\
HW (2024) (55),HW (56),Assignments Current Points,Final Score
,,,,,,,,,Manual Posting,,
    Points Possible,,,,,,,,10.00,"1,000.00",(read only),(read only)
"Doe, Jane",11,s11,jdoe,,uni.example.org,"A, B","late, ill",,EX,1.00,2.00
"Lee, Bo",12,s12,blee,,uni.example.org,B,,,N/A,,
"Roe, Cy",13,s13,croe,,uni.example.org,B,,,7.00,,
"Student, Test",99,,0ab12,,uni.example.org,B,,,,,
"""
# A teacher who may not see SIS data; first and last names apart; decimal commas.
CANVAS_COMMA = """\
\ufeffLastName;FirstName;ID;SIS Login ID;Section;HW (56);Final Score\r
    Points Possible;;;;;20,00;(read only)\r
Doe;Jane;11;jdoe;A;;0,00\r
Lee;Bo;12;blee;A;3,50;17,50\r
"""
MEMBERS = """\
name,canvas_user_id,user_id,login_id,sections,group_name,canvas_group_id,group_id
"Doe, Jane",11,s11,jdoe,A,Team 1,12,
"Lee, Bo",12,s12,blee,B,Team 2,11,
"Roe, Cy",13,s13,croe,B,Team 1,12,
"Poe, Di",14,s14,dpoe,B,,,
"""
WORKSHEET = """\
\ufeffIdentifier,"Full name","Email address",Status,Grade,"Maximum grade",\
"Grade can be changed","Last modified (submission)","Last modified (grade)",\
"Feedback comments"
"Participant 12","Jane Doe",jane@example.org,"Submitted for grading",,20.00,Yes,\
"Tuesday, 3 November 2026, 9:12 AM",-,"<p>see \""below\""</p>"
"Participant 13","Bo Lee",bo@example.org,"Submitted for grading",3.00,20.00,No,-,-,
"Participant 14","Cy Roe",cy@example.org,"No submission",,20.00,Yes,-,-,
"""
GERMAN = """\
ID,"Vollständiger Name","E-Mail-Adresse",Status,Gruppe,Bewertung,Bestwertung,\
"Bewertung kann geändert werden","Zuletzt geändert (Abgabe)"
Teilnehmer/in12,"Jane Doe",jane@example.org,Abgegeben,"Team: 1",,"20,00",Ja,-
Teilnehmer/in13,"Bo Lee",bo@example.org,Abgegeben,"Team 2","3,00","20,00",Ja,-
Teilnehmer/in14,"Cy Roe",cy@example.org,Abgegeben,"Team: 1",,"20,00",Nein,-
Teilnehmer/in15,"Di Poe",di@example.org,Abgegeben,Standardgruppe,,"20,00",Ja,-
"""
# The names of the columns of a language that is not known.
DUTCH = """\
Identificatie,"Volledige naam",E-mailadres,Status,Cijfer,"Maximale beoordeling",\
"Cijfer kan gewijzigd worden"
Deelnemer12,"Jane Doe",jane@example.org,Ingestuurd,,"20,00",Ja
Deelnemer13,"Bo Lee",bo@example.org,Ingestuurd,"3,00","20,00",Nee
"""
GRADEBOOK = """\
"First name","Last name","ID number",Institution,Department,"Email address",\
"Assignment: HW (Real)","Assignment: HW (Percentage)","Assignment: HW (Feedback)",\
"Assignment: HW 2 (Real)","Course total (Real)","Last downloaded from this course"
Jane,Doe,s11,,,jane@example.org,-,-,,1.00,1.00,1795608000
Bo,Lee,s12,,,bo@example.org,30.00,"30.00 %",fine,-,30.00,1795608000
"""
BLACKBOARD = """\
\ufeff"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Last Access"\t\
"Availability"\t"HW [Total Pts: 50 Score] |123456"\t\
"Total [Total Pts: up to 60 Score] |9"
"Doe"\t"Jane"\t"jdoe"\t"s11"\t"2026-11-03 09:12:00"\t"Yes"\t"Needs Grading"\t"0"
"Lee"\t"Bo"\t"blee"\t"s12"\t""\t"Yes"\t"Exempt"\t"0"
"Roe"\t"Cy"\t"croe"\t"s13"\t""\t"Yes"\t""\t"0"
"""
BRIGHTSPACE = """\
OrgDefinedId,Username,Last Name,First Name,Email,\
HW Points Grade <Numeric MaxPoints:10 Weight:5 Category:Home CategoryWeight:50>,\
HW 2 Points Grade <Numeric MaxPoints:4>,End-of-Line Indicator
#s11,#jdoe,Doe,Jane,jane@example.org,,1,#
#s12,#blee,Lee,Bo,bo@example.org,3,,#
"""


def entry(score: float, *owners: Owner, group: str = "") -> Entry:
    """Return the entry of a hand-in with so many points out of 100."""
    checks = [Check("a", "", Outcome.PASSED, score, score)]
    checks += [Check("b", "", Outcome.FAILED, 0, 100 - score)]
    report = Report("1", "", "", {}, [Exercise("td_loss", checks)])
    hand_in = HandIn(Path("x"), f"{owners[0].name}.py", owners, group=group)
    return Entry("0a1b2c3d", hand_in, report)


def filled_in(
    text: str, *entries: Entry, members: str = "", name: str = "HW"
) -> Filled:
    """Fill the scores into a gradebook's text."""
    listed = read_members(sheet_of(members)) if members else {}
    return fill(Places(read_export(sheet_of(text), name), listed), entries)


def canvas(name: str, number: int) -> Owner:
    """Return the owner of a hand-in that was downloaded from Canvas."""
    return Owner(name, {"canvas": str(number)})


def moodle(name: str, number: int) -> Owner:
    """Return the owner of a folder that was downloaded from Moodle."""
    return Owner(name, {"moodle": str(number)})


def test_canvas_with_all_columns():
    """EX, N/A, the teacher's own columns and the row before the points are kept.

    1,000.00 is a thousand, and "HW" is not "HW (2024)".
    """
    entries = [entry(87, canvas("doejane", 11)), entry(50, canvas("leebo", 12))]
    filled = filled_in(CANVAS, *entries, entry(25, canvas("roecy", 13)))
    assert filled.text == CANVAS.replace(",7.00,", ",250,")
    told = "\n".join(filled.disputes)
    assert "Doe, Jane: not entered, for its cell says 'EX'" in told
    assert "Lee, Bo: not entered, for its cell says 'N/A'" in told
    assert filled_in(CANVAS, name="HW (2024)").text == CANVAS
    assert filled_in(CANVAS, name="HW (2024) (55)").text == CANVAS


def test_canvas_with_decimal_commas():
    """An export with few columns, names apart and commas is filled in with commas."""
    entries = [entry(87, canvas("doejane", 11)), entry(52.5, canvas("leebo", 12))]
    filled = filled_in(CANVAS_COMMA, *entries)
    expected = CANVAS_COMMA.replace("jdoe;A;;", "jdoe;A;17,4;")
    assert filled.text == expected.replace("A;3,50;", "A;10,5;")
    assert filled.disputes == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"1,000.00"', "(read only)", "not let its column be changed"),
        (
            "Manual Posting",
            "Manual Posting (scores hidden from instructors)",
            "anonymous, and Canvas accepts no scores yet: post its grades",
        ),
    ],
)
def test_canvas_accepts_no_scores(old, new, words):
    """A column that Canvas will not import is refused before anything is graded."""
    with pytest.raises(UsageError, match=words):
        read_export(sheet_of(CANVAS.replace(old, new)), "HW")


def test_anonymous_hand_ins_of_canvas_get_no_row():
    """Canvas' anonymous numbers are in no gradebook: it is said, nothing is entered."""
    text = CANVAS.replace("EX", "").replace("N/A", "")
    filled = filled_in(text, entry(50, Owner("anon_x1y2z", {"login": "anon_x1y2z"})))
    assert filled.text == text
    assert filled.without_row == ["anon_x1y2z"]


TEAM = entry(50, canvas("team1", 13))  # Canvas gives one member's number


def test_groups_of_canvas():
    """All members get the score of their group's hand-in, and nobody else does."""
    text = CANVAS.replace("EX", "")
    filled = filled_in(text, TEAM, members=MEMBERS)
    expected = text.replace('ill",,,', 'ill",,500,').replace(",7.00,", ",500,")
    assert filled.text == expected
    assert filled.disputes == filled.without_row == []
    alone = filled_in(text, entry(50, canvas("roecy", 13)), members=MEMBERS)
    assert alone.text == text.replace(",7.00,", ",500,")


@pytest.mark.parametrize(
    ("members", "number"),
    [
        ("group_name,login_id\nTeam 1,jdoe\nTeam 1,croe\nTeam 2,blee\n", 13),
        ("user_id;group_name\ns11;Team 1\ns13;Team 1\ns12;Team-1\n", 13),
        ("group_name,email\nTeam 1,JDOE@x.org\nTeam 1,croe@x.org\n", 13),
        ("group_name,login_id\nTeam 1,jdoe\nTeam 1,croe\nTeam 1,gone\n", 14),
    ],
)
def test_groups_of_canvas_by_a_list_without_canvas_numbers(members, number):
    """The members' numbers come from the gradebook; a missing one refuses nobody.

    Number 14 is in no row, because its owner has left the course.
    """
    text = CANVAS.replace("EX", "")
    if "@" in members:
        text = text.replace("jdoe", "jdoe@x.org").replace("croe", "croe@x.org")
    filled = filled_in(text, entry(50, canvas("team1", number)), members=members)
    expected = text.replace('ill",,,', 'ill",,500,').replace(",7.00,", ",500,")
    assert filled.text == expected
    assert filled.disputes == []


@pytest.mark.parametrize(
    ("hand_in", "members", "words"),
    [
        (
            TEAM,
            "",
            "team1: not entered, for number 13 is that of Roe, Cy (a group? MEM",
        ),
        (
            entry(50, Owner("team1"), group="team1"),
            "",
            "team1: not entered, for it is not known who is in this group (MEM",
        ),
        (
            entry(50, canvas("team2", 13)),
            MEMBERS,
            "Team 2: not entered, for MEMBERS does not show that number 13 is in this",
        ),
        (
            entry(50, canvas("team2", 13)),
            "group_name,login_id\nTeam 2,blee\nTeam 1,croe\n",
            "Team 2: not entered, for MEMBERS does not show that number 13 is in this",
        ),
        (
            entry(50, canvas("team2", 13)),
            "group_name,email\nTeam 2,bo@example.org\n",
            "Team 2: not entered, for MEMBERS does not show that number 13 is in this",
        ),
        (
            entry(50, Owner("Team 1"), group="Team 1"),
            MEMBERS.replace("Team 2", "Team: 1"),
            "Team 1: not entered, for 2 groups could be meant: Team 1, Team: 1",
        ),
    ],
)
def test_groups_that_are_not_certain(hand_in, members, words):
    """If it is not certain who is in a group, nobody gets the score, and it is said."""
    filled = filled_in(CANVAS, hand_in, members=members)
    assert filled.text == CANVAS
    assert filled.without_row == []
    (told,) = filled.disputes
    assert words in told


def test_a_group_with_the_name_of_a_person():
    """If a name is that of a group and of a person, neither of them gets the score."""
    blee = entry(50, Owner("blee", {"login": "blee"}))
    text, members = CANVAS.replace("N/A", ""), MEMBERS.replace("Team 1", "blee")
    filled = filled_in(text, blee, members=members)
    assert filled.text == text
    words = "blee: not entered, for it is the name of a group and of a person"
    assert filled.disputes == [words]
    assert filled_in(text, blee, members=MEMBERS).text != text


def test_a_list_of_members_goes_before_those_who_are_known():
    """Members of a team who have uploaded nothing get its score by the list."""
    known = Owner("Jane Doe", {"login": "jdoe", "ilias": "7"})
    text = CANVAS.replace("EX", "")
    team = entry(50, known, group="Team 1")
    one = text.replace('ill",,,', 'ill",,500,')
    assert filled_in(text, team).text == one
    filled = filled_in(text, team, members=MEMBERS)
    assert filled.text == one.replace(",7.00,", ",500,")


def test_groups_with_the_same_letters():
    """One member's number tells groups apart that have the same letters."""
    text, members = CANVAS.replace("N/A", ""), MEMBERS.replace("Team 2", "Team-1")
    filled = filled_in(text, entry(50, canvas("team1", 12)), members=members)
    assert filled.text == text.replace(
        "12,s12,blee,,uni.example.org,B,,,,", "12,s12,blee,,uni.example.org,B,,,500,"
    )


@pytest.mark.parametrize("name", ["team-7", "Team 7", "TEAM_7"])
def test_teams_of_github(name):
    """The name of a repository ends in a team's name as GitHub writes it."""
    text = CANVAS.replace("EX", "")
    members = f"group_name,login_id\n{name},jdoe\n{name},croe\nTeam 77,blee\n"
    team = entry(50, Owner("team-7 at GitHub", {"github": "team-7"}))
    filled = filled_in(text, team, members=members)
    expected = text.replace('ill",,,', 'ill",,500,').replace(",7.00,", ",500,")
    assert filled.text == expected
    other = entry(50, Owner("Bo", {"github": "team-7", "email": "bo@example.org"}))
    assert filled_in(text, other, members=members).text == text


def test_groups_that_differ_in_a_vowel_sign():
    """Canvas keeps the signs of a name, so a group of another name is not meant."""
    text = CANVAS.replace("EX", "")
    members = MEMBERS.replace("Team 1", "राजू").replace("Team 2", "राज")
    filled = filled_in(text, entry(50, canvas("राजू", 77)), members=members)
    assert filled.text == text
    assert filled.disputes == [
        "राजू: not entered, for MEMBERS does not show that number 77 is in this group"
    ]
    assert "500" in filled_in(text, entry(50, canvas("राजू", 11)), members=members).text


def test_no_list_of_groups():
    """A file that does not say who is in which group is refused."""
    with pytest.raises(
        UsageError, match=r"MEMBERS: no list of groups: .* It has: a, b"
    ):
        read_members(sheet_of("a,b\n1,2\n"))


def test_worksheet_of_moodle():
    """Locked grades and feedback are kept; quotes stay as Moodle writes them."""
    entries = [entry(75, moodle("Jane Doe", 12)), entry(50, moodle("Bo Lee", 13))]
    filled = filled_in(WORKSHEET, *entries, name="")
    assert filled.text == WORKSHEET.replace('grading",,20', 'grading",15,20')
    (told,) = filled.disputes
    assert told == "Bo Lee: not entered, for Moodle does not let its grade be changed"


def test_people_whose_names_end_with_a_number():
    """Some sites write the student number into the name, which then looks like a team.

    Moodle's number is a person's then, because the worksheet has a row of this name.
    """
    text = WORKSHEET.replace("Jane Doe", "Jane Doe 20231234")
    assert text != WORKSHEET
    name = "Jane Doe 20231234"
    owner = Owner(name, moodle(name, 12).ids)
    filled = filled_in(text, entry(50, owner, group=name))
    assert filled.disputes == []
    assert filled.text == text.replace('grading",,20.00', 'grading",10,20.00')


@pytest.mark.parametrize("head", ["Username", "Gebruikersnaam"])
def test_user_names_that_are_addresses(head):
    """Where people log in with an address, each of their addresses finds the row.

    In a language that is not known, nothing tells which column is the user name.
    """
    text = WORKSHEET.replace('"Full name",', f'"Full name",{head},')
    for login, name in {"jd1": "Jane Doe", "bl2": "Bo Lee", "cr3": "Cy Roe"}.items():
        text = text.replace(f'"{name}",', f'"{name}",{login}@uni.example,')
    if head != "Username":
        text = text.replace("Email address", "E-mailadres")
    for address in ("jane@example.org", "JD1@uni.example"):
        filled = filled_in(text, entry(75, Owner("Jane Doe", {"email": address})))
        assert filled.text == text.replace('grading",,20', 'grading",15,20')
        assert filled.disputes == filled.without_row == []
    hand_in = HandIn(Path("x"), "x", (Owner("Jane Doe", {"email": "jd1@uni.example"}),))
    known = Known({"0a1b": hand_in}, [People(read_export(sheet_of(text), ""))])
    assert known.find("jane@example.org") == "0a1b"
    filled = filled_in(text, entry(75, Owner("Jane Doe", {"email": "j@example.org"})))
    assert filled.text == text
    (told,) = filled.disputes
    assert "the row of this name has another e-mail address" in told


def test_worksheet_where_only_moodle_knows_the_names():
    """With blind marking, folders have no names; the worksheet may still have them."""
    blind = entry(75, moodle("Participant", 12))
    filled = filled_in(WORKSHEET, blind)
    assert filled.text == WORKSHEET.replace('grading",,20', 'grading",15,20')
    hidden = WORKSHEET.replace('"Full name","Email address",', "")
    for person in ("Jane Doe,jane", "Bo Lee,bo", "Cy Roe,cy"):
        name, login = person.split(",")
        hidden = hidden.replace(f'"{name}",{login}@example.org,', "")
    filled = filled_in(hidden, blind)
    assert filled.text == hidden.replace('grading",,20', 'grading",15,20')


def test_teams_of_moodle_in_german():
    """A folder with a group's name and number belongs to the group's rows.

    The number 12 of the group is also that of a participant in another one. The rows
    with "Nein" are kept, and numbers have commas. Of a group that has no row, the list
    of members tells who is in it.
    """
    team = entry(52.5, moodle("Team 1", 13))
    filled = filled_in(GERMAN, team, entry(25, moodle("Standardgruppe", 12)))
    expected = GERMAN.replace('"Team: 1",,"20,00",Ja', '"Team: 1","10,5","20,00",Ja')
    assert filled.text == expected.replace("gruppe,,", "gruppe,5,")
    (told,) = filled.disputes
    assert "Cy Roe: not entered, for Moodle does not let" in told
    wrong = filled_in(GERMAN, entry(50, moodle("Team 3", 13)))
    assert wrong.text == GERMAN
    assert "Team 3: not entered, for number 13 is that of Bo Lee" in wrong.disputes[0]
    members = "group_name,email\nTeam 3,bo@example.org\n"
    listed = filled_in(GERMAN, entry(50, moodle("Team 3", 13)), members=members)
    assert listed.text == GERMAN.replace('"3,00"', '"10"')


def test_worksheet_in_a_language_that_is_not_known():
    """The columns are found by their order and by what is in them.

    If the words for yes and no are not known, the worksheet is refused.
    """
    entries = [
        entry(52.5, moodle("Jane Doe", 12)),
        entry(50, Owner("?", {"email": "bo@example.org"})),
    ]
    filled = filled_in(DUTCH, *entries)
    assert filled.text == DUTCH.replace('Ingestuurd,,"20', 'Ingestuurd,"10,5","20')
    (told,) = filled.disputes
    assert told == "Bo Lee: not entered, for Moodle does not let its grade be changed"
    unknown = DUTCH.replace("Nee", "Nope")
    with pytest.raises(UsageError, match="words for yes and no are not known"):
        read_export(sheet_of(unknown), "")
    same = DUTCH.replace("Nee", "Yep").replace(",Ja", ",Yep")
    assert filled_in(same, *entries).disputes == []


def test_gradebook_of_moodle():
    """The column of points is filled in, not that of percentages or feedback."""
    people = [Owner("J", {"email": "jane@example.org"}), moodle("Bo Lee", 7)]
    filled = filled_in(GRADEBOOK, entry(87.5, people[0]), entry(50, people[1]))
    expected = GRADEBOOK.replace("org,-,-,,1.00", "org,87.5,-,,1.00")
    assert filled.text == expected.replace('30.00,"30', '50,"30')
    assert filled.unscaled
    french = GRADEBOOK.replace("Assignment: HW (Real)", "Devoir : HW (Brut)")
    french = french.replace("First name", "Prénom").replace("Last name", "Nom")
    assert filled_in(french, entry(50, people[1])).text == french.replace(
        '30.00,"30', '50,"30'
    )
    twice = GRADEBOOK.replace("Course total (Real)", "Quiz: HW (Real)")
    with pytest.raises(UsageError, match="more than one column"):
        read_export(sheet_of(twice), "HW")


def test_blackboard(tmp_path):
    """Blackboard's file with the name .xls is UTF-16 with tabs, and stays so."""
    path = tmp_path / "gc_export.xls"
    path.write_bytes(BLACKBOARD.replace("\n", "\r\n").encode("utf-16-le"))
    export = read_export(sheet_at(str(path), "GRADEBOOK"), "HW")
    people = [Owner(name, {"login": name}) for name in ("jdoe", "blee", "croe")]
    filled = fill(Places(export, {}), [entry(87, one) for one in people])
    expected = BLACKBOARD.replace('"Needs Grading"', '"43.5"')
    expected = expected.replace('"Yes"\t""', '"Yes"\t"43.5"').replace("\n", "\r\n")
    assert filled.text == expected
    assert (filled.encoding, filled.file) == ("utf-16-le", "gradebook.xls")
    (told,) = filled.disputes
    assert "Lee Bo: not entered, for its cell says 'Exempt'" in told


BLACKBOARD_COLUMN = "HW [Total Pts: 50 Score]"


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("HW [Total Pts: 50 Percentage]", ""),
        ("HW [Total Pts: 50 Letter]", "A-"),
        ("HW [Total Pts: 50 Complete/Incomplete]", ""),
        ("HW [Gesamtpunktzahl: 50 Prozent]", "87,00%"),
        ("HW [Gesamtpunktzahl: 50 Prozent]", ""),
        ("HW [Gesamtpunktzahl: 50 Buchstabe]", "A-"),
        ("HW [Gesamtpunktzahl: 100 Buchstabe]", ""),
        ("HW [Gesamtpunktzahl: 50 Punktzahl]", ""),
    ],
)
def test_blackboard_shows_no_points(column, cell):
    """A column whose numbers are perhaps no points is refused before grading."""
    text = BLACKBOARD.replace(BLACKBOARD_COLUMN, column).replace("Needs Grading", cell)
    with pytest.raises(UsageError, match="its primary display to Score"):
        read_export(sheet_of(text), "HW")


@pytest.mark.parametrize(
    ("column", "score"),
    [
        ("HW [Total Pts: 100 Percentage]", "87"),
        ("HW [Total Pts: 50]", "43.5"),
        ("HW [Gesamtpunktzahl: 50 Punktzahl]", "43.5"),
        ("HW [Gesamtpunktzahl: 50]", "43.5"),
    ],
)
def test_blackboard_shows_points_in_other_words(column, score):
    """Points are entered where they are points or, of 100, also the percentage.

    Where the words are not known, a number in the column shows that it has points.
    """
    text = BLACKBOARD.replace(BLACKBOARD_COLUMN, column)
    if "Punktzahl]" in column:
        text = text.replace("Exempt", "30")
    filled = filled_in(text, entry(87, Owner("jdoe", {"login": "jdoe"})))
    assert filled.text == text.replace("Needs Grading", score)


def test_brightspace():
    """Scores are scaled to the points in the column's name; "#" is no part of an id."""
    people = [Owner("?", {"sid": "s11"}), Owner("Bo Lee", {"login": "Bo Lee"})]
    filled = filled_in(BRIGHTSPACE, entry(87, people[0]), entry(50, people[1]))
    expected = BRIGHTSPACE.replace("jane@example.org,,1", "jane@example.org,8.7,1")
    assert filled.text == expected.replace("org,3,,", "org,5,,")


def test_a_file_of_another_encoding(tmp_path):
    """A file that is not UTF-8 or UTF-16 is refused by its name."""
    path = tmp_path / "export.csv"
    path.write_bytes(CANVAS.replace("Lee", "Lée").encode("cp1252"))
    with pytest.raises(UsageError, match=r"GRADEBOOK=.*export.csv is not UTF-8 text"):
        sheet_at(str(path), "GRADEBOOK")
