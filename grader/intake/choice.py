"""Choose the file to grade among the files of a folder or an archive.

A file called `dqn.py` is preferred, then a notebook, then any other Python file. Files
in which the student has written nothing are chosen only if there are no others.
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
    original,
    shown,
    stem_of,
    suffix_of,
)
from grader.intake.place import Place

# A group with more files is not searched for files in which a student has written.
MAX_COMPARED = 8

Group = list[PurePosixPath]


def candidates(paths: list[PurePosixPath]) -> list[Group]:
    """Return the files that may be the hand-in, in groups, the preferred group first.

    The groups are, in this order:

    - files called `dqn.py`; if there are none, copies such as "dqn (1).py"
    - notebooks
    - other Python files

    The first two groups keep only the files nearest to the top. Deeper files of the
    first group go to the third group; deeper notebooks are left out. Python files other
    than `dqn.py` that every student got, such as `train.py`, are left out. A notebook
    that every student got is kept only if there is no other notebook. Files that every
    student got are recognised by their names. Empty groups are left out.

    Args:
        paths: paths of all files in a folder or an archive.
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
    """Return those paths that have the fewest folders above them; [] for no paths."""
    found = list(paths)
    depth = min((len(path.parts) for path in found), default=0)
    return [path for path in found if len(path.parts) == depth]


def choose(place: Place, groups: list[Group]) -> tuple[PurePosixPath, list[str]]:
    """Choose the file to grade.

    Args:
        place: folder or archive with the files.
        groups: groups of files from `candidates`, at least one.

    Returns:
        The path of the file, and a list with one sentence on why this file was taken.
        The list is empty if the choice is obvious.

    Raises:
        Wrong: several files may be the hand-in.
    """
    worked = worked_on(place, groups)
    rank = next((i for i, group in enumerate(worked) if group), None)
    if rank is None:  # no file has work in it, or there is only one file
        path = only_one(place, groups[0])
        return path, reasons(place, path, [], [])
    require_compared(place, groups[:rank])
    path = only_one(place, worked[rank])
    # Files that would have been preferred if a student had written something in them.
    blank = [p for p in itertools.chain(*groups[: rank + 1]) if p != path]
    rivals = [p for p in itertools.chain(*worked) if p != path]
    return path, reasons(place, path, blank, rivals)


def worked_on(place: Place, groups: list[Group]) -> list[Group]:
    """Return, for each group, the files in which a student has written something.

    The list of a group is empty, without a search, if the group has more than
    MAX_COMPARED files. It is also empty if all groups together have only one file,
    because then there is nothing to choose.

    Args:
        place: folder or archive with the files.
        groups: groups of files from `candidates`, at least one.
    """
    several = len(groups) > 1 or len(groups[0]) > 1
    return [
        [path for path in group if place.worked_on(path)]
        if several and len(group) <= MAX_COMPARED
        else []
        for group in groups
    ]


def require_compared(place: Place, groups: list[Group]) -> None:
    """Check that each preferred group was small enough to be searched by `worked_on`.

    Args:
        place: folder or archive with the files, for the message.
        groups: the groups that are preferred to the group of the chosen file.

    Raises:
        Wrong: a group has more than MAX_COMPARED files; one of them may be the hand-in.
    """
    for group in groups:
        if len(group) > MAX_COMPARED:
            raise more_than_one(place, group)


def only_one(place: Place, group: Group) -> PurePosixPath:
    """Return the only file of a group.

    Args:
        place: folder or archive with the files, for the message.
        group: the files.

    Raises:
        Wrong: the group has more than one file.
    """
    if len(group) == 1:
        return group[0]
    if suffix_of(group[0].name) == NOTEBOOK or FILE in {p.name for p in group}:
        raise more_than_one(place, group)
    words = f"there is no {FILE} {place.where}, but {listing(sorted(group))}"
    raise Wrong(f"{words}: call the one that is to be graded {FILE}")


def more_than_one(place: Place, group: Group) -> Wrong:
    """Return the exception to raise if a folder or an archive has several hand-ins.

    Args:
        place: the folder or archive.
        group: the files that may be the hand-in.
    """
    words = f"there is more than one hand-in {place.where}"
    return Wrong(f"{words} ({listing(sorted(group))}): keep one")


def reasons(
    place: Place, path: PurePosixPath, blank: Group, rivals: Group
) -> list[str]:
    """Return a list with one sentence on why a file was taken; [] if that is obvious.

    Args:
        place: folder or archive with the files.
        path: the file that was taken.
        blank: files that would have been preferred if the student had written something
            in them.
        rivals: files that were not taken although a student has written in them.
    """
    missing = suffix_of(path.name) == PYTHON
    missing = missing and FILE not in {original(p.name) for p in (path, *blank)}
    words = f"there is no {FILE} {place.where}"
    return about_choice(path, [words] * missing, blank, rivals)


def about_choice(
    path: PurePosixPath, words: list[str], blank: Group, rivals: Group
) -> list[str]:
    """Return a list with one sentence on why a file was taken; [] for no reason.

    Args:
        path: the file that was taken.
        words: reasons other than those that `blank` and `rivals` give.
        blank: see `reasons`.
        rivals: see `reasons`.
    """
    found = [*words]
    if blank:
        found.append(f"in {listing(blank)} nothing has been written")
    if rivals:
        found.append(f"{listing(rivals)} was left aside")
    return [f"{shown(path)} was taken: {', '.join(found)}"] if found else []
