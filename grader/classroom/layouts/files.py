"""Tell by their names which files and folders can be hand-ins."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from grader.intake.names import FILE, SUPPLIED, stem_of

KINDS = (".py", ".ipynb", ".zip")  # the suffixes of hand-ins, the preferred one first
# The grader cannot read these archives. But they are hand-ins, and have to be reported
# as not read.
ARCHIVES = {".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zst"}
GRADESCOPE = "submission_metadata.yml"
NO_HAND_IN = {"__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini", GRADESCOPE}
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
        kept = [e for e in entries if e.name[0] != "." and e.name not in NO_HAND_IN]
    return sorted(kept, key=lambda entry: os.fsencode(entry.name))


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


def rank(file: str) -> tuple[bool, bool, bool, int, int, str]:
    """Return a sort key for the files that one student has handed in at the same time.

    The file with the largest key is graded. The keys are compared in this order:

    - A `.py`, `.ipynb` or `.zip` file is larger than any other file.
    - A file that every student got, such as `agent.py`, is smaller than other files.
    - A file with the name `dqn` is larger than a file with another name.
    - `.py` is larger than `.ipynb`, and `.ipynb` is larger than `.zip`.
    - A later try is larger than an earlier one.

    Args:
        file: the file's name as the student chose it. For later tries, Canvas adds -1,
            -2 and so on.
    """
    name = Path(file)
    again = _AGAIN.search(name.stem)
    stem = _AGAIN.sub("", name.stem).lower()
    suffix = name.suffix.lower()
    known = suffix in KINDS
    kind = -KINDS.index(suffix) if known else 0
    own, right = stem not in SUPPLIED, stem == Path(FILE).stem
    return known, own, right, kind, int(again[1]) if again else 0, file


def place_in(folder: Path) -> Path:
    """Return the path to grade for a hand-in's folder: the folder, or its only file.

    The result is the only file if it is a `.py` file with another name than `dqn.py`, a
    notebook or a zip archive. In all other cases the result is the folder.
    """
    if os.path.lexists(folder / FILE):
        return folder
    try:
        found = listing(folder)
    except OSError:
        return folder
    if len(found) == 1 and found[0].is_file(follow_symlinks=False):
        file = Path(found[0].path)
        return file if file.suffix.lower() in KINDS else folder
    return folder


def hand_ins_below(folder: Path) -> Iterator[Path]:
    """Yield the path of each possible hand-in, a file at any depth in a folder."""
    for where, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if f[0] != "." and f not in NO_HAND_IN]
        yield from (Path(where, f) for f in files if f[0] != "." and is_hand_in(f))


def is_nobodys(file: str) -> bool:
    """Return whether a name is that of a hand-in, but does not say whose: `dqn.py`."""
    return is_hand_in(file) and stem_of(file) in NOBODYS
