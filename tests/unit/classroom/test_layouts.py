"""The grader finds all hand-ins and their owners in each known kind of download."""

import os
from pathlib import Path

import pytest

from grader.classroom import layouts
from grader.contract.outcomes import UsageError


def made(folder: Path, *files: str) -> Path:
    """Make empty files in a folder and return the folder.

    Args:
        folder: the folder; it is made if it does not exist.
        files: paths in the folder; a path that ends in / becomes an empty folder.
    """
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.touch()
    return folder


def owners(found: layouts.Found) -> list[tuple[str, dict]]:
    """Return, for each owner that was found, the name and the ids.

    Args:
        found: result of `layouts.find`.
    """
    return [(o.name, o.ids) for hand_in in found.hand_ins for o in hand_in.owners]


def test_plain_folders_and_files(tmp_path):
    """In an unknown layout, the name of a folder or file is the name of its owner.

    Files that cannot be hand-ins are ignored.
    """
    made(tmp_path, "ann/dqn.py", "bob.py", "cy.zip", "dee.ipynb", "notes.txt", ".git/x")
    found = layouts.find(tmp_path)
    assert [name for name, _ in owners(found)] == ["ann", "bob", "cy", "dee"]
    assert [name for name, _ in found.ignored] == ["notes.txt"]


def test_canvas(tmp_path):
    """In Canvas' layout, a file's name holds the owner's name and number, and LATE.

    If a student handed in several files, the newest `dqn.py` counts.
    """
    made(
        tmp_path,
        "doejane_12345_67890_dqn.py",
        "leebo_LATE_77_99_dqn-1.py",
        "leebo_77_98_dqn.py",
        "oxmax_5_1_dqn.py",
        "oxmax_5_3_other-7.py",
        "oxmax_5_2_dqn-10.py",
        "oxmax_5_4_dqn-9.py",
        "oxmax_5_5_dqn.zip",
    )
    found = layouts.find(tmp_path)
    assert [(h.path.name, h.late) for h in found.hand_ins] == [
        ("doejane_12345_67890_dqn.py", False),
        ("leebo_LATE_77_99_dqn-1.py", True),
        ("oxmax_5_2_dqn-10.py", False),
    ]
    assert owners(found) == [
        ("doejane", {"canvas": "12345"}),
        ("leebo", {"canvas": "77"}),
        ("oxmax", {"canvas": "5"}),
    ]
    assert len(found.ignored) == 5


def test_what_cannot_be_read_is_somebodys(tmp_path):
    """A file such as a rar counts as a hand-in, although the grader cannot read it.

    Notes, tables and PDFs in the class folder are ignored.
    """
    names = ("ann.rar", "bo.tar.gz", "cy.py.txt", "dee.7z", "eve.ipynb.bak")
    made(tmp_path, *names, "notes.txt", "export.csv", "all", "a.pdf")
    made(tmp_path, "oxmax_5_1_dqn.rar", "leebo_77_98_dqn.docx", "leebo_77_99_x.py")
    found = layouts.find(tmp_path)
    names = ["ann", "bo", "cy", "dee", "eve", "leebo", "oxmax"]
    assert [name for name, _ in owners(found)] == names
    assert [h.path.name for h in found.hand_ins][5] == "leebo_77_99_x.py"
    others = ["a.pdf", "all", "export.csv", "leebo_77_98_dqn.docx", "notes.txt"]
    assert sorted(name for name, _ in found.ignored) == others


def test_moodle(tmp_path):
    """In Moodle's layout, the name of a folder holds the owner's name and number.

    A folder's only file is the hand-in, whatever the name of the file is.
    """
    made(
        tmp_path,
        "Jane van Doe_4711_assignsubmission_file_/homework.ipynb",
        "Bo_Lee_12_assignsubmission_file/dqn.py",
        "Bo_Lee_12_assignsubmission_onlinetext_/onlinetext.html",
    )
    found = layouts.find(tmp_path)
    assert owners(found) == [
        ("Bo_Lee", {"moodle": "12"}),
        ("Jane van Doe", {"moodle": "4711"}),
    ]
    assert [h.path.name for h in found.hand_ins][1] == "homework.ipynb"


def test_gradescope(tmp_path):
    """In Gradescope's layout, a file of metadata names all submitters of a hand-in."""
    made(tmp_path, "submission_1/dqn.py", "submission_2/src/dqn.py", "submission_3/")
    (tmp_path / layouts.GRADESCOPE).write_text(
        "---\n"
        "submission_1:\n"
        "  :submitters:\n"
        "  - :name: Jane Doe\n    :sid: '0042'\n    :email: jane@example.org\n"
        "  :created_at: 2026-01-01 12:00:00.5 Z\n"
        "submission_2:\n"
        "  :submitters:\n"
        "  - :name: A\n    :sid: \n    :email: a@example.org\n"
        "  - :name: B\n    :email: b@example.org\n"
        "submission_3: nothing\n"
    )
    found = layouts.find(tmp_path)
    assert owners(found) == [
        ("Jane Doe", {"sid": "0042", "email": "jane@example.org"}),
        ("A", {"email": "a@example.org"}),
        ("B", {"email": "b@example.org"}),
        ("submission_3", {"login": "submission_3"}),
    ]
    assert found.hand_ins[1].path == tmp_path / "submission_2"


@pytest.mark.parametrize(
    "text", ["- a", "a: [", "!!python/object:os.system x", "a: \ud800"]
)
def test_broken_metadata(tmp_path, text):
    """If Gradescope's file of metadata is broken, the error names this file."""
    made(tmp_path, "submission_1/dqn.py")
    path = tmp_path / layouts.GRADESCOPE
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError, match=layouts.GRADESCOPE):
        layouts.find(tmp_path)


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
    assert layouts.place_in(tmp_path) == tmp_path / place


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
