"""Tell which files and folders can be hand-ins, and which one of several is best."""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from grader.intake.names import (
    FILE,
    NOTEBOOK,
    PYTHON,
    SUPPLIED,
    ZIP,
    stem_of,
    suffix_of,
)
from grader.intake.take import is_untouched, is_worked_on

KINDS = (PYTHON, NOTEBOOK, ZIP)  # the suffixes of hand-ins
# The grader cannot read these archives. But they are hand-ins, and have to be reported
# as not read.
ARCHIVES = {".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zst"}
GRADESCOPE = "submission_metadata.yml"
JUNK = {"__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini", GRADESCOPE}
# Names that every student's file has, so they do not say whose file it is.
NOBODYS = {*SUPPLIED, Path(FILE).stem}

_AGAIN = re.compile(r"-(\d+)$")  # Canvas adds -1, -2, ... for later tries


def listing(folder: Path) -> list[os.DirEntry[str]]:
    """Return a folder's entries, sorted by name.

    Hidden entries and those that programs make, such as `__MACOSX`, are left out.

    Raises:
        OSError: the folder cannot be read.
    """
    with os.scandir(folder) as entries:
        kept = [e for e in entries if e.name[0] != "." and e.name not in JUNK]
    return sorted(kept, key=lambda entry: os.fsencode(entry.name))


def listing_or_nothing(folder: Path) -> list[os.DirEntry[str]]:
    """Return the result of `listing`; [] if the folder cannot be read."""
    try:
        return listing(folder)
    except OSError:
        return []


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder, and no link to one."""
    return entry.is_dir(follow_symlinks=False)


def matches(
    pattern: re.Pattern[str], entries: Iterable[os.DirEntry[str]]
) -> dict[str, re.Match[str]]:
    """Return the names that a pattern matches as a whole, each with its match.

    A file is left out if its match has no text for the pattern's group `file`. A folder
    is left out if its match has text for this group.
    """
    found = {}
    for entry in entries:
        match = pattern.fullmatch(entry.name)
        if match and is_folder(entry) != bool(match["file"]):
            found[entry.name] = match
    return found


def is_hand_in(file: str) -> bool:
    """Return whether a file's name is that of a hand-in: `bo.py`, also `bo.py.txt`.

    It is so if one of the last two suffixes is .py, .ipynb or .zip, or if the last one
    is that of an archive that the grader cannot read, as in `bo.rar`.
    """
    last = [suffix.lower() for suffix in Path(file).suffixes[-2:]]
    return bool({*last} & {*KINDS}) or not ARCHIVES.isdisjoint(last[-1:])


def owner_of_file(name: str) -> str:
    """Return the owner's name: the file's name without suffixes, "bo" for "bo.py".

    The last suffix is removed, and so are suffixes of hand-ins and archives before it:
    "bo.tar.gz" gives "bo". Any other suffix is kept: "bo.li.py" gives "bo.li".
    """
    path = Path(name)
    while Path(path.stem).suffix.lower() in {*KINDS, *ARCHIVES}:  # as in bo.tar.gz
        path = Path(path.stem)
    return path.stem


class Rank(NamedTuple):
    """A sort key for the files that one student has handed in at the same time.

    The file with the largest key is graded: the one that the intake would take if the
    files lay in a folder. The intake would refuse several files of equal rank; of these
    the last one is graded, first by `again`, then by `file`.

    Attributes:
        known: whether the file's suffix is that of a hand-in that can be read.
        own: whether the file is no Python file that every student got.
        worked: whether the student has written something in the file.
        right: whether the file is a Python file or a notebook with the name `dqn`.
        kind: 3 for `dqn.py`, 2 for a notebook, 1 for any other Python file, 0 for an
            archive.
        again: the number of a later try.
        file: the file's name.
    """

    known: bool
    own: bool
    worked: bool
    right: bool
    kind: int
    again: int
    file: str


def rank(file: str, *, worked: bool = False) -> Rank:
    """Return the sort key of a file.

    Args:
        file: the file's name as the student chose it. For later tries, Canvas adds -1,
            -2 and so on.
        worked: whether the student has written something in the file.
    """
    again = _AGAIN.search(Path(file).stem)
    suffix = suffix_of(file)
    known, own = suffix in KINDS, suffix != PYTHON or stem_of(file) not in SUPPLIED
    right = suffix in (PYTHON, NOTEBOOK) and stem_of(file) == stem_of(FILE)
    kind = (ZIP, PYTHON, NOTEBOOK).index(suffix) if known else 0
    kind += 2 * (right and suffix == PYTHON)
    return Rank(known, own, worked, right, kind, int(again[1]) if again else 0, file)


def ranks_of(files: Mapping[Path, str]) -> dict[Path, Rank]:
    """Return the sort keys of the files that one student has handed in.

    A notebook that every student got is left out if there is another notebook.

    Args:
        files: the files' names as the student chose them, by path.
    """
    notebooks = {p for p, file in files.items() if suffix_of(file) == NOTEBOOK}
    supplied = {path for path in notebooks if stem_of(files[path]) in SUPPLIED}
    if supplied == notebooks:
        supplied = set()
    return {p: rank_of(p, file) for p, file in files.items() if p not in supplied}


def rank_of(path: Path, file: str) -> Rank:
    """Return the sort key of a file after a look into it.

    Args:
        path: the path of the file.
        file: the file's name as the student chose it.
    """
    worked = False
    # An error is reported when the hand-in is read. Here, all others are still found.
    with contextlib.suppress(Exception):
        worked = suffix_of(file) in KINDS and is_worked_on(path, file)
    return rank(file, worked=worked)


def is_blank(path: Path, file: str) -> bool:
    """Return whether a student wrote nothing in a hand-in; False if it was not read.

    Args:
        path: the path of the file.
        file: the file's name as the student chose it.
    """
    with contextlib.suppress(Exception):  # reported when the hand-in is read
        return suffix_of(file) in KINDS and is_untouched(path, file)
    return False


def place_in(folder: Path) -> Path:
    """Return the path to grade for a hand-in's folder: the folder, or its only file.

    The result is the only file if it is a Python file with another name than `dqn.py`,
    a notebook or a zip archive. In all other cases the result is the folder.
    """
    if os.path.lexists(folder / FILE):
        return folder
    found = listing_or_nothing(folder)
    if len(found) == 1 and found[0].is_file(follow_symlinks=False):
        file = Path(found[0].path)
        return file if suffix_of(file.name) in KINDS else folder
    return folder


def hand_ins_below(folder: Path) -> Iterator[Path]:
    """Yield the path of each possible hand-in, a file at any depth in a folder."""
    for where, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if f[0] != "." and f not in JUNK]
        yield from (Path(where, f) for f in files if f[0] != "." and is_hand_in(f))


def is_nobodys(file: str) -> bool:
    """Return whether a name is that of a hand-in, but does not say whose: `dqn.py`."""
    return is_hand_in(file) and stem_of(file) in NOBODYS
