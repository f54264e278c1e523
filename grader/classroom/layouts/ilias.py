"""Know the folders of ILIAS' download of all submissions of an exercise.

A folder's name is last name, first name, login and number of the person, with _ between
them, and a _ for each byte of a letter such as "ğ" (components/ILIAS/FileServices/
classes/class.ilFileUtils.php, `getASCIIFilename`). The folders of a team's members lie
in a folder "Team 12". The words "Late Submission - " in the site's language come before
the name of a late file (ILIAS-eLearning/ILIAS,
components/ILIAS/Exercise/Submission/SubmissionManager.php).
ILIAS keeps all uploads: of those with one name, the second is "dqn (2).py".
"""

import itertools
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from grader.classroom.layouts.files import (
    Rank,
    is_blank,
    is_folder,
    listing_or_nothing,
    place_in,
    ranks_of,
)
from grader.classroom.layouts.found import Entries, Owner, Piece
from grader.intake.choice import about_choice

_PERSON = re.compile(r"(?P<parts>[^_]*(?:_[^_]*)+)_(?P<number>\d+)", re.S)
_ENDS_ALONE = re.compile(r"(?<!_)_\Z")
# The number before a file's last suffix. The first upload has none.
_NUMBERED = re.compile(r"(.+) \(([2-9]|[1-9]\d+)\)(\.[^.]*)", re.S)
# `exc_team` in lang/ilias_en.lang, ilias_de.lang, ilias_fr.lang. The folder of a whole
# class may have any other word and a number: "Exercise 2".
_TEAM = re.compile(r"(?:Team|Equipe) \d+")
_LATE = re.compile(r"(?:Late Submission|Verspaetete Abgabe|Verspätete Abgabe) - ")


@dataclass(frozen=True)
class Noted(Piece):
    """A `Piece` with sentences for the student on the choice of the file.

    Attributes:
        notes: see `HandIn.notes`.
    """

    notes: tuple[str, ...] = ()


class Chosen(NamedTuple):
    """What to grade for a person or a team.

    Attributes:
        path: the path to grade.
        late: whether this is a late file.
        notes: see `HandIn.notes`.
    """

    path: Path
    late: bool = False
    notes: tuple[str, ...] = ()


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
            chosen = chosen_in([folder], place_in(folder))
            found[entry.name] = Noted(entry.name, (owner,), **chosen._asdict())
    return found


def owner_of(name: str) -> Owner | None:
    """Return the owner of a folder, or None if ILIAS does not give such a name.

    The folder's name is last name, first name, login and number, with _ between them. A
    _ may also be part of a name or login. If then nobody knows where the login begins,
    the owner has no login. If letters of the name are lost, the owner's name keeps the
    login, so that it is not the name of somebody else.
    """
    match = _PERSON.fullmatch(name)
    if not match or match["parts"].count("_") < 2:
        return None
    parts, ids = match["parts"], {"ilias": match["number"]}
    ways = ways_to_read(parts)
    logins = {login for *_, login in ways}
    if len(logins) == 1:
        ids = {"login": logins.pop(), **ids}
    names = {f"{first} {last}" for last, first, _ in ways}
    if len(names) == 1 and "_" not in (one := names.pop()):
        return Owner(one, ids)
    return Owner(" ".join(parts.replace("_", " ").split()), ids)


def ways_to_read(parts: str) -> list[tuple[str, str, str]]:
    """Return the ways to read a folder's name: last name, first name and login.

    In the place of a letter ILIAS writes two _ or more, so a _ between two parts leaves
    no single _ beside it. A login has no such letter.

    Args:
        parts: the folder's name without the number at its end.
    """
    places = [at for at, letter in enumerate(parts) if letter == "_"]
    found = []
    for i, j in itertools.combinations(places, 2):
        last, first, login = parts[:i], parts[i + 1 : j], parts[j + 1 :]
        alone = any(map(_ENDS_ALONE.search, (last, first))) or re.match("_(?!_)", first)
        if last and first and login and login[0] != "_" and not alone:
            found.append((last, first, login))
    return found


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
    chosen = chosen_in(folders, whole)
    name, owners = entry.name, tuple(members)
    return Noted(name, owners, group=name, **chosen._asdict())


def chosen_in(folders: Sequence[Path], whole: Path) -> Chosen:
    """Choose the file to grade for a person or a team.

    If no file is late and none was uploaded again, the path is `whole`. Otherwise it is
    the file, late or not, that is the largest by the first four rules of `rank`. If
    several files are equal by these rules, it is a late one, because that was handed in
    after the others. Of several uploads of one name only the last one counts that is
    not blank (see `last_of`). If it is not certain which file, the path is `whole`.

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
    late = {file for file in files if _LATE.match(file.name)}
    ranks = ranks_of({file: _LATE.sub("", file.name, count=1) for file in files})
    again = uploaded_again(ranks)
    if not late and not again:
        return Chosen(whole)
    last = [last_of(uploads, ranks) for uploads in again]
    older = {file for uploads in again for file in uploads}.difference(last)
    # Files of one kind that are not late have no order.
    rules = len(Rank._fields) if late else Rank._fields.index("again")
    keys = {
        file: (kept[:4], file in late, kept[:rules])
        for file, kept in ranks.items()
        if file not in older
    }
    best = max(keys, key=lambda file: keys[file])
    if [*keys.values()].count(keys[best]) > 1:
        return Chosen(whole, best in late)
    notes = [
        note
        for file, uploads in zip(last, again, strict=True)
        if file == best
        for note in about_uploads(best, uploads, ranks)
    ]
    return Chosen(best, best in late, tuple(notes))


def uploaded_again(ranks: Mapping[Path, Rank]) -> list[list[Path]]:
    """Return for each name with several uploads these uploads, the last one at the end.

    Files whose numbers have a gap are left out, because such names are the student's.

    Args:
        ranks: the sort keys of the files, with their names without a late mark.
    """
    numbered: dict[tuple[Path, str], dict[int, Path]] = {}
    for path, kept in ranks.items():
        match = _NUMBERED.fullmatch(kept.file)
        name, number = (match[1] + match[3], int(match[2])) if match else (kept.file, 1)
        numbered.setdefault((path.parent, name), {})[number] = path
    return [
        [path for _, path in sorted(uploads.items())]
        for uploads in numbered.values()
        if len(uploads) > 1 and max(uploads) == len(uploads)
    ]


def last_of(uploads: Sequence[Path], ranks: Mapping[Path, Rank]) -> Path:
    """Return the last upload that is not blank, or the last if all are blank.

    An upload that cannot be read is not passed over, so that the student learns why.

    Args:
        uploads: the uploads of one name in their order.
        ranks: the sort keys of all files.
    """
    written = [one for one in uploads if not is_blank(one, ranks[one].file)]
    return (written or uploads)[-1]


def about_uploads(
    best: Path, uploads: Sequence[Path], ranks: Mapping[Path, Rank]
) -> list[str]:
    """Return a list with one sentence on why an upload was taken.

    It is empty if nothing has been written in this upload.

    Args:
        best: the upload that was taken.
        uploads: all uploads of this name in their order.
        ranks: the sort keys of all files.
    """
    if not ranks[best].worked:
        return []
    rivals = [one for one in uploads if one != best and ranks[one].worked]
    blank = uploads[uploads.index(best) + 1 :]  # see `last_of`
    return about_choice(
        PurePosixPath(best.name),
        ["ILIAS numbers the uploads of one name"],
        [PurePosixPath(one.name) for one in blank],
        [PurePosixPath(one.name) for one in rivals],
    )
