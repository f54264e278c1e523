"""Take a hand-in in: find `dqn.py`, read it once, never import it.

It comes as the file itself, as a notebook, or as a folder or a zip archive that holds
one of them. Where there is no `dqn.py`, what is there is taken if it can be nothing
else, or named. A hand-in that cannot be used is one with a `problem`: it has no points.
"""

import bisect
import contextlib
import errno
import hashlib
import itertools
import os
import re
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from grader.contract.exercises import WRITTEN
from grader.contract.outcomes import UsageError, Wrong
from grader.escape import plain
from grader.intake import contents, notebook
from grader.intake.archive import MAX_ARCHIVE, Archive
from grader.intake.notebook import MAX_NOTEBOOK

FILE = "dqn.py"
PYTHON, NOTEBOOK, ZIP = ".py", ".ipynb", ".zip"
# The other files that students get, and what `%grade` writes: nobody's hand-in.
SUPPLIED = {"agent", "train", "watch", "notebook", "graded", "__init__"}
# What programs add to the name of a copy: "dqn (1).py", "dqn-1.py", "Copy of dqn.py".
COPY = re.compile(r"^((copy of|kopie von) )+|( ?\(\d+\)|[-_ ]\d+|[-_ ]+(copy|kopie))+$")
# A part of the contract, and what stands in one that was not written.
PART = re.compile(
    rf"^({'|'.join(f'{part.keyword} {part.name}' for part in WRITTEN)})\b", re.M
)
STUB = re.compile(r"raise NotImplementedError\(\s*[\"']Exercise \d")
STUBS = 12  # in what students get
MAX_BYTES = 1 << 20
# How far a folder is searched.
MAX_DEPTH = 4
MAX_NAMES = 10_000
MAX_COMPARED = 8  # files of one kind that are read to find the one that was worked on
MAX_SHOWN = 3  # names in a message
HEAD = 512  # bytes in which a file's kind shows

Read = Callable[[int], bytes]  # of a file, at most one byte more than a limit


@dataclass(frozen=True)
class Submission:
    """One hand-in, as it was read; what is graded is this and not the file.

    Attributes:
        name: for the report.
        source: the bytes of `dqn.py`.
        problem: why there is nothing to run, in words for the student; else None.
        path: of the Python file that was read, for a debugger; graded is `source`.
        cells: of a notebook, the number of each cell's first line, from 0.
        notes: sentences on what was taken and why, and on what stands in it.
        exported: whether a notebook was saved as this Python file; it runs like one.
    """

    name: str
    source: bytes
    problem: str | None = None
    path: Path | None = None
    cells: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    exported: bool = False

    @property
    def sha256(self) -> str:
        """Hash of what was graded, in hex."""
        return hashlib.sha256(self.source).hexdigest()

    @property
    def text(self) -> str:
        """What is run, and shown where a message shows a line."""
        return contents.decoded(self.source)

    @property
    def untouched(self) -> bool:
        """Whether nothing has been written: it is empty, or all its parts are stubs."""
        return not self.source.strip() or len(STUB.findall(self.text)) >= STUBS

    @property
    def has_parts(self) -> bool:
        """Whether a part of the contract stands in it."""
        return not self.problem and bool(PART.search(self.text))

    def locate(self, text: str) -> str:
        """The text, with cells in the place of lines of a `dqn.py` that nobody has."""
        if self.exported or not self.cells:
            return text

        def place(found: re.Match[str]) -> str:
            number, line = self.cell_of(int(found[1]))
            return f"cell {number}, line {line}"

        return re.sub(r"\bdqn\.py(?:, line |:)(\d{1,7})\b", place, text)

    def cell_of(self, line: int) -> tuple[int, int]:
        """The cell in which a line of the source is, and its number there, from 1."""
        number = max(bisect.bisect(self.cells, line - 1), 1)
        return number, line - self.cells[number - 1]


@dataclass(frozen=True)
class Place:
    """A folder or an archive in which a hand-in is looked for.

    Attributes:
        where: it is, for messages.
        paths: of all that is in it.
        read: the bytes of the file at a path, at most one more than a limit.
        folder: that it is, if it is one.
    """

    where: str
    paths: list[PurePosixPath]
    read: Callable[[PurePosixPath, int], bytes]
    folder: Path | None = None

    def file(self, path: PurePosixPath, name: str) -> Submission:
        """The hand-in that is one of its files.

        Raises:
            Wrong: it cannot be read.
        """
        own = self.folder / path if self.folder else None
        if own is None and leads_out(path):
            raise Wrong(f"{shown(path)} {self.where} leads out of it")
        return from_file(shown(path), lambda n: self.read(path, n), name, own)

    def worked_on(self, path: PurePosixPath) -> bool:
        """Whether it is a file with a student's work; one that has the name may be."""
        meant = stem_of(path.name) == stem_of(FILE)
        try:
            found = self.file(path, "")
        except Wrong:  # and who hands it in is to be told why
            return meant or suffix_of(path.name) == NOTEBOOK
        return not found.untouched and (meant or found.has_parts)


def take(path: str) -> Submission:
    """Read the hand-in at a path: a folder, `dqn.py`, a zip archive, a notebook.

    Raises:
        UsageError: there is nothing at the path.
    """
    place = Path(path)
    if not os.path.exists(path):  # unlike Path's, never raises
        told = plain(path, 200)
        raise UsageError(f"no hand-in at {told!r}: there is no such file or folder")
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

        def read(path: PurePosixPath, limit: int) -> bytes:
            return read_regular_file(place / path, limit, shown(path))

        where = f"in the folder {name!r}"
        return from_place(Place(where, paths_in(place), read, place), name)

    def read_it(limit: int) -> bytes:
        return read_regular_file(place, limit, name)

    if suffix_of(name) == ZIP or contents.kind_of(read_it(HEAD)) == contents.ZIP:
        return from_place(opened(read_it, name), name)
    if suffix_of(name) == PYTHON and stem_of(name) in SUPPLIED:
        raise Wrong(f"{name} is one of the files that you got: hand in {FILE}")
    return from_file(in_one_line(place.name), read_it, name, place)


def opened(read: Read, name: str) -> Place:
    """The archive that a file is.

    Raises:
        Wrong: it is none.
    """
    kind = contents.kind_of(read(HEAD))
    if kind not in ("", contents.ZIP):
        words = f"{name} is no zip file but a {kind}"
        raise Wrong(f"{words}: hand in {FILE} or a zip archive")
    archive = Archive(read(MAX_ARCHIVE))
    return Place(f"in the archive {name!r}", archive.paths(), archive.read)


def from_place(place: Place, name: str, *, inner: bool = False) -> Submission:
    """The hand-in in a folder or an archive.

    Args:
        place: that is.
        name: for the report.
        inner: it came in an archive or a folder itself, and no other is opened.

    Raises:
        Wrong: there is none that could be read, or more than one.
    """
    paths = [path for path in place.paths if not is_junk(path)]
    zips = [path for path in paths if suffix_of(path.name) == ZIP]
    one_zip = len(zips) == 1 and not inner
    if groups := candidates(paths):
        path, why = chosen(place, groups)
        found = place.file(path, name)
        if found.untouched and one_zip:
            with contextlib.suppress(Wrong):
                packed = from_zip_in(place, zips[0], name)
                if not (packed.untouched or packed.problem):
                    note = f"in {shown(path)} nothing has been written"
                    return replace(packed, notes=(note, *packed.notes))
        return replace(found, notes=(*why, *found.notes))
    if one_zip:
        try:
            return from_zip_in(place, zips[0], name)
        except Wrong as why:
            words = f"there is no {FILE} {place.where}, but {shown(zips[0])}"
            raise Wrong(f"{words}: {why}") from None
    raise Wrong(f"there is no {FILE} {place.where}{instead(place, paths)}")


def from_zip_in(place: Place, path: PurePosixPath, name: str) -> Submission:
    """The hand-in in an archive that lies in a folder or an archive.

    Raises:
        Wrong: there is none that could be read.
    """
    if place.folder is None and leads_out(path):
        raise Wrong(f"{shown(path)} leads out of it")
    archive = opened(lambda n: place.read(path, n), shown(path))
    found = from_place(archive, name, inner=True)
    note = f"what is graded is {archive.where}, {place.where}"
    return replace(found, notes=(note, *found.notes))


def candidates(paths: list[PurePosixPath]) -> list[list[PurePosixPath]]:
    """The files that may be the hand-in, in groups of which the first is preferred.

    Python files called `dqn.py` or nearly so, those nearest to the top; notebooks, the
    same; other Python files. No group is empty.
    """
    exact = nearest(path for path in paths if path.name == FILE)
    folders = {path.parent for path in exact}
    exact = [p for p in paths if p.parent in folders and p.name.lower() == FILE]
    notebooks = [path for path in paths if suffix_of(path.name) == NOTEBOOK]
    written = [path for path in notebooks if stem_of(path.name) not in SUPPLIED]
    python = [path for path in paths if suffix_of(path.name) == PYTHON]
    own = [path for path in python if stem_of(path.name) not in SUPPLIED]
    named = exact or nearest(p for p in own if stem_of(p.name) == stem_of(FILE))
    others = [path for path in own if path not in named]
    groups = [named, nearest(written or notebooks), others]
    return [group for group in groups if group]


def chosen(
    place: Place, groups: list[list[PurePosixPath]]
) -> tuple[PurePosixPath, list[str]]:
    """The file that is graded, and a sentence on why where it could be another one.

    Raises:
        Wrong: more than one could be.
    """
    several = len(groups) > 1 or len(groups[0]) > 1
    worked = [
        [path for path in group if place.worked_on(path)]
        if several and len(group) <= MAX_COMPARED
        else []
        for group in groups
    ]
    best = next(filter(None, worked), groups[0])
    for group in groups[: worked.index(best)] if best in worked else []:
        if len(group) > MAX_COMPARED:  # one of these may be worked on as well
            words = f"there is more than one hand-in {place.where}"
            raise Wrong(f"{words} ({listing(sorted(group))}): keep one")
    if len(best) > 1:
        listed = listing(sorted(best))
        if suffix_of(best[0].name) == NOTEBOOK or {p.name for p in best} & {FILE}:
            words = f"there is more than one hand-in {place.where}"
            raise Wrong(f"{words} ({listed}): keep one")
        words = f"there is no {FILE} {place.where}, but {listed}"
        raise Wrong(f"{words}: call the one that is to be graded {FILE}")
    (path,) = best
    rivals = [p for group in worked for p in group if p != path]
    # Those that would have been taken, had something been written in there.
    ahead = itertools.chain(*groups[: worked.index(best) + 1 if best in worked else 0])
    blank = [p for p in ahead if p != path]
    reasons = []
    if suffix_of(path.name) == PYTHON and FILE not in {p.name for p in (path, *blank)}:
        reasons.append(f"there is no {FILE} {place.where}")
    if blank:
        reasons.append(f"in {listing(blank)} nothing has been written")
    if rivals:
        reasons.append(f"{listing(rivals)} was left aside")
    told = f"{shown(path)} was taken: {', '.join(reasons)}"
    return path, [told] if reasons else []


def instead(place: Place, paths: list[PurePosixPath]) -> str:
    """What is there where no hand-in is, and what to do about it; "" for nothing."""
    folders = {folder for path in paths for folder in path.parents}
    files = [path for path in paths if path not in folders]
    for path in files:
        if path.name.lower().endswith(".txt") and f"{stem_of(path.name)}.py" in (
            FILE,
            f"{FILE}.py",
        ):
            return f", but {shown(path)}: rename it to {FILE}"
    for path in files[:MAX_COMPARED]:
        with contextlib.suppress(Wrong):
            if kind := contents.kind_of(place.read(path, HEAD)):
                return f", but {shown(path)}, a {kind}: hand in {FILE} or a zip archive"
    own = [path for path in files if stem_of(path.name) not in SUPPLIED]
    if files and not own:
        return f", but {listing(files)}, which every student got"
    return f", but {listing(own)}" if own else ""


def from_file(file: str, read: Read, name: str, path: Path | None) -> Submission:
    """The hand-in that is a file, `dqn.py` or a notebook.

    Args:
        file: its name, for messages.
        read: its bytes.
        name: of the hand-in.
        path: of the file, if it lies in a folder.

    Raises:
        Wrong: it cannot be read.
    """
    kind, suffix = contents.kind_of(read(HEAD)), suffix_of(file)
    if kind == contents.NOTEBOOK or (suffix == NOTEBOOK and not kind):
        source = notebook.read(read(MAX_NOTEBOOK), file, MAX_BYTES)
        return with_notes(Submission(name, source.text.encode(), cells=source.starts))
    if kind:
        raise Wrong(f"{file} is a {kind}: hand in {FILE} or a notebook")
    if suffix != PYTHON:
        raise Wrong(
            f"{file!r} is neither a Python file nor a notebook or zip archive: "
            f"hand in {FILE}"
        )
    return from_source(read(MAX_BYTES), file, name, path)


def from_source(data: bytes, file: str, name: str, path: Path | None) -> Submission:
    """The hand-in that is a Python file with these contents."""
    if len(data) > MAX_BYTES:
        problem = f"{file} is larger than {MAX_BYTES >> 20} MiB"
        return Submission(name, data[:MAX_BYTES], problem)
    if why := contents.no_text(data):
        return Submission(name, data, f"{file} {why}")
    text, orders = notebook.exported(contents.decoded(data))
    cells = notebook.cells_in(text) or ((0,) if orders else ())
    notes: tuple[str, ...] = ()
    if orders:
        listed = ", ".join(map(str, orders[:MAX_SHOWN]))
        hidden = len(orders) - MAX_SHOWN
        more = f" and {hidden} more" if hidden > 0 else ""
        lines = "line" if len(orders) == 1 else "lines"
        told = f"orders to a notebook were left out of {file}: {lines} {listed}{more}"
        notes = (told,)
    source = text.encode() if orders else data
    exported = bool(cells)
    return with_notes(
        Submission(name, source, None, path, cells, notes, exported=exported)
    )


def with_notes(found: Submission) -> Submission:
    """The hand-in, with notes on what in its text reads otherwise than it runs."""
    notes = map(found.locate, contents.misleading(found.source))
    return replace(found, notes=(*found.notes, *notes))


def nearest(paths: Iterable[PurePosixPath]) -> list[PurePosixPath]:
    """Those of the paths that are nearest to the top."""
    found = list(paths)
    depth = min((len(path.parts) for path in found), default=0)
    return [path for path in found if len(path.parts) == depth]


def suffix_of(name: str) -> str:
    """The suffix of a file's name, whatever its case."""
    return PurePosixPath(name.strip()).suffix.lower()


def stem_of(name: str) -> str:
    """A file's name without its suffix, and without what is added to a copy's."""
    return COPY.sub("", PurePosixPath(name.strip()).stem.lower())


def shown(path: PurePosixPath) -> str:
    """A path in a hand-in, as messages show it."""
    return in_one_line(str(path))


def listing(paths: list[PurePosixPath]) -> str:
    """Some of these paths, in one line."""
    more = len(paths) - MAX_SHOWN
    names = ", ".join(map(shown, paths[:MAX_SHOWN]))
    return f"{names} and {more} more" if more > 0 else names


def is_junk(path: PurePosixPath) -> bool:
    """Whether it is what programs leave beside one's files."""
    hidden = (part for part in path.parts if part[:1] == "." and part != "..")
    return any(hidden) or "__MACOSX" in path.parts


def leads_out(path: PurePosixPath) -> bool:
    """Whether an archive's path would, unpacked, lie elsewhere."""
    drive = re.match("[A-Za-z]:", path.parts[0])
    return path.is_absolute() or ".." in path.parts or bool(drive)


def paths_in(folder: Path) -> list[PurePosixPath]:
    """The paths in a folder, from the top down, not far down, links not followed."""
    # First, for of a folder with very many files only some are listed.
    paths = [PurePosixPath(FILE)] if os.path.lexists(folder / FILE) else []
    level = [PurePosixPath()]
    for _ in range(MAX_DEPTH):
        folders = []
        for above in level:
            for entry in entries(folder / above):
                path = above / entry.name
                if is_junk(path):
                    continue
                if path != PurePosixPath(FILE):
                    paths.append(path)
                if entry.is_dir(follow_symlinks=False):
                    folders.append(path)
            if len(paths) >= MAX_NAMES:
                return paths
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
