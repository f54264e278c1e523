"""A person is found by the name, also if a platform writes it in a form of its own."""

import pytest

from grader.classroom.after.roster import read_roster
from grader.classroom.gradebooks.people import People
from grader.classroom.gradebooks.sheet import sheet_of
from grader.classroom.layouts import Owner

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
