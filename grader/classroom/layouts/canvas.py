"""Know the files of Canvas' "Download Submissions".

A file's name is the person's name without blanks and punctuation, LATE if it was late,
the person's number, the file's number and the file's own name. An anonymous file has
anon_ and a code in place of the person's name and number. A group's file has the
group's name, and the number of one member. The download holds the files of the last
attempt only (instructure/canvas-lms, lib/content_zipper.rb).
"""

import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from grader.classroom.layouts.files import is_folder
from grader.classroom.layouts.found import Entries, Owner, Piece, are_groups

# Canvas writes the name in lower case, without blanks and punctuation. Of a name with a
# number between two _, such as "a_1_b", it removes these two _; it keeps all others.
_REST = r"(?:(?P<number>\d+)_(?P<file>.+)|(?P<online>text|link)\.html)"
_NAMED = re.compile(rf"_(?P<late>LATE_)?(?P<canvas>\d+)_{_REST}", re.S)
_ANONYMOUS = re.compile(
    rf"(?P<late>LATE_)?(?P<name>anon_[0-9A-Za-z]+)_{_REST}",
    re.S,
)
_DOUBT = (
    "nobody knows which number is the owner's: the name before it may end in a number"
)
_ONLINE = {
    "text": "a text written into Canvas",
    "link": "a link instead of a file",
}


class Reading(NamedTuple):
    """What a file's name says, if it is read in one of the possible ways.

    Attributes:
        name: the name of a person or group, or anon_ and a code.
        canvas: the person's number; "" if the file is anonymous.
        late: whether the file was late.
        number: the file's number; "" if no file was handed in.
        file: the file's own name; "" if no file was handed in.
        online: what was handed in instead of a file, a key of `_ONLINE`; else "".
    """

    name: str
    canvas: str
    late: bool
    number: str
    file: str
    online: str


def pieces(
    _folder: Path, entries: Entries, numbers: Collection[str] = ()
) -> dict[str, Piece]:
    """Return a `Piece` for each file that has a name of Canvas' form.

    The keys are these names. There are none if `are_other_numbers` is True.

    Args:
        entries: the files and folders in the unpacked download.
        numbers: the known numbers of people in Canvas. They decide if there are several
            ways to read the names.
    """
    files = [entry.name for entry in entries if not is_folder(entry)]
    readings = {name: some for name in files if (some := readings_of(name))}
    found, doubtful = agreed(readings, numbers)
    if are_other_numbers(found):
        return {}
    groups = are_groups(reading.name for reading in found.values() if reading.canvas)
    return {
        file: replace(piece_of(reading, groups), strange=_DOUBT * (file in doubtful))
        for file, reading in found.items()
    }


def readings_of(file: str) -> list[Reading]:
    """Return the ways to read a file's name, the shortest name of an owner first.

    There are several if more than two numbers follow each other: both the name of a
    group and the file's own name may have numbers and _ in them.
    """
    if match := _ANONYMOUS.fullmatch(file):
        return [reading_of(match["name"], "", match)]
    places = (at for at, letter in enumerate(file) if letter == "_")
    return [
        reading_of(file[:at], match["canvas"], match)
        for at in places
        if (match := _NAMED.fullmatch(file, at)) and not file[:at].endswith("_LATE")
    ]


def reading_of(name: str, canvas: str, match: re.Match[str]) -> Reading:
    """Return a reading of a file's name.

    Args:
        name: see `Reading`.
        canvas: see `Reading`.
        match: the match of the rest of the file's name.
    """
    rest = (match[group] or "" for group in ("number", "file", "online"))
    return Reading(name, canvas, bool(match["late"]), *rest)


def agreed(
    found: dict[str, list[Reading]], numbers: Collection[str]
) -> tuple[dict[str, Reading], set[str]]:
    """Return one reading for each file, so that all readings agree.

    These are the readings with most of the known numbers of people, if one way to read
    has more of them than the others and than unknown ones. Else they are the first
    readings that are possible. If these give several numbers to one name, people may
    share this name. But they may be groups if other readings give one number to each
    name, and all names end in a digit: of "HW_2 1" and "HW_2 2", the first readings are
    the numbers 21 and 22 of "hw".

    Args:
        found: the readings of each file, at least one.
        numbers: the known numbers of people in Canvas.

    Returns:
        The readings, and the files that could be read in another way.
    """
    ways = ways_of(found)
    first, *others = list(filter(is_possible, ways)) or ways[:1]
    if known := known_way([first, *others], numbers):
        return known, set()
    if shared_names(first):
        for way in others:
            if have_numbers(way):
                return way, {file for file in way if way[file] != first[file]}
    return first, doubtful_in(first, found)


def known_way(
    ways: list[dict[str, Reading]], numbers: Collection[str]
) -> dict[str, Reading] | None:
    """Return the way to read files' names that gives people their known numbers.

    It has more of these numbers than each other way, and more of them than of others.
    The result is None if there is no such way.

    Args:
        ways: the possible ways, in each way one reading for each file.
        numbers: the known numbers of people in Canvas.
    """
    told = [{number for _, number in owners_in(way) if number} for way in ways]
    counts = [len(some.intersection(numbers)) for some in told]
    most = max(counts)
    at = counts.index(most)
    certain = counts.count(most) == 1 and 2 * most > len(told[at])
    return ways[at] if certain else None


def ways_of(found: dict[str, list[Reading]]) -> list[dict[str, Reading]]:
    """Return the ways to read files' names, in each way one reading for each file.

    Args:
        found: the readings of each file, at least one.
    """
    return [
        {file: some[min(i, len(some) - 1)] for file, some in found.items()}
        for i in range(max(map(len, found.values()), default=1))
    ]


def have_numbers(way: dict[str, Reading]) -> bool:
    """Return whether all names end in a digit, and none has several numbers.

    Args:
        way: one reading for each file.
    """
    digits = all(reading.name[-1:].isdigit() for reading in way.values())
    return digits and not shared_names(way)


def doubtful_in(way: dict[str, Reading], found: dict[str, list[Reading]]) -> set[str]:
    """Return the files that may be of people with one name, or of several groups.

    "team_1_2001_7_dqn.py" and "team_2_2005_8_dqn.py" can be of two people called "team"
    or of groups "team_1" and "team_2", if not all names of the download end in a digit.

    Args:
        way: the reading of each file that counts.
        found: all readings of each file.
    """
    of_name: dict[str, list[str]] = {}
    for file, reading in way.items():
        of_name.setdefault(reading.name, []).append(file)
    doubtful: set[str] = set()
    for files in of_name.values():
        if shared_names({file: way[file] for file in files}):
            others = ways_of({file: found[file] for file in files})
            if any(is_possible(other) and have_numbers(other) for other in others):
                doubtful.update(files)
    return doubtful


def are_other_numbers(way: dict[str, Reading]) -> bool:
    """Return whether the numbers in names are other ones than those of Canvas.

    They are so in dates, "2026_11_20_bo.py" or "hw_2026_11_20_bo.py", and after student
    IDs: either there is only one owner and a file's number occurs twice, or all owners
    have names of digits alone and do not differ as groups do.

    Args:
        way: one reading for each file.
    """
    named = {file: reading for file, reading in way.items() if reading.canvas}
    names = {reading.name for reading in named.values()}
    if not all(name.isdigit() for name in names):
        return len(owners_in(named)) == 1 and not is_possible(named)
    differ = len(names) > 1 and is_possible(named) and not shared_names(named)
    return bool(named) and not differ


def is_possible(way: dict[str, Reading]) -> bool:
    """Return whether no person's number has two names, and no file's number two files.

    Args:
        way: one reading for each file.
    """
    files = [reading.number for reading in way.values() if reading.number]
    owners = owners_in(way)
    numbers = {canvas for _, canvas in owners}
    return len({*files}) == len(files) and len(numbers) == len(owners)


def shared_names(way: dict[str, Reading]) -> bool:
    """Return whether a name has several numbers.

    Args:
        way: one reading for each file.
    """
    owners = owners_in(way)
    return len({name for name, _ in owners}) < len(owners)


def owners_in(way: dict[str, Reading]) -> set[tuple[str, str]]:
    """Return the owners of files, as pairs of a name and a person's number.

    Args:
        way: one reading for each file.
    """
    return {(reading.name, reading.canvas) for reading in way.values()}


def piece_of(reading: Reading, groups: bool) -> Piece:
    """Return what a file's name says, for example whose hand-in the file belongs to.

    Args:
        reading: what the name says.
        groups: whether groups handed in: the name then begins with a group's name.
    """
    name, canvas = reading.name or reading.canvas, reading.canvas
    return Piece(
        f"{name}_{canvas}",
        (Owner(name, {"canvas": canvas} if canvas else {}),),
        reading.file,
        late=reading.late,
        group=name if groups else "",
        why_not=_ONLINE.get(reading.online, ""),
    )
