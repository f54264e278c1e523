"""Make a copy of the project that is a git repository of its own."""

import shutil
import subprocess
from pathlib import Path

from grader.contract.exercises import ROOT
from tests.support.grading import copied_tree
from tests.tools import release


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
