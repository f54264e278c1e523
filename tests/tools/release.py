"""`make release`: write the archives that a course needs to the folder `dist/`.

- for students: the starter, and the grader with the solution's exported programs; no
  solution, no mutants
- for Gradescope: an autograder with the solution as reference
- for GitHub: workflows for course and students, and an autograder for Classroom 50

If no file changes, the archives have the same bytes, on every machine.
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
HANDOUT = (
    *("docs/handout.md", "docs/handout.html"),
    *("docs/images/loop.svg", "docs/images/maze.svg", "docs/images/learning.png"),
)
STAFF = ":!grader/classroom"  # git's pattern that leaves out the grading of a class
SCRIPTS = ("setup.sh", "run_autograder")
URL = "https://github.com/COURSE/REPOSITORY/releases/download/v{version}"


def main(out: Path = ROOT / "dist") -> None:
    """Write the archives to a folder; print their SHA-256 hashes and sizes.

    Args:
        out: the folder; it is made if it is missing.

    Raises:
        SystemExit: git does not know a file, or a file that git tracks is missing.
    """
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
    """Return the content of each file of the students' package, by file name."""
    text = (ROOT / "docs" / "students.md").read_text(encoding="utf-8")
    text = re.sub(r"\]\((?!https?:|#)", "](docs/", text).replace("](docs/../", "](")
    return {**tracked(*GRADER, *HANDOUT), "README.md": text.encode()}


def for_gradescope() -> dict[str, bytes]:
    """Return the content of each file of Gradescope's autograder, by file name."""
    scripts = {name: (PLATFORMS / "gradescope" / name).read_bytes() for name in SCRIPTS}
    not_finished = gradescope.render(None).encode()
    return {
        **tracked(*GRADER, "solution"),
        **scripts,
        "not_finished.json": not_finished,
    }


def for_github(url: str, sha256: str) -> dict[str, bytes]:
    """Return the content of each file of the GitHub archive, by file name.

    Args:
        url: the address from which the students' package can be downloaded later.
        sha256: the SHA-256 hash of the students' package, in hex.
    """
    workflow = (PLATFORMS / "github" / "grade.yml").read_text()
    workflow = workflow.replace("@PACKAGE@", url).replace("@SHA256@", sha256)
    homework = (PLATFORMS / "github" / "homework.yml").read_text()
    if repository := re.match(r"https://github\.com/([^/]+/[^/]+)/", url):
        homework = homework.replace("COURSE/REPOSITORY", repository[1])
    notebook = (ROOT / "starter" / "dqn.ipynb").read_text(encoding="utf-8")
    notebook = notebook.replace(r"PACKAGE = \"\"", rf"PACKAGE = \"{url}\"")
    return {
        "course/.github/workflows/grade.yml": workflow.encode(),
        "course/dqn.ipynb": notebook.encode(),
        "students/.github/workflows/homework.yml": homework.encode(),
        "classroom50/autograder.py": (
            PLATFORMS / "classroom50" / "autograder.py"
        ).read_bytes(),
    }


def tracked(*paths: str) -> dict[str, bytes]:
    """Return the content of each file that git tracks at these paths, by file name.

    Args:
        paths: files and folders of the repository.
    """
    return {name: (ROOT / name).read_bytes() for name in listed(paths, "--cached")}


def left_out() -> str:
    """Return a line for each file that a release would miss; "" if there is none.

    Such a file is new and unknown to git, or it is tracked by git and deleted. Files
    that the repository's .gitignore names do not count. A user's own ignore file has no
    effect. There is also a line for each path of the release at which git tracks no
    file.
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
    """Return the file names that `git ls-files` lists.

    The files of `grader/classroom` are left out.

    Args:
        paths: files and folders of the repository.
        options: options of `git ls-files`.

    Raises:
        SystemExit: there is no git, or no clone of the repository.
    """
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", *options]
    command += ["--", *paths, STAFF]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        print("error: this needs git, and a clone of the repository", file=sys.stderr)
        sys.exit(2)
    return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]


def archive(files: dict[str, bytes], folder: str = "") -> bytes:
    """Return the bytes of a zip file; the same arguments give the same bytes.

    Args:
        files: the content of each file, by file name.
        folder: the name of a folder that holds all files in the archive; "" for none.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as zipped:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{folder}/{name}" if folder else name)
            entry.create_system = 3  # Unix: the modes below are Unix modes
            mode = 0o755 if name in SCRIPTS else 0o644
            entry.external_attr = (stat.S_IFREG | mode) << 16
            zipped.writestr(entry, files[name])
    return buffer.getvalue()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
