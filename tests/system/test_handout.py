"""The handout and the notebook are up to date."""

import json
import re
import runpy
import sys
from pathlib import Path

import pytest

from tests.support.edits import EXERCISE_OF, ROOT
from tests.tools import release

sys.path.insert(0, str(ROOT / "docs"))

import build

from grader.contract.exercises import EXERCISES
from grader.intake.take import take

NOTEBOOK = ROOT / "starter" / "dqn.ipynb"
HANDOUT = (ROOT / "docs" / "handout.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", build.files(), ids=lambda path: path.name)
def test_up_to_date(path: Path) -> None:
    """The stored file is equal to the file that `make handout` would write now."""
    stale = "stale: run `make handout`"
    assert path.read_text(encoding="utf-8") == build.files()[path], stale


def test_handout_names_everything(points: dict) -> None:
    """The handout names every exercise with its points, and every part."""
    for number, name in enumerate(EXERCISES, 1):
        assert f"### {number} · {name} · {points[name]} points" in HANDOUT
    for part in EXERCISE_OF:
        assert f"`{part}" in HANDOUT
        assert part == "episode_terminateds" or f"\n{part}(" in HANDOUT


def test_page_needs_nothing_else() -> None:
    """The handout's HTML page loads no file; each of its links leads to a heading."""
    page = (ROOT / "docs" / "handout.html").read_text(encoding="utf-8")
    assert not re.search(r"<(script|img|link|iframe)|url\(|@import|https?:", page)
    for name in re.findall(r'href="#([^"]*)"', page):
        assert f'id="{name}"' in page


# ---------------------------------------------------------------- the notebook


def test_released_notebook_has_the_address() -> None:
    """The notebook of a release holds the address of the release's package."""
    notebook = release.for_github("https://me/v1/package.zip", "")["course/dqn.ipynb"]
    setup = "".join(json.loads(notebook)["cells"][1]["source"])
    assert setup.startswith('PACKAGE = "https://me/v1/package.zip"  # ')


def test_notebook_can_be_handed_in() -> None:
    """Handed in as a file, the notebook defines the same names as the starter."""
    names = runpy.run_path(str(ROOT / "starter" / "dqn.py"))
    taken = take(str(NOTEBOOK))
    assert taken.problem is None
    found: dict[str, object] = {}
    exec(compile(taken.source, "notebook", "exec"), found)
    hidden = {name for name in names if name.startswith("__")}
    assert {*names} - hidden == {*found} - {"__builtins__", "PACKAGE"}


def test_notebook_grades_each_exercise() -> None:
    """Below each exercise stands `%grade` with its name, at the end `%grade` alone.

    No text of the notebook names a command of the terminal.
    """
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    asked = [text.split()[1:] for text in texts if text.startswith("%grade")]
    assert asked == [*([name] for name in EXERCISES), []]
    assert "%train" in texts
    assert not re.search(r"\bmake [a-z]", " ".join(texts))
