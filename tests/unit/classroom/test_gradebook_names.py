"""A person is found by the name, also if a platform writes it in a form of its own."""

import pytest

from grader.classroom.after.roster import read_roster
from grader.classroom.after.who import Known
from grader.classroom.gradebooks.people import People
from grader.classroom.gradebooks.sheet import sheet_of
from grader.classroom.layouts import Owner
from grader.contract.outcomes import UsageError
from tests.support.classes import hand_in_of

LONG = "Maria da Conceição dos Santos Silva"


@pytest.mark.parametrize(
    ("listed", "name", "ids"),
    [
        ("Jane O'Neil", "Jane ONeil", {"moodle": "4711"}),
        ("O\N{RIGHT SINGLE QUOTATION MARK}Neil Jane", "Jane ONeil", {}),
        ("Jane O'Neil", "Jane O'Neil", {"email": "jane@example.org"}),
        ("Jana Müßig", "Jana Muessig", {"ilias": "12"}),
        ("Jana Mu\N{COMBINING DIAERESIS}ller", "Jana Mueller", {"ilias": "12"}),
        ("Jana Müller", "Jana Muller", {}),
        (LONG, "santossilvamariadaconceiçãodos", {"canvas": "12"}),
        (
            "Santos Silva, " + LONG[:-13],
            "santossilvamariadaconceiçãodos",
            {"canvas": "1"},
        ),
    ],
)
def test_a_name_as_a_platform_writes_it(listed, name, ids):
    """A list of names has the people whose names a platform writes in another form."""
    people = People(read_roster(sheet_of(f'name\nBo Lee\n"{listed}"\nCy Roe\n')))
    assert people.row_of(Owner(name, ids)) == (2, "")
    assert people.row_of(Owner("Jana Muster", ids)) == (None, "")


@pytest.mark.parametrize(
    ("name", "ids", "place"),
    [
        ("Jana Mueller", {"moodle": "12"}, (2, "")),
        ("Jana Mueller", {"email": "jm@example.org"}, (2, "")),
        ("Jana Müller", {"moodle": "11"}, (1, "")),
        ("Jana Mueller", {"ilias": "12"}, (None, "2 rows could be meant")),
        ("Jana Mueller", {}, (None, "2 rows could be meant")),
        ("Bo ONeil", {"moodle": "13"}, (None, "2 rows could be meant")),
        ("Bo ONeil", {"email": "bo@example.org"}, (4, "")),
    ],
)
def test_a_name_that_another_one_may_become(name, ids, place):
    """A name is another person's only where a platform may write that name so."""
    names = "Jana Müller", "Jana Mueller", "Bo O'Neil", "Bo ONeil"
    people = People(read_roster(sheet_of("name\n" + "\n".join(names))))
    assert people.row_of(Owner(name, ids)) == place
    hand_in = hand_in_of("hand-in", Owner(name, ids))
    known = Known({"a" * 64: hand_in}, [people])
    if place[0]:
        assert known.find(name) == "a" * 64
    else:
        with pytest.raises(UsageError, match="is the name of two people"):
            known.find(name)


@pytest.mark.parametrize(
    ("listed", "other"),
    [
        ("राजू कुमार", "राज कुमार"),
        ("रीना राय", "रानी राय"),
        ("ハラダ アイ", "ハラタ アイ"),
        ("สมสี ใจดี", "สมสู ใจดี"),
    ],
)
@pytest.mark.parametrize("ids", [{}, {"moodle": "11"}, {"canvas": "11"}])
def test_names_that_differ_in_a_sign(listed, other, ids):
    """Where a vowel or a sound is a mark, a name with another mark is another name."""
    people = People(read_roster(sheet_of(f"name\nBo Lee\n{listed}\n")))
    if "canvas" in ids:
        listed, other = ("".join(sorted(name.split())) for name in (listed, other))
    assert people.row_of(Owner(listed, ids)) == (2, "")
    assert people.row_of(Owner(other, ids)) == (None, "")


@pytest.mark.parametrize(
    ("listed", "name"),
    [
        ("Αγγελική", "Αγγελικη"),
        ("Пётр", "Петр"),
        ("مُحَمَّد", "محمد"),
        ("辻\U000e0100", "辻"),
    ],
)
def test_names_without_their_marks(listed, name):
    """Where people leave out an accent or a vowel, the name is the same without."""
    people = People(read_roster(sheet_of(f"name\nBo Lee\n{listed}\n")))
    assert people.row_of(Owner(name, {})) == (2, "")
