"""A notebook is read as Python code; messages name the cell of each line."""

import ast
import json
import zipfile

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, example, given, settings

from grader.classroom.pool import name_of
from grader.contract.exercises import ROOT
from grader.grading.pipeline import Options
from grader.intake.notebook import MAX_PIECES, python_of
from grader.intake.reading import MAX_BYTES
from grader.intake.submission import Submission
from grader.intake.take import take
from tests.support.notebooks import cell, notebook

# No deadline, because machines can be busy. The fixture may serve several examples,
# because each example overwrites the same file.
quick = settings(
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def handed_in(tmp_path):
    """Return a function that writes a notebook to a file and reads it as a hand-in.

    The function returns the `Submission`.
    """

    def take_in(text: str | bytes) -> Submission:
        path = tmp_path / "ada.ipynb"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return take(str(path))

    return take_in


def test_cells_in_order(handed_in):
    """The hand-in is the text of all code cells in order, without other cells."""
    text = notebook(
        cell("# Homework", "markdown"),
        ["import jax\n", "x = 1"],
        cell("y = 0", "raw"),
        "def f():\n    return x\n",
        "",
        "z = f()",
    )
    submission = handed_in(text)
    assert submission.problem is None
    assert submission.name == "ada.ipynb"
    names: dict = {}
    exec(submission.source, names)
    assert names["z"] == 1
    assert "y" not in names


@pytest.mark.parametrize(
    ("line", "place"),
    [(1, (1, 1)), (2, (1, 2)), (3, (2, 1)), (4, (3, 1)), (5, (3, 2)), (99, (3, 96))],
)
def test_places(handed_in, line, place):
    """`locate` replaces each line of dqn.py in a message by a code cell and its line.

    All numbers begin with 1.
    """
    submission = handed_in(
        notebook("a = 1\nb = 2", cell("text\n" * 9, "markdown"), "", "c = 3\nd = 4")
    )
    told = submission.locate(f"dqn.py, line {line}, in f: dqn.py:{line} is it")
    where = "cell {}, line {}".format(*place)
    assert told == f"{where}, in f: {where} is it"


def test_cells_have_the_numbers_of_the_notebook(handed_in):
    """A cell is named by the number that the notebook shows, if only this cell has it.

    Other cells are named by their position among the code cells.
    """
    counts = [7, 3, None, 3, 0, True, "12", -4, 10**9, 2]
    cells = [cell(f"x = {i}\ny = {i}", count=n) for i, n in enumerate(counts)]
    submission = handed_in(notebook(cell("text", "markdown"), *cells))
    places = [
        submission.locate(f"dqn.py, line {2 * i + 2}") for i in range(len(counts))
    ]
    names = ["In[7]", *(f"cell {n}" for n in range(2, 10)), "In[2]"]
    assert places == [f"{name}, line 2" for name in names]


def test_places_of_a_file():
    """If the hand-in is a Python file, `locate` returns the message unchanged."""
    assert Submission("", b"x").locate("dqn.py, line 3") == "dqn.py, line 3"


KEPT = [
    "x = 7\\\n% 4",
    "y = (7\n     % 4)",
    's = """\n%matplotlib\n!ls\n?x\n"""',
    "s = ('''a\n''' # (\n% 4)",
    "t = r'\\\\' # '\n",
    "d = {'a':\n  'b' '''\n!'''}",
    "def f(a,\n\n      b):\n    return a != b",
    "x %= 3",
    "x = 3  # !",
    'u = "a\\"(" \nv = 1',
]
LEFT_OUT = [
    "%matplotlib inline",
    "!pip install 'it\"s (",
    "  !ls",
    "?jax",
    "jax.jit?",
    "jax.jit??  ",
    "files = !ls *",
    "x = %who",
    "!pip install a \\\n   b \\\n  (c",
    "%%bash\necho (\n",
    "\n%%html\n<p>",
    "%%writefile other.py\nx = (",
    "%%timeit\nx = (",
]


@pytest.mark.parametrize("text", KEPT)
def test_python_is_kept(text):
    """A line inside a Python statement is kept, even if it looks like a magic."""
    assert python_of(text.split("\n")) == text.split("\n")
    after = python_of([*text.split("\n"), "%time f()", "z = 1"])
    assert after[-2:] == ["", "z = 1"]


def without_blanks(lines: list[str]) -> str:
    """Return the lines as one text, each without its indentation."""
    return "\n".join(line.strip() for line in lines)


@pytest.mark.parametrize("text", LEFT_OUT)
def test_orders_are_left_out(text):
    """Each line of a magic or shell command becomes an empty line or `pass`."""
    lines = text.split("\n")
    kept = python_of(lines)
    assert len(kept) == len(lines)
    assert all(
        isinstance(node, ast.Pass) for node in ast.parse(without_blanks(kept)).body
    )


@pytest.mark.parametrize(
    "first", ["%%time", "%%capture out", "%%writefile dqn.py", "%%file a/dqn.py"]
)
def test_python_under_a_magic(first):
    """Below a magic such as %%time, the rest of the cell is kept as Python."""
    assert python_of([first, "x = 1"]) == ["", "x = 1"]


def test_order_in_a_block():
    """In an indented block, a magic becomes `pass`, so the block stays valid."""
    lines = python_of(["if True:", "    %time f()", "else:", "\t!ls"])
    assert lines == ["if True:", "    pass", "else:", "\tpass"]


pieces = st.sampled_from(
    [*KEPT, *LEFT_OUT, "if x:", "  pass", "'", '"""', "(", ")", "#", "\\", ""]
)


@quick
@given(st.lists(pieces, max_size=8))
@example(["x = 1", "'", "!ls"])
def test_lines_stay(texts):
    """Each line of any text is kept, or replaced by an empty line or by `pass`."""
    lines = "\n".join(texts).split("\n")
    kept = python_of(lines)
    assert len(kept) == len(lines)
    for old, new in zip(lines, kept, strict=True):
        assert new == old or new.strip() in ("", "pass")


@quick
@given(st.lists(st.sampled_from(KEPT), max_size=5))
def test_any_python_is_kept(texts):
    """A sequence of Python statements is unchanged."""
    lines = "\n".join(texts).split("\n")
    assert python_of(lines) == lines


def test_the_graders_own_python_is_kept():
    """`python_of` changes no line of our own Python files."""
    for path in sorted(ROOT.glob("*/*.py")):
        lines = path.read_text(encoding="utf-8").split("\n")
        assert python_of(lines) == lines, path


# ---------------------------------------------------------------- no notebook


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 1\n",
        "[]",
        "null",
        "{}",
        '{"cells": 3, "nbformat": 4}',
        '{"cells": [3], "nbformat": 4}',
        '{"cells": [{}], "nbformat": 4}',
        '{"cells": [], "nbformat": 99}',
        '{"cells": [], "nbformat": "4"}',
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"nbformat": ' + "9" * 10_000 + "}",
        notebook().encode("utf-16"),
        b"\xff\xfe\x00",
        notebook(cell(3)),
        notebook(cell({"a": "b"})),
        notebook(cell(None)),
        notebook(cell([1, 2])),
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_no_notebook(handed_in, text):
    """A file that is no valid notebook is refused with a message."""
    problem = handed_in(text).problem
    assert "notebook" in problem or "no text" in problem


def test_no_code(handed_in):
    """A notebook without code is refused with a message."""
    for cells in ([], ["", " \n"], [cell("x = 1", "markdown")]):
        assert "ada.ipynb has no cell with code" in handed_in(notebook(*cells)).problem


def test_too_much(handed_in):
    """A notebook with too much code, too many pieces or too many bytes is refused."""
    assert "1 MiB" in handed_in(notebook("#" * MAX_BYTES, "x = 1")).problem
    many = notebook("x = 1", metadata={"a": [0] * MAX_PIECES})
    assert "pieces: clear its outputs" in handed_in(many).problem
    large = notebook("x = 1", metadata={"a": "0" * (17 << 20)})
    assert "16 MiB: clear its outputs" in handed_in(large).problem
    with_pictures = notebook("x = 1", metadata={"a": "0" * (15 << 20)})
    assert handed_in(with_pictures).problem is None


def test_no_quadratic_time(handed_in):
    """The time to read a notebook does not grow with the square of its length.

    This is tested with code that is slow for regular expressions.
    """
    for text in (
        "\n" * 100_000,
        " " * 200_000 + "\nx",
        "(" * 100_000 + "\n%" * 50_000,
        "'" * 200_000,
        "'\\" * 100_000,
        "a = " * 50_000,
        "a." * 100_000 + "!",
        "%%file" + " dqn.py" * 30_000 + "x",
    ):
        handed_in(notebook(f"x = 1\n{text}", f"{text}\n"))


def test_older_format(handed_in):
    """A notebook in the old format 3 is accepted."""
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [
            {
                "metadata": {},
                "cells": [
                    {
                        "cell_type": "code",
                        "language": "python",
                        "collapsed": False,
                        "metadata": {},
                        "input": ["x = 1\n", "y = 2"],
                        "outputs": [],
                    }
                ],
            }
        ],
    }
    assert handed_in(json.dumps(old)).source == b"x = 1\ny = 2\n"


def test_odd_text(handed_in):
    """All kinds of line ends become newlines, and lone surrogates become "?"."""
    assert handed_in(notebook("a = 1\r\nb = 2\rc = 3")).source.count(b"\n") == 3
    assert handed_in(notebook("a = '\ud800'")).source == b"a = '?'\n"


values = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=5), st.floats()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                ["cells", "source", "cell_type", "nbformat", "metadata", "outputs"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@quick
@given(st.lists(values, max_size=3), values, st.sampled_from([1, 2, 3, 4, None, "4"]))
def test_any_json(handed_in, cells, metadata, version):
    """Any JSON that has a code cell is read as a hand-in or refused with a message."""
    text = notebook("x = 1", metadata=metadata, nbformat=version, worksheets=cells)
    document = json.loads(text)
    document["cells"] += cells
    submission = handed_in(json.dumps(document))
    assert submission.problem or submission.source.startswith(b"x = 1\n")


# ---------------------------------------------------------------- graded


def test_cells_make_another_hand_in(handed_in):
    """Two notebooks with the same code in other cells have the same hash.

    In a class run they are graded separately, because messages name the cells.
    """
    one, two = (handed_in(notebook(*c)) for c in (["a = 1\nb = 2"], ["a = 1", "b = 2"]))
    assert one.sha256 == two.sha256
    assert len({name_of(s, Options("1"), "") for s in (one, two, one)}) == 2


# ---------------------------------------------------------------- finding a notebook


def test_folder_and_archive(tmp_path):
    """In a folder or an archive without `dqn.py`, the only notebook is the hand-in."""
    folder = tmp_path / "ada"
    (folder / "hw" / ".ipynb_checkpoints").mkdir(parents=True)
    (folder / "hw" / "Copy of DQN.ipynb").write_text(notebook("x = 1"))
    (folder / "hw" / ".ipynb_checkpoints" / "DQN.ipynb").write_text(notebook("x = 2"))
    assert take(str(folder)).source == b"x = 1\n"
    assert take(str(folder)).cells
    with zipfile.ZipFile(tmp_path / "ada.zip", "w") as file:
        for path in folder.rglob("*.ipynb"):
            file.write(path, path.relative_to(tmp_path))
    assert take(str(tmp_path / "ada.zip")).source == b"x = 1\n"
    (folder / "b.ipynb").write_text(notebook("x = 3"))
    assert take(str(folder)).source == b"x = 3\n"  # b.ipynb is nearer to the top
    (folder / "c.ipynb").write_text(notebook("x = 3"))
    assert "more than one" in take(str(folder)).problem
    (folder / "hw" / "dqn.py").write_text("x = 4\n")
    assert take(str(folder)).source == b"x = 4\n"
