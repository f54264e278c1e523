"""Know the folders and files of Moodle's "Download all submissions".

A folder's name is the person's name, the participant's number and
`assignsubmission_file`, with _ between them, and in older versions also at the end. In
a download without folders, a file's name goes on with _ and the file's own name. With
anonymous submissions every name is "Participant", in the site's language. A team's
folder or file has the team's name and number instead. People in no team count as one
team without a number (moodle/moodle, mod/assign/classes/downloader.php).
"""

import re
from pathlib import Path

from grader.classroom.layouts.files import matches
from grader.classroom.layouts.found import Entries, Owner, Piece, are_groups

_NAME = re.compile(
    r"(?P<name>.+?)(?:_(?P<number>\d+))?_assignsubmission_(?P<kind>[a-z]+)"
    r"(?:_(?P<file>.*))?",
    re.S,
)


def pieces(_folder: Path, entries: Entries) -> dict[str, Piece]:
    """Return what the names of files and folders in a download from Moodle say.

    The keys are these names. Names of another form are left out.
    """
    found = matches(_NAME, entries)
    teams = any(not match["number"] for match in found.values())
    teams = teams or are_groups(match["name"] for match in found.values())
    return {name: piece_of(match, teams) for name, match in found.items()}


def piece_of(match: re.Match[str], teams: bool) -> Piece:
    """Return what the name of a folder or file says, for example whose hand-in it is.

    Args:
        match: the match of its name.
        teams: whether the download's names look like those of teams. The number in the
            name can then be that of a team. It is kept, because people's names may end
            in a digit, too; whoever looks for a row has to compare the name as well.
    """
    name, number = match["name"], match["number"] or ""
    return Piece(
        f"{name}_{number}",
        (Owner(name, {"moodle": number} if number else {}),),
        match["file"] or "",
        group=name if teams else "",
        why_not="" if match["kind"] == "file" else "a text written into Moodle",
    )
