"""Find the hand-ins in a folder, and read their owners from the names of the files.

The known layouts are exports of Gradescope, downloads from Canvas and Moodle, and
folders and files with any names. This module does not read the contents of a hand-in.
"""

import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.contract.outcomes import UsageError
from grader.intake.names import FILE

KINDS = (".py", ".ipynb", ".zip")  # the suffixes of hand-ins, the preferred one first
# The grader cannot read these archives. But they are hand-ins, and have to be reported
# as not read.
ARCHIVES = {".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zst"}
GRADESCOPE = "submission_metadata.yml"
NO_HAND_IN = {"__MACOSX", "__pycache__", "Thumbs.db", GRADESCOPE}

_CANVAS = re.compile(
    r"(?P<name>[^_]+)_(?P<late>late_)?(?P<canvas>\d+)_\d+_(?P<file>.+)", re.I | re.S
)
_AGAIN = re.compile(r"-(\d+)$")  # Canvas adds -1, -2, ... for later tries
_MOODLE = re.compile(r"(?P<name>.+)_(?P<moodle>\d+)_assignsubmission_file_?", re.S)
_MOODLE_TEXT = re.compile(r".+_\d+_assignsubmission_onlinetext_?", re.S)


@dataclass(frozen=True)
class Owner:
    """A person who handed in.

    Attributes:
        name: the person's name in the download.
        ids: the person's known identifiers by kind. The kinds are "canvas", "moodle"
            (participant number), "email", "sid" (student ID) and "login".
    """

    name: str
    ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HandIn:
    """One hand-in in a download: its path and its owners.

    Attributes:
        path: the path to grade: the hand-in's file or folder, or the only file in this
            folder (see `place_in`).
        entry: the unique name of the hand-in's file or folder in the download.
        owners: one person, or the members of a group.
        late: whether the download says that the hand-in was late.
        group: the name of the group in the download; "" if one person handed in.
    """

    path: Path
    entry: str
    owners: tuple[Owner, ...]
    late: bool = False
    group: str = ""


@dataclass
class Found:
    """The hand-ins in a folder, and the files that are not hand-ins.

    Attributes:
        hand_ins: the hand-ins, sorted by name.
        ignored: for each file or folder that is no hand-in, its name and the reason.
    """

    hand_ins: list[HandIn] = field(default_factory=list)
    ignored: list[tuple[str, str]] = field(default_factory=list)


def find(folder: Path) -> Found:
    """Return the hand-ins in a folder, and the files that are not hand-ins.

    Hidden files, and files that programs make, such as `__MACOSX`, are in neither of
    the two lists.

    Args:
        folder: the folder of all hand-ins, as it was downloaded.

    Raises:
        UsageError: the folder cannot be read, or holds no hand-in.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda e: os.fsencode(e.name))
    except OSError as error:
        words = f"SUBMISSIONS={str(folder)!r} cannot be read: {error.strerror}"
        raise UsageError(words) from None
    entries = [e for e in entries if e.name[0] != "." and e.name not in NO_HAND_IN]
    found = Found()
    submitters = gradescope_submitters(folder / GRADESCOPE)
    canvas: dict[tuple[str, str], list[tuple[os.DirEntry, re.Match]]] = {}
    for entry in entries:
        if entry.is_symlink():
            found.ignored.append((entry.name, "it is a link"))
        elif entry.is_dir():
            if _MOODLE_TEXT.fullmatch(entry.name):
                found.ignored.append((entry.name, "a text written into Moodle"))
                continue
            path = place_in(Path(entry.path))
            owners = submitters.get(entry.name) or (owner_of_folder(entry.name),)
            found.hand_ins.append(HandIn(path, entry.name, owners))
        elif match := _CANVAS.fullmatch(entry.name):
            who = match["name"], match["canvas"]
            canvas.setdefault(who, []).append((entry, match))
        elif not is_hand_in(entry.name):
            found.ignored.append((entry.name, f"neither {', '.join(KINDS)} nor folder"))
        else:
            name = owner_of_file(entry.name)
            owner = Owner(name, {"login": name})
            found.hand_ins.append(HandIn(Path(entry.path), entry.name, (owner,)))
    for (name, number), files in canvas.items():
        *others, (entry, match) = sorted(files, key=lambda file: rank(file[1]["file"]))
        why = f"the same student's {match['file']} counts"
        found.ignored += [(other.name, why) for other, _ in others]
        owner = Owner(name, {"canvas": number})
        late = bool(match["late"])
        found.hand_ins.append(HandIn(Path(entry.path), entry.name, (owner,), late))
    found.hand_ins.sort(key=lambda hand_in: os.fsencode(hand_in.entry))
    if not found.hand_ins:
        raise UsageError(
            f"SUBMISSIONS={str(folder)!r} holds no hand-in: no folder, "
            f"and no file that ends in {', '.join(KINDS)}"
        )
    return found


def is_hand_in(file: str) -> bool:
    """Return whether a file's name is that of a hand-in: `bo.py`, also `bo.py.txt`.

    Archives that the grader cannot read, such as `bo.rar`, count as hand-ins.
    """
    last = [suffix.lower() for suffix in Path(file).suffixes[-2:]]
    return bool({*last} & {*KINDS}) or not ARCHIVES.isdisjoint(last[-1:])


def owner_of_file(name: str) -> str:
    """Return the owner's name: the file's name without suffixes, "bo" for "bo.py"."""
    path = Path(name)
    while Path(path.stem).suffix.lower() in {*KINDS, *ARCHIVES}:  # as in bo.tar.gz
        path = Path(path.stem)
    return path.stem


def rank(file: str) -> tuple[bool, bool, int, int, str]:
    """Return a sort key for the files that one student has put into Canvas.

    The file with the largest key is graded. The keys are compared in this order:

    - A `.py`, `.ipynb` or `.zip` file is larger than any other file.
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
    right = stem == Path(FILE).stem
    return known, right, kind, int(again[1]) if again else 0, file


def place_in(folder: Path) -> Path:
    """Return the path to grade for a hand-in's folder: the folder, or its only file.

    The result is the only file if it is a `.py` file with another name than `dqn.py`, a
    notebook or a zip archive. In all other cases the result is the folder.
    """
    if os.path.lexists(folder / FILE):
        return folder
    try:
        with os.scandir(folder) as entries:
            found = [
                e for e in entries if e.name[0] != "." and e.name not in NO_HAND_IN
            ]
    except OSError:
        return folder
    if len(found) == 1 and found[0].is_file(follow_symlinks=False):
        file = Path(found[0].path)
        return file if file.suffix.lower() in KINDS else folder
    return folder


def owner_of_folder(name: str) -> Owner:
    """Return the owner of a folder, from the folder's name."""
    if match := _MOODLE.fullmatch(name):
        return Owner(match["name"], {"moodle": match["moodle"]})
    return Owner(name, {"login": name})


def gradescope_submitters(path: Path) -> dict[str, tuple[Owner, ...]]:
    """Return the owners of each hand-in in an export of Gradescope, by folder name.

    Args:
        path: the path of Gradescope's file of metadata. If the file is missing, the
            result is {}.

    Raises:
        UsageError: the file exists, but cannot be read or does not come from
            Gradescope. Or PyYAML is not installed.
    """
    if not path.is_file():
        return {}
    try:
        import yaml
    except ImportError:
        raise UsageError(
            f"{GRADESCOPE} is read with PyYAML, which is not installed "
            "(`make grade-class` installs it)"
        ) from None
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        words = str(error).partition("\n")[0]
        raise UsageError(f"{path} cannot be read: {words}") from None
    if not isinstance(document, dict):
        raise UsageError(f"{path} is not what Gradescope exports: no submissions in it")
    return {
        str(folder): owners
        for folder, about in document.items()
        if (owners := tuple(submitters_of(about)))
    }


def submitters_of(about: Any) -> Iterator[Owner]:
    """Yield the owners of one hand-in in Gradescope's metadata.

    Args:
        about: the metadata's entry for the hand-in. If the entry does not have the
            expected form, nothing is yielded.
    """
    people = about.get(":submitters") if isinstance(about, dict) else None
    for person in people if isinstance(people, list) else []:
        if isinstance(person, dict):
            told = {key: person.get(f":{key}") for key in ("name", "email", "sid")}
            known = {key: str(value) for key, value in told.items() if value}
            name = known.pop("name", "") or known.get("email", "")
            yield Owner(name, known)


def normal_name(name: str) -> str:
    """Return a name in a form for comparisons: equal for "Doe, Jané" and "jane doe"."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    kept = (c for c in plain if not unicodedata.combining(c))
    letters = "".join(c if c.isalnum() else " " for c in kept)
    return " ".join(sorted(letters.split()))
