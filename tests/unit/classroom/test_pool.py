"""A report is kept under a hash of all that decides it, and of nothing else."""

import pytest

from grader.classroom.pool import files_that_decide
from tests.support.downloads import made


@pytest.mark.parametrize(
    ("file", "decides"),
    [
        ("uv.lock", True),
        ("starter/train.py", True),
        ("solution/dqn.py", True),
        ("grader/contract/cases/td.py", True),
        ("grader/reference/programs.npz", True),
        ("grader/report/model.py", True),
        ("starter/dqn.ipynb", False),
        ("starter/.ipynb_checkpoints/dqn-checkpoint.py", False),
        ("grader/checks/__pycache__/a.pyc", False),
        ("solution/notes.txt", False),
        ("grader/classroom/pool.py", False),
        ("grader/report/formats/junit.py", False),
        ("docs/formulas.py", False),
    ],
)
def test_what_decides_a_grade(tmp_path, file, decides):
    """Only the lock file, the grader's Python files and the reference decide a grade.

    So a notebook of the starter that somebody has opened grades nobody anew.
    """
    made(tmp_path, "uv.lock", file)
    found = files_that_decide(tmp_path)
    assert (tmp_path / file in found) == decides
    assert len(found) == 1 + (decides and file != "uv.lock")
