"""Taking a hand-in in: found, read once, never imported."""

import hashlib
import os
import sys

import pytest

from grader.submission import MAX_BYTES, UsageError, take


@pytest.fixture
def folder(tmp_path):
    """A student's folder with a hand-in that would be seen if it were imported."""
    place = tmp_path / "ada"
    place.mkdir()
    (place / "dqn.py").write_text("raise SystemExit('imported')\n")
    return place


def test_folder_and_file_are_the_same_hand_in(folder):
    """A folder or the file in it: the same source, the same hash."""
    by_folder, by_file = take(str(folder)), take(str(folder / "dqn.py"))
    source = (folder / "dqn.py").read_bytes()
    for submission in (by_folder, by_file):
        assert submission.source == source
        assert submission.sha256 == hashlib.sha256(source).hexdigest()
        assert submission.problem is None
    assert (by_folder.name, by_file.name) == ("ada", "dqn.py")


def test_any_python_file(folder):
    """A file of another name can be graded: downloads are renamed."""
    (folder / "dqn.py").rename(folder / "dqn (1).py")
    assert take(str(folder / "dqn (1).py")).problem is None


def test_nothing_is_imported(folder):
    """Reading a hand-in does not run it."""
    take(str(folder))
    assert "dqn" not in sys.modules


def test_graded_is_what_was_read(folder):
    """A file that changes after it was read does not change the hand-in."""
    submission = take(str(folder))
    before = submission.sha256
    (folder / "dqn.py").write_text("x = 1\n")
    assert submission.sha256 == before


@pytest.mark.parametrize("name", ["nowhere", "ada/dqn.txt", "x" * 5000])
def test_nothing_there(tmp_path, folder, name):
    """A path where nothing is is a usage error that shows it."""
    with pytest.raises(UsageError, match=name[:20]):
        take(str(tmp_path / name))


def problem_of(path) -> str:
    """The problem of a hand-in that cannot be run."""
    problem = take(str(path)).problem
    assert problem
    return problem


def test_folder_without_the_file(folder):
    """The message names the file that is missing and the folder."""
    (folder / "dqn.py").rename(folder / "dqn.py.txt")
    assert "dqn.py" in problem_of(folder)
    assert "ada" in problem_of(folder)


@pytest.mark.parametrize("place", ["starter", "repo/starter", "a/b/c"])
def test_nearest_to_the_top(tmp_path, place):
    """A whole repository can be handed in: the file nearest to the top is taken."""
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


def test_too_far_down(tmp_path):
    """A folder is not searched without end."""
    place = tmp_path / "a/b/c/d"
    place.mkdir(parents=True)
    (place / "dqn.py").write_text("x = 1\n")
    assert "there is no dqn.py in the folder" in problem_of(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_links_between_folders(tmp_path):
    """Links are not followed when a folder is searched, so none leads out or round."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "dqn.py").write_text("x = 1\n")
    inside = tmp_path / "ada"
    inside.mkdir()
    (inside / "out").symlink_to("../outside")
    (inside / "round").symlink_to(".")
    assert "there is no dqn.py in the folder 'ada'" in problem_of(inside)


def test_not_python(folder):
    """Another kind of file is no hand-in, and is not read."""
    other = folder / "report.pdf"
    other.write_bytes(b"%PDF")
    assert "report.pdf" in problem_of(other)
    assert take(str(other)).source == b""


@pytest.mark.parametrize("text", ["", "\n \n\t\n"])
def test_empty(folder, text):
    """An empty file is called that."""
    (folder / "dqn.py").write_text(text)
    assert problem_of(folder) == "dqn.py is empty"


def test_not_utf8(folder):
    """Text in another encoding: the message names the line."""
    (folder / "dqn.py").write_bytes("x = 1\n# größer\n".encode("latin-1"))
    assert "UTF-8" in problem_of(folder)
    assert "line 2" in problem_of(folder)


def test_utf8_with_signature(folder):
    """A byte order mark, which some editors write, is no mistake."""
    (folder / "dqn.py").write_bytes("\ufeffx = 1\n".encode())
    assert take(str(folder)).problem is None


def test_too_large(folder):
    """A file of many megabytes is refused, and not even read to its end."""
    (folder / "dqn.py").write_bytes(b"#" * (MAX_BYTES + 1))
    assert "1 MiB" in problem_of(folder)
    assert len(take(str(folder)).source) <= MAX_BYTES
    (folder / "dqn.py").write_bytes(b"#" * MAX_BYTES)
    assert take(str(folder)).problem is None


def make_fifo(path):
    """A pipe: opening it would wait for ever."""
    os.mkfifo(path)


def make_folder(path):
    """A folder that is called dqn.py."""
    path.mkdir()


def make_link(path):
    """A link to a file that the student may not read, but the grader may."""
    secret = path.with_name("secret.py")
    secret.write_text("SECRET = 1\n")
    path.symlink_to(secret)


def make_dangling_link(path):
    """A link to nothing."""
    path.symlink_to("/no/such/file")


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and links")
@pytest.mark.parametrize(
    "make", [make_fifo, make_folder, make_link, make_dangling_link]
)
def test_not_a_regular_file(folder, make):
    """A pipe, a folder or a link in the place of dqn.py is refused at once."""
    (folder / "dqn.py").unlink()
    make(folder / "dqn.py")
    assert "dqn.py" in problem_of(folder)
    assert take(str(folder)).source == b""


def test_link_is_called_one(folder):
    """The message on a link says what is wrong in plain words."""
    (folder / "dqn.py").unlink()
    make_link(folder / "dqn.py")
    assert "link" in problem_of(folder)
    assert "levels" not in problem_of(folder)


def test_link_to_the_folder(folder, tmp_path):
    """The path that was typed may lead over links: it is the grader's own."""
    (tmp_path / "shortcut").symlink_to(folder)
    assert take(str(tmp_path / "shortcut")).problem is None
