"""Know the folders and files of Brightspace's (D2L's) download of an assignment.

A folder's name is two numbers, the person's name and the time of the submission:
"123-456 - Jane Doe - Nov 3, 2026 1159 PM". There is a folder for each submission of a
person. Older versions have files instead of folders, and a file's name goes on with
" - " and the file's own name. (The source of Brightspace is not public; the form is as
in the tests of tools that read its downloads.)
"""

import re
from pathlib import Path

from grader.classroom.layouts.files import matches
from grader.classroom.layouts.found import Entries, Owner, Piece, are_groups

_NAME = re.compile(
    r"(?P<number>\d+)-\d+ - (?P<name>.+?) ?- (?P<time>[^-]*\b\d{4}\b[^-]*?)"
    r"(?: - (?P<file>.+))?",
    re.S,
)
_TIME = re.compile(
    r"(?:(?P<month>[A-Z][a-z]{2})[a-z]*\.? (?P<day>\d+)|(?P<day2>\d+) "
    r"(?P<month2>[A-Z][a-z]{2})[a-z]*\.?),? (?P<year>\d{4}),?\s+"
    r"(?P<clock>\d{1,4})(?:\s?(?P<half>[AP])M)?"
)
_MONTHS = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)


def pieces(_folder: Path, entries: Entries) -> dict[str, Piece]:
    """Return a `Piece` for each file or folder that has a name of Brightspace's form.

    The keys are these names.
    """
    found = matches(_NAME, entries)
    groups = are_groups(match["name"] for match in found.values())
    result = {}
    for entry_name, match in found.items():
        name, time = match["name"], sortable(match["time"])
        # If the time cannot be read, nobody knows which submission is the last one.
        who = f"{match['number']} {name}" if time else entry_name
        result[entry_name] = Piece(
            who,
            (Owner(name, {} if groups else {"brightspace": match["number"]}),),
            match["file"] or "",
            time,
            group=name if groups else "",
        )
    return result


def sortable(time: str) -> str:
    """Return a time as text that sorts: "2026-11-03 23:59" for "Nov 3, 2026 1159 PM".

    The day may come before the month. The result is "" for any other text, for instance
    a time in another language.
    """
    match = _TIME.fullmatch(time.strip())
    month = (match["month"] or match["month2"]) if match else ""
    if not match or month not in _MONTHS:
        return ""
    clock = match["clock"]
    hour, minute = (
        (int(clock[:-2]), clock[-2:]) if len(clock) > 2 else (int(clock), "00")
    )
    if match["half"]:
        hour = hour % 12 + 12 * (match["half"] == "P")
    day = int(match["day"] or match["day2"])
    date = f"{match['year']}-{_MONTHS.index(month) + 1:02}-{day:02}"
    return f"{date} {hour:02}:{minute}"
