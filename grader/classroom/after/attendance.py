"""Compare the hand-ins of a class with the list of its people."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from grader.classroom.after.roster import KINDS, UNIQUE, are_one
from grader.classroom.gradebooks.export import Export
from grader.classroom.gradebooks.groups import BOTH, Places
from grader.classroom.gradebooks.people import People, normal
from grader.classroom.layouts import Found, HandIn, Owner


@dataclass
class Attendance:
    """The people of a class who handed in nothing, and the hand-ins of other people.

    Attributes:
        people: the number of people on the list.
        note: a sentence on how the list was read, or "".
        absent: the people on the list who handed in nothing.
        without_file: the people on the list who handed in something, but of whom no
            file was found, each with what there is instead.
        unsure: others of this kind, each of whom may be somebody in `absent`, with what
            there is instead, and why it is not certain who it is.
        strangers: by the hand-in's name in the download, the owners who are not, or
            perhaps not, on the list, as text. Hand-ins without such an owner are left
            out.
    """

    people: int = 0
    note: str = ""
    absent: list[Owner] = field(default_factory=list)
    without_file: list[tuple[Owner, str]] = field(default_factory=list)
    unsure: list[tuple[Owner, str]] = field(default_factory=list)
    strangers: dict[str, str] = field(default_factory=dict)

    @property
    def no_file(self) -> list[tuple[Owner, str]]:
        """The entries of `without_file` and `unsure`."""
        return self.without_file + self.unsure


def identify(
    roster: Places, hand_ins: Iterable[HandIn], gradebook: Places | None = None
) -> list[HandIn]:
    """Return hand-ins whose owners have what a list says of their login at GitHub.

    Args:
        roster: the rows of the list of people.
        hand_ins: the hand-ins; those of owners without such a login stay as they are.
        gradebook: the rows of the gradebook, which may have the names of groups.
    """
    places = [one for one in (roster, gradebook) if one]
    return [identified(one, roster.people, places) for one in hand_ins]


def identified(hand_in: HandIn, people: People, places: Iterable[Places]) -> HandIn:
    """Return a hand-in whose owners have what a list says of their login at GitHub.

    What seems to be a login can be the name of a team, which students choose. If there
    is such a group, too, the owner stays as it is, and the hand-in gets a doubt.

    Args:
        hand_in: the hand-in.
        people: the list of people.
        places: what knows the names of groups.
    """
    known = any(rows_at(people, owner) for owner in hand_in.owners)
    if known and any(one.groups_of(hand_in) for one in places):
        return replace(hand_in, doubt=BOTH)
    owners = tuple(person_at(people, owner) for owner in hand_in.owners)
    return replace(hand_in, owners=owners)


def person_at(people: People, owner: Owner) -> Owner:
    """Return an owner with the name and the identifiers of the row with the login.

    The owner stays as it is if not exactly one row has this login at GitHub, or if
    something in the row contradicts what is known of the owner.

    Args:
        people: the list of people.
        owner: the owner, of a repository or of anything else.
    """
    rows = rows_at(people, owner)
    if len(rows) != 1:
        return owner
    (row,) = rows
    listed = {kind: people.export.value(row, kind) for kind in UNIQUE}
    told = {kind: cell for kind, cell in listed.items() if cell}
    if not are_one(owner.ids, {kind: normal(told[kind], kind) for kind in told}):
        return owner
    return Owner(people.name_in(row) or owner.name, {**told, **owner.ids})


def rows_at(people: People, owner: Owner) -> set[int]:
    """Return the rows of a list with an owner's login at GitHub; an empty set for none.

    Args:
        people: the list of people.
        owner: the owner, of a repository or of anything else.
    """
    login = normal(owner.ids.get("github", ""), "github")
    return people.places["github"].get(login, set())


def attendance(places: Places, download: Found) -> Attendance:
    """Return who on a list handed in nothing, and who handed in but is not on it.

    Args:
        places: the rows of the list of people, from `read_roster`.
        download: all hand-ins, also those that were not read, and what was handed in
            without a file.
    """
    roster = places.export
    found = Attendance(len(roster.rows) - roster.first, roster.note)
    present: set[int] = set()
    for hand_in in download.hand_ins:
        doubts = []
        for name, row, doubt in places.of(hand_in):
            if row is not None:
                present.add(row)
            else:
                doubts.append(f"{name}: {doubt}" if doubt else name)
        if doubts:
            found.strangers[hand_in.entry] = "; ".join(doubts)
    with_file = [hand_in.owners for hand_in in download.hand_ins]
    without_file: dict[int, str] = {}
    for hand_in, why in download.without_file:
        for name, row, doubt in places.of(hand_in):
            if row is not None:
                without_file[row] = why
            elif doubt and hand_in.owners not in with_file:
                found.unsure.append((Owner(name), f"{why}; {doubt}"))
    for row in range(roster.first, len(roster.rows)):
        if row not in present:
            person = person_in(roster, row)
            if row in without_file:
                found.without_file.append((person, without_file[row]))
            else:
                found.absent.append(person)
    return found


def person_in(roster: Export, row: int) -> Owner:
    """Return the person in a row of a list of people.

    Args:
        roster: the result of `read_roster`.
        row: index of the row in `roster.rows`.
    """
    known = {kind: cell for kind in KINDS if (cell := roster.value(row, kind))}
    name = known.pop("name", "") or next(iter(known.values()))
    return Owner(name, known)
