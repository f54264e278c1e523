"""The intake finds a hand-in, reads it once, and never imports it."""

import hashlib
import json
import os
import re
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from grader.contract.outcomes import UsageError
from grader.intake import names
from grader.intake.reading import MAX_BYTES
from grader.intake.submission import STUB, STUBS
from grader.intake.take import take
from tests.support.grading import ROOT


@pytest.fixture
def folder(tmp_path):
    """Return a student's folder; its `dqn.py` ends any process that imports it."""
    place = tmp_path / "ada"
    place.mkdir()
    (place / "dqn.py").write_text("raise SystemExit('imported')\n")
    return place


def test_folder_and_file_are_the_same_hand_in(folder):
    """The folder and the file in it give a hand-in of the same text and hash."""
    by_folder, by_file = take(str(folder)), take(str(folder / "dqn.py"))
    source = (folder / "dqn.py").read_bytes()
    for submission in (by_folder, by_file):
        assert submission.source == source
        assert submission.sha256 == hashlib.sha256(source).hexdigest()
        assert submission.problem is None
    assert (by_folder.name, by_file.name) == ("ada", "dqn.py")


def test_any_python_file(folder):
    """A Python file with another name, such as `dqn (1).py`, is accepted."""
    (folder / "dqn.py").rename(folder / "dqn (1).py")
    assert take(str(folder / "dqn (1).py")).problem is None


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        (["dqnpy.sec"], "dqnpy.sec"),
        (["dqnpy.sec", "trainpy.sec", "notes.ipynb"], "dqnpy.sec"),
        (["dqnPY (2).sec", "agentpy.sec", "notespdf.sec"], "dqnPY (2).sec"),
        (["homeworkpy.sec"], "homeworkpy.sec"),
    ],
)
def test_a_name_that_ilias_has_changed(tmp_path, solution, files, taken):
    """A Python file that ILIAS calls "dqnpy.sec" is read as `dqn.py`."""
    for file in files:
        (tmp_path / file).write_text("{}")
    (tmp_path / taken).write_text(solution)
    told = f"{taken} was read as a Python file: ILIAS may store dqn.py as dqnpy.sec"
    for path in (tmp_path, tmp_path / taken):
        found = take(str(path))
        assert (found.problem, found.text) == (None, solution)
        assert told in found.notes
    if taken == "dqnpy.sec":
        assert not any("there is no dqn.py" in n for n in take(str(tmp_path)).notes)


def test_nothing_is_imported(folder, monkeypatch):
    """Reading a hand-in does not run it."""
    monkeypatch.delitem(sys.modules, "dqn", raising=False)  # of another test
    take(str(folder))
    assert "dqn" not in sys.modules


def test_graded_is_what_was_read(folder):
    """If the file changes after `take` has read it, the hand-in stays the same."""
    submission = take(str(folder))
    before = submission.sha256
    (folder / "dqn.py").write_text("x = 1\n")
    assert submission.sha256 == before


@pytest.mark.parametrize("name", ["nowhere", "ada/dqn.txt", "x" * 5000])
def test_nothing_there(tmp_path, folder, name):
    """A path that does not exist is a usage error, which shows the path."""
    with pytest.raises(UsageError, match=name[:20]):
        take(str(tmp_path / name))


def problem_of(path) -> str:
    """Read the hand-in at a path and return its problem; fail if it has none.

    The problem is the reason why the hand-in is refused.
    """
    problem = take(str(path)).problem
    assert problem
    return problem


def test_folder_without_the_file(folder):
    """If a folder has no `dqn.py`, the message names the file and the folder."""
    (folder / "dqn.py").rename(folder / "dqn.py.txt")
    assert "dqn.py" in problem_of(folder)
    assert "ada" in problem_of(folder)


@pytest.mark.parametrize("place", ["starter", "repo/starter", "a/b/c"])
def test_nearest_to_the_top(tmp_path, place):
    """If a folder has several `dqn.py`, the one nearest to the top is read."""
    for name in (place, f"{place}/old", ".venv/lib", "__MACOSX"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "dqn.py").write_text(f"x = {name!r}\n")
    assert take(str(tmp_path)).source == f"x = {place!r}\n".encode()
    other = tmp_path.joinpath(place).with_name("other")
    other.mkdir()
    (other / "dqn.py").write_text("x = 1\n")
    assert "more than one hand-in" in problem_of(tmp_path)
    (tmp_path / "dqn.py").write_text("x = 2\n")
    assert take(str(tmp_path)).source == b"x = 2\n"


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_with_the_files_name(tmp_path, packed):
    """Programs that unpack `dqn.py.zip` put the file into a folder called `dqn.py`."""
    place = tmp_path / "ada"
    (place / "dqn.py").mkdir(parents=True)
    (place / "dqn.py" / "dqn.py").write_text("x = 1\n")
    if packed:
        place = Path(shutil.make_archive(str(tmp_path / "ada"), "zip", place))
        assert "dqn.py/" in zipfile.ZipFile(place).namelist()
    assert take(str(place)).source == b"x = 1\n"


def test_too_far_down(tmp_path):
    """A `dqn.py` four folders below the given folder is not found."""
    place = tmp_path / "a/b/c/d"
    place.mkdir(parents=True)
    (place / "dqn.py").write_text("x = 1\n")
    assert "there is no dqn.py in the folder" in problem_of(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_links_between_folders(tmp_path):
    """Links inside a folder are not followed."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "dqn.py").write_text("x = 1\n")
    inside = tmp_path / "ada"
    inside.mkdir()
    (inside / "out").symlink_to("../outside")
    (inside / "round").symlink_to(".")
    assert "there is no dqn.py in the folder 'ada'" in problem_of(inside)


def test_not_python(folder):
    """A file that is no hand-in, such as a PDF, is refused and not read."""
    other = folder / "report.pdf"
    other.write_bytes(b"%PDF")
    assert "report.pdf" in problem_of(other)
    assert take(str(other)).source == b""


@pytest.mark.parametrize("name", ["hw.rar", "hw.zip", "dqn.py", "hw", "ada.ipynb"])
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"Rar!\x1a\7\1\0", "RAR archive"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "7-Zip archive"),
        (b"\x1f\x8b\x08\0", "gzip archive"),
        (b"hw/dqn.py".ljust(257, b"\0") + b"ustar\0", "tar archive"),
        (b"%PDF-1.7\n", "PDF document"),
        (b"{\\rtf1\\ansi", "RTF document"),
        (b"\n<!DOCTYPE html>\n<html>", "web page"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_kinds_are_named(tmp_path, name, data, kind):
    """The message names the kind of a wrong file, known by the file's first bytes."""
    folder = tmp_path / "ada"
    folder.mkdir()
    (folder / name).write_bytes(data)
    for place in (folder, folder / name):
        assert kind in problem_of(place)
        assert "hand in dqn.py" in problem_of(place)


def test_supplied_files_are_no_hand_in(folder):
    """A supplied file such as `train.py`, or a copy of it, is never the hand-in."""
    (folder / "dqn.py").rename(folder / "train.py")
    (folder / "agent (1).py").write_text("x = 1\n")
    assert "which every student got" in problem_of(folder)
    assert "one of the files that you got" in problem_of(folder / "train.py")


def test_every_supplied_file_is_known():
    """The intake knows the names of all files of `starter/` except `dqn.py`."""
    starter = {path.stem for path in (ROOT / "starter").glob("*.py")}
    assert starter - {"dqn"} == names.SUPPLIED - {"graded", "__init__"}


STARTER = (ROOT / "starter" / "dqn.py").read_text(encoding="utf-8")
NOTEBOOK = (ROOT / "starter" / "dqn.ipynb").read_text(encoding="utf-8")
UNTOUCHED = {
    "as it was": STARTER,
    "ends of lines": STARTER.replace("\n", "\r\n"),
    "whitespace": STARTER.replace("\n", " \n").replace("    ", "\t") + "\n\n",
    "empty": " \n",
}


def notebook_of(*cells: str) -> str:
    """Return the JSON text of a notebook with these code cells."""
    kind = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    made = [{**kind, "source": cell} for cell in cells]
    return json.dumps(
        {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    )


@pytest.mark.parametrize("starter", UNTOUCHED.values(), ids=UNTOUCHED)
def test_the_one_that_was_worked_on(folder, solution, starter):
    """If a folder has `dqn.py` and `dqn.ipynb`, the one with changes is read.

    If both differ from the starter, `dqn.py` is read.
    """
    (folder / "dqn.py").write_bytes(starter.encode())
    (folder / "dqn.ipynb").write_text(notebook_of("!pip install jax", solution))
    submission = take(str(folder))
    assert submission.cells
    assert submission.text.strip() == solution.strip()
    words = "dqn.ipynb was taken: in dqn.py nothing has been written"
    assert submission.notes == (words,)
    (folder / "dqn.ipynb").write_text("{}")
    assert "cannot be read as a notebook" in problem_of(folder)
    (folder / "dqn.ipynb").write_text(NOTEBOOK)
    (folder / "dqn.py").write_text(solution)
    assert take(str(folder)).text == solution
    assert take(str(folder)).notes == ()
    (folder / "dqn.ipynb").write_text(notebook_of(solution))
    assert take(str(folder)).text == solution
    assert take(str(folder)).notes == ("dqn.py was taken: dqn.ipynb was left aside",)


def test_worked_on_elsewhere(folder, solution):
    """If another file has changes, an unchanged `dqn.py` or notebook is not read.

    Changes are differences from the starter.
    """
    (folder / "dqn.py").write_text(STARTER)
    (folder / "mine.py").write_text(solution)
    assert take(str(folder)).text == solution
    (folder / "mine.py").write_text("import sys\nx = 1\n")  # only an experiment
    assert take(str(folder)).text == STARTER
    (folder / "dqn.py").unlink()
    (folder / "mine.py").unlink()
    (folder / "dqn.ipynb").write_text(NOTEBOOK)
    (folder / "graded.ipynb").write_text(notebook_of("x = 1"))  # written by %grade
    (folder / "mine.ipynb").write_text(notebook_of(solution))
    assert take(str(folder)).text.strip() == solution.strip()


def test_stubs_are_counted():
    """The starter has at least `STUBS` stubs.

    By this number, an unchanged copy of the starter is recognised.
    """
    assert len(STUB.findall(STARTER)) >= STUBS


@pytest.mark.parametrize("text", ["", "\n \n\t\n", "\ufeff"])
def test_empty(folder, text):
    """For an empty file, the message says that the file is empty."""
    (folder / "dqn.py").write_text(text)
    assert problem_of(folder) == "dqn.py is empty"


def test_not_utf8(folder):
    """For a file that is not UTF-8, the message names the first bad line."""
    (folder / "dqn.py").write_bytes("x = 1\n# größer\n".encode("latin-1"))
    assert "UTF-8" in problem_of(folder)
    assert "line 2" in problem_of(folder)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_text(folder, encoding):
    """For a file in UTF-16 or UTF-32, the message names this encoding."""
    (folder / "dqn.py").write_bytes("x = 1\n# größer\n".encode(encoding))
    assert re.search("not UTF-8 text but .*UTF-(16|32): save it", problem_of(folder))


def test_nul(folder):
    """For a file with a NUL character, the message names its line."""
    (folder / "dqn.py").write_bytes(b"x = 1\r\ny = 2\r# \0\n" + b"z = 3\n" * 99)
    assert problem_of(folder) == (
        "dqn.py holds a NUL character (line 3): is it a Python file?"
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("# coding: unicode_escape\nx = 1\n", "line 1: the encoding unicode_escape"),
        ("\ufeff# -*- coding: utf-7 -*-\n", "line 1: the encoding utf-7"),
        ("#!python\n# vim: set fileencoding=rot13 :\n", "line 2: the encoding rot13"),
        ("\f# coding=latin-1\rx = 1\n", "line 1: the encoding latin-1"),
        ("x = 1\n\n# \u202etxet\n", "dqn.py:3: with U+202E (right-to-left override)"),
        ("s = '\u2066a\u2069'\n", "dqn.py:1: with U+2069 (pop directional"),
        ("x = 1\n# a\rimport os\n", "dqn.py:2: with U+000D (carriage return)"),
        ("# a\u2028b\n", "dqn.py:1: with U+2028 (line separator)"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_text_that_reads_otherwise(folder, source, said):
    """A note names each line that looks different from the code that runs."""
    (folder / "dqn.py").write_bytes(source.encode())
    assert any(said in note for note in take(str(folder)).notes)


@pytest.mark.parametrize(
    "source",
    [
        "# -*- coding: UTF8 -*-\n",
        "x = 1\n\n# coding: latin-1\n",
        "# größer\f\n",
        "# a\rx = 1\r",  # as old Macs end lines
        "# a\r\nx = 1\r\n",
    ],
)
def test_text_that_reads_as_it_runs(folder, source):
    """A file without misleading encodings or characters gets no note."""
    (folder / "dqn.py").write_bytes(source.encode())
    assert take(str(folder)).notes == ()


def test_file_made_from_a_notebook(folder):
    """In a Python file made from a notebook, notebook commands are left out.

    A note says so. Such files come from Colab and Jupyter.
    """
    lines = ["!pip install jax", "%matplotlib inline", "get_ipython().system('ls (')"]
    lines += [
        "x = get_ipython().getoutput('ls')",
        "if True:",
        "    !ls",
        "y = (1",
        "% 2)",
    ]
    (folder / "dqn.py").write_text("\n".join(lines))
    submission = take(str(folder))
    assert submission.problem is None
    names: dict = {}
    exec(submission.text, names)
    assert names["y"] == 1
    assert submission.text.count("\n") == 7
    assert submission.notes == (
        "orders to a notebook were left out of dqn.py: lines 1, 2, 3 and 2 more",
    )


@pytest.mark.parametrize(
    ("mark", "made"),
    [
        ('"""dqn.ipynb\n\nAutomatically generated by Colab.\n"""', True),
        ("# coding: utf-8\n\n# In[12]:\n", True),
        ("# In[ ]:", True),
        ("# %% the buffer", True),
        ("#%%", True),
        ("# COMMAND ----------", True),
        ("!pip install jax", True),
        ("# what is In[1]: here?\ns = '%%'", False),
    ],
)
def test_file_that_is_run_as_the_notebook_was(folder, mark, made):
    """`Submission.exported` is True only for a Python file saved from a notebook."""
    (folder / "dqn.py").write_text(f"{mark}\nx = 1\n")
    assert take(str(folder)).exported == made


def test_utf8_with_signature(folder):
    """A file in UTF-8 that begins with a byte order mark is accepted."""
    (folder / "dqn.py").write_bytes("\ufeffx = 1\n".encode())
    assert take(str(folder)).problem is None


def test_too_large(folder):
    """A file of more than 1 MiB is refused and not read to its end."""
    (folder / "dqn.py").write_bytes(b"#" * (MAX_BYTES + 1))
    assert "1 MiB" in problem_of(folder)
    assert len(take(str(folder)).source) <= MAX_BYTES
    (folder / "dqn.py").write_bytes(b"#" * MAX_BYTES)
    assert take(str(folder)).problem is None


def make_fifo(path):
    """Make a named pipe without a writer: opening it would never end."""
    os.mkfifo(path)


def make_folder(path):
    """Make a folder at this path."""
    path.mkdir()


def make_link(path):
    """Make a link to another file that exists."""
    secret = path.with_name("secret.py")
    secret.write_text("SECRET = 1\n")
    path.symlink_to(secret)


def make_dangling_link(path):
    """Make a link to a missing file."""
    path.symlink_to("/no/such/file")


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and links")
@pytest.mark.parametrize(
    "make", [make_fifo, make_folder, make_link, make_dangling_link]
)
def test_not_a_regular_file(folder, make):
    """A `dqn.py` that is a pipe, a folder or a link is refused without delay."""
    (folder / "dqn.py").unlink()
    make(folder / "dqn.py")
    assert "dqn.py" in problem_of(folder)
    assert take(str(folder)).source == b""


def test_link_is_called_one(folder):
    """For a link, the message says that the file is a link."""
    (folder / "dqn.py").unlink()
    make_link(folder / "dqn.py")
    assert "link" in problem_of(folder)
    assert "levels" not in problem_of(folder)


def test_link_to_the_folder(folder, tmp_path):
    """The path on the command line may be a link to a folder."""
    (tmp_path / "shortcut").symlink_to(folder)
    assert take(str(tmp_path / "shortcut")).problem is None
