"""Autograder of the homework for Classroom 50: grades dqn.py and writes result.json.

Put this file and the students' package, dqn-homework-*.zip, into the folder
CLASSROOM/autograders/ASSIGNMENT/. Everybody can read both files; they hold no secret.
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

SECONDS = 780  # deadline; Classroom 50's runner allows 15 minutes
# For each field of result.json, environment variables: the first that is set counts.
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
    """Grade the hand-in in the current folder; return 0 if it was graded.

    Otherwise the exit code is another number, and the output says why.
    """
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
    """Write to result.json that the hand-in was not graded.

    The grading replaces this result later. A result.json in the hand-in is deleted, so
    students cannot hand in a result.

    Args:
        result: the path of result.json.
    """
    if result.is_dir() and not result.is_symlink():
        shutil.rmtree(result)
    else:
        result.unlink(missing_ok=True)
    # Written to another file and renamed, so that result.json is always whole.
    handle, path = tempfile.mkstemp(dir=result.parent, prefix=".result-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(not_graded(), file, indent=1)
    os.chmod(path, 0o644)
    os.replace(path, result)


def not_graded() -> dict[str, object]:
    """Return the content of result.json for "not graded": 0 of 100 points.

    It also has the data about the hand-in that Classroom 50 expects.
    """
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
    """Grade a hand-in and write result.json; return 0 if both succeeded.

    Otherwise the result is the exit code of the command that failed.

    Args:
        here: the folder with the hand-in, or with a folder `starter` that has the
            hand-in.
        result: the path of result.json.

    Raises:
        ValueError: not exactly one package lies beside this file.
    """
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
    """Run make; return its exit code, or 124 if it took longer than `SECONDS`.

    Args:
        home: the folder with the Makefile.
        words: make's targets and variables.
    """
    command = ["timeout", "--kill-after=10", str(SECONDS), "make", "-C", str(home)]
    return subprocess.run([*command, *words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
