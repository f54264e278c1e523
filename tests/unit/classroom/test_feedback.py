"""The archives for Canvas and Moodle bring each page to its owner and to nobody else.

`to_canvas` and `to_moodle` read the names of files as these platforms do.
"""

import itertools
import random
import re
import zipfile
from pathlib import Path

import pytest

from grader.classroom.after.feedback import for_canvas, for_moodle, write
from grader.classroom.entries import Entry
from grader.classroom.gradebooks.canvas import read_canvas
from grader.classroom.gradebooks.groups import Places
from grader.classroom.gradebooks.moodle import read_moodle
from grader.classroom.gradebooks.sheet import sheet_of
from grader.classroom.layouts import HandIn, Owner, find
from tests.support.classes import entry_of, hand_in_of
from tests.support.downloads import made

WORKSHEET = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade\n"
    "Participant 11,Jane Doe,jane@example.org,Submitted,,20\n"
    "Participant 12,Bo Lee,bo@example.org,Submitted,,20\n"
    "Participant 13,Cy Roe,cy@example.org,Submitted,,20\n"
)
PEOPLE = {"11": "Jane Doe", "12": "Bo Lee", "13": "Cy Roe"}


def to_canvas(file: str, groups: tuple[str, ...] = ()) -> tuple[str, str] | None:
    """Return the user and the attachment that Canvas reads from a file's name.

    Args:
        file: the file's name.
        groups: the names of the course's groups, in lower case.
    """
    for group in groups:
        file = file.removeprefix(f"{group}_")
    parts = [part for part in file.split("_") if part != "LATE"]
    if parts[0] == "anon":
        return parts[1], parts[2]
    numbers = [part for part in parts if re.fullmatch(r"\d+", part)]
    return (numbers[0], numbers[1]) if len(numbers) > 1 else None


def to_moodle(file: str, participants: set[str]) -> str | None:
    """Return the number of the participant who gets a file; None if nobody does."""
    parts = file.split("_", 4)
    if len(parts) < 4 or not parts[1].isdigit() or parts[1] not in participants:
        return None
    return parts[1] if parts[2:4] == ["assignsubmission", "file"] else None


def canvas(entry: str, number: str = "", name: str = "") -> HandIn:
    """Return a hand-in that was downloaded from Canvas."""
    name = name or entry.partition("_")[0]
    return hand_in_of(entry, Owner(name, {"canvas": number} if number else {}))


def moodle(number: str, name: str) -> HandIn:
    """Return a hand-in that was downloaded from Moodle."""
    entry = f"{name}_{number}_assignsubmission_file_"
    return hand_in_of(entry, Owner(name, {"moodle": number}))


def places_in(worksheet: str) -> Places:
    """Return the rows of Moodle's grading worksheet."""
    return Places(read_moodle(sheet_of(worksheet), ""), {})


def numbered(*hand_ins: HandIn) -> list[Entry]:
    """Return hand-ins with results, and with the ids 1, 2 and so on."""
    return [entry_of(i, hand_in) for i, hand_in in enumerate(hand_ins, 1)]


@pytest.mark.parametrize(
    ("entry", "number", "told"),
    [
        ("doejane_11_7_dqn.py", "11", ("11", "7")),
        ("doejane_LATE_11_7_dqn-1.py", "11", ("11", "7")),
        ("doejane_11_7_99_98_dqn.py", "11", ("11", "7")),
        ("doejané_11_7_link.py", "11", ("11", "7")),
        ("doe99_11_7_dqn.py", "11", ("11", "7")),
        ("99_11_7_dqn.py", "11", ("11", "7")),
        ("11_11_7_dqn.py", "11", ("11", "11")),
        ("team_7_11_5_dqn.py", "11", ("11", "5")),
        ("anon_11_7_dqn.py", "11", ("11", "7")),
        ("anon_Xy12z_7_dqn.py", "", ("Xy12z", "7")),
        ("LATE_anon_Xy12z_7_dqn.py", "", ("Xy12z", "7")),
    ],
)
def test_canvas_reads_the_one_who_handed_in(entry, number, told):
    """Canvas reads the user and the attachment of the hand-in, whatever the name is.

    (A file named "11_11_7_" would be refused by Canvas, for 11 is not an attachment.)
    """
    (file,) = for_canvas(numbered(canvas(entry, number))).files
    assert to_canvas(file) == to_canvas(file, ("team_7", "for-doejane")) == told
    assert not file.split("_")[-1].startswith("link")
    assert file.endswith(".html")


def test_canvas_leaves_out_a_strange_name():
    """If it is not certain which number is the owner's, the page is not packed."""
    hand_in = canvas("team_1_2001_5_dqn.py", "1")
    packed = for_canvas([entry_of(1, hand_in, strange="nobody knows whose it is")])
    assert (packed.files, packed.left_out) == ({}, ["team"])


def test_canvas_leaves_out_what_is_not_certain():
    """What did not come from Canvas, or claims one user twice, is in no file."""
    packed = for_canvas(
        numbered(
            canvas("doejane_11_7_dqn.py", "11"),
            canvas("leebo_12_8_dqn.py", "12"),
            canvas("roecy_12_9_dqn.py", "12"),
            canvas("oxmax_99_9_dqn.py", "14"),
            hand_in_of("13_13_dqn.py"),
            hand_in_of("x_15_9_y.py", Owner("a", {"canvas": "15"}), Owner("b")),
        )
    )
    assert [*packed.files.values()] == [entry_of(1, canvas("x")).id]
    assert packed.left_out == ["oxmax", "13_13_dqn.py", "a & b", "leebo", "roecy"]


def test_canvas_with_a_group_whose_name_has_a_number(tmp_path):
    """The page of the group "HW_2 1" goes to the member whom the download names."""
    made(tmp_path, "hw_21_2001_90001_dqn.py", "hw_22_2005_90002_dqn.py")
    packed = for_canvas(numbered(*find(tmp_path).hand_ins))
    told = [to_canvas(file, ("hw_21", "hw_22")) for file in packed.files]
    assert told == [("2001", "90001"), ("2005", "90002")]
    assert packed.left_out == []


@pytest.mark.parametrize("seed", range(8))
def test_moodle_with_shuffled_names_and_numbers(seed):
    """Whoever's name and number agree gets the own page; nobody gets another's page."""
    shuffled = random.Random(seed).sample([*PEOPLE.values()], 3)
    hand_ins = [moodle(*pair) for pair in zip(PEOPLE, shuffled, strict=True)]
    packed = for_moodle(numbered(*hand_ins), places_in(WORKSHEET))
    right = {
        entry_of(i, HandIn(Path("x"), "", ())).id: number
        for i, (number, name) in enumerate(zip(PEOPLE, shuffled, strict=True), 1)
        if PEOPLE[number] == name
    }
    sent = {id_: to_moodle(file, {*PEOPLE}) for file, id_ in packed.files.items()}
    assert sent == right
    wrong = [n for k, n in zip(PEOPLE, shuffled, strict=True) if PEOPLE[k] != n]
    assert packed.left_out == wrong


def test_moodle_by_the_worksheet_of_another_assignment():
    """If numbers of folder and worksheet differ, a page goes to nobody.

    Moodle numbers the participants of each assignment anew.
    """
    other = WORKSHEET
    for old, new in zip(("11", "12", "13"), ("21", "11", "12"), strict=True):
        other = other.replace(f"Participant {old}", f"Participant {new}", 1)
    hand_ins = list(itertools.starmap(moodle, PEOPLE.items()))
    packed = for_moodle(numbered(*hand_ins), places_in(other))
    assert packed.files == {}
    assert packed.left_out == [*PEOPLE.values()]


def test_moodle_leaves_out_what_is_not_certain():
    """A group with a participant's number, two for one person, and a row twice."""
    twice = WORKSHEET + "Participant 13,Max Ox,max@example.org,,,20\n"
    hand_ins = [
        moodle("11", "Team A"),
        moodle("12", "Bo Lee"),
        hand_in_of("bo@example.org"),
        moodle("13", "Cy Roe"),
        moodle("13", "Max Ox"),
        hand_in_of("unknown"),
        hand_in_of("x", Owner("Cy Roe", {"email": "cy@example.org"})),
    ]
    packed = for_moodle(numbered(*hand_ins), places_in(twice))
    assert packed.files == {}
    assert len(packed.left_out) == 7
    cy = for_moodle(numbered(hand_ins[-1]), places_in(twice))
    assert (cy.files, cy.left_out) == ({}, ["Cy Roe"])


def test_moodle_with_hand_ins_from_elsewhere():
    """Each member of a group gets the page, by the number in the worksheet.

    The name in a file's name has no underscore, because Moodle counts them.
    """
    both = hand_in_of(
        "submission_5",
        Owner("Jane_99_Doe", {"email": "jane@example.org"}),
        Owner("bo", {"email": "bo@example.org"}),
    )
    packed = for_moodle(numbered(both), places_in(WORKSHEET))
    assert {to_moodle(file, {*PEOPLE, "99"}) for file in packed.files} == {"11", "12"}
    assert len({*packed.files.values()}) == 1


def test_moodle_teams():
    """Each member of a team gets its page, by the member's own number.

    The folder's number is that of the team, and also that of a participant.
    """
    teams = dict(zip(PEOPLE.values(), ("Team A", "Team B", "Team A"), strict=True))
    lines = WORKSHEET.replace("Grade,", "Group,Grade,").splitlines()
    for i, line in enumerate(lines[1:], 1):
        group = teams[line.split(",")[1]]
        lines[i] = line.replace("Submitted,", f"Submitted,{group},")
    entries = numbered(moodle("12", "Team A"), moodle("11", "Team B"))
    packed = for_moodle(entries, places_in("\n".join(lines) + "\n"))
    sent = {to_moodle(file, {*PEOPLE}): id_[7] for file, id_ in packed.files.items()}
    assert sent == {"11": "1", "13": "1", "12": "2"}
    assert packed.left_out == []


def test_moodle_teams_by_a_list_of_members():
    """The list says who is in a team; the team's number is no participant's."""
    team = [Owner("", {"email": f"{who}@example.org"}) for who in ("jane", "cy")]
    places = Places(read_moodle(sheet_of(WORKSHEET), ""), {"Gold": team})
    packed = for_moodle(numbered(moodle("7", "Gold"), moodle("12", "Bo Lee")), places)
    sent = {to_moodle(file, {*PEOPLE}): id_[7] for file, id_ in packed.files.items()}
    assert sent == {"11": "1", "13": "1", "12": "2"}
    assert packed.left_out == []


def test_archives(tmp_path):
    """An archive has each page under its name; without pages there is no archive.

    An archive of an earlier run does not stay.
    """
    (tmp_path / "students").mkdir()
    entries = numbered(
        canvas("doejane_11_7_dqn.py", "11"), canvas("leebo_12_8_dqn.py", "12")
    )
    entries.append(entry_of(3, canvas("roecy_13_9_dqn.py", "13"), None))
    for entry in entries:
        page = tmp_path / "students" / f"{entry.id}.html"
        page.write_text(f"of {entry.hand_in.owners[0].name}")
    lines = write(tmp_path, entries, None)
    path = tmp_path / "feedback" / "canvas.zip"
    assert lines == [f"{path}: 2 reports"]
    with zipfile.ZipFile(path) as archive:
        pages = {to_canvas(n): archive.read(n).decode() for n in archive.namelist()}
    assert pages == {("11", "7"): "of doejane", ("12", "8"): "of leebo"}
    assert [p.name for p in path.parent.iterdir()] == ["canvas.zip"]
    first = path.read_bytes()
    write(tmp_path, entries, None)
    assert path.read_bytes() == first
    hand_in = moodle("11", "Jane Doe")
    page = tmp_path / "students" / f"{numbered(hand_in)[0].id}.html"
    page.write_text("of Jane")
    book = "Student,ID,SIS User ID,SIS Login ID,Section,DQN (1)\n"
    (line,) = write(tmp_path, numbered(hand_in), places_in(WORKSHEET))
    assert line.endswith("moodle.zip: 1 report")
    assert [p.name for p in path.parent.iterdir()] == ["moodle.zip"]
    gradebook = Places(read_canvas(sheet_of(book), "DQN"), {})
    assert write(tmp_path, numbered(hand_in), gradebook) == []
    assert [*path.parent.iterdir()] == []
