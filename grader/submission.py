"""Take a hand-in in: find `dqn.py`, read it once, never import it.

It comes as the file itself, as a notebook, or as a folder or a zip archive that holds
one of them. Nothing else in there is looked at. A hand-in that cannot be used is one
with a `problem`; it is graded like any other, and has no points.
"""

import bisect
import errno
import hashlib
import itertools
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader import notebook
from grader.archive import MAX_ARCHIVE, Archive
from grader.escape import plain
from grader.notebook import MAX_NOTEBOOK
from grader.outcomes import Wrong

FILE = "dqn.py"
NOTEBOOK = ".ipynb"
MAX_BYTES = 1 << 20
# How far a folder is searched.
MAX_DEPTH = 4
MAX_NAMES = 10_000


class UsageError(Exception):
    """What was asked for on the command line does not exist or makes no sense."""


@dataclass(frozen=True)
class Submission:
    """One hand-in, as it was read; what is graded is this and not the file.

    Attributes:
        name: for the report.
        source: the bytes of `dqn.py`.
        problem: why there is nothing to run, in words for the student; else None.
        path: of the Python file that was read, for a debugger; graded is `source`.
        cells: of a notebook, the number of each cell's first line, from 0.
    """

    name: str
    source: bytes
    problem: str | None = None
    path: Path | None = None
    cells: tuple[int, ...] = ()

    @property
    def sha256(self) -> str:
        """Hash of what was graded, in hex."""
        return hashlib.sha256(self.source).hexdigest()

    def locate(self, text: str) -> str:
        """The text, with cells in the place of lines of a `dqn.py` that nobody has."""
        if not self.cells:
            return text

        def place(found: re.Match[str]) -> str:
            line = int(found[1]) - 1
            number = max(bisect.bisect(self.cells, line), 1)
            return f"cell {number}, line {line - self.cells[number - 1] + 1}"

        return re.sub(r"\bdqn\.py(?:, line |:)(\d{1,7})\b", place, text)


def take(path: str) -> Submission:
    """Read the hand-in at a path: a folder, `dqn.py`, a zip archive, a notebook.

    Raises:
        UsageError: there is nothing at the path.
    """
    place = Path(path)
    if not os.path.exists(path):  # unlike Path's, never raises
        shown = plain(path, 200)
        raise UsageError(f"no hand-in at {shown!r}: there is no such file or folder")
    name = in_one_line(place.resolve().name)
    try:
        return taken(place, name)
    except Wrong as problem:
        return Submission(name, b"", str(problem))


def taken(place: Path, name: str) -> Submission:
    """The hand-in at a place.

    Raises:
        Wrong: there is none that could be read.
    """
    if place.is_dir():
        where = f"in the folder {name!r}"
        found = chosen(paths_in(place), where)
        return from_file(place / found, name)
    if place.suffix.lower() == ".zip":
        archive = Archive(read_regular_file(place, MAX_ARCHIVE, name))
        found = chosen(archive.paths(), f"in the archive {name!r}")
        if is_notebook(found.name):
            return from_notebook(archive.read(found, MAX_NOTEBOOK), found.name, name)
        return from_source(archive.read(found, MAX_BYTES), name)
    if not is_notebook(name) and place.suffix.lower() != ".py":
        raise Wrong(
            f"{name!r} is neither a Python file nor a notebook or zip archive: "
            f"hand in {FILE}"
        )
    return from_file(place, name)


def from_file(place: Path, name: str) -> Submission:
    """The hand-in that is this file, `dqn.py` or a notebook.

    Raises:
        Wrong: it cannot be read.
    """
    if is_notebook(place.name):
        shown = in_one_line(place.name)
        return from_notebook(
            read_regular_file(place, MAX_NOTEBOOK, shown), place.name, name
        )
    return from_source(read_regular_file(place, MAX_BYTES, FILE), name, place)


def from_notebook(data: bytes, file: str, name: str) -> Submission:
    """The hand-in that stands in the cells of a notebook, a file of that name.

    Raises:
        Wrong: it is no notebook.
    """
    source = notebook.read(data, in_one_line(file), MAX_BYTES)
    return Submission(name, source.text.encode(), cells=source.starts)


def from_source(source: bytes, name: str, path: Path | None = None) -> Submission:
    """The hand-in with this text."""
    problem = None
    if len(source) > MAX_BYTES:
        source = source[:MAX_BYTES]
        problem = f"{FILE} is larger than {MAX_BYTES >> 20} MiB"
    else:
        try:
            if not source.decode("utf-8").strip():
                problem = f"{FILE} is empty"
        except UnicodeDecodeError as error:
            line = source[: error.start].count(b"\n") + 1
            problem = f"{FILE} is not UTF-8 text (line {line}): save it as UTF-8"
    return Submission(name, source, problem, None if problem else path)


def chosen(paths: list[PurePosixPath], where: str) -> PurePosixPath:
    """The one of these paths that is graded: the `dqn.py` nearest to the top.

    Where there is none, the notebook nearest to the top.

    Args:
        paths: of all that is in a folder or an archive.
        where: that is, for messages.

    Raises:
        Wrong: there is none, or more than one.
    """
    paths = [path for path in paths if not is_junk(path)]
    for wanted, alike in ((is_source, is_nearly_source), (is_notebook, is_notebook)):
        found = [path for path in paths if wanted(path.name)]
        depth = min((len(path.parts) for path in found), default=0)
        folders = {path.parent for path in found if len(path.parts) == depth}
        nearest = [p for p in paths if p.parent in folders and alike(p.name)]
        if len(nearest) > 1:
            shown = ", ".join(in_one_line(str(path)) for path in sorted(nearest)[:3])
            raise Wrong(f"there is more than one hand-in {where} ({shown}): keep one")
        if nearest and leads_out(nearest[0]):
            raise Wrong(f"{in_one_line(str(nearest[0]))} {where} leads out of it")
        if nearest:
            return nearest[0]
    raise Wrong(f"there is no {FILE} {where}")


def is_source(name: str) -> bool:
    """Whether a name is that of the file."""
    return name == FILE


def is_nearly_source(name: str) -> bool:
    """Whether some systems mix a name up with that of the file."""
    return name.lower() == FILE


def is_notebook(name: str) -> bool:
    """Whether a name is one of a notebook."""
    return name.lower().endswith(NOTEBOOK)


def is_junk(path: PurePosixPath) -> bool:
    """Whether it is what programs leave beside one's files."""
    hidden = (part for part in path.parts if part[:1] == "." and part != "..")
    return any(hidden) or "__MACOSX" in path.parts


def leads_out(path: PurePosixPath) -> bool:
    """Whether an archive's path would, unpacked, lie elsewhere."""
    return path.is_absolute() or ".." in path.parts or ":" in path.parts[0]


def paths_in(folder: Path) -> list[PurePosixPath]:
    """The paths in a folder, from the top down, links not followed.

    It ends with the level on which there is a `dqn.py`, and not far down.
    """
    if os.path.lexists(folder / FILE):
        return [PurePosixPath(FILE)]
    paths: list[PurePosixPath] = []
    level = [PurePosixPath()]
    for _ in range(MAX_DEPTH):
        folders = []
        for above in level:
            for entry in entries(folder / above):
                path = above / entry.name
                if is_junk(path):
                    continue
                paths.append(path)
                if entry.is_dir(follow_symlinks=False):
                    folders.append(path)
            if len(paths) >= MAX_NAMES:
                return paths
        if any(path.name == FILE for path in paths):
            break
        level = folders
    return paths


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder, by name; nothing where it may not be read."""
    try:
        with os.scandir(folder) as found:
            some = itertools.islice(found, MAX_NAMES)
            return sorted(some, key=lambda entry: entry.name)
    except OSError:
        return []


def read_regular_file(path: Path, limit: int, name: str) -> bytes:
    """At most one byte more than `limit` of a regular file; never waits.

    Raises:
        Wrong: no such file, or a link, a pipe or a device.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError as error:
        why = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise Wrong(f"{name} cannot be read: {why}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Wrong(f"{name} cannot be read: it is not a regular file")
    with os.fdopen(handle, "rb") as file:
        return file.read(limit + 1)


def in_one_line(name: str) -> str:
    """A file's name as it is shown."""
    return plain(name, 100).replace("\n", "�")
