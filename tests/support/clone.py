"""Make copies of the project in which `make` works without a network."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from grader.contract.exercises import ROOT
from tests.support.grading import copied_tree
from tests.tools import release


def fake_uv(folder: Path) -> str:
    """Write a program `uv` that installs nothing; return a PATH in which it is first.

    If there is no `.venv`, the program makes a link to the tests' environment.

    Args:
        folder: a new folder for the program.
    """
    folder.mkdir()
    program = folder / "uv"
    program.write_text(f"#!/bin/sh\n[ -e .venv ] || ln -s '{sys.prefix}' .venv\n")
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def use_our_environment(place: Path) -> None:
    """Link a copy's `.venv` to the tests' environment, which looks up to date there.

    Make would else touch files of the environment, which other tests use, too.

    Args:
        place: the copy, with `pyproject.toml` and `uv.lock`.
    """
    (place / ".venv").symlink_to(sys.prefix)
    for name in ("pyproject.toml", "uv.lock"):
        os.utime(place / name, (1e9, 1e9))


def make_clone(place: Path) -> Path:
    """Copy all files that `make release` packs into a new repository; return it.

    Args:
        place: the folder of the repository, which must exist.
    """
    copied_tree(place, "solution", "docs", "tests")
    files = [name for name in release.GRADER if (ROOT / name).is_file()]
    for name in (*files, ".gitignore"):
        shutil.copy(ROOT / name, place)
    for words in (("init", "--quiet"), ("add", ".")):
        subprocess.run(["git", *words], cwd=place, check=True)
    return place
