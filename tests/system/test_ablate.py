"""`make ablate` compares DQN with its ablations, here in few training steps."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image

from grader.contract.exercises import ROOT
from tests.support.patient import SECONDS


def ablate(folder: Path, whose: str, *options: str) -> subprocess.CompletedProcess:
    """Run the script of `make ablate` in a copy of `starter/`; return the process.

    Args:
        folder: empty folder, into which `starter/` is copied.
        whose: "starter" or "solution", the folder from which `dqn.py` is copied.
        options: further options of the script.
    """
    shutil.copytree(ROOT / "starter", folder / "starter")
    shutil.copy(ROOT / whose / "dqn.py", folder / "starter")
    return subprocess.run(
        [sys.executable, "starter/ablate.py", "--out=results", *options],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_table_and_picture(tmp_path):
    """Only the table's row "without target network" shows ∞ as the largest Q.

    The other rows show a number. A picture is drawn, too.
    """
    done = ablate(tmp_path, "solution", "--steps=8192")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    rows = {line[:24].strip(): line for line in lines}
    assert "∞" in rows["without target network"]
    for name in ("DQN", "without ¬d", "without replay", "Monte Carlo"):
        assert "∞" not in rows[name]
    with Image.open(tmp_path / "results" / "ablate.png") as picture:
        assert picture.width > 600


def test_a_missing_part_is_named(tmp_path):
    """With the unchanged starter, the error names an exercise that is not implemented.

    The exit code is 1, and no traceback is shown.
    """
    done = ablate(tmp_path, "starter")
    assert done.returncode == 1
    assert "not implemented yet: Exercise" in done.stderr
    assert "Traceback" not in done.stderr
