"""Choose the file to grade among those in a folder or an archive.

A file called `dqn.py` is preferred, then a notebook, then any other Python file. A file
in which the student has written something wins over one that is still untouched.
"""

import itertools
from collections.abc import Iterable
from pathlib import PurePosixPath

from grader.contract.outcomes import Wrong
from grader.intake.names import (
    FILE,
    NOTEBOOK,
    PYTHON,
    SUPPLIED,
    listing,
    shown,
    stem_of,
    suffix_of,
)
from grader.intake.place import Place

MAX_COMPARED = 8  # files of one group that are read to find the one with work in it

Group = list[PurePosixPath]


def candidates(paths: list[PurePosixPath]) -> list[Group]:
    """Return the files that may be the hand-in, in groups; the first is preferred.

    The groups are: Python files called `dqn.py` or nearly so, those nearest to the top;
    notebooks, likewise; other Python files. Empty groups are left out.
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


def nearest(paths: Iterable[PurePosixPath]) -> Group:
    """Return the paths that are nearest to the top."""
    found = list(paths)
    depth = min((len(path.parts) for path in found), default=0)
    return [path for path in found if len(path.parts) == depth]


def choose(place: Place, groups: list[Group]) -> tuple[PurePosixPath, list[str]]:
    """Choose the file to grade.

    Args:
        place: where the files are.
        groups: from `candidates`, at least one.

    Returns:
        the file, and a sentence on why it was taken if there were others.

    Raises:
        Wrong: more than one file could be meant.
    """
    worked = worked_on(place, groups)
    rank = next((i for i, group in enumerate(worked) if group), None)
    if rank is None:  # no file has work in it, or there is only one file
        path = only_one(place, groups[0])
        return path, reasons(place, path, [], [])
    require_compared(place, groups[:rank])
    path = only_one(place, worked[rank])
    # These would have been taken if something had been written in them.
    blank = [p for p in itertools.chain(*groups[: rank + 1]) if p != path]
    rivals = [p for p in itertools.chain(*worked) if p != path]
    return path, reasons(place, path, blank, rivals)


def worked_on(place: Place, groups: list[Group]) -> list[Group]:
    """Return of each group the files with a student's work in them.

    A single file needs no comparison, and groups with very many files get none: for
    these the result is empty.
    """
    several = len(groups) > 1 or len(groups[0]) > 1
    return [
        [path for path in group if place.worked_on(path)]
        if several and len(group) <= MAX_COMPARED
        else []
        for group in groups
    ]


def require_compared(place: Place, groups: list[Group]) -> None:
    """Check that no group was too large for `worked_on`: a file in it may be meant.

    Raises:
        Wrong: one was.
    """
    for group in groups:
        if len(group) > MAX_COMPARED:
            raise more_than_one(place, group)


def only_one(place: Place, group: Group) -> PurePosixPath:
    """Return the file of a group that has only one.

    Raises:
        Wrong: it has more.
    """
    if len(group) == 1:
        return group[0]
    if suffix_of(group[0].name) == NOTEBOOK or FILE in {p.name for p in group}:
        raise more_than_one(place, group)
    words = f"there is no {FILE} {place.where}, but {listing(sorted(group))}"
    raise Wrong(f"{words}: call the one that is to be graded {FILE}")


def more_than_one(place: Place, group: Group) -> Wrong:
    """Return the error for a place with more than one hand-in."""
    words = f"there is more than one hand-in {place.where}"
    return Wrong(f"{words} ({listing(sorted(group))}): keep one")


def reasons(
    place: Place, path: PurePosixPath, blank: Group, rivals: Group
) -> list[str]:
    """Return a sentence on why a file was taken; an empty list if that is obvious.

    Args:
        place: where the files are.
        path: the file that was taken.
        blank: files that are preferred to it, but untouched.
        rivals: other files with a student's work in them.
    """
    found = []
    if suffix_of(path.name) == PYTHON and FILE not in {p.name for p in (path, *blank)}:
        found.append(f"there is no {FILE} {place.where}")
    if blank:
        found.append(f"in {listing(blank)} nothing has been written")
    if rivals:
        found.append(f"{listing(rivals)} was left aside")
    return [f"{shown(path)} was taken: {', '.join(found)}"] if found else []
