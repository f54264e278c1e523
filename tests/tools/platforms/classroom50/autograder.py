"""Autograder of the homework for Classroom 50: grades dqn.py and writes result.json.

It also writes release-body.md, which Classroom 50 shows to the student.

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

# What Classroom 50 reads from the current folder: foundation50/classroom50,
# cli/gh-teacher/skeleton/dotgithub/scripts/runner.py.
RESULT, BODY = "result.json", "release-body.md"
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
    """Grade the hand-in in the current folder; return 0 if it has a score.

    A hand-in that could not be read has a score, 0, and result.json says why. Otherwise
    the exit code is another number, and the output says why; Classroom 50 then writes a
    result.json of its own, which says that there was an error.
    """
    here = Path.cwd()
    try:
        begin(here)
        return graded(here)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        print(f"error: not graded: {error}", file=sys.stderr)
    return 2


def begin(here: Path) -> None:
    """Write to result.json that the hand-in was not graded.

    The grading replaces this result later. A result.json or release-body.md in the
    hand-in is deleted, so students cannot hand in a result.

    Args:
        here: the folder with the hand-in.
    """
    for path in (here / RESULT, here / BODY):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    # Written to another file and renamed, so that result.json is always whole.
    handle, temporary = tempfile.mkstemp(dir=here, prefix=".result-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(not_graded(), file, indent=1)
    os.chmod(temporary, 0o644)
    os.replace(temporary, here / RESULT)


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


def graded(here: Path) -> int:
    """Grade a hand-in and write the result; return 0 if there is a score.

    Otherwise the result is the exit code of the command that failed.

    Args:
        here: the folder with the hand-in, or with a folder `starter` that has the
            hand-in.

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
        report = Path(place, "results", "report.json")
        options = [f"SUBMISSION={folder}", f"OUT={report.parent}", "OFFICIAL=1"]
        code = make(home, "grade", *options)
        for form, name in (("classroom50", RESULT), ("markdown", BODY)):
            told = convert(home, report, form, here / name)
            if told:
                return code or told
        return 0 if has_score(report) else code or 2


def convert(home: Path, report: Path, form: str, out: Path) -> int:
    """Write a report in another format; return the exit code.

    Args:
        home: the folder of the grader.
        report: the path of report.json, which may be missing.
        form: the format.
        out: the file to write.
    """
    command = [home / ".venv" / "bin" / "python", "-m", "grader", "convert"]
    command += ["--to", form, report, "--out", out]
    return subprocess.run(command, cwd=home, check=False).returncode


def has_score(report: Path) -> bool:
    """Return whether report.json is there and has a score."""
    try:
        return json.loads(report.read_text(encoding="utf-8"))["score"] is not None
    except (OSError, ValueError, KeyError):
        return False


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
