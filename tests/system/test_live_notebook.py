"""The notebook is executed by a kernel: its first cell, `%grade` and `%train`."""

import re
import shutil
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from tests.support.clone import fake_uv, use_our_environment
from tests.support.edits import ROOT, SOLUTION
from tests.support.grading import copied_tree
from tests.support.notebooks import document_of, executed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs make")

NOTEBOOK = ROOT / "starter" / "dqn.ipynb"
SETUP = nbformat.read(NOTEBOOK, 4).cells[1].source
READY = "Ready: %grade grades the cells that have run"


@pytest.fixture
def homework(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the homework whose environment is that of the tests.

    Its path has a space. A `uv` that installs nothing is in the PATH.
    """
    monkeypatch.setenv("PATH", fake_uv(tmp_path / "bin"))
    # Jupyter sets this for its kernels.
    monkeypatch.setenv("FORCE_COLOR", "1")
    tree = copied_tree(tmp_path / "my course" / "dqn homework")
    for name in ("Makefile", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, tree)
    use_our_environment(tree)
    return tree


def solved(document) -> None:
    """Put the solution's parts into the starter's notebook."""
    sections = re.split(r"(?m)^(?=# Exercise )", SOLUTION)[1:]
    stubs = [c for c in document.cells if "raise NotImplementedError" in c.source]
    assert len(stubs) == 8
    for cell, section in zip(stubs, sections, strict=False):
        cell.source = section.partition("\n")[2].strip()


WRONG = """
def sync_target(theta_Q, theta_T, step, period):
    print("step", step)
    return theta_Q.copy()
"""


def test_grade(homework):
    """`%grade` prints a plain report once, in the words of a notebook.

    Mistakes are told by the number beside the cell. After the first cell has run again,
    the other cells are still graded.
    """
    document = nbformat.read(homework / "starter" / "dqn.ipynb", 4)
    solved(document)
    document.cells = [
        cell
        for cell in document.cells
        if not re.match("%train|%grade(?! sync_target)", cell.source)
    ]
    more = document_of("1/0", WRONG, SETUP, "%grade sync_target", "%grade sink")
    document.cells += more.cells
    *_, right, _, _, again, wrong, unknown = executed(document, homework / "starter")
    assert again[0].startswith(READY)
    for text, others in (right, wrong, unknown):
        assert others == []
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
        assert not re.search(r"make|ONLY=|dqn\.py", text)
    for text, _ in (right, wrong):
        assert max(map(len, text.splitlines())) <= 80 or str(homework) in text
        assert len(re.findall("^8 sync_target", text, re.M)) == 1
        assert text.count("\nScore ") == 1
    assert "\nScore 5 / 5\n" in right[0]
    assert "`%grade` checks the whole homework" in " ".join(right[0].split())
    assert "\nScore 0 / 5\n" in wrong[0]
    number = document.cells[-4].execution_count
    assert f"In[{number}], line 4, in sync_target: return theta_Q.copy()" in wrong[0]
    left_out = document.cells[-5].execution_count
    assert f"note: In[{left_out}] was left out: ZeroDivisionError" in wrong[0]
    assert "│ step 0\n" in wrong[0]
    assert "`%grade sync_target`" in " ".join(wrong[0].split())
    assert unknown[0].startswith("error: %grade sink is unknown: use update_Q_TD0")
    assert [*homework.rglob("*.ipynb")] == [homework / "starter" / "dqn.ipynb"]


# A program in the place of train.py, which does not train.
TRAIN = """
import argparse
from pathlib import Path

import dqn

parser = argparse.ArgumentParser()
for name in ("--task", "--seed", "--out"):
    parser.add_argument(name)
given = parser.parse_args()
print("task", given.task, "seed", given.seed, dqn.q_network())
if given.task == "turned":
    dqn.sync_target()
Path(given.out).mkdir(exist_ok=True)
(Path(given.out) / "curve.png").write_bytes(b"a picture")
print("look at td_loss: `make\\n  grade ONLY=td_loss`, `make train TASK=maze`")
"""
WATCH = """
import sys
from pathlib import Path

import dqn

print("films the agent", dqn.q_network())
(Path(sys.argv[-1]) / "film.gif").write_bytes(b"a film")
"""
PARTS = """
%time 5
ReplayBuffer = epsilon_greedy = td_update = print
def q_network():
    return "of the cells"
"""
SYNC = """
def sync_target():
    x = [1]
    return x[2]
"""


def test_train(homework):
    """`%train` runs train.py with the cells as `dqn` and shows the picture it draws.

    `%watch` does the same with watch.py. A statement that fails is left out. Parts that
    are missing are named. An exception is told with its place.
    """
    (homework / "starter" / "train.py").write_text(TRAIN)
    (homework / "starter" / "watch.py").write_text(WATCH)
    first = SETUP, PARTS, "1/0"
    trains = "%train", "%train maze", "%train turned", "%train Maze", "%watch"
    cells = executed(document_of(*first, trains[0], SYNC, *trains), homework)
    missing, _, cartpole, maze, turned, unknown, film = cells[3:]
    words = "error: no cell that defines sync_target has run\n"
    assert missing == (
        f"note: In[3] was left out: ZeroDivisionError: division by zero\n{words}",
        [],
    )
    for (text, (picture,)), task in ((cartpole, "cartpole"), (maze, "maze")):
        assert f"\ntask {task} seed 1 of the cells\n" in text
        assert text.endswith("\nlook at td_loss:\n  `%grade td_loss`, `%train maze`\n")
        assert picture.data["image/png"].strip() == "YSBwaWN0dXJl"
    assert turned[1] == []
    assert "IndexError: list index out of range\n" in turned[0]
    assert "\nIn[5], line 4, in sync_target: return x[2]\n" in turned[0]
    assert "Traceback" not in turned[0]
    assert unknown == (
        "error: there are %train cartpole, %train maze, %train turned\n",
        [],
    )
    assert film[0].endswith("\nfilms the agent of the cells\n")
    assert film[1][0].data["image/gif"].strip() == "YSBmaWxt"


def test_where_the_homework_may_lie(homework, tmp_path):
    """The first cell finds the homework around the notebook, or fetches it.

    It needs no address where the homework is here, above, or in a folder here. If it is
    nowhere, a line says what to do.
    """
    empty = tmp_path / "empty"
    empty.mkdir()
    lost = executed(document_of(SETUP), empty)[0][0]
    assert lost.startswith("error: the homework was not found: write the address")
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as package:
        name = "starter/notebook.py"
        package.write(homework / name, f"dqn-homework/{name}")
    wrong = SETUP.replace('PACKAGE = ""', 'PACKAGE = "file:///nowhere.zip"')
    right = SETUP.replace('PACKAGE = ""', f'PACKAGE = "{archive.as_uri()}"')
    (failed, _), (fetched, _) = executed(document_of(wrong, right), empty)
    assert failed.startswith("urllib.error.URLError: ")
    assert "\nerror: the homework was not found: write the address" in failed
    assert fetched.startswith(READY)

    go = "import os; os.chdir({!r})"
    places = [homework, homework / "starter", homework.parent, homework.parents[1]]
    cells = [text for place in places for text in (go.format(str(place)), SETUP)]
    assert all(
        text.startswith(READY) for text, _ in executed(document_of(*cells), empty)[1::2]
    )
