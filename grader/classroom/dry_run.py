"""Print what a class run would do: whose each hand-in is, and which file is taken."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader.classroom.entries import Entry
from grader.classroom.gradebooks.export import Export
from grader.classroom.gradebooks.fill import fill
from grader.classroom.gradebooks.groups import Places
from grader.classroom.layouts import Found, HandIn, Owner
from grader.classroom.results import in_one_line
from grader.intake.submission import Submission


def show(
    folder: Path,
    found: Found,
    submissions: Mapping[str, Submission],
    unread: Mapping[str, str],
    export: Export | None,
    members: Mapping[str, Sequence[Owner]],
    console: Console,
) -> int:
    """Print the plan of a class run, without the headline, and return the exit code.

    Args:
        folder: the folder of all hand-ins, as the user gave it.
        found: what was found in it.
        submissions: the hand-ins that were read, by their names in the download.
        unread: why each other hand-in could not be read.
        export: the gradebook, or None if none was given.
        members: the members of each group, by the group's name.
        console: the console to print on.

    Returns:
        0 if all is well; 2 if a hand-in cannot be read, or has a name that is not one
        of the platform.
    """
    for line in lines_of(folder, found, submissions, unread, export, members):
        console.print(Text(in_one_line(line)), soft_wrap=True)
    bad = [s for s in submissions.values() if s.problem]
    return 2 if bad or unread or found.strange else 0


def lines_of(
    folder: Path,
    found: Found,
    submissions: Mapping[str, Submission],
    unread: Mapping[str, str],
    export: Export | None,
    members: Mapping[str, Sequence[Owner]],
) -> Iterator[str]:
    """Yield the lines of the plan.

    Args:
        folder: the folder of all hand-ins, as the user gave it.
        found: what was found in it.
        submissions: the hand-ins that were read, by their names in the download.
        unread: why each other hand-in could not be read.
        export: the gradebook, or None if none was given.
        members: the members of each group, by the group's name.
    """
    places = Places(export, members) if export else None
    troubles = 0
    doubts = set()  # what was said of single people
    for hand_in in found.hand_ins:
        yield ""
        yield heading_of(hand_in)
        submission = submissions.get(hand_in.entry)
        path = (submission.path if submission else None) or hand_in.path.absolute()
        yield f"  file: {path.relative_to(folder.absolute())}"
        if hand_in.entry in found.strange:
            yield "  ! its name is not one of this platform"
        problem = unread.get(hand_in.entry) or (
            submission.problem if submission else ""
        )
        if problem:
            troubles += 1
            yield f"  ! not read: {problem}"
        yield from (f"  {note}" for note in (submission.notes if submission else ()))
        if export and places:
            for name, row, doubt in places.of(hand_in):
                doubts.add(doubt)
                yield f"  {export.file}: {doubt or row_words(export, name, row)}"
    yield ""
    yield from (f"left out: {name} ({why})" for name, why in found.ignored)
    entries = [Entry(h.entry, h, None) for h in found.hand_ins]
    if export:
        for dispute in fill(export, entries, members=members).disputes:
            if dispute not in doubts:
                yield f"{export.file}: {dispute}"
    late = sum(hand_in.late for hand_in in found.hand_ins)
    yield (
        f"{len(found.hand_ins)} hand-ins, {late} late, {troubles} not read, "
        f"{len(found.ignored)} left out. Nothing was graded."
    )


def heading_of(hand_in: HandIn) -> str:
    """Return whose a hand-in is: "Jane Doe (moodle 4711), late"."""
    owners = " & ".join(owner_words(owner) for owner in hand_in.owners)
    known = {owner.name for owner in hand_in.owners}
    if hand_in.group:
        members = "" if known == {hand_in.group} else f": {owners}"
        owners = f"group {hand_in.group}{members}"
    return f"{owners}{', late' * hand_in.late}"


def owner_words(owner: Owner) -> str:
    """Return a person's name and identifiers: "Jane Doe (moodle 4711)"."""
    ids = ", ".join(f"{kind} {value}" for kind, value in owner.ids.items())
    return f"{owner.name} ({ids})" if ids else owner.name


def row_words(export: Export, name: str, row: int | None) -> str:
    """Return which row of a gradebook is a person's: "row 4: Doe, Jane; 11"."""
    if row is None:
        return f"no row for {name}"
    return f"row {row + 1}: {'; '.join(export.rows[row].cells[:2])}"
