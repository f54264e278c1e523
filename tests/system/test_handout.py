"""The handout and the notebook are up to date."""

import html
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
import formulas

from grader.contract.exercises import EXERCISES, WRITTEN
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


@pytest.mark.parametrize("part", WRITTEN, ids=lambda part: part.name)
def test_loop_shows_every_part(part) -> None:
    """The picture of the loop has each part, with the number of its exercise."""
    picture = (ROOT / "docs" / "images" / "loop.svg").read_text(encoding="utf-8")
    number = [*EXERCISES].index(part.exercise) + 1
    assert f">{number} {part.name}</text>" in picture


PARTS = {part.name: part for one in build.exercises() for part in one.parts}


@pytest.mark.parametrize("name", PARTS)
def test_formula_is_the_docstrings(name: str) -> None:
    """A typeset formula has the symbols of the docstring's equation, in its order."""
    page = (ROOT / "docs" / "handout.html").read_text(encoding="utf-8")
    typeset = [formulas.mathml(latex) for latex in formulas.FORMULAS[name]]
    assert all(one in page for one in typeset)
    shown = html.unescape(re.sub("<[^>]*>", "", "".join(typeset)))
    equation = re.sub(r"\^\((.*?)\)", r"\1", PARTS[name].equation)
    assert symbols(shown) == symbols(equation) != ""


def symbols(text: str) -> str:
    """Return a formula without spaces, and without what only places its symbols."""
    text = text.replace("-", "−").replace("'", "′").replace("²", "2").replace("∑", "Σ")
    return re.sub(r"[\s_^/{}]", "", text)


def test_example_of_two_halves_runs() -> None:
    """The handout's example of `eqx.partition` runs; its values have these shapes."""
    (code,) = re.findall(r"```python\n(import .*?)```", HANDOUT, re.S)
    names: dict[str, object] = {}
    exec(code, names)
    told = re.findall(r"^(.+?)  # .*: values \[(.*)\]$", code, re.M)
    assert len(told) == 2
    for line, shape in told:
        assert str(list(eval(line, names).shape)) == f"[{shape}]"


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
