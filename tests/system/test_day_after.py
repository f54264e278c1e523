"""On the day after a class was graded, the same command does what staff ask for."""

import csv
import json
import re
import zipfile
from pathlib import Path

import pytest

from grader.classroom import command as classes
from grader.classroom import pool
from grader.contract.exercises import ROOT
from grader.contract.outcomes import UsageError
from tests.support.classes import report_of

FILES = {"doejane_11_7_dqn.py": 80, "leebo_LATE_12_8_dqn.py": 60}
BOOK = (
    "Student,ID,SIS User ID,SIS Login ID,Section,DQN (1)\n"
    "    Points Possible,,,,,50\n"
    '"Doe, Jane",11,s11,jane,A,\n"Lee, Bo",12,s12,bo,A,\n"Roe, Cy",13,s13,cy,A,\n'
)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Return a download of Canvas with the hand-ins of two people, and their book."""
    (tmp_path / "class").mkdir()
    for number, name in enumerate(FILES):
        text = (ROOT / "starter" / "dqn.py").read_text() + f"# {number}\n"
        (tmp_path / "class" / name).write_text(text)
    (tmp_path / "book.csv").write_text(BOOK)
    return tmp_path / "class"


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """Replace each grading by a report of ours.

    Returns:
        A list to which each replaced grading adds the name of its hand-in. A hand-in
        gets 10 points more each time.
    """
    names: list[str] = []

    def grade(self, submission, options) -> pool.Graded:
        names.append(submission.name)
        score = FILES[submission.name] + 10 * (names.count(submission.name) - 1)
        return pool.Graded(report_of(score, seed=options.seed or "secret").as_json())

    monkeypatch.setattr(pool.Running, "grade", grade)
    return names


def run(folder: Path, **options: str) -> int:
    """Grade the class; return the exit code.

    Args:
        folder: the folder of the hand-ins; the results go beside it.
        options: options of the command.
    """
    words = [str(folder), "--out", str(folder.parent / "out")]
    for name, value in options.items():
        words += [f"--{name}", value]
    return classes.run(classes.parse(words))


def rows(folder: Path) -> dict[str, dict[str, str]]:
    """Return the rows of grades.csv, by the person's name."""
    text = (folder.parent / "out" / "grades.csv").read_text("utf-8-sig")
    return {row["name"]: row for row in csv.DictReader(text.splitlines())}


def test_through_the_command(folder, command):
    """With real processes: who handed in nothing, one graded anew, and the archive."""
    out, roster = folder.parent / "out", folder.parent / "book.csv"
    words = (folder, "--out", out, "--only", "sync_target", "--roster", roster)
    first = command(*words, module="grader.classroom")
    assert (first.code, first.err) == (0, "")
    assert "no hand-in: 1 of 3 on the roster: Roe, Cy" in first.out
    before = {path.name: path.read_bytes() for path in (out / "reports").iterdir()}
    done = command(
        *words, "--regrade", "Jane Doe", "--seed", "7", module="grader.classroom"
    )
    assert (done.code, done.err) == (0, "")
    assert "2 hand-ins, 1 to grade" in done.out
    assert "doejane_11_7_dqn.py: 0 of 5 again" in done.out
    after = {path.name: path.read_bytes() for path in (out / "reports").iterdir()}
    (new,) = after.keys() - before.keys()
    old = new.replace(".before-1", "")
    assert after[new] == before[old]
    assert json.loads(after[old])["seed"] == "7" != json.loads(before[old])["seed"]
    others = {name for name in before if name != old}
    assert [after[name] == before[name] for name in others] == [True]
    again = command(*words, module="grader.classroom")
    assert "2 hand-ins, 0 to grade" in again.out
    assert {p.name: p.read_bytes() for p in (out / "reports").iterdir()} == after
    with zipfile.ZipFile(out / "feedback" / "canvas.zip") as archive:
        for name in archive.namelist():
            (page,) = [
                path
                for path in (out / "students").iterdir()
                if path.read_bytes() == archive.read(name)
            ]
            report = json.loads((out / "reports" / f"{page.stem}.json").read_text())
            assert (
                name.split("_")[1]
                == re.findall(r"\d+", report["submission"]["name"])[0]
            )


def test_changes_go_everywhere(folder, asked, capsys):
    """A penalty is in the table, the gradebook, the pages and the command's output.

    Nothing is graded for it, and without the file the scores are the grader's again.
    """
    book, file = folder.parent / "book.csv", folder.parent / "adjust.csv"
    file.write_text("who,change,reason\nbo,-10%,one day late\nJane Doe,=85,oral exam\n")
    options = {"gradebook": str(book), "assignment": "DQN"}
    assert run(folder, **options) == 0
    assert run(folder, **options, adjust=str(file)) == 0
    assert len(asked) == 2
    words = "60 of 100 by the grader; −10 %: one day late; 54 entered"
    assert f"adjusted: leebo: {words}" in capsys.readouterr().out
    out = folder.parent / "out"
    filled = BOOK.replace("bo,A,", "bo,A,27").replace("jane,A,", "jane,A,42.5")
    assert (out / "gradebook.csv").read_text() == filled
    found = rows(folder)["leebo"]
    assert (found["score"], found["adjusted"]) == ("60", "54")
    id_ = found["hand_in"]
    assert words in (out / "students" / f"{id_}.html").read_text()
    assert json.loads((out / "reports" / f"{id_}.json").read_text())["score"] == 60
    page = (out / "class.html").read_text()
    assert "60 of 100 by the grader; 54 entered" in page
    assert "oral exam" not in page
    assert run(folder, **options) == 0
    assert (out / "gradebook.csv").read_text().count("30") == 1
    assert len(asked) == 2


def test_what_is_wrong_is_told_before_grading(folder, asked):
    """A wrong line, name or list stops the run before anything is graded."""
    file = folder.parent / "adjust.csv"
    file.write_text("leebo,-5,late\ndoe,-5,late\n")
    with pytest.raises(UsageError, match=r"line 2: 'doe' .* did you mean doejane"):
        run(folder, adjust=str(file))
    with pytest.raises(UsageError, match="REGRADE: 'cy' is the name of no hand-in"):
        run(folder, regrade="cy")
    with pytest.raises(UsageError, match=r"ONLY: .* no score to be adjusted"):
        run(folder, adjust=str(file), only="td_loss")
    with pytest.raises(UsageError, match=r"ROSTER=absent\.csv: No such"):
        run(folder, roster="absent.csv")
    assert asked == []


def test_the_folder_of_results_keeps_what_is_not_ours(folder, asked):
    """Only files of earlier runs are deleted, also if folders have the same names."""
    out = folder.parent / "out"
    others = ("students/jane.txt", "reports/plan/a.json", ".pre-commit-config.yaml")
    for name in others:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("mine")
    ours = ("students/" + "0" * 64 + ".html", ".class-abcd_123", ".gradebook-abcd_123")
    for name in ours:
        (out / name).write_text("old")
    assert run(folder) == 0
    assert [(out / name).exists() for name in others] == [True] * 3
    assert [(out / name).exists() for name in ours] == [False] * 3


@pytest.mark.parametrize(
    "name", ["students", "feedback", "grades.csv", "gradebook.csv"]
)
def test_results_that_cannot_be_written(folder, asked, name):
    """A file where a folder has to be, or the other way round, is named."""
    out, book = folder.parent / "out", folder.parent / "book.csv"
    out.mkdir()
    (out / name).mkdir() if "." in name else (out / name).touch()
    with pytest.raises(UsageError, match=rf"OUT='.*out': .*out/{name}"):
        run(folder, gradebook=str(book), assignment="DQN")


def test_a_strange_name_is_told(folder, asked, capsys, monkeypatch):
    """A file that the platform cannot have named is graded, and staff are told."""
    monkeypatch.setitem(FILES, "solution.py", 90)
    text = (folder / "doejane_11_7_dqn.py").read_text()
    (folder / "solution.py").write_text(text + "# mine\n")
    assert run(folder) == 0
    told = "strange name: solution.py: the platform gives no such name"
    assert capsys.readouterr().err.splitlines() == [told]
    page = (folder.parent / "out" / "class.html").read_text()
    assert "Strange name: 1</h3>" in page
    assert "solution.py" not in page


def test_results_do_not_lie_among_the_hand_ins(folder, asked):
    """The folder of the hand-ins, and one in it, are refused: nothing is written."""
    before = sorted(path.name for path in folder.iterdir())
    for out in (folder, folder / "results"):
        with pytest.raises(UsageError, match=r"OUT=.* lies in SUBMISSIONS="):
            classes.run(classes.parse([str(folder), "--out", str(out)]))
    assert sorted(path.name for path in folder.iterdir()) == before
    assert classes.run(classes.parse([str(folder), "--out", str(folder.parent)])) == 0


def test_a_gradebook_of_an_earlier_run_is_told(folder, asked, capsys):
    """Without GRADEBOOK= the older file stays, and is not taken for a new one."""
    book = folder.parent / "book.csv"
    assert run(folder, gradebook=str(book), assignment="DQN") == 0
    assert "earlier run" not in capsys.readouterr().out
    assert run(folder) == 0
    assert "out/gradebook.csv: of an earlier run" in capsys.readouterr().out


def test_groups_for_a_roster(folder, asked, capsys, monkeypatch):
    """MEMBERS= says who is in a group to a list of people as well."""
    (folder / "pair1_13_9_dqn.py").write_text("x = 1\n")
    monkeypatch.setitem(FILES, "pair1_13_9_dqn.py", 50)
    groups, book = folder.parent / "groups.csv", folder.parent / "book.csv"
    groups.write_text("name,canvas_user_id,group_name\nCy Roe,13,Pair 1\n")
    assert run(folder, roster=str(book), members=str(groups)) == 0
    told = capsys.readouterr()
    assert "no hand-in: 0 of 3 on the roster: nobody" in told.out
    assert "not on the roster" not in told.err


def test_one_is_graded_anew(folder, asked, capsys, monkeypatch):
    """Only the one hand-in is graded, and what changed is printed.

    If the grader fails on it, the older result stays and the exit code is 2.
    """
    assert run(folder) == 0
    asked.clear()
    asked += ["leebo_LATE_12_8_dqn.py"]  # so that its score rises
    assert run(folder, regrade="LEEBO", seed="x") == 0
    assert asked == ["leebo_LATE_12_8_dqn.py"] * 2
    told = capsys.readouterr().out
    assert "60 of 100 before, 70 now" in told
    assert "6 td_loss: 60 → 70" in told
    assert rows(folder)["leebo"]["score"] == "70"
    died = pool.Graded("", "the runner died")
    monkeypatch.setattr(pool.Running, "grade", lambda *_: died)
    assert run(folder, regrade="leebo") == 2
    assert "the older result stays: the runner died" in capsys.readouterr().out
    assert rows(folder)["leebo"]["score"] == "70"
