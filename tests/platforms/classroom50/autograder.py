"""Classroom 50's autograder for the homework: grades dqn.py, writes result.json.

It goes into CLASSROOM/autograders/ASSIGNMENT/ with the students' package beside it,
dqn-homework-*.zip. Everybody can read both, and they hold no secret.
"""

import secrets
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

SECONDS = 780  # of the 15 minutes that the runner gives


def main() -> int:
    """Grade the hand-in in the current folder; 0 where that was possible."""
    here = Path.cwd()
    folder = here / "starter" if (here / "starter").is_dir() else here
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        (package,) = Path(__file__).resolve().parent.glob("dqn-homework-*.zip")
        zipfile.ZipFile(package).extractall(place)
        home = Path(place, "dqn-homework")
        graded = make(
            home,
            "grade",
            f"SUBMISSION={folder}",
            f"OUT={place}/results",
            f"SEED={secrets.token_hex(8)}",
            "OFFICIAL=1",
        )
        report = [f"{place}/results/report.json", "--out", f"{here}/result.json"]
        python = str(home / ".venv" / "bin" / "python")
        convert = [python, "-m", "grader", "convert", "--to", "classroom50", *report]
        told = subprocess.run(convert, cwd=home, check=False)
    return graded or told.returncode


def make(home: Path, *words: str) -> int:
    """The exit code of make, 124 where it took too long."""
    command = ["timeout", "--kill-after=10", str(SECONDS), "make", "-C", str(home)]
    return subprocess.run([*command, *words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
