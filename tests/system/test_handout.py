"""The handout and the notebook are up to date, and `%grade` works in the notebook."""

import builtins
import html
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.edits import EXERCISE_OF, ROOT, SOLUTION
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


class Kernel:
    """A fake of IPython's kernel with the features that the notebook uses.

    Args:
        folder: folder in which shell lines run.
        environment: environment variables for shell lines.

    Attributes:
        printed: the output of each shell line, in order.
        magics: the functions of the magics, by name.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.names: dict[str, object] = {"__name__": "dqn"}
        self.magics: dict[str, object] = {}
        self.hooks: list = []
        self.printed: list[str] = []
        self.events = SimpleNamespace(register=lambda _, hook: self.hooks.append(hook))

    def register_magic_function(self, function, kind: str) -> None:
        """Register a function of the notebook as a magic, such as `%grade`.

        The magic has the name of the function.
        """
        assert kind == "line"
        self.magics[function.__name__] = function

    def system(self, line: str) -> None:
        """Run a line in a shell and append the output to `printed`."""
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.printed.append(done.stdout)

    def run(self, cell: str) -> bool:
        """Run a cell; return False if a stub raised an error, else True."""
        success = True
        orders = re.compile(r"[%!]|\w+ = !")
        python = [line for line in cell.splitlines() if not orders.match(line)]
        try:
            exec(compile("\n".join(python), "cell", "exec"), self.names)
        except NotImplementedError:
            success = False
        for line in cell.splitlines():
            if line.startswith("!"):
                self.system(line[1:].replace("{PACKAGE}", str(self.names["PACKAGE"])))
            elif line.startswith("%run "):
                path = self.folder / line.split()[1]
                if path.exists():
                    runpy.run_path(str(path), run_name="__main__")
            elif line.startswith("%") and line.split()[0][1:] in self.magics:
                name, _, rest = line[1:].partition(" ")
                self.magics[name](rest)
        info = SimpleNamespace(raw_cell=cell)
        for hook in self.hooks:
            hook(SimpleNamespace(success=success, info=info))
        return success


def code_cells() -> list[str]:
    """Return the text of each code cell of the starter's notebook, in order."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """Return a kernel in an empty folder, with a fake `uv` that installs nothing."""
    (tmp_path / "bin").mkdir()
    uv = tmp_path / "bin" / "uv"
    uv.write_text("#!/bin/sh\n")
    uv.chmod(0o755)
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    folder = tmp_path / "content"
    folder.mkdir()
    monkeypatch.chdir(folder)
    kernel = Kernel(folder, {**os.environ, "PATH": path})
    monkeypatch.setattr(builtins, "get_ipython", lambda: kernel, raising=False)
    return kernel


def test_notebook_grades(kernel: Kernel, tmp_path: Path) -> None:
    """The notebook's cells set up the grader, and `%grade` grades the cells run so far.

    The homework comes as a zip archive with one folder at the top, as from a download.
    """
    package = tmp_path / "package" / "dqn-homework"
    for name in ("grader", "starter"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, package / name, ignore=ignored)
    for name in ("Makefile", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, package)
    archive = shutil.make_archive(str(package), "zip", package.parent)
    setup, *others = code_cells()
    kernel.run(setup.replace('PACKAGE = ""', f'PACKAGE = "{Path(archive).as_uri()}"'))
    assert "grade" in kernel.magics
    use_this_environment(kernel.folder / "homework")

    body = re.search(r"    return jax.tree.map\(jnp.copy.*", SOLUTION)[0]
    asked = []
    for cell in others:
        if "Exercise 8: sync_target" in cell:
            cell = re.sub(r"    raise NotImplementedError.*", body, cell)
        if cell.startswith("%grade"):
            asked.append(cell.removeprefix("%grade").strip())
            if asked[-1] != "sync_target":
                continue
        kernel.run(cell)
    assert asked == [*EXERCISES, ""]
    assert "8 sync_target" in kernel.printed[-1]
    assert "5 / 5" in kernel.printed[-1], kernel.printed
    kernel.run("raise NotImplementedError")
    kernel.run("files = !ls")
    wrong = (
        "def sync_target(theta_Q, theta_T, step, period):\n    return theta_Q.copy()"
    )
    kernel.run(wrong)
    kernel.magics["grade"]("sync_target")
    assert "0 / 5" in kernel.printed[-1], kernel.printed[-1]
    assert re.search(r"cell \d+, line 2\b.*theta_Q.copy", kernel.printed[-1])


def test_graded_is_what_would_be_handed_in(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`%grade` grades the unchanged text of all cells that were run, in order.

    Cells that have raised an exception are included.
    """
    monkeypatch.setattr(kernel, "system", lambda line: None)
    runpy.run_path(str(ROOT / "starter" / "notebook.py"), run_name="__main__")
    cells = ["x = 1", "raise NotImplementedError", "def f():\n    return x"]
    for cell in cells:
        kernel.run(cell)
    kernel.magics["grade"]("")
    graded = json.loads((kernel.folder / "graded.ipynb").read_text())["cells"]
    assert [cell["source"] for cell in graded] == cells


def use_this_environment(homework: Path) -> None:
    """Link the tests' Python environment into a folder, so make installs nothing."""
    (homework / ".venv").symlink_to(sys.prefix)
    for name in ("pyproject.toml", "uv.lock"):
        os.utime(homework / name, (0, 0))


def test_notebook_without_a_package_says_so(kernel: Kernel) -> None:
    """If the variable PACKAGE is empty, the first cell prints a line that says so."""
    kernel.run(code_cells()[0])
    assert "PACKAGE is empty" in kernel.printed[0]
    assert kernel.printed[1:] == [""] * len(kernel.printed[1:])


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
