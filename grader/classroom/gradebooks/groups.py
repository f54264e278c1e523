"""Find the rows of a gradebook that a hand-in belongs to: a person's or a group's."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from grader.classroom.gradebooks.export import Export, named
from grader.classroom.gradebooks.people import People
from grader.classroom.gradebooks.sheet import Sheet
from grader.classroom.layouts import HandIn, Owner
from grader.contract.outcomes import UsageError

# The columns of the file that Canvas exports for the groups of a course. The first one
# is the name, and its own name is in the user's language
# (instructure/canvas-lms, app/controllers/group_categories_controller.rb, `export`).
MEMBERS = {
    "canvas": ["canvas_user_id"],
    "sid": ["user_id"],
    "login": ["login_id"],
    "email": ["email"],
    "group": ["group_name"],
}
BOTH = "it is the name of a group and of a person"
Place = tuple[str, int | None, str]  # a name, the index of a row, why there is none


def read_members(sheet: Sheet) -> dict[str, list[Owner]]:
    """Return the members of each group, by the group's name.

    Args:
        sheet: the list of groups that Canvas exports, or a file with the same names of
            columns.

    Raises:
        UsageError: the file has no column with the groups' names, or none that can
            identify a member.
    """
    columns = named(sheet.head, MEMBERS)
    if "group" not in columns or len(columns) < 2:
        raise UsageError(
            "MEMBERS: no list of groups: it needs the column group_name, and "
            "canvas_user_id, login_id, user_id or email. "
            f"It has: {', '.join(sheet.head)[:200]}"
        )
    groups: dict[str, list[Owner]] = {}
    for row in sheet.rows[1:]:
        known = {kind: row.at(column).strip() for kind, (column, *_) in columns.items()}
        if group := known.pop("group"):
            known = {kind: value for kind, value in known.items() if value}
            name = row.at(0).strip() if 0 not in sum(columns.values(), ()) else ""
            groups.setdefault(group, []).append(Owner(name, known))
    return groups


class Places:
    """The rows of a gradebook; `of` finds those that a hand-in belongs to.

    If the gradebook has a column for groups, as Moodle's worksheet of a team assignment
    has, this column says who is in which group. For a group that is not in this column,
    `members` says it. In a list of people, such a column can be of other groups, such
    as tutorials, so there `members` comes first.

    Args:
        export: the gradebook.
        members: the members of each group, by the group's name; {} if not known.
    """

    def __init__(self, export: Export, members: Mapping[str, Sequence[Owner]]) -> None:
        self.export = export
        self.people = People(export)
        self.members = members
        self.rows: dict[str, list[int]] = {}  # by the name of a group
        for row in range(export.first, len(export.rows)):
            for group in export.value(row, "group").splitlines():
                self.rows.setdefault(group, []).append(row)
        rows_first = (self.rows, members)
        # What says who is in a group; the first one that has the group counts.
        self.sources = rows_first if export.platform else rows_first[::-1]

    def of(self, hand_in: HandIn) -> Iterator[Place]:
        """Yield for each owner of a hand-in the name, the row's index, and a message.

        The index is None if the row is not certain, or if there is none. The message
        says why the row is not certain; otherwise it is "".

        Args:
            hand_in: the hand-in. If its owner is a group, the group's members count as
                owners. If the group or its members are not certain, only the group's
                name is yielded, with None and a message.
        """
        owner = hand_in.owners[0]
        name = hand_in.group or owner.name
        if hand_in.doubt:
            yield name, None, hand_in.doubt
        elif groups := self.groups_of(hand_in):
            if len(groups) > 1:
                yield (
                    name,
                    None,
                    f"{len(groups)} groups could be meant: {', '.join(groups)}",
                )
            elif not hand_in.group and self.people.row_of(owner)[0] is not None:
                yield name, None, BOTH
            elif self.source_of(groups[0]) is self.rows:
                for row in self.rows[groups[0]]:
                    yield self.people.name_in(row) or name, row, ""
            else:
                yield from self.members_of(groups[0], owner)
        elif hand_in.group == owner.name and self.people.row_of(owner)[0] is None:
            known = (
                "MEMBERS has no such group" if self.members else "MEMBERS=file says it"
            )
            yield name, None, f"it is not known who is in this group ({known})"
        else:
            for one in hand_in.owners:
                yield (one.name, *self.people.row_of(one))

    def groups_of(self, hand_in: HandIn) -> list[str]:
        """Return the names of the groups that a hand-in may belong to.

        In a download from Canvas, the owner has the Canvas number of one member of the
        group. If several groups match the name, only those with this member are
        returned, if there are any. In a folder of repositories, what seems to be the
        owner's login at GitHub can be the name of a team.
        """
        owner, *others = hand_in.owners
        # Without a group's name, one owner may be a group, unless the owner's address
        # is known.
        if not hand_in.group and (others or {"email", "sid"} & {*owner.ids}):
            return []
        name = hand_in.group or owner.ids.get("github") or owner.name
        form = letters if "canvas" in owner.ids else written
        form = slug if "github" in owner.ids else form
        for known in self.sources:
            groups = [group for group in known if form(group) == form(name)]
            if len(groups) > 1 and "canvas" in owner.ids:
                number = owner.ids["canvas"]
                return [g for g in groups if number in self.numbers(g)] or groups
            if groups:
                return groups
        return []

    def source_of(self, group: str) -> object:
        """Return which of `sources` counts for a group that is in one of them."""
        return next(source for source in self.sources if group in source)

    def numbers(self, group: str) -> set[str]:
        """Return the Canvas numbers of the group's members in `members`.

        A number comes from the list of members, or from the member's row. A member
        without a number in both counts as "".
        """
        found = set()
        for one in self.members.get(group, ()):
            row, _ = self.people.row_of(one, listed=True)
            in_row = "" if row is None else self.export.value(row, "canvas")
            found.add(one.ids.get("canvas") or in_row)
        return found

    def has(self, group: str, number: str) -> bool:
        """Return whether a Canvas number can be that of a member of a group.

        It can be if a member has this number, or if a member's number is not known and
        the number is in no row.

        Args:
            group: the name of the group, a key of `members`.
            number: the number.
        """
        numbers = self.numbers(group)
        in_row = number in self.people.places["canvas"]
        return number in numbers or ("" in numbers and not in_row)

    def members_of(self, group: str, owner: Owner) -> Iterator[Place]:
        """Yield for each member of a group the name, the row's index, and a message.

        The members are those in `members`. The index is None if the row is not certain,
        or if there is none. The message says why the row is not certain; otherwise it
        is "".

        Args:
            group: the name of the group, a key of `members`.
            owner: the owner in the download. If the owner has a Canvas number that
                cannot be a member's, only the group's name is yielded, with None and a
                message.
        """
        number = owner.ids.get("canvas")
        if number and not self.has(group, number):
            why = f"MEMBERS does not show that number {number} is in this group"
            yield group, None, why
            return
        for one in self.members[group]:
            row, doubt = self.people.row_of(one, listed=True)
            yield one.name or " ".join(one.ids.values()), row, doubt


def written(name: str) -> str:
    """Return a group's name as Moodle writes it into the name of a folder.

    Moodle omits some characters (moodle/moodle, lib/moodlelib.php, `PARAM_FILE`) and
    puts a space for an underscore (mod/assign/classes/downloader.php).
    """
    kept = re.sub(r"""[\0-\x1f\x7f&<>"`|':\\/]|\.\.+""", "", name.replace("_", " "))
    return " ".join(unicodedata.normalize("NFC", kept).split())


def slug(name: str) -> str:
    """Return a group's name as GitHub Classroom writes it into a repository's name."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")


def letters(name: str) -> str:
    """Return the letters, their marks, and the digits of a group's name in lower case.

    In file names, Canvas omits all other characters but "_" (instructure/canvas-lms,
    lib/content_zipper.rb).
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(
        c for c in folded if c.isalnum() or unicodedata.category(c).startswith("M")
    )
