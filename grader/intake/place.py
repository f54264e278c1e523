"""A folder or an archive in which the grader looks for a hand-in."""

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

# How much of a folder is searched.
MAX_DEPTH = 4
MAX_NAMES = 10_000


@dataclass(frozen=True)
class Place:
    """A folder or an archive.

    Attributes:
        where: a phrase for messages, as "in the folder 'ada'".
        paths: of everything in it.
        read: returns the bytes of the file at a path, at most one more than a limit.
        folder: the folder's own path; None for an archive.
    """

    where: str
    paths: list[PurePosixPath]
    read: Callable[[PurePosixPath, int], bytes]
    folder: Path | None = None

    def file(self, path: PurePosixPath, name: str) -> Submission:
        """Read one of its files as a hand-in with this name.

        Raises:
            Wrong: it cannot be read.
        """
        own = self.folder / path if self.folder else None
        if own is None and leads_out(path):
            raise Wrong(f"{shown(path)} {self.where} leads out of it")
        return from_file(shown(path), lambda n: self.read(path, n), name, own)

    def worked_on(self, path: PurePosixPath) -> bool:
        """Return whether a student has written something in the file at a path.

        An unreadable file counts if its name or suffix says that it was meant to be
        the hand-in: then the student is told why it cannot be read.
        """
        meant = stem_of(path.name) == stem_of(FILE)
        try:
            found = self.file(path, "")
        except Wrong:
            return meant or suffix_of(path.name) == NOTEBOOK
        return not found.untouched and (meant or found.has_parts)


def in_folder(folder: Path, name: str) -> Place:
    """Return the folder as a place with this name."""

    def read(path: PurePosixPath, limit: int) -> bytes:
        return read_regular_file(folder / path, limit, shown(path))

    return Place(f"in the folder {name!r}", paths_in(folder), read, folder)


def in_archive(read: Read, name: str) -> Place:
    """Return the zip archive with these bytes as a place with this name.

    Raises:
        Wrong: the file is no zip archive.
    """
    kind = contents.kind_of(read(HEAD))
    if kind not in ("", contents.ZIP):
        words = f"{name} is no zip file but a {kind}"
        raise Wrong(f"{words}: hand in {FILE} or a zip archive")
    archive = Archive(read(MAX_ARCHIVE))
    return Place(f"in the archive {name!r}", archive.paths(), archive.read)


def paths_in(folder: Path) -> list[PurePosixPath]:
    """Return the paths in a folder, level by level; links are not followed.

    It stops at MAX_DEPTH levels and after about MAX_NAMES paths.
    """
    # `dqn.py` comes first: in a folder with very many files not all are listed.
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
    """Return a folder's entries sorted by name; none if it may not be read."""
    try:
        with os.scandir(folder) as found:
            some = itertools.islice(found, MAX_NAMES)
            return sorted(some, key=lambda entry: entry.name)
    except OSError:
        return []
