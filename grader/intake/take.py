"""Find the file to grade in a hand-in and read the file once, without importing it.

A hand-in is a `dqn.py`, a notebook, or a folder or a zip archive with one of these. If
there is no `dqn.py`, another file is taken if it is the only one that may be the
hand-in. If there are several such files, a message lists them. A hand-in that cannot be
used becomes a `Submission` with a `problem`.
"""

import contextlib
import os
from dataclasses import replace
from pathlib import Path, PurePosixPath

from grader.contract.outcomes import UsageError, Wrong
from grader.escape import plain
from grader.intake import contents
from grader.intake.choice import MAX_COMPARED, candidates, choose
from grader.intake.names import (
    FILE,
    PYTHON,
    SUPPLIED,
    ZIP,
    is_junk,
    leads_out,
    listing,
    shown,
    stem_of,
    suffix_of,
)
from grader.intake.place import Place, in_archive, in_folder
from grader.intake.reading import HEAD, from_file, read_regular_file
from grader.intake.submission import Submission


def take(path: str) -> Submission:
    """Read the hand-in at a path: a folder, a zip archive, a notebook or a Python file.

    If no hand-in can be read there, the result has a `problem`, which says why.

    Raises:
        UsageError: the path does not exist.
    """
    place = Path(path)
    if not os.path.exists(path):  # not `Path.exists`, which can raise an error
        given = plain(path, 200)
        raise UsageError(f"no hand-in at {given!r}: there is no such file or folder")
    name = shown(place.resolve().name)
    try:
        return from_path(place, name)
    except Wrong as problem:
        return Submission(name, b"", str(problem))


def is_worked_on(path: Path, file: str) -> bool:
    """Return whether a student has written something in one of several files.

    The answer is the same as for a file of this name in a folder.

    Args:
        path: path of a Python file, a notebook or a zip archive.
        file: the file's name as the student chose it.
    """
    if suffix_of(file) == ZIP:
        found = take(str(path))
        return not (found.untouched or found.problem)
    return place_of(path, file).worked_on(PurePosixPath(file))


def is_untouched(path: Path, file: str) -> bool:
    """Return whether one of several files was read and a student wrote nothing in it.

    The answer for a file that cannot be read is False.

    Args:
        path: path of a Python file, a notebook or a zip archive.
        file: the file's name as the student chose it.
    """
    try:
        if suffix_of(file) == ZIP:
            return from_path(path, shown(file)).untouched
        return place_of(path, file).file(PurePosixPath(file), "").untouched
    except Wrong:
        return False


def place_of(path: Path, file: str) -> Place:
    """Return a `Place` with a single file, one of several that a student handed in.

    Args:
        path: path of a Python file or a notebook.
        file: the file's name as the student chose it.
    """

    def read(_: PurePosixPath, limit: int) -> bytes:
        return read_regular_file(path, limit, shown(file))

    return Place("beside other files", [PurePosixPath(file)], read)


def from_path(path: Path, name: str) -> Submission:
    """Read the hand-in at an existing path.

    Args:
        path: path of a folder or file.
        name: name of the hand-in.

    Raises:
        Wrong: there is no hand-in that can be read, or more than one.
    """
    if path.is_dir():
        return from_place(in_folder(path, name), name)

    def read(limit: int) -> bytes:
        return read_regular_file(path, limit, name)

    if suffix_of(name) == ZIP or contents.kind_of(read(HEAD)) == contents.ZIP:
        return from_place(in_archive(read, name), name)
    if suffix_of(name) == PYTHON and stem_of(name) in SUPPLIED:
        raise Wrong(f"{name} is one of the files that you got: hand in {FILE}")
    return from_file(shown(path.name), read, name, path)


def from_place(place: Place, name: str, *, inner: bool = False) -> Submission:
    """Read the hand-in in a folder or an archive.

    Args:
        place: the folder or archive.
        name: name of the hand-in, for the report.
        inner: whether `place` is an archive that lies in another folder or archive. If
            True, archives in `place` are not opened.

    Raises:
        Wrong: `place` has no hand-in that can be read, or more than one.
    """
    paths = [path for path in place.paths if not is_junk(path)]
    zips = [path for path in paths if suffix_of(path.name) == ZIP]
    inner_zip = zips[0] if len(zips) == 1 and not inner else None
    if groups := candidates(paths):
        path, why = choose(place, groups)
        found = place.file(path, name)
        packed = None
        if found.untouched and inner_zip:
            packed = worked_on_in_zip(place, inner_zip, name)
        if packed:
            note = f"in {shown(path)} nothing has been written"
            return replace(packed, notes=(note, *packed.notes))
        return replace(found, notes=(*why, *found.notes))
    if inner_zip:
        try:
            return from_zip_in(place, inner_zip, name)
        except Wrong as why_not:
            words = f"there is no {FILE} {place.where}, but {shown(inner_zip)}"
            raise Wrong(f"{words}: {why_not}") from None
    raise Wrong(f"there is no {FILE} {place.where}{instead(place, paths)}")


def worked_on_in_zip(place: Place, path: PurePosixPath, name: str) -> Submission | None:
    """Return the hand-in in an inner archive if a student has written something in it.

    Args:
        place: folder or archive that contains the inner archive.
        path: path of the inner archive.
        name: name of the hand-in.

    Returns:
        The hand-in; None if the inner archive has no hand-in that can be read and run,
        or if no student has written in the hand-in.
    """
    with contextlib.suppress(Wrong):
        packed = from_zip_in(place, path, name)
        if not (packed.untouched or packed.problem):
            return packed
    return None


def from_zip_in(place: Place, path: PurePosixPath, name: str) -> Submission:
    """Read the hand-in in an archive that lies in a folder or another archive.

    Args:
        place: folder or archive that contains the inner archive.
        path: path of the inner archive.
        name: name of the hand-in.

    Raises:
        Wrong: the inner archive has no hand-in that can be read, or more than one.
    """
    if place.folder is None and leads_out(path):
        raise Wrong(f"{shown(path)} leads out of it")
    archive = in_archive(lambda n: place.read(path, n), shown(path))
    found = from_place(archive, name, inner=True)
    note = f"what is graded is {archive.where}, {place.where}"
    return replace(found, notes=(note, *found.notes))


def instead(place: Place, paths: list[PurePosixPath]) -> str:
    """Return the end of the message that a folder or an archive has no hand-in.

    This end says which files were found instead, and what the student can do. It is ""
    if no file was found.

    Args:
        place: the folder or archive.
        paths: paths of the files in `place`.
    """
    if words := text_file(paths) or other_kind(place, paths[:MAX_COMPARED]):
        return words
    own = [path for path in paths if stem_of(path.name) not in SUPPLIED]
    if paths and not own:
        return f", but {listing(paths)}, which every student got"
    return f", but {listing(own)}" if own else ""


def text_file(files: list[PurePosixPath]) -> str:
    """Return the advice to rename a `dqn.txt` or `dqn.py.txt`; "" without such a file.

    The advice is the end of a message: ", but dqn.py.txt: rename it to dqn.py".

    Args:
        files: paths of the files to search.
    """
    for path in files:
        stem = stem_of(path.name)
        if suffix_of(path.name) == ".txt" and f"{stem}.py" in (FILE, f"{FILE}.py"):
            return f", but {shown(path)}: rename it to {FILE}"
    return ""


def other_kind(place: Place, files: list[PurePosixPath]) -> str:
    """Return the end of a message that a file, such as a picture, is no hand-in.

    The file is the first one whose kind `contents.kind_of` knows. The result is "" if
    there is no such file.

    Args:
        place: folder or archive that contains the files.
        files: paths of the files.
    """
    for path in files:
        with contextlib.suppress(Wrong):
            if kind := contents.kind_of(place.read(path, HEAD)):
                return f", but {shown(path)}, a {kind}: hand in {FILE} or a zip archive"
    return ""
