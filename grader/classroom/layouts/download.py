"""Find the hand-ins in a folder: recognise the platform, and choose what counts."""

import os
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from grader.classroom.layouts import (
    blackboard,
    brightspace,
    canvas,
    gradescope,
    ilias,
    moodle,
    nbgrader,
    plain,
    repositories,
)
from grader.classroom.layouts.files import (
    hand_ins_below,
    is_folder,
    is_hand_in,
    is_nobodys,
    listing,
    listing_or_nothing,
    place_in,
    rank,
    ranks_of,
)
from grader.classroom.layouts.found import Entries, Found, HandIn, Piece, Pieces
from grader.contract.outcomes import UsageError
from grader.intake.choice import about_choice
from grader.intake.names import FILE, ZIP, shown

CANVAS = "Canvas, Download Submissions"
PLAIN = "Folders and files with their owners' names"
# Their names of files or folders are found nowhere else.
CERTAIN: dict[str, Pieces] = {
    "Gradescope, Export Submissions": gradescope.pieces,
    "Moodle, Download all submissions": moodle.pieces,
    CANVAS: canvas.pieces,
    "Blackboard, Assignment File Download": blackboard.pieces,
    "Brightspace, download of an assignment": brightspace.pieces,
}
PLATFORMS: dict[str, Pieces] = {
    **CERTAIN,
    "ILIAS, download of an exercise": ilias.pieces,
    "nbgrader, submitted/": nbgrader.pieces,
    "Git repositories, as of GitHub Classroom": repositories.pieces,
}
FOREIGN = "the platform gives no such name"
MAX_NAMED = 3  # entries of a folder in a message


def find(folder: Path, numbers: Collection[str] = ()) -> Found:
    """Return the hand-ins in a folder, and the files that are not hand-ins.

    Hidden files, and files that programs make, such as `__MACOSX`, are in neither of
    the two lists.

    Args:
        folder: the folder of all hand-ins, as it was downloaded and unpacked. If the
            download is the only folder in it, this inner folder is searched.
        numbers: the known numbers of people in Canvas, see `canvas.pieces`.

    Raises:
        UsageError: the folder cannot be read, or holds no hand-in, or is no download
            but a single hand-in or a folder of several downloads.
    """
    try:
        entries = listing(folder)
    except OSError as error:
        why = error.strerror
        if folder.suffix.lower() == ZIP and folder.is_file():
            why = "it is a zip archive, unpack it first"
        raise UsageError(f"SUBMISSIONS={str(folder)!r} cannot be read: {why}") from None
    layout, pieces = recognised(folder, entries)
    if layout == PLAIN:
        if inner := download_in(folder, entries):
            return found_in(inner, entries, numbers)
        require_several(folder, entries)
    if layout == CANVAS:
        files = [entry for entry in entries if entry.name in pieces]
        pieces = canvas.pieces(folder, files, numbers) or pieces
    found = Found(layout=layout)
    for entry in entries:
        if entry.name not in pieces:
            piece = plain.piece(entry)
            strange = "" if layout == PLAIN or piece.why_not else FOREIGN
            pieces[entry.name] = replace(piece, strange=strange)
    choose(folder, pieces, found)
    if not found.hand_ins:
        raise UsageError(
            f"SUBMISSIONS={str(folder)!r} holds no hand-in: no folder, no file that "
            f"ends in .py, .ipynb or .zip. It holds {named(entries)}"
        )
    return found


def recognised(folder: Path, entries: Entries) -> tuple[str, dict[str, Piece]]:
    """Return the platform that a folder was downloaded from, and the folder's pieces.

    A platform is recognised if more than half of the files and folders that may be
    hand-ins have names as this platform gives them.

    Args:
        folder: the folder.
        entries: the folder's entries.

    Returns:
        A key of `PLATFORMS`, and the pieces with entries' names as keys. If no platform
        is recognised: PLAIN and {}.
    """
    real = [entry for entry in entries if not entry.is_symlink()]
    possible = {
        entry.name for entry in real if is_folder(entry) or is_hand_in(entry.name)
    }
    for platform, pieces_in in PLATFORMS.items():
        pieces = pieces_in(folder, real)
        if 2 * len(pieces) > len(possible | pieces.keys()):
            return platform, pieces
    return PLAIN, {}


def choose(folder: Path, pieces: dict[str, Piece], found: Found) -> None:
    """Add hand-ins to what was found: of each person's pieces the one that counts.

    The last attempt counts, and of its files the best one (see `best_of`).

    Args:
        folder: the folder of the download.
        pieces: all pieces by the names of their entries.
        found: gets the hand-ins, and the other pieces as ignored.
    """
    of_one: dict[str, list[str]] = {}
    for name, piece in pieces.items():
        if piece.why_not:
            found.ignored.append((name, piece.why_not))
            if piece.owners:
                about = folder / name, name, piece.owners, piece.late, piece.group
                why = piece.of_each or piece.why_not
                found.without_file.append((HandIn(*about), why))
        elif not piece.note:
            of_one.setdefault(piece.who, []).append(name)
    for names in of_one.values():
        last = max(pieces[name].time for name in names)
        latest = [name for name in names if pieces[name].time == last]
        best, notes = best_of(folder, {name: pieces[name].file for name in latest})
        piece = pieces[best]
        if isinstance(piece, ilias.Noted):
            notes = piece.notes
        for name in names:
            if name != best:
                whose = "group" if piece.group else "student"
                why = f"the same {whose}'s {piece.file or best} counts"
                earlier = name not in latest
                found.ignored.append(
                    (name, f"an earlier attempt: {why}" * earlier or why)
                )
        path = folder / best
        path = piece.path or (path if piece.file else place_in(path))
        if piece.strange:
            found.strange[best] = piece.strange
        hand_in = HandIn(path, best, piece.owners, piece.late, piece.group, notes)
        found.hand_ins.append(hand_in)
    found.hand_ins.sort(key=lambda hand_in: os.fsencode(hand_in.entry))
    found.ignored.sort(key=lambda ignored: os.fsencode(ignored[0]))


def best_of(folder: Path, files: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """Return the entry of an attempt that counts, and sentences on this choice.

    Args:
        folder: the folder of the download.
        files: the attempt's entries, each with its file's name as the student chose it.
    """
    if len(files) == 1:
        return next(iter(files)), ()
    ranks = ranks_of({folder / name: file for name, file in files.items()})
    best = max(ranks, key=lambda path: (ranks[path], path.name))
    if not ranks[best].worked:
        return best.name, ()
    others = [key for path, key in ranks.items() if path != best and key.own]
    rivals = [PurePosixPath(key.file) for key in others if key.worked]
    # Files that would have been taken if the student had written something in them.
    would = [key for key in others if key._replace(worked=True) > ranks[best]]
    blank = [PurePosixPath(key.file) for key in would if key.right and not key.worked]
    taken = PurePosixPath(files[best.name])
    return best.name, tuple(about_choice(taken, [], blank, rivals))


def download_in(folder: Path, entries: Entries) -> Path | None:
    """Return the inner folder that holds the hand-ins of a class, or None.

    It is a platform's download that is the only folder or is named `submitted`. Or it
    is the only folder, `is_class` is True for it, and no file beside it can be a
    hand-in.

    Args:
        folder: a folder that is no platform's download.
        entries: the folder's entries.

    Raises:
        UsageError: there are several inner folders, and all are downloads from
            platforms in `CERTAIN`.
    """
    known = {Path(path): layout for path, layout in downloads_in(entries)}
    folders = [Path(entry.path) for entry in entries if is_folder(entry)]
    for path in known:
        if len(folders) == 1 or path.name == nbgrader.SUBMITTED:
            return path
    if len(folders) > 1 and all(known.get(path) in CERTAIN for path in folders):
        raise UsageError(
            f"SUBMISSIONS={str(folder)!r} is one level too high. Expected is the "
            f"folder of one download, but it holds several: {named(entries)}"
        )
    files = any(is_hand_in(e.name) and not is_folder(e) for e in entries)
    if len(folders) == 1 and not files and is_class(folders[0]):
        return folders[0]
    return None


def downloads_in(entries: Entries) -> Iterator[tuple[str, str]]:
    """Yield the path and the platform of each folder that is a download."""
    for entry in entries:
        if is_folder(entry):
            inner = listing_or_nothing(Path(entry.path))
            layout = recognised(Path(entry.path), inner)[0] if inner else PLAIN
            if layout != PLAIN:
                yield entry.path, layout


def is_class(folder: Path) -> bool:
    """Return whether a folder seems to hold the hand-ins of several people.

    It does so if more than one entry can be a hand-in, and if no entry has the name of
    a file that each student has, such as `dqn.py`. The result is False if the folder
    cannot be read.
    """
    entries = listing_or_nothing(folder)
    if any(is_nobodys(entry.name) for entry in entries):
        return False
    hand_ins = [
        entry
        for entry in entries
        if (
            any(hand_ins_below(Path(entry.path)))
            if is_folder(entry)
            else is_hand_in(entry.name)
        )
    ]
    return len(hand_ins) > 1


def found_in(inner: Path, beside: Entries, numbers: Collection[str]) -> Found:
    """Return what `find` finds in an inner folder; list as ignored what lies beside it.

    Args:
        inner: the inner folder.
        beside: the entries of the folder in which it lies.
        numbers: see `find`.

    Raises:
        UsageError: the folder cannot be read, or holds no hand-in, or is no download
            but a single hand-in or a folder of several downloads.
    """
    found = find(inner, numbers)
    found.inner = f"{inner.name}/{found.inner}".rstrip("/")
    why = f"it lies beside {inner.name}/, which is the download"
    found.ignored += [(e.name, why) for e in beside if e.name != inner.name]
    return found


def require_several(folder: Path, entries: Entries) -> None:
    """Check that a folder is not a single hand-in.

    Args:
        folder: a folder that is no platform's download.
        entries: the folder's entries.

    Raises:
        UsageError: the folder is a single hand-in.
    """
    folders = [Path(entry.path) for entry in entries if is_folder(entry)]
    inside = os.path.join(repositories.STARTER, FILE)
    # `dqn.py` first, because everybody knows it.
    nobodys = sorted((e.name for e in entries if is_nobodys(e.name)), key=rank)
    has = nobodys[-1] if nobodys else ""
    if os.path.isfile(folder / inside):
        has = inside
    elif has and any(any(hand_ins_below(path)) for path in folders):
        return  # a file beside the hand-ins
    whole = folder.resolve()
    above = [e for e in listing_or_nothing(whole.parent) if e.name == whole.name]
    for layout, pieces_in in CERTAIN.items():
        if pieces_in(whole.parent, above).keys() & {whole.name}:
            has = has or f"a hand-in's name ({layout})"
    if has:
        raise UsageError(
            f"SUBMISSIONS={str(folder)!r} looks like a single hand-in: it has {has}. "
            "If it is the folder of all hand-ins, take that out of it. "
            f"Else give the folder of all, perhaps {whole.parent}"
        )


def named(entries: Entries) -> str:
    """Return the names of the first entries: "a.pdf, b.txt, c.doc and 2 more".

    At most `MAX_NAMED` entries are named. The result is "nothing" if there are none.
    """
    names = ", ".join(shown(entry.name) for entry in entries[:MAX_NAMED])
    more = len(entries) - MAX_NAMED
    return f"{names} and {more} more" if more > 0 else names or "nothing"
