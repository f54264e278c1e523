"""Classroom 50's autograder for the homework: grades dqn.py, writes result.json.

It goes into CLASSROOM/autograders/ASSIGNMENT/ with the students' package beside it,
dqn-homework-*.zip. Everybody can read both, and they hold no secret.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

SECONDS = 780  # of the 15 minutes that the runner gives
# Fields of result.json, and the variables of the runner, of which the first counts.
FIELDS = {
    "classroom": ("CLASSROOM",),
    "assignment": ("ASSIGNMENT",),
    "owner": ("OWNER", "USERNAME", "GITHUB_REPOSITORY_OWNER"),
    "submission": ("SUBMISSION_TAG",),
    "commit": ("COMMIT_URL",),
    "release": ("RELEASE_URL",),
    "review": ("REVIEW_URL", "COMMIT_URL"),
}


def main() -> int:
    """Grade the hand-in in the current folder; 0 where that was possible."""
    here = Path.cwd()
    result = here / "result.json"
    try:
        begin(result)
        return graded(here, result)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        print(f"error: not graded: {error}", file=sys.stderr)
    return 2


def begin(result: Path) -> None:
    """Remove what was handed in as the result; until there is one it is: not graded."""
    if result.is_dir() and not result.is_symlink():
        shutil.rmtree(result)
    else:
        result.unlink(missing_ok=True)
    # Written beside and renamed, so that it is always whole.
    handle, path = tempfile.mkstemp(dir=result.parent, prefix=".result-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(not_graded(), file, indent=1)
    os.chmod(path, 0o644)
    os.replace(path, result)


def not_graded() -> dict[str, object]:
    """Return the result of a hand-in of which nothing is known."""
    found = {
        field: next(filter(None, map(os.environ.get, names)), "")
        for field, names in FIELDS.items()
    }
    test = {"test-name": "not graded: the grader did not finish", "passed": False}
    points = {"score": 0, "max-score": 100}
    return {
        "schema": "classroom50/result/v1",
        **found,
        "assignment_type": os.environ.get("ASSIGNMENT_TYPE") or "individual",
        "datetime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **points,
        "tests": [{**test, **points}],
    }


def graded(here: Path, result: Path) -> int:
    """Grade a folder's hand-in into the result; 0 where that was possible."""
    folder = here / "starter" if (here / "starter").is_dir() else here
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        packages = list(Path(__file__).resolve().parent.glob("dqn-homework-*.zip"))
        if len(packages) != 1:
            raise ValueError(f"{len(packages)} packages dqn-homework-*.zip, not one")
        with zipfile.ZipFile(packages[0]) as package:
            package.extractall(place)
        home = Path(place, "dqn-homework")
        options = [f"SUBMISSION={folder}", f"OUT={place}/results", "OFFICIAL=1"]
        code = make(home, "grade", *options)
        report = [f"{place}/results/report.json", "--out", str(result)]
        python = str(home / ".venv" / "bin" / "python")
        convert = [python, "-m", "grader", "convert", "--to", "classroom50", *report]
        told = subprocess.run(convert, cwd=home, check=False)
    return code or told.returncode


def make(home: Path, *words: str) -> int:
    """Return the exit code of make, 124 where it took too long."""
    command = ["timeout", "--kill-after=10", str(SECONDS), "make", "-C", str(home)]
    return subprocess.run([*command, *words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
