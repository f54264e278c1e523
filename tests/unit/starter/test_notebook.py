"""`%grade` in the notebook: what is handed to `make`, and what is said without it."""

import pytest

from tests.support.supplied import imported


@pytest.fixture
def notebook():
    """Return the module `starter/notebook.py`, in which no cell has run."""
    return imported("notebook", "starter")


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("", ["ONLY="]),
        (" td_loss ", ["ONLY=td_loss"]),
        ("td_loss HINT=3", ["ONLY=td_loss", "HINT=3"]),
        ("SEED=2 VERBOSE=1", ["ONLY=", "SEED=2", "VERBOSE=1"]),
        ("td_loss td_update", ["ONLY=td_loss td_update"]),
        ("--eval=x", ["ONLY=--eval=x"]),
    ],
)
def test_options_of_grade(notebook, monkeypatch, line, given):
    """Words with "=" are options of `make grade`, the others name the exercise."""
    commands = []
    monkeypatch.setattr(notebook, "run", commands.append)
    notebook.grade(line)
    (words,) = commands
    own = (*notebook.MAKE, "grade", f"OUT={notebook.RESULTS}")
    found = [w for w in words if w not in own and not w.startswith("SUBMISSION=")]
    assert found == given


@pytest.mark.parametrize("command", ["grade", "train", "watch"])
def test_without_make(notebook, monkeypatch, tmp_path, capsys, command):
    """If there is no make, as on Windows, one line says where the notebook works."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(notebook, "PYTHON", tmp_path / "python")
    getattr(notebook, command)("")
    shown = capsys.readouterr().out
    assert shown.startswith(
        "error: this notebook needs make. On Windows, open it in WSL"
    )
    assert shown.count("\n") == 1
