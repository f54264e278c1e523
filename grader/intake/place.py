"""List and read the files of a folder or an archive that may contain a hand-in."""

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.contract.outcomes import Wrong
from grader.intake import contents
from grader.intake.archive import MAX_ARCHIVE, Archive
from grader.intake.names import (
    FILE,
    NOTEBOOK,
    is_junk,
    leads_out,
    shown,
    stem_of,
    suffix_of,
)
from grader.intake.reading import HEAD, Read, from_file, read_regular_file
from grader.intake.submission import Submission

MAX_DEPTH = 4  # levels of a folder that are searched
MAX_NAMES = 10_000  # the search of a folder ends after about as many paths


@dataclass(frozen=True)
class Place:
    """A folder or an archive in which the grader looks for a hand-in.

    Attributes:
        where: phrase for messages, for example "in the folder 'ada'".
        paths: relative paths of all files in the folder or archive.
        read: function that takes a file's path and a limit n, and returns the first
            bytes of the file, at most n + 1. It raises `Wrong` if the file cannot be
            read.
        folder: path of the folder; None for an archive.
    """

    where: str
    paths: list[PurePosixPath]
    read: Callable[[PurePosixPath, int], bytes]
    folder: Path | None = None

    def file(self, path: PurePosixPath, name: str) -> Submission:
        """Read a file of the folder or archive as a hand-in.

        Args:
            path: path of the file, one of `paths`.
            name: name of the hand-in.

        Raises:
            Wrong: the file cannot be read, or is neither a Python file nor a notebook.
        """
        own = self.folder / path if self.folder else None
        if own is None and leads_out(path):
            raise Wrong(f"{shown(path)} {self.where} leads out of it")
        return from_file(shown(path), lambda n: self.read(path, n), name, own)

    def worked_on(self, path: PurePosixPath) -> bool:
        """Return whether a student has written something in a file.

        If the file's name without suffix is not "dqn", the result is True only if the
        file also defines a part. A copy such as "dqn (1).py" counts as a file named
        "dqn". If a notebook or a file named "dqn" cannot be read, the result is True,
        so that the student learns why.

        Args:
            path: path of the file, one of `paths`.
        """
        meant = stem_of(path.name) == stem_of(FILE)
        try:
            found = self.file(path, "")
        except Wrong:
            return meant or suffix_of(path.name) == NOTEBOOK
        return not found.untouched and (meant or found.has_parts)


def in_folder(folder: Path, name: str) -> Place:
    """Return a `Place` for a folder, after listing its files.

    Args:
        folder: path of the folder.
        name: name of the folder, for messages.
    """

    def read(path: PurePosixPath, limit: int) -> bytes:
        return read_regular_file(folder / path, limit, shown(path))

    return Place(f"in the folder {name!r}", paths_in(folder), read, folder)


def in_archive(read: Read, name: str) -> Place:
    """Return a `Place` for a zip archive.

    Args:
        read: function that takes a limit n and returns the first bytes of the archive,
            at most n + 1.
        name: name of the archive, for messages.

    Raises:
        Wrong: the file is no zip archive, or it is damaged or too large.
    """
    kind = contents.kind_of(read(HEAD))
    if kind not in ("", contents.ZIP):
        words = f"{name} is no zip file but a {kind}"
        raise Wrong(f"{words}: hand in {FILE} or a zip archive")
    archive = Archive(read(MAX_ARCHIVE))
    return Place(f"in the archive {name!r}", archive.paths(), archive.read)


def paths_in(folder: Path) -> list[PurePosixPath]:
    """Return the relative paths of all files in a folder, level by level.

    Hidden files are left out, and links to folders are not followed. The search ends
    after MAX_DEPTH levels or after about MAX_NAMES files and folders. A `dqn.py` at the
    top comes first.
    """
    # `dqn.py` comes first, because a folder with very many files is not listed whole.
    top = folder / FILE
    is_file = os.path.lexists(top) and (top.is_symlink() or not top.is_dir())
    paths = [PurePosixPath(FILE)] if is_file else []
    level, seen = [PurePosixPath()], 0
    for _ in range(MAX_DEPTH):
        folders = []
        for above in level:
            for entry in entries(folder / above):
                path = above / entry.name
                if is_junk(path):
                    continue
                seen += 1
                if entry.is_dir(follow_symlinks=False):
                    folders.append(path)
                elif path != PurePosixPath(FILE):
                    paths.append(path)
            if seen >= MAX_NAMES:
                return paths
        level = folders
    return paths


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return up to MAX_NAMES entries of a folder, sorted by name.

    The list is empty if the folder cannot be read.
    """
    try:
        with os.scandir(folder) as found:
            some = itertools.islice(found, MAX_NAMES)
            return sorted(some, key=lambda entry: entry.name)
    except OSError:
        return []
