"""`make release`: what a course hands out and sets up, as archives in `dist/`.

- for students: starter, grader and recorded answers; no solution, no mistakes;
- for Gradescope: an autograder that compares with the solution;
- for GitHub: a reusable workflow, and an autograder for Classroom 50.

The same files give the same bytes, on every machine.
"""

import hashlib
import io
import os
import re
import stat
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

from grader.contract.exercises import ROOT
from grader.report.formats import gradescope

PLATFORMS = ROOT / "tests" / "tools" / "platforms"
NAME = "dqn-homework"
GRADER = ("starter", "grader", "Makefile", "pyproject.toml", "uv.lock")
HANDOUT = ("docs/handout.md", "docs/handout.html", "docs/images/learning.png")
STAFF = ":!grader/classroom"  # what grades a whole class
SCRIPTS = ("setup.sh", "run_autograder")
URL = "https://github.com/COURSE/REPOSITORY/releases/download/v{version}"


def main(out: Path = ROOT / "dist") -> None:
    """Write the archives to a folder, print their hashes."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    url = (os.environ.get("URL") or URL.format(version=version)).rstrip("/")
    if words := left_out():
        print(f"error: not released:\n{words}", file=sys.stderr)
        sys.exit(2)
    out.mkdir(exist_ok=True)
    package = f"{NAME}-{version}.zip"
    archives = {package: archive(for_students(), NAME)}
    archives[f"{NAME}-gradescope-{version}.zip"] = archive(for_gradescope())
    sha256 = hashlib.sha256(archives[package]).hexdigest()
    github = for_github(f"{url}/{package}", sha256)
    archives[f"{NAME}-github-{version}.zip"] = archive(github)
    for name, data in archives.items():
        (out / name).write_bytes(data)
        print(f"{hashlib.sha256(data).hexdigest()}  {name}  {len(data) >> 10} kB")
    print(f"The workflow fetches {url}/{package}")


def for_students() -> dict[str, bytes]:
    """Return the files of the students' package by their names."""
    text = (ROOT / "docs" / "students.md").read_text(encoding="utf-8")
    text = re.sub(r"\]\((?!https?:|#)", "](docs/", text).replace("](docs/../", "](")
    return {**tracked(*GRADER, *HANDOUT), "README.md": text.encode()}


def for_gradescope() -> dict[str, bytes]:
    """Return the files of the autograder by their names, its two scripts at the top."""
    scripts = {name: (PLATFORMS / "gradescope" / name).read_bytes() for name in SCRIPTS}
    not_finished = gradescope.render(None).encode()
    return {
        **tracked(*GRADER, "solution"),
        **scripts,
        "not_finished.json": not_finished,
    }


def for_github(url: str, sha256: str) -> dict[str, bytes]:
    """Workflows for course and students, the notebook, Classroom 50's autograder.

    Args:
        url: where the students' package will lie.
        sha256: of that.
    """
    workflow = (PLATFORMS / "github" / "grade.yml").read_text()
    workflow = workflow.replace("@PACKAGE@", url).replace("@SHA256@", sha256)
    notebook = (ROOT / "starter" / "dqn.ipynb").read_text(encoding="utf-8")
    notebook = notebook.replace(r"PACKAGE = \"\"", rf"PACKAGE = \"{url}\"")
    return {
        "course/.github/workflows/grade.yml": workflow.encode(),
        "course/dqn.ipynb": notebook.encode(),
        "students/.github/workflows/homework.yml": (
            PLATFORMS / "github" / "homework.yml"
        ).read_bytes(),
        "classroom50/autograder.py": (
            PLATFORMS / "classroom50" / "autograder.py"
        ).read_bytes(),
    }


def tracked(*paths: str) -> dict[str, bytes]:
    """Return the files at these paths that git knows; nothing else is released."""
    return {name: (ROOT / name).read_bytes() for name in listed(paths, "--cached")}


def left_out() -> str:
    """Return the files that would be missing, in lines for people; "" if none.

    The repository's own .gitignore says what is no part of it, a user's does not.
    """
    paths = (*GRADER, *HANDOUT, "solution", str(PLATFORMS.relative_to(ROOT)))
    lines = []
    for name in listed(paths, "--others", "--exclude-per-directory=.gitignore"):
        lines.append(f"  {name}: git does not know it; `git add` it, or remove it")
    for name in listed(paths, "--deleted"):
        lines.append(f"  {name}: it is gone; `git rm` it, or bring it back")
    for path in paths:
        if not listed([path], "--cached"):
            lines.append(f"  {path}: git knows no file of it")
    return "\n".join(lines)


def listed(paths: Iterable[str], *options: str) -> list[str]:
    """Return the names of files at these paths that git lists, with these options."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", *options]
    command += ["--", *paths, STAFF]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        print("error: this needs git, and a clone of the repository", file=sys.stderr)
        sys.exit(2)
    return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]


def archive(files: dict[str, bytes], folder: str = "") -> bytes:
    """Return a zip file of the files; its bytes depend on nothing else."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as zipped:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{folder}/{name}" if folder else name)
            entry.create_system = 3  # Unix, whose modes these are
            mode = 0o755 if name in SCRIPTS else 0o644
            entry.external_attr = (stat.S_IFREG | mode) << 16
            zipped.writestr(entry, files[name])
    return buffer.getvalue()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
