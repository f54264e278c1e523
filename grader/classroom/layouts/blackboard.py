"""Know the files of Blackboard's "Assignment File Download".

A file's name is the assignment's name, the login, the time of the attempt and the
file's own name. A text file for each attempt begins with "Name: Jane Doe (jdoe)".
(Blackboard's source is not public; the form is that in kwurst/bb-file-cleanup,
README.md.)
"""

import re
from pathlib import Path

from grader.classroom.layouts.files import is_folder
from grader.classroom.layouts.found import Entries, Owner, Piece

_FILE = re.compile(
    r"(?P<who>(?P<assignment>.+)_(?P<login>[^_]+))"
    r"_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)",
    re.S,
)
_NAME = re.compile(r"\ufeff?Name:\s*(?P<name>.*\S)\s*\((?P<login>[^()]+)\)\s*")


def pieces(folder: Path, entries: Entries) -> dict[str, Piece]:
    """Return a `Piece` for each file whose name has Blackboard's form, by this name.

    Args:
        folder: the unpacked download.
        entries: the files and folders in `folder`.
    """
    files = [entry.name for entry in entries if not is_folder(entry)]
    found = {name: match for name in files if (match := _FILE.fullmatch(name))}
    owners = {}
    for name, match in found.items():
        if not match["file"] and (owner := owner_in(folder / name, match["who"])):
            owners[match["who"]] = owner
    # A login may have a _ in it. So the name alone is enough only if the part before
    # the last _ is the same for all.
    same = len({match["assignment"] for match in found.values()}) == 1
    handed_in = {match["who"] for match in found.values() if match["file"]}
    result = {}
    for name, match in found.items():
        who, login = match["who"], match["login"]
        guess = Owner(login, {"login": login}) if same else Owner(who)
        is_note = not match["file"]
        lost = is_note and who not in handed_in
        result[name] = Piece(
            who,
            (owners.get(who, guess),),
            match["file"] or "",
            match["time"],
            why_not="an attempt without a file" if lost else "",
            note=is_note,
        )
    return result


def owner_in(path: Path, who: str) -> Owner | None:
    """Return the owner that the text file of an attempt names, or None.

    The result is None if the file cannot be read, or names no login with which `who`
    ends.

    Args:
        path: the path of the text file.
        who: the beginning of the file's name, which ends with the login.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            match = _NAME.fullmatch(file.readline(1000))
    except OSError:
        return None
    if match and who.endswith(f"_{match['login']}"):
        return Owner(match["name"], {"login": match["login"]})
    return None
