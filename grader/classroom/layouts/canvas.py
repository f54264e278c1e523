"""Know the files of Canvas' "Download Submissions".

A file's name is the person's name without blanks and punctuation, LATE if it was late,
the person's number, the file's number and the file's own name. An anonymous file has
anon_ and a code in place of the person's name and number. A group's file has the
group's name, and the number of one member. The download holds the files of the last
attempt only (instructure/canvas-lms, lib/content_zipper.rb).
"""

import re
from pathlib import Path

from grader.classroom.layouts.files import is_folder
from grader.classroom.layouts.found import Entries, Owner, Piece, are_groups

# Canvas writes the name in lower case, and removes each _ and _ around a number in it.
_FILE = re.compile(
    r"(?:(?P<name>.*?)_)??(?P<late>LATE_)?"
    r"(?:(?P<canvas>\d+)|(?P<anonymous>anon_[0-9A-Za-z]+))"
    r"_(?:\d+_(?P<file>.+)|(?P<online>text|link)\.html)",
    re.S,
)
_ONLINE = {
    "text": "a text written into Canvas",
    "link": "a link instead of a file",
}


def pieces(_folder: Path, entries: Entries) -> dict[str, Piece]:
    """Return a `Piece` for each file that has a name of Canvas' form.

    The keys are these names.

    Args:
        entries: the files and folders in the unpacked download.
    """
    files = [entry.name for entry in entries if not is_folder(entry)]
    found = {
        name: match
        for name in files
        if (match := _FILE.fullmatch(name))
        if match["anonymous"] or match["name"] is not None
    }
    groups = are_groups(m["name"] or "" for m in found.values())
    return {file: piece_of(match, groups) for file, match in found.items()}


def piece_of(match: re.Match[str], groups: bool) -> Piece:
    """Return what a file's name says, for example whose hand-in the file belongs to.

    Args:
        match: the match of the file's name.
        groups: whether groups handed in: the name then begins with a group's name.
    """
    name = match["name"] or match["anonymous"] or match["canvas"]
    ids = {"canvas": match["canvas"]} if match["canvas"] else {}
    return Piece(
        match["anonymous"] or match["canvas"],
        (Owner(name, ids),),
        match["file"] or "",
        late=bool(match["late"]),
        group=name if groups else "",
        no_hand_in=_ONLINE.get(match["online"], ""),
    )
