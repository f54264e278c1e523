"""The results of a class are written whole; what a killed run has left is deleted."""

from pathlib import Path

import pytest

from grader.classroom import results
from grader.classroom.after import feedback
from grader.classroom.after.attendance import Attendance
from grader.classroom.similar.clusters import Findings
from tests.support.classes import entry_of, hand_in_of

ID = "1" * 64


@pytest.fixture
def out(tmp_path):
    """Return a folder with all folders of results, which are empty."""
    for folder in results.FOLDERS:
        (tmp_path / folder).mkdir(exist_ok=True)
    return tmp_path


def hidden_in(out: Path) -> list[str]:
    """Return the paths of all hidden files in the folder of the results."""
    return sorted(str(path.relative_to(out)) for path in out.rglob(".*"))


def test_temporary_files_of_a_killed_run_are_deleted(out):
    """In each folder of results they are deleted, and other hidden files stay."""
    own = [".gitignore", "kept/.gitkeep", "students/.class.html"]
    left = [
        ".grades-a1b2c3d_",
        f"kept/.{ID}-a1b2c3d4",
        f"reports/.{ID}.before-1-abcdefgh",
    ]
    left += [f"students/.{ID}-abcdefgh", "feedback/.canvas-abcdefgh"]
    for name in own + left:
        (out / name).touch()
    results.write_all(out, [], Findings(), [], Attendance(), names=False)
    assert hidden_in(out) == own


def test_reports_of_an_earlier_run(out):
    """They are deleted, which is told, but for the older reports of a regraded one."""
    entry = entry_of(1, hand_in_of("doejane_11_7_dqn.py"))
    gone, also = "e" * 64, "f" * 64
    for name in (
        f"reports/{gone}.json",
        f"students/{gone}.html",
        f"reports/{also}.json",
    ):
        (out / name).touch()
    kept = [out / "reports" / f"{i}.before-1.json" for i in (gone, entry.id)]
    for path in kept:
        path.touch()
    told = results.write_all(out, [entry], Findings(), [], Attendance(), names=False)
    assert told == [
        "deleted: the reports and pages of an earlier run on 2 hand-ins, of which this "
        "run has no report"
    ]
    assert {*kept} < {*(out / "reports").iterdir()}
    assert not [path for path in out.rglob("*") if path.stem in (gone, also)]
    again = results.write_all(out, [entry], Findings(), [], Attendance(), names=False)
    assert again == []


def test_an_archive_that_cannot_be_written(out, monkeypatch):
    """If an archive cannot be written, no part of it is left."""

    def fail(*_):
        raise OSError("the disk is full")

    entry = entry_of(1, hand_in_of("doejane_11_7_dqn.py"))
    (out / "students" / f"{entry.id}.html").touch()
    packed = feedback.Packed({"x.html": entry.id})
    monkeypatch.setattr(feedback, "for_canvas", lambda _: packed)
    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="full"):
        feedback.write(out, [entry], None)
    assert [*(out / feedback.FOLDER).iterdir()] == []
