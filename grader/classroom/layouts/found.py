"""Hold what was found in a download: hand-ins, their owners, and what is left out."""

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.report.exercise import counted


@dataclass(frozen=True)
class Owner:
    """A person who handed in, or a group whose members are not known.

    Attributes:
        name: the person's name in the download.
        ids: the person's known identifiers by kind. The kinds are "canvas", "moodle"
            (participant number), "email", "sid" (student ID), "login" (at the
            university), "github" (login there), "ilias" and "brightspace" (numbers).
    """

    name: str
    ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HandIn:
    """One hand-in in a download: its path and its owners.

    Attributes:
        path: the path to grade: the hand-in's file or folder, or the only file in this
            folder (see `files.place_in`).
        entry: the unique name of the hand-in's file or folder in the download.
        owners: one person, or the members of a group. If the download does not name the
            members, this is one `Owner` with the group's name.
        late: whether the download says that the hand-in was late.
        group: the name of the group in the download; "" if the download names none.
        notes: sentences for the student on the choice of the file.
        doubt: why it is not certain whose it is, although its owner has an identifier
            of somebody; "" if nothing speaks against it.
    """

    path: Path
    entry: str
    owners: tuple[Owner, ...]
    late: bool = False
    group: str = ""
    notes: tuple[str, ...] = ()
    doubt: str = ""

    @property
    def who(self) -> str:
        """The names of all owners, in one text."""
        return " & ".join(owner.name for owner in self.owners)


@dataclass
class Found:
    """The hand-ins in a folder, and the files that are not hand-ins.

    Attributes:
        hand_ins: the hand-ins, sorted by name.
        ignored: for each file or folder that is no hand-in, its name and the reason.
        without_file: of the ignored, those by which somebody handed in something of
            which no file was found, such as a text, each with the reason.
        layout: the platform and its command, as in "Canvas, Download Submissions". It
            is `download.PLAIN` if no platform was recognised.
        inner: the path from the given folder to the download; "" if they are the same.
        strange: by the name of a hand-in, why the name is strange: the platform does
            not give such names, or it can be read in several ways.
    """

    hand_ins: list[HandIn] = field(default_factory=list)
    ignored: list[tuple[str, str]] = field(default_factory=list)
    without_file: list[tuple[HandIn, str]] = field(default_factory=list)
    layout: str = ""
    inner: str = ""
    strange: dict[str, str] = field(default_factory=dict)

    @property
    def headline(self) -> str:
        """A line with `layout`, `inner` and the number of hand-ins."""
        where = f" in {self.inner}/" if self.inner else ""
        return f"{self.layout}{where}: {counted(len(self.hand_ins), 'hand-in')}"


@dataclass(frozen=True)
class Piece:
    """A file or folder in a download, as far as its name and its place tell.

    Attributes:
        who: a text that is the same for all pieces of one person or group.
        owners: see `HandIn.owners`. If this is no hand-in, they are the people who
            handed in something by it, if any.
        file: the file's name as the student chose it; "" for a folder.
        time: when it was handed in, as text that sorts by time; "" if unknown.
        late: whether the download says that it was late.
        group: see `HandIn.group`.
        path: the path to grade. With None, a file is graded itself; of a folder, the
            result of `files.place_in` is graded.
        why_not: why this is no hand-in, for `Found.ignored`; else "".
        of_each: what is said of each owner instead, for `Found.without_file`; "" for
            the same words.
        strange: see `Found.strange`; "" if the name is none of these.
        note: whether the platform wrote the file, about another piece. Such a file is
            never a hand-in, even if `why_not` is "".
    """

    who: str
    owners: tuple[Owner, ...] = ()
    file: str = ""
    time: str = ""
    late: bool = False
    group: str = ""
    path: Path | None = None
    why_not: str = ""
    of_each: str = ""
    strange: str = ""
    note: bool = False


# In these scripts the same name is also written without the marks on its letters. In
# others, as those of India or the Japanese kana, it would be another name.
_ACCENTED = ("LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW")
Entries = Sequence[os.DirEntry[str]]
# A function that takes a folder and its entries, and returns the pieces of one
# platform's download by the names of the entries.
Pieces = Callable[[Path, Entries], dict[str, Piece]]


def are_groups(names: Iterable[str]) -> bool:
    """Return whether all names look like those of groups, not of people.

    They do so if all end in a digit, as "Group 1" does. They also do so if there are
    several, which differ only in a capital letter at the end: "Team A", "Team B".
    """
    known = {*names}
    if all(name[-1:].isdigit() for name in known):
        return bool(known)
    stems = [re.fullmatch(r"(.+) [A-Z]", name) for name in known]
    return (
        len(known) > 1 and None not in stems and len({m and m[1] for m in stems}) == 1
    )


def normal_name(name: str) -> str:
    """Return a name in a form for comparisons: equal for "Doe, Jané" and "jane doe"."""
    return " ".join(sorted(words_of(name)))


def words_of(name: str) -> list[str]:
    """Return the words of a name in their order, without accents, in lower case.

    A mark that is part of the spelling stays, as a vowel sign of Devanagari is.
    """
    kept = []
    base = ""  # the name of the character that a mark belongs to
    for c in unicodedata.normalize("NFKD", name.casefold()):
        if not unicodedata.category(c).startswith("M"):
            base = unicodedata.name(c, "") if c.isalnum() else ""
            kept.append(c if c.isalnum() else " ")
        elif base and not base.startswith(_ACCENTED) and not is_variant(c):
            kept.append(c)
    return "".join(kept).split()


def is_variant(mark: str) -> bool:
    """Return whether a mark only chooses a shape of its character, as of a kanji."""
    return unicodedata.name(mark, "").startswith("VARIATION SELECTOR")
