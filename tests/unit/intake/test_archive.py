"""A hand-in is read from a zip archive; other files in the archive do no harm."""

import io
import os
import re
import stat
import struct
import sys
import tracemalloc
import warnings
import zipfile

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from grader.intake.archive import MAX_ARCHIVE
from grader.intake.reading import MAX_BYTES
from grader.intake.submission import Submission
from grader.intake.take import take

# No deadline, because machines can be busy. The fixture may serve several examples,
# because each example overwrites the same file.
quick = settings(
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

SOURCE = b"raise SystemExit('imported')\n"


def member(name: str, mode: int = 0, **values) -> zipfile.ZipInfo:
    """Return an archive entry of an unusual kind.

    Args:
        name: the entry's name.
        mode: the Unix file type and permissions; 0 for none.
        values: the values of other attributes of `ZipInfo`.
    """
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    for key, value in values.items():
        setattr(info, key, value)
    return info


def packed(*members, comment: bytes = b"") -> bytes:
    """Return the bytes of a zip archive.

    Args:
        members: the archive's entries. An entry is a pair: a name or a `ZipInfo`, and
            the content. A name or `ZipInfo` alone gets the content `SOURCE`.
        comment: the archive's comment.
    """
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file, warnings.catch_warnings(action="ignore"):
        for each in members:
            name, content = each if isinstance(each, tuple) else (each, SOURCE)
            # `member` sets no time of day, so the bytes and the tests' ids stay equal.
            entry = member(name, 0o600) if isinstance(name, str) else name
            file.writestr(entry, content)
        file.comment = comment
    return data.getvalue()


@pytest.fixture
def handed_in(tmp_path):
    """Return a function that writes bytes to a file and reads this file as a hand-in.

    The function returns the `Submission`.
    """

    def take_in(data: bytes) -> Submission:
        path = tmp_path / "ada.zip"
        path.write_bytes(data)
        return take(str(path))

    return take_in


@pytest.mark.parametrize(
    "names",
    [
        ["dqn.py"],
        ["./dqn.py"],
        ["hw2/dqn.py", "hw2/train.py"],
        ["hw2\\dqn.py", "hw2\\train.py"],  # as old Windows programs pack it
        ["hw2/", "hw2/dqn.py", "__MACOSX/hw2/._dqn.py", "__MACOSX/dqn.py"],
        ["dqn.py", ".DS_Store", "._dqn.py", ".git/dqn.py", ".venv/lib/dqn.py"],
        ["dqn.py", "old/dqn.py", "dqn.ipynb", "solution/dqn.py"],
        ["repo-main/README.md", "repo-main/starter/dqn.py", "repo-main/a/b/dqn.py"],
        ["größe/dqn.py", "größe/文.txt"],
        ["dqn.py", "../evil.py", "/etc/passwd", "C:\\evil.py"],
        ["dqn.py", "", "\0hw.py", "."],  # `zipfile` cuts a name at its first zero byte
    ],
    ids=lambda names: names[0],
)
def test_the_file_is_found(handed_in, names, tmp_path):
    """`dqn.py` is found in an archive that also holds other files."""
    submission = handed_in(packed(*names))
    assert (submission.problem, submission.source) == (None, SOURCE)
    assert submission.name == "ada.zip"
    assert os.listdir(tmp_path) == ["ada.zip"]  # nothing is unpacked


@pytest.mark.parametrize(
    "names",
    [
        ["DQN.py"],
        ["hw/dqn.PY", "hw/train.py", "hw/agent.py", "hw/watch.py", "hw/notebook.py"],
        ["dqn (1).py", "notes.txt"],
        ["dqn-1.py"],
        ["Copy of dqn.py"],
        ["hw/homework.py"],
        ["homework.py", "agent.py", "train (1).py", "report.pdf"],
    ],
    ids=lambda names: names[0],
)
def test_what_else_is_there_is_taken(handed_in, names):
    """Without a `dqn.py`, the only other Python file is read, and a note says so."""
    submission = handed_in(packed(*names))
    assert (submission.problem, submission.source) == (None, SOURCE)
    (note,) = submission.notes
    assert f"{names[0]} was taken: there is no dqn.py in the archive" in note


def test_archive_in_an_archive(handed_in, tmp_path):
    """An archive inside an archive or a folder is opened, and a note says so."""
    inner = packed("hw/dqn.py")
    submission = handed_in(packed(("hw.zip", inner), "__MACOSX/hw.zip", "a.txt"))
    assert (submission.problem, submission.source) == (None, SOURCE)
    assert "hw.zip', in the archive 'ada.zip'" in submission.notes[0]
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "hw.zip").write_bytes(inner)
    assert take(str(tmp_path / "folder")).source == SOURCE


@pytest.mark.parametrize("name", ["ada", "ada.py", "ada.ipynb", "ada.ZIP", "ada.docx"])
def test_archive_by_its_contents(tmp_path, name):
    """A zip archive is opened even if its name does not end with .zip."""
    (tmp_path / name).write_bytes(packed("dqn.py"))
    assert take(str(tmp_path / name)).source == SOURCE


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "no dqn.py in the archive 'ada.zip'"),
        ([""], "no dqn.py in the archive 'ada.zip'"),
        (["report.pdf", "hw/"], "no dqn.py"),
        (["inner.zip"], "no dqn.py in the archive.*but inner.zip: .*no zip file"),
        ([("a.zip", packed("b.txt"))], "but a.zip: there is no dqn.py.*but b.txt"),
        ([("a.zip", packed(("b.zip", packed("dqn.py"))))], "but a.zip: .*b.zip, a zip"),
        (["a.zip", "b.zip"], "but a.zip, b.zip"),
        ([("hw.rar", b"Rar!\x1a\7\1")], "but hw.rar, a RAR archive: hand in"),
        ([("dqn.py", b"Rar!\x1a\7\1")], "dqn.py is a RAR archive: hand in"),
        (["one.py", "two.py"], "but one.py, two.py: call the one"),
        (["dqn (1).py", "dqn (2).py"], "no dqn.py.*but dqn .1..py, dqn .2..py: call"),
        (["agent.py", "train (1).py"], "agent.py, train .1..py, which every student"),
        (["a/dqn.py.txt"], "but a/dqn.py.txt: rename it to dqn.py"),
        (["dqn.txt"], "but dqn.txt: rename it to dqn.py"),
        (["a/dqn.py", "b/dqn.py"], "more than one hand-in.*a/dqn.py, b/dqn.py"),
        (["dqn.py", "dqn.py"], "more than one"),
        (["dqn.py", "./dqn.py"], "more than one"),
        (["dqn.py", "DQN.py"], "more than one.*DQN.py, dqn.py"),
        (["a.ipynb", "b.ipynb"], "more than one"),
        (["../dqn.py"], "leads out"),
        (["/dqn.py"], "leads out"),
        (["hw/../../dqn.py"], "leads out"),
        (["C:\\hw\\dqn.py"], "leads out"),
        ([member("dqn.py", stat.S_IFLNK | 0o777)], "is a link"),
        ([member("dqn.py", stat.S_IFIFO | 0o666)], "not a regular file"),
        ([member("dqn.py", stat.S_IFCHR | 0o666)], "not a regular file"),
        ([member("dqn.py", stat.S_IFSOCK | 0o666)], "not a regular file"),
        (["dqn.py/"], "there is no dqn.py in the archive"),
        ([member("dqn.py", compress_type=zipfile.ZIP_LZMA)], "few programs know"),
        ([member("dqn.py", compress_type=zipfile.ZIP_BZIP2)], "few programs know"),
        ([("dqn.py", b"")], "dqn.py is empty"),
        ([("dqn.py", "größer".encode("latin-1"))], "not UTF-8"),
        ([("dqn.ipynb", b"{}")], "cannot be read as a notebook"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_refused(handed_in, names, said):
    """An archive without a usable hand-in is refused; the message says why."""
    assert re.search(said, handed_in(packed(*names)).problem)


def test_password(handed_in):
    """A file that needs a password is refused with a message."""
    data = bytearray(packed("dqn.py"))
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(mark) + place] |= 1
    assert "has a password" in handed_in(bytes(data)).problem


def deflated(size: int) -> bytes:
    """Return a compressed archive whose `dqn.py` consists of `size` zero bytes."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("dqn.py", bytes(size))
    return data.getvalue()


def test_bomb(handed_in):
    """An archive that unpacks to 100 MiB is refused and takes little memory."""
    data = deflated(100 << 20)
    tracemalloc.start()
    submission = handed_in(data)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "larger than 1 MiB" in submission.problem
    assert len(submission.source) <= MAX_BYTES
    assert most < 32 << 20


def test_lying_sizes(handed_in):
    """A file in an archive is refused if it is larger than the archive's entry says."""
    data = bytearray(deflated(2 * MAX_BYTES))
    for mark, place in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        at = data.index(mark) + place
        data[at : at + 4] = struct.pack("<I", 10)
    assert handed_in(bytes(data)).problem


def test_many_files(handed_in):
    """An archive with more files than allowed is refused."""
    names = [(f"{i:0>200}", b"") for i in range(8000)]
    assert "lists too many files" in handed_in(packed(*names, "dqn.py")).problem


def test_large_archive(handed_in, tmp_path):
    """An archive of more than 16 MiB is refused; a smaller one is accepted."""
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert "larger than 16 MiB" in take(str(path)).problem
    inside = packed("dqn.py", ("film.gif", bytes(MAX_ARCHIVE - 1000)))
    assert handed_in(inside).problem is None


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"PK\5\6" + bytes(18), b"Rar!\x1a\7", packed("dqn.py")[:-30]],
    ids=["empty", "cut", "nothing in it", "another kind", "no directory"],
)
def test_no_archive(handed_in, data):
    """A file named .zip that is no archive, or only a part of one, is refused."""
    problem = handed_in(data).problem
    assert "no zip file" in problem or "no dqn.py" in problem


def test_damaged(handed_in):
    """An archive with a changed byte is refused as damaged."""
    data = packed("dqn.py")
    assert "damaged" in handed_in(data.replace(b"imported", b"importeD")).problem


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_link_to_an_archive(tmp_path):
    """A link to an archive is refused."""
    (tmp_path / "real.zip").write_bytes(packed("dqn.py"))
    (tmp_path / "ada.zip").symlink_to("real.zip")
    assert "it is a link" in take(str(tmp_path / "ada.zip")).problem


WHOLE = packed("hw/dqn.py", ("hw/a.ipynb", b"{}"), "__MACOSX/x", comment=b"PK\5\6")
edits = st.lists(
    st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8)),
    min_size=1,
    max_size=6,
)


@quick
@given(edits, st.integers(0, len(WHOLE)), st.booleans())
def test_any_bytes(handed_in, edits, end, whole):
    """An archive with changed bytes is refused, or its hand-in is read unchanged."""
    data = bytearray(WHOLE)
    for place, new in edits:
        data[place : place + len(new)] = new
    submission = handed_in(bytes(data if whole else data[:end]))
    assert submission.problem or submission.source == SOURCE
    assert (submission.problem or "").isprintable()
