"""The grader finds all hand-ins in a folder, and their owners by the files' names.

It says what it expected if the folder is on the wrong level.
"""

import os

import pytest

from grader.classroom import layouts
from grader.classroom.layouts.files import place_in
from grader.contract.outcomes import UsageError
from tests.support.downloads import made, owners


def test_plain_folders_and_files(tmp_path):
    """In an unknown layout, the name of a folder or file is the name of its owner.

    Files that cannot be hand-ins are ignored.
    """
    made(tmp_path, "ann/dqn.py", "bob.py", "cy.zip", "dee.ipynb", "notes.txt", ".git/x")
    found = layouts.find(tmp_path)
    assert [name for name, _ in owners(found)] == ["ann", "bob", "cy", "dee"]
    assert [name for name, _ in found.ignored] == ["notes.txt"]


def test_what_cannot_be_read_is_somebodys(tmp_path):
    """A file such as a rar counts as a hand-in, although the grader cannot read it.

    Notes, tables and PDFs in the class folder are ignored.
    """
    names = ("ann.rar", "bo.tar.gz", "cy.py.txt", "dee.7z", "eve.ipynb.bak")
    made(tmp_path, *names, "notes.txt", "export.csv", "all", "a.pdf")
    found = layouts.find(tmp_path)
    names = ["ann", "bo", "cy", "dee", "eve"]
    assert [name for name, _ in owners(found)] == names
    others = ["a.pdf", "all", "export.csv", "notes.txt"]
    assert [name for name, _ in found.ignored] == others


@pytest.mark.parametrize(
    ("files", "place"),
    [
        (["dqn.py"], "."),
        (["mine.py", ".DS_Store", "__MACOSX/x.py"], "mine.py"),
        (["all.zip"], "all.zip"),
        (["mine.py", "notes.txt"], "."),
        (["a/mine.py"], "."),
        (["notes.txt"], "."),
    ],
)
def test_place_in_a_folder(tmp_path, files, place):
    """`place_in` returns a folder, or its only file if this can be a hand-in.

    A file named `dqn.py` is found in its folder, so then the result is the folder.
    """
    made(tmp_path, *files)
    assert place_in(tmp_path) == tmp_path / place


def test_links_are_no_hand_ins(tmp_path):
    """Links are ignored: a link could lead to the work of another student."""
    made(tmp_path, "ann/dqn.py")
    (tmp_path / "bob").symlink_to(tmp_path / "ann")
    (tmp_path / "cy.py").symlink_to("/etc/passwd")
    found = layouts.find(tmp_path)
    assert [h.entry for h in found.hand_ins] == ["ann"]
    assert found.ignored == [("bob", "it is a link"), ("cy.py", "it is a link")]


def test_hostile_names(tmp_path):
    """Folders are found even if their names look like options or patterns.

    This includes names that are not UTF-8.
    """
    names = [b"-rf", b"=1+1", b"\xff\xfe", b"a\nb", b"*", b"$(id)", b"<b>", b"\x1b[2J"]
    for name in names:
        os.mkdir(os.path.join(os.fsencode(tmp_path), name))
    found = layouts.find(tmp_path)
    assert [os.fsencode(h.entry) for h in found.hand_ins] == sorted(names)


def test_nothing_there(tmp_path):
    """A class folder that is missing, or that holds no hand-in, is a usage error."""
    with pytest.raises(UsageError, match="No such file"):
        layouts.find(tmp_path / "absent")
    made(tmp_path, "README.md")
    with pytest.raises(UsageError, match="holds no hand-in"):
        layouts.find(tmp_path)


@pytest.mark.parametrize("name", ["Doe, Jane", "jane  DOE", "Jané Doe"])
def test_names_are_compared_without_order_and_accents(name):
    """Two names are equal if they differ only in order, case, accents and blanks."""
    assert layouts.normal_name(name) == "doe jane"


MOODLE = "Jane Doe_4711_assignsubmission_file/dqn.py"


@pytest.mark.parametrize(
    ("files", "inner", "layout", "entries"),
    [
        (
            [f"course-dqn-99/{MOODLE}", "course-dqn-99.zip"],
            "course-dqn-99",
            "Moodle",
            ["Jane Doe_4711_assignsubmission_file"],
        ),
        (
            ["all/ann/dqn.py", "all/bob/dqn.py", "x.csv"],
            "all",
            "Folders",
            ["ann", "bob"],
        ),
        (["all/ann.py", "all/bob.zip"], "all", "Folders", ["ann.py", "bob.zip"]),
        (
            ["release/hw/dqn.py", "submitted/ann/hw/dqn.py", "gradebook.db"],
            "submitted",
            "nbgrader",
            ["ann"],
        ),
        (["ann/dqn.py", "ann/agent.py"], "", "Folders", ["ann"]),
        (["ann/src/dqn.py"], "", "Folders", ["ann"]),
    ],
)
def test_a_single_top_folder(tmp_path, files, inner, layout, entries):
    """If the folder's only folder is the download, it is searched, and this is said.

    What lies beside it is listed. A single student's folder is no download.
    """
    found = layouts.find(made(tmp_path, *files))
    assert [hand_in.entry for hand_in in found.hand_ins] == entries
    assert found.inner == inner
    assert found.layout.startswith(layout)
    assert (f" in {inner}/: " in found.headline) == bool(inner)
    beside = {file.split("/")[0] for file in files} - {inner or "ann"}
    assert {name for name, _ in found.ignored} == beside


@pytest.mark.parametrize(
    ("files", "folder", "told"),
    [
        (["ann/dqn.py", "ann/agent.py", "bob/dqn.py"], "ann", "it has dqn.py"),
        (["hw-ann/.git/x", "hw-ann/starter/dqn.py"], "hw-ann", "it has starter/dqn.py"),
        (
            ["Jane Doe_4711_assignsubmission_file/homework.py"],
            "Jane Doe_4711_assignsubmission_file",
            "a hand-in's name .Moodle",
        ),
    ],
)
def test_one_level_too_deep(tmp_path, files, folder, told):
    """If the folder is a single hand-in, the error says so and names the one above."""
    made(tmp_path, *files)
    with pytest.raises(UsageError, match=told) as error:
        layouts.find(tmp_path / folder)
    assert str(error.value).endswith(str(tmp_path))


def test_one_level_too_high(tmp_path):
    """If the folder holds several downloads, the error names them."""
    made(tmp_path, f"hw1/{MOODLE}", f"hw2/{MOODLE}")
    with pytest.raises(UsageError, match=r"too high.*hw1, hw2"):
        layouts.find(tmp_path)


def test_a_zip_has_to_be_unpacked(tmp_path):
    """If the download itself is given, the error says what to do."""
    made(tmp_path, "all.zip")
    with pytest.raises(UsageError, match="zip archive, unpack it"):
        layouts.find(tmp_path / "all.zip")


def test_a_file_that_everybody_has_is_nobodys(tmp_path):
    """A `dqn.py` beside the hand-ins of all is left out: its name is nobody's."""
    found = layouts.find(made(tmp_path, "ann/dqn.py", "bob/dqn.py", "dqn.py"))
    assert [hand_in.entry for hand_in in found.hand_ins] == ["ann", "bob"]
    assert found.ignored == [("dqn.py", "its name does not say whose it is")]


def test_a_strange_file_in_a_download_is_told(tmp_path):
    """A hand-in whose name is not the platform's is graded and listed as strange."""
    files = ["doejane_1_9_dqn.py", "leebo_2_8_dqn.py", "bob.py", "notes.txt"]
    found = layouts.find(made(tmp_path, *files))
    assert found.layout.startswith("Canvas")
    assert len(found.hand_ins) == 3
    assert [*found.strange] == ["bob.py"]


def test_a_few_names_like_those_of_a_platform(tmp_path):
    """A file whose name looks like one of Canvas makes a folder no download of Canvas.

    The number in its name is no number of Canvas.
    """
    found = layouts.find(made(tmp_path, "ann_2026_11_dqn.py", "bob.py", "cy.py"))
    assert found.layout.startswith("Folders")
    assert owners(found)[0] == ("ann_2026_11_dqn", {"login": "ann_2026_11_dqn"})
