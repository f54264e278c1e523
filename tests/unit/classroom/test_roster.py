"""A list of people says who handed in nothing, and who is not in the course."""

import csv

import pytest

from grader.classroom.after.attendance import attendance, identify
from grader.classroom.after.roster import read_roster
from grader.classroom.entries import troubles
from grader.classroom.gradebooks.groups import Places
from grader.classroom.gradebooks.read import read_export
from grader.classroom.gradebooks.sheet import sheet_of
from grader.classroom.gradebooks.table import table
from grader.classroom.layouts import Found, Owner
from grader.classroom.pages import overview
from grader.classroom.results import about_people
from grader.classroom.similar.clusters import Findings
from grader.contract.outcomes import UsageError
from tests.support.classes import entry_of, hand_in_of

# The same three people, with what each kind of list says of them.
LISTS = {
    "canvas": "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,DQN (1)\n"
    ",,,,,Manual Posting\n    Points Possible,,,,,50\n"
    '"Doe, Jane",11,s11,jane,A,\n"Lee, Bo",12,s12,bo,A,3\n"Roe, Cy",13,s13,cy,A,\n'
    '"Student, Test",99,,abc,A,\n',
    "canvas, names apart": "\ufeffLastName;FirstName;ID;SIS User ID;Section;DQN (1)\n"
    "    Points Possible;;;;;50\nDoe;Jane;11;s11;A;\nLee;Bo;12;s12;A;3\n"
    "Roe;Cy;13;s13;A;\nStudent;Test;99;;A;\n",
    "moodle": "Identifier,Full name,ID number,Email address,Status\n"
    "Participant 11,Jane Doe,s11,jane@example.org,x\n"
    "Participant 12,Bo Lee,s12,bo@example.org,\nParticipant 13,Cy Roe,s13,cy@x,\n",
    "two names": "Surname;First name;E-Mail;Seat\nDoe;Jane;jane@example.org;1\n"
    "Lee;Bo;bo@example.org;2\nRoe;Cy;cy@x;3\n",
    "German worksheet": "ID,Vollständiger Name,ID-Nummer,E-Mail-Adresse,Gruppe\n"
    "Teilnehmer/in11,Jane Doe,s11,jane@example.org,\n"
    "Teilnehmer/in12,Bo Lee,s12,bo@example.org,\n"
    "Teilnehmer/in13,Cy Roe,s13,cy@x,\n",
    "German": "Name;Vorname;Matrikelnummer\nDoe;Jane;s11\nLee;Bo;s12\nRoe;Cy;s13\n",
    "full name and first name": "name,first name,email\n"
    "Jane Doe,Jane,jane@example.org\n"
    'Bo Lee,Bo,bo@example.org\n"Roe, Cy",Cy,cy@x\n',
    "French": "Prénom,Nom,Adresse de courriel\nJane,Doe,jane@example.org\n"
    "Bo,Lee,bo@example.org\nCy,Roe,cy@x\n",
    "no head": "s11,Jane Doe,jane@example.org\ns12,Bo Lee,bo@example.org\n"
    "s13,Cy Roe,cy@x\n",
    "mails": "Jane Doe <jane@example.org>\n\nBo Lee <bo@example.org>\nCy Roe <cy@x>\n",
    "words": "Jane\tDoe\tjane\nBo\tLee\tbo\nCy\tRoe\tcy\n",
}
JANE = hand_in_of("1", Owner("Doe, Jané", {}))


def names(text: str, *hand_ins) -> tuple[list[str], list[str]]:
    """Return who of a list handed in nothing, and the sentences on other people."""
    found = attendance(Places(read_roster(sheet_of(text)), {}), Found([*hand_ins]))
    absent = [" ".join(sorted(o.name.replace(",", "").split())) for o in found.absent]
    return absent, [*found.strangers.values()]


@pytest.mark.parametrize("kind", LISTS)
def test_who_handed_in_nothing(kind):
    """In each kind of list, everyone is found whose hand-in is there, and nobody else.

    The rows of a gradebook that belong to nobody are no people.
    """
    assert names(LISTS[kind], JANE) == (["Bo Lee", "Cy Roe"], [])
    both = hand_in_of("3", Owner("Roe Cy", {}), Owner("Bo Lee", {}))
    assert names(LISTS[kind], JANE, both) == ([], [])


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        ("canvas", {"canvas": "12"}),
        ("canvas", {"login": "bo"}),
        ("canvas, names apart", {"canvas": "12"}),
        ("canvas, names apart", {"sid": "s12", "email": "private@example.org"}),
        ("German", {"sid": "S12"}),
        ("moodle", {"sid": "S12"}),
        ("German worksheet", {"sid": "S12"}),
        ("German worksheet", {"moodle": "12"}),
        ("French", {"email": "bo@example.org"}),
        ("two names", {"email": "BO@example.org"}),
        ("no head", {"sid": "s12"}),
        ("no head", {"login": "s12"}),
        ("mails", {"email": "bo@example.org"}),
        ("words", {"login": "bo"}),
    ],
)
def test_by_identifier(kind, ids):
    """A person is found by an identifier; a platform's number needs the name, too."""
    name = "leebo" if {"canvas", "moodle"} & {*ids} else ids.get("login", "?")
    hand_in = hand_in_of("x", Owner(name, ids))
    assert names(LISTS[kind], hand_in) == (["Doe Jane", "Cy Roe"], [])


def test_a_last_name_that_is_also_the_first_name():
    """Beside first names, names are last names if most do not have the first name."""
    text = "Name,Vorname\nThomas,Thomas\nLee,Bo\nDoe,Jane\n"
    assert names(text, JANE) == (["Thomas Thomas", "Bo Lee"], [])


def test_names_as_canvas_writes_them():
    """A list of names is enough for Canvas' files, in which a name is one word."""
    jane = hand_in_of("x", Owner("doejane", {"canvas": "11"}))
    assert names("Jane Doe\nBo Lee\n", jane) == (["Bo Lee"], [])
    twice = "Jane Doe\nDoe Jane\n"
    absent, told = names(twice, jane)
    assert (len(absent), told) == (2, ["doejane: 2 rows could be meant"])
    login = hand_in_of("x", Owner("doejane", {"login": "doejane"}))
    assert names("Jane Doe\n", login) == (["Doe Jane"], ["doejane"])


def test_logins_alone():
    """A list of logins finds people whose hand-ins have a name as well."""
    jane = hand_in_of("x", Owner("Jane Doe", {"login": "jd"}))
    assert names("jd\nbo\n", jane) == (["bo"], [])


def test_a_row_with_more_cells_than_the_head():
    """A name with a comma but without quotes is not cut off; the row is named."""
    with pytest.raises(UsageError, match="ROSTER: row 3 has more cells than the first"):
        read_roster(sheet_of("name\nBo\nDoe, Jane\n"))


ONE_A_LINE = {
    "two first names": "Doe,Jane Marie\nLee,Bo\n",
    "login before the name": "jdoe,Jane Marie Doe\nblee,Bo Lee\n",
    "login after two cells": "Doe,Jane Marie,jdoe\nLee,Bo,blee\n",
    "login after the name": "Jane Marie Doe,jdoe\nBo Lee,blee\n",
    "number before": "20231234 Jane Marie Doe\n20235678 Bo Lee\n",
    "number after": "Jane Marie Doe (s11)\nBo Lee (s12)\n",
    "number and mail": "20231234 Jane Marie Doe <jane@x.org>\n20235678 Bo Lee <bo@x>\n",
}


@pytest.mark.parametrize("kind", ONE_A_LINE)
def test_one_person_a_line(kind):
    """In a list without a head, the name is found wherever it stands in the line."""
    text = ONE_A_LINE[kind]
    jane = hand_in_of("1", Owner("Jane Marie Doe", {"moodle": "7"}))
    assert names(text, jane) == (["Bo Lee"], [])
    for ids in ({"sid": "20235678"}, {"sid": "s12"}, {"login": "blee"}):
        (value,) = ids.values()
        if value in text:
            bo = hand_in_of("2", Owner("B.", ids))
            assert names(text, jane, bo) == ([], [])


@pytest.mark.parametrize(
    "text",
    [
        "doe,Jane Mary\nLee,Bo\n",
        "doe,Jane Mary\nlee,Bo Xu\n",
        "johnson,John Paul\ndoe,Jane Mary\n",
    ],
)
def test_last_names_in_small_letters(text):
    """A last name before first names is no login, and nobody else is this person."""
    jane = hand_in_of("1", Owner("Jane Mary Doe", {"moodle": "7"}))
    other = hand_in_of("2", Owner("Jane Mary", {"moodle": "8"}))
    login = hand_in_of("3", Owner("?", {"login": "doe"}))
    absent, strangers = names(text, jane)
    assert (len(absent), strangers) == (1, [])
    absent, strangers = names(text, other, login)
    assert (len(absent), strangers) == (2, ["Jane Mary", "?"])
    found = attendance(Places(read_roster(sheet_of(text)), {}), Found([]))
    assert "was taken for a last name, not for a login" in about_people([], found)[0]


def test_names_of_columns_in_another_language():
    """A first row without number and address, which all others have, is no person."""
    people = "Jane Doe;s11;A\nBo Lee;s12;B\n"
    roster = Places(read_roster(sheet_of(f"Navn;Nummer;Hold\n{people}")), {})
    found = attendance(roster, Found([JANE]))
    assert about_people([], found) == [
        "ROSTER: the first row was taken for names of columns: Navn, Nummer, Hold",
        "no hand-in: 1 of 2 on the roster: Bo Lee",
    ]
    assert names(f"Cy Roe;;A\n{people}Di Poe;;B\n", JANE)[0][0] == "Cy Roe"
    assert names(f"Cy Roe;s13;A\n{people}", JANE) == (["Cy Roe", "Bo Lee"], [])


@pytest.mark.parametrize(
    "text",
    [
        "Jane Doe\nBo Lee,123\nCy Roe,124\n",
        "Jane Doe,,\nBo Lee,bo@x.org,1\nCy Roe,cy@x.org,2\n",
        "Jane Doe,,A\nBo Lee,s12,A\nCy Roe,s13,B\n",
        "jane\nbo1\ncy2\n",
        "jane,A\nbo1,A\ncy2,B\n",
    ],
)
def test_a_first_person_without_a_number(text):
    """A first row in which the number is missing is that of a person."""
    roster = Places(read_roster(sheet_of(text)), {})
    found = attendance(roster, Found([]))
    assert (found.people, found.note) == (3, "")


GITHUB = {
    "addresses": '"identifier","github_username","github_id","name"\n'
    '"jane@x.org","JaneD","1","Bo Lee"\n"bo@x.org","blee","2",""\n'
    '"cy@x.org","","",""\n',
    "student ids": '"identifier","github_username","github_id","name"\n'
    '"s11","JaneD","1","Bo Lee"\n"s12","blee","2",""\n"s13","","",""\n',
    "names": '"identifier","github_username","github_id","name"\n'
    '"Doe, Jane","JaneD","1","Bo Lee"\n"Bo Lee","blee","2",""\n"Cy Roe","","",""\n',
    "Classroom 50": "username,first_name,last_name,email,section,github_id\n"
    "JaneD,Jane,Doe,jane@x.org,A,1\nblee,Bo,Lee,bo@x.org,A,2\ncr,Cy,Roe,cy@x.org,A,3\n",
    "a list": "name;GitHub\nJane Doe;JaneD\nBo Lee;blee\nCy Roe;\n",
    "links": "name,GitHub\nJane Doe,https://GitHub.com/JaneD/\n"
    "Bo Lee,github.com/blee\nCy Roe,https://github.com/JaneD/gone\n",
    "with @": "name,GitHub\nJane Doe, @JaneD\nBo Lee,@blee\nCy Roe,@\n",
}
BOOK = (
    "First name,Last name,ID number,Email address,HW (Real)\n"
    "Bo,Lee,s12,bo@x.org,-\nJane,Doe,s11,jane@x.org,-\nCy,Roe,s13,cy@x.org,-\n"
)


WORKSHEET = (
    "Identifier,Full name,Email address,Status,Group,Grade,Maximum grade,"
    "Grade can be changed\n"
    "Participant 12,Jane Doe,jane@x.org,Submitted for grading,,,20.00,Yes\n"
    "Participant 13,Bo Lee,bo@x.org,Submitted for grading,Team,,20.00,Yes\n"
)


@pytest.mark.parametrize("kind", GITHUB)
def test_logins_at_github(kind):
    """By their logins at GitHub, people are found on a list, and by it in a gradebook.

    The name that Jane has given herself at GitHub is somebody else's, and does not
    count.
    """
    repositories = [
        hand_in_of(f"dqn-{login}", Owner(f"{login} at GitHub", {"github": login}))
        for login in ("janed", "gone")
    ]
    roster = Places(read_roster(sheet_of(GITHUB[kind])), {})
    known = identify(roster, repositories)
    found = attendance(roster, Found(known))
    assert (found.people, len(found.absent)) == (3, 2)
    assert found.strangers == {"dqn-gone": "gone at GitHub"}
    book = Places(read_export(sheet_of(BOOK), "HW"), {})
    assert [[row for _, row, _ in book.of(one)] for one in known] == [[2], [None]]
    assert [[row for _, row, _ in book.of(one)] for one in repositories] == [
        [None],
        [None],
    ]


@pytest.mark.parametrize(
    ("text", "email"),
    [
        (
            "Name,Email,Username,GitHub ID\nJane Doe,jane@x.org,jdoe,janecodes\n"
            "Bo Lee,bo@x.org,blee,jdoe\n",
            None,
        ),
        (
            "username,first_name,last_name,email,section,github_id\n"
            "jdoe,Jane,Doe,jane@x.org,A,janecodes\nblee,Bo,Lee,bo@x.org,A,jdoe\n",
            None,
        ),
        (
            "username,first_name,last_name,email,section,github_id,github\n"
            "jdoe,Jane,Doe,jane@x.org,A,1,janec\nblee,Bo,Lee,bo@x.org,A,2,jdoe\n",
            "bo@x.org",
        ),
    ],
)
def test_logins_at_the_university_beside_a_column_for_github(text, email):
    """A login at the university is nobody's at GitHub, whatever other columns say."""
    repository = hand_in_of("dqn-jdoe", Owner("jdoe at GitHub", {"github": "jdoe"}))
    roster = Places(read_roster(sheet_of(text)), {})
    (known,) = identify(roster, [repository])
    assert known.owners[0].ids.get("email") == email


@pytest.mark.parametrize("identifier", ["jane@x.org", "s11", "jdoe"])
def test_names_beside_the_identifiers_of_github_classroom(identifier):
    """Columns that a teacher adds for the names count before the identifier."""
    text = (
        "identifier,github_username,github_id,name,first name,last name\n"
        f"{identifier},JaneD,1,Bo Lee,Jane,Doe\n"
    )
    assert names(text, JANE) == ([], [])


def test_a_login_at_github_that_is_not_certain():
    """Nobody is taken for a person of the list whose login two have, or who differs."""
    once = "name,email,github\nJane Doe,jane@x.org,jd\n"
    owner = Owner("jd at GitHub", {"github": "jd"})
    for text, one in (
        (once + "June Doe,june@x.org,jd\n", owner),
        (once, Owner("Bo", {"github": "jd", "email": "bo@x.org"})),
        ("name,login\nJane Doe,jd\n", owner),
    ):
        roster = Places(read_roster(sheet_of(text)), {})
        hand_in = hand_in_of("dqn-jd", one)
        assert identify(roster, [hand_in]) == [hand_in]


@pytest.mark.parametrize("source", ["MEMBERS", "roster", "gradebook"])
@pytest.mark.parametrize("logins", [1, 2])
def test_a_team_with_the_name_of_a_login_at_github(source, logins):
    """A repository whose name ends in the name of a team and in a login is nobody's.

    At GitHub Classroom, students choose the names of their teams.
    """
    bob = hand_in_of("dqn-bob", Owner("bob at GitHub", {"github": "bob"}))
    team = "Bob" if source == "roster" else ""
    text = (
        f"name,email,github,team\nJane Doe,jane@x.org,bob,\nBo Lee,bo@x.org,,{team}\n"
    )
    text += "Cy Roe,cy@x.org,bob,\n" * (logins - 1)
    bo = [Owner("Bo Lee", {"email": "bo@x.org"})]
    members = {"Bob": bo} if source == "MEMBERS" else {}
    sheet = WORKSHEET.replace("Team", "Bob") if source == "gradebook" else WORKSHEET
    roster = Places(read_roster(sheet_of(text)), members)
    book = Places(read_export(sheet_of(sheet), ""), members)
    (known,) = identify(roster, [bob], book)
    assert known.owners == bob.owners
    told = ("bob at GitHub", None, "it is the name of a group and of a person")
    assert [*book.of(known)] == [*roster.of(known)] == [told]
    table = hand_in_of(
        "dqn-bob", Owner("Jane", {"github": "bob", "email": "jane@x.org"})
    )
    (certain,) = identify(roster, [table], book)
    assert [row for _, row, _ in book.of(certain)] == [1]


def test_strangers():
    """Who is not on the list is told, and who may be two people on it is told as well.

    Nobody on the list is taken for such a person.
    """
    max_ox, bo = hand_in_of("max"), hand_in_of("4", Owner("Bo Lee", {}))
    twice = LISTS["no head"] + "s14,Lee Bo,lee@example.org\n"
    absent, strangers = names(twice, JANE, max_ox, bo)
    assert absent == ["Bo Lee", "Cy Roe", "Bo Lee"]
    assert strangers[0] == "max"
    assert "2 rows" in strangers[1]


def test_a_group_whose_members_the_list_knows():
    """A hand-in in the name of a group is that of the people in this group."""
    text = "name,group\nJane Doe,Team 7\nBo Lee,Team 8\nCy Roe,Team 7\n"
    team = hand_in_of("x", Owner("Team 7", {"moodle": "5"}), group="Team 7")
    assert names(text, team) == (["Bo Lee"], [])


@pytest.mark.parametrize("other", ["Tutorial A", "Team 1"])
def test_other_groups_in_the_list(other):
    """What MEMBERS says of a group counts before a column in the list of people."""
    text = f"name,email,Group\nJane Doe,j@x,{other}\nBo Lee,b@x,{other}\nCy,c@x,B\n"
    members = {"Team 1": [Owner("", {"email": "j@x"}), Owner("", {"email": "c@x"})]}
    team = hand_in_of("team1_11_5_dqn.py", Owner("team1", {"canvas": "11"}))
    found = attendance(Places(read_roster(sheet_of(text)), members), Found([team]))
    assert [one.name for one in found.absent] == ["Bo Lee"]
    assert found.strangers == {}


def test_a_group_that_the_list_alone_knows():
    """A group that is not in MEMBERS is looked for in the list of people."""
    text = "name,email,Group\nJane Doe,j@x,Team 1\nBo Lee,b@x,Team 2\nCy,c@x,B\n"
    members = {"Team 1": [Owner("", {"email": "j@x"})]}
    teams = [hand_in_of(f"{n}", Owner(f"Team {n}"), group=f"Team {n}") for n in (1, 2)]
    found = attendance(Places(read_roster(sheet_of(text)), members), Found(teams))
    assert [one.name for one in found.absent] == ["Cy"]
    assert found.strangers == {}


@pytest.mark.parametrize("text", ["", "name,email\n", ",,\n"])
def test_no_list(text):
    """A list without people is refused."""
    with pytest.raises(UsageError, match="ROSTER"):
        read_roster(sheet_of(text))


TWO_LINES = {
    "sections": "name,email,section\nJane Doe,jane@x.org,Lecture\n"
    "Bo Lee,bo@x.org,Lecture\nJane Doe,JANE@x.org,Lab 2\nCy Roe,cy@x.org,Lab 2\n",
    "no head": "Jane Doe,s11,jane@x.org,Lecture\nBo Lee,s12,bo@x.org,Lecture\n"
    '"Doe, Jane",s11,jane@x.org,Lab 2\nCy Roe,s13,cy@x.org,Lab 2\n',
    "more in one": "name,sid,email\nJane Doe,s11,\nBo Lee,s12,bo@x.org\n"
    "Cy Roe,s13,\n,s11,jane@x.org\n",
    "the name last": "name,sid,email\n,s11,\nBo Lee,s12,bo@x.org\n"
    "Cy Roe,s13,\nJane Doe,s11,jane@x.org\n",
}


@pytest.mark.parametrize("kind", TWO_LINES)
def test_a_person_on_two_lines(kind):
    """A person on a line for each section is one person, with what all lines say."""
    text = TWO_LINES[kind]
    assert names(text, JANE) == (["Bo Lee", "Cy Roe"], [])
    mail = hand_in_of("x", Owner("Jane", {"email": "jane@x.org"}))
    assert names(text, mail) == (["Bo Lee", "Cy Roe"], [])
    roster = Places(read_roster(sheet_of(text)), {})
    assert attendance(roster, Found([])).people == 3


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("name,sid,email\nJane Doe,s11,d@x.org\nJane Doe,s12,d@x.org\n", 2),
        ("name,email\nJane Doe,d@x.org\nJune Doe,d@x.org\n", 2),
        ("Jane Doe,Lab 2\nBo Lee,Lab 2\nJane Doe,Lab 2\n", 3),
        ("Jane\nJane\n", 2),
    ],
)
def test_two_people_who_share_something(text, people):
    """Two people are not one, whatever they share: an address, a section or a name."""
    assert len(names(text)[0]) == people


def test_a_person_in_two_groups():
    """A person on a line for each group is in all of them."""
    text = "name,email,group\nJane Doe,j@x,Team 1\nJane Doe,j@x,Team 2\nBo,b@x,Team 2\n"
    teams = [hand_in_of(f"{n}", Owner(f"Team {n}"), group=f"Team {n}") for n in (1, 2)]
    assert names(text, teams[0]) == (["Bo"], [])
    assert names(text, teams[1]) == ([], [])


def test_where_it_is_said():
    """The table has a row for who handed in nothing, and a note on other people.

    The class page has both first, with names only if asked.
    """
    hand_in = hand_in_of("max", Owner("Max Ox", {}))
    roster = Places(read_roster(sheet_of(LISTS["words"])), {})
    found = attendance(roster, Found([JANE, hand_in]))
    entry = entry_of(1, hand_in, stranger=found.strangers["max"])
    rows = [*csv.DictReader(table([entry], found.absent).splitlines())]
    assert [(row["name"], row["id"], row["note"]) for row in rows] == [
        ("Max Ox", "", "not on the roster: Max Ox"),
        ("Bo Lee", "bo", "no hand-in"),
        ("Cy Roe", "cy", "no hand-in"),
    ]
    assert {row["score"] for row in rows} == {"80", ""}
    assert [t.kind for t in troubles([entry])] == ["not on the roster"]
    for shown in (False, True):
        page = overview.page([entry], Findings(), names=shown, attended=found)
        top = page.partition("<h2>Scores</h2>")[0]
        assert "No hand-in: 2</h3>" in top
        assert "Of 3 people on the roster" in top
        assert "Not on the roster: 1</h3>" in top
        assert ("Cy Roe" in page) is ("Max Ox" in page) is shown


def test_who_handed_in_something_else():
    """Who handed in a text or a link is not said to have handed in nothing.

    Who handed in a file as well is not listed, and a stranger's text is nobody's.
    """
    text = "a text written into Canvas"
    jane, bo, ox = (
        hand_in_of(f"{name}_text.html", Owner(name, {"canvas": number}))
        for name, number in (("doejane", "11"), ("leebo", "12"), ("oxmax", "15"))
    )
    download = Found([JANE], without_file=[(one, text) for one in (jane, bo, ox)])
    roster = Places(read_roster(sheet_of(LISTS["canvas"])), {})
    found = attendance(roster, download)
    assert [one.name for one in found.absent] == ["Roe, Cy"]
    assert [(one.name, what) for one, what in found.without_file] == [("Lee, Bo", text)]
    assert about_people([], found) == [
        "no hand-in: 1 of 3 on the roster: Roe, Cy",
        f"handed in, but no file was found: 1 of 3 on the roster: Lee, Bo ({text})",
    ]
    rows = csv.DictReader(table([], found.absent, found.without_file).splitlines())
    assert [(row["name"], row["note"]) for row in rows] == [
        ("Roe, Cy", "no hand-in"),
        ("Lee, Bo", f"handed in, but no file was found: {text}"),
    ]
    for shown in (False, True):
        page = overview.page([], Findings(), names=shown, attended=found)
        assert "Handed in, but no file was found: 1</h3>" in page
        assert (f"Lee, Bo ({text})" in page) is shown


def test_who_handed_in_something_else_and_may_be_two():
    """A text of one of two people of a name is told beside those without a hand-in."""
    jane = hand_in_of("doejane_text.html", Owner("doejane", {"canvas": "99"}))
    roster = Places(read_roster(sheet_of("Jane Doe\nDoe Jane\nBo Lee\n")), {})
    found = attendance(roster, Found([], without_file=[(jane, "a text")]))
    assert (len(found.absent), found.without_file) == (3, [])
    both = Found([hand_in_of("doejane_dqn.py", *jane.owners)], [], [(jane, "a text")])
    assert attendance(roster, both).unsure == []
    words = "doejane (a text; 2 rows could be meant)"
    told = "handed in, but no file was found, and it is not certain who"
    assert about_people([], found)[1:] == [f"{told}: {words}"]
    for shown in (False, True):
        page = overview.page([], Findings(), names=shown, attended=found)
        assert f"{told.capitalize()}: 1</h3>" in page
        assert (words in page) is shown
