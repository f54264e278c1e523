"""DRYRUN=1 prints whose each hand-in is and what is taken; nothing is graded."""

import pytest

from grader.classroom import command
from grader.contract.outcomes import UsageError
from tests.support.downloads import made

SOURCE = "def td_loss(): pass\n"
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,DQN (55)\n"
    "    Points Possible,,,,,50\n"
    '"Doe, Jane",11,s11,jane,A,\n'
    '"Lee, Bo",12,s12,bo,A,\n'
)


@pytest.fixture
def download(tmp_path):
    """Return a folder with a download from Canvas: two people, one of them late."""
    folder = tmp_path / "all" / "submissions"
    made(folder, "leebo_LATE_12_2_mine.py", "doejane_11_1_dqn.py", "doejane_11_3_b.py")
    for path in folder.iterdir():
        path.write_text(SOURCE)
    return folder.parent


def planned(capsys, *words: str) -> tuple[int, list[str]]:
    """Run the command with DRYRUN=1; return the exit code and the printed lines."""
    code = command.run(command.parse([*words, "--dryrun", "1"]))
    return code, capsys.readouterr().out.splitlines()


def test_the_plan(download, tmp_path, capsys):
    """For each hand-in the plan says who, which file, late or not, and which row."""
    export = tmp_path / "export.csv"
    export.write_text(CANVAS)
    out = tmp_path / "out"
    words = [str(download), "--out", str(out), "--gradebook", str(export)]
    code, lines = planned(capsys, *words, "--assignment", "DQN")
    assert code == 0
    assert lines == [
        "Canvas, Download Submissions in submissions/: 2 hand-ins",
        "",
        "doejane (canvas 11)",
        "  file: submissions/doejane_11_1_dqn.py",
        "  dqn.py was taken: b.py was left aside",
        "  gradebook.csv: row 3: Doe, Jane; 11",
        "",
        "leebo (canvas 12), late",
        "  file: submissions/leebo_LATE_12_2_mine.py",
        "  gradebook.csv: row 4: Lee, Bo; 12",
        "",
        "left out: doejane_11_3_b.py (the same student's dqn.py counts)",
        "2 hand-ins, 1 late, 0 not read, 1 left out. Nothing was graded.",
    ]
    assert not out.exists()


def test_what_cannot_be_read_is_told(download, capsys):
    """A hand-in that cannot be read is marked, and the exit code is 2."""
    (download / "submissions" / "leebo_LATE_12_2_mine.py").write_bytes(b"\xff\xfe\x00")
    code, lines = planned(capsys, str(download))
    assert code == 2
    at = lines.index("  file: submissions/leebo_LATE_12_2_mine.py")
    assert lines[at + 1].startswith("  ! not read: ")
    assert lines[-1].startswith("2 hand-ins, 1 late, 1 not read")


def test_a_strange_name_is_told(download, capsys):
    """A hand-in whose name is not the platform's is marked, and the exit code is 2."""
    (download / "submissions" / "bob.py").write_text(SOURCE)
    code, lines = planned(capsys, str(download))
    assert code == 2
    at = lines.index("  file: submissions/bob.py")
    assert lines[at + 1] == "  ! strange name: the platform gives no such name"


def test_who_is_missing_and_which_cells_are_kept(download, tmp_path, capsys):
    """With ROSTER= and GRADEBOOK=, the plan tells what will not be as expected."""
    export, roster = tmp_path / "export.csv", tmp_path / "roster.csv"
    export.write_text(CANVAS.replace("bo,A,", "bo,A,EX"))
    roster.write_text("Jane Doe\nCy Roe\n")
    words = ["--gradebook", str(export), "--assignment", "DQN"]
    _, lines = planned(capsys, str(download), *words, "--roster", str(roster))
    assert lines[-8:-3] == [
        "leebo (canvas 12), late",
        "  file: submissions/leebo_LATE_12_2_mine.py",
        "  ! not on the roster: leebo",
        "  gradebook.csv: row 4: Lee, Bo; 12: not entered, for its cell says 'EX'",
        "",
    ]
    assert lines[-2] == "no hand-in: 1 of 2 on the roster: Cy Roe"


@pytest.mark.parametrize("name", ["gradebook.csv", "grades.csv"])
def test_an_export_that_would_be_overwritten(download, tmp_path, name):
    """A gradebook is refused if this command writes a file of this name there."""
    (tmp_path / name).write_text(CANVAS)
    words = ["--gradebook", str(tmp_path / "x" / ".." / name), "--out", str(tmp_path)]
    parsed = command.parse([str(download), *words, "--assignment", "DQN"])
    (tmp_path / "x").mkdir()
    with pytest.raises(UsageError, match=rf"GRADEBOOK=.*{name} is a file that this"):
        command.run(parsed)
    assert (tmp_path / name).read_text() == CANVAS


def test_two_hand_ins_for_one_row(download, tmp_path, capsys):
    """Two hand-ins that belong to one row are told before anything is graded."""
    export = tmp_path / "export.csv"
    export.write_text(CANVAS)
    (download / "submissions" / "jane.py").write_text(SOURCE)
    words = ["--gradebook", str(export), "--assignment", "DQN"]
    _, lines = planned(capsys, str(download), *words)
    assert any(
        line.startswith("gradebook.csv: Doe, Jane: not entered") for line in lines
    )


def test_the_gradebook_tells_the_numbers_of_canvas(tmp_path, capsys):
    """Names of files that can be read in two ways are read with the book's numbers."""
    export, folder = tmp_path / "export.csv", tmp_path / "all"
    export.write_text(CANVAS.replace("Lee, Bo", "Jane Doe"))
    made(folder, "submissions/doejane_11_7001_20231234_dqn.py")
    made(folder, "submissions/doejane_12_7002_20235678_dqn.py")
    for path in (folder / "submissions").iterdir():
        path.write_text(SOURCE)
    words = ["--gradebook", str(export), "--assignment", "DQN"]
    code, lines = planned(capsys, str(folder), *words)
    assert code == 0
    assert "  gradebook.csv: row 3: Doe, Jane; 11" in lines
    assert "  gradebook.csv: row 4: Jane Doe; 12" in lines
    code, lines = planned(capsys, str(folder))
    assert code == 2
    assert sum(line.startswith("  ! strange name: nobody knows") for line in lines) == 2


def test_groups_and_hostile_names(tmp_path, capsys):
    """A group is shown with its members; names cannot send commands to a terminal."""
    made(tmp_path, "Team 7/Doe_Jane_jdoe_4711/dqn.py", "Team 8/Max Ox/\x1b[2J.py")
    _, lines = planned(capsys, str(tmp_path))
    assert "group Team 7: Jane Doe (login jdoe, ilias 4711)" in lines
    assert "group Team 8: Max Ox" in lines
    assert not [line for line in lines if "\x1b" in line]


def test_the_roster_of_github_classroom(tmp_path, capsys):
    """By ROSTER=, a repository's hand-in finds the row of its owner in GRADEBOOK=."""
    folder = tmp_path / "dqn-submissions"
    for login in ("janed", "team-7"):
        made(folder / f"dqn-{login}", ".git/", "dqn.py")
        (folder / f"dqn-{login}" / "dqn.py").write_text(SOURCE)
    export, roster = tmp_path / "export.csv", tmp_path / "roster.csv"
    export.write_text(CANVAS)
    roster.write_text(
        '"identifier","github_username","github_id","name"\n'
        '"s11","JaneD","1","Bo Lee"\n"s12","blee","2",""\n'
    )
    words = ["--gradebook", str(export), "--assignment", "DQN"]
    _, lines = planned(capsys, str(folder), *words, "--roster", str(roster))
    assert "  gradebook.csv: row 3: Doe, Jane; 11" in lines
    assert "  gradebook.csv: no row for team-7 at GitHub" in lines
    assert lines[-2] == "no hand-in: 1 of 2 on the roster: s12"
