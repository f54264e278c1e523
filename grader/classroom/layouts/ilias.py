"""Know the folders of ILIAS' download of all submissions of an exercise.

A folder's name is last name, first name, login and number of the person, with _ between
them. The folders of a team's members lie in a folder "Team 12". The words "Late
Submission - " in the site's language come before the name of a late file
(ILIAS-eLearning/ILIAS, components/ILIAS/Exercise/Submission/SubmissionManager.php).
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from grader.classroom.layouts.files import (
    is_folder,
    listing_or_nothing,
    place_in,
    ranks_of,
)
from grader.classroom.layouts.found import Entries, Owner, Piece

_PERSON = re.compile(r"(?P<parts>[^_]*(?:_[^_]*)+)_(?P<number>\d+)", re.S)
_TEAM = re.compile(r"Team \d+")
_LATE = re.compile(r"(?:Late Submission|Verspaetete Abgabe|Verspätete Abgabe) - ")


def pieces(_folder: Path, entries: Entries) -> dict[str, Piece]:
    """Return a `Piece` for each folder that has a name of ILIAS' form.

    The keys are these names. A team's folder without a member's folder is left out.
    """
    found = {}
    for entry in entries:
        if not is_folder(entry):
            continue
        if _TEAM.fullmatch(entry.name):
            if team := team_in(entry):
                found[entry.name] = team
        elif owner := owner_of(entry.name):
            folder = Path(entry.path)
            path, late = chosen_in([folder], place_in(folder))
            found[entry.name] = Piece(entry.name, (owner,), late=late, path=path)
    return found


def owner_of(name: str) -> Owner | None:
    """Return the owner of a folder, or None if ILIAS does not give such a name.

    The folder's name is last name, first name, login and number, with _ between them. A
    _ may also be part of a name or login. Then nobody knows where the login begins, and
    the owner has no login.
    """
    match = _PERSON.fullmatch(name)
    if not match or match["parts"].count("_") < 2:
        return None
    last, first, *login = match["parts"].split("_")
    ids = {"ilias": match["number"]}
    if len(login) == 1:
        return Owner(f"{first} {last}", {"login": login[0], **ids})
    return Owner(match["parts"].replace("_", " "), ids)


def team_in(entry: os.DirEntry[str]) -> Piece | None:
    """Return a team's folder as a `Piece`, or None if it has no member's folder.

    The owners are those members who have a folder in it, because they uploaded files. A
    folder whose name has a space is a member's folder, too, because some versions of
    ILIAS use names such as "Jane Doe".
    """
    folder = Path(entry.path)
    inner = [member for member in listing_or_nothing(folder) if is_folder(member)]
    members = [
        owner_of(member.name) or Owner(member.name)
        for member in inner
        if owner_of(member.name) or " " in member.name
    ]
    if not members:
        return None
    folders = [Path(member.path) for member in inner]
    whole = place_in(folders[0]) if len(folders) == 1 else folder
    path, late = chosen_in(folders, whole)
    return Piece(entry.name, tuple(members), late=late, group=entry.name, path=path)


def chosen_in(folders: Sequence[Path], whole: Path) -> tuple[Path, bool]:
    """Return the path to grade for a person or a team, and whether it is a late file.

    If no file is late, the path is `whole`. Otherwise it is the file, late or not, that
    is the largest by the first four rules of `rank`. If several files are equal by
    these rules, it is a late one, because that was handed in after the others. If it is
    not certain which one, the path is `whole`.

    Args:
        folders: the folders of the person or of the team's members.
        whole: the path in which the intake looks for the hand-in.
    """
    files = [
        Path(entry.path)
        for folder in folders
        for entry in listing_or_nothing(folder)
        if entry.is_file()
    ]
    if not any(_LATE.match(file.name) for file in files):
        return whole, False
    ranks = ranks_of({file: _LATE.sub("", file.name, count=1) for file in files})
    keys = {
        file: (kept[:4], bool(_LATE.match(file.name)), kept)
        for file, kept in ranks.items()
    }
    best = max(keys, key=lambda file: keys[file])
    certain = [*keys.values()].count(keys[best]) == 1
    return best if certain else whole, keys[best][1]
