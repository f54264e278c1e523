"""Find the row of a gradebook that belongs to a person, if this is certain."""

import re
import unicodedata

from grader.classroom.gradebooks.export import Export
from grader.classroom.layouts import Owner, normal_name

# The kinds of identifiers that owners and rows have in common, the most certain first.
MATCHED_BY = ("canvas", "moodle", "sid", "email", "login", "name")


class People:
    """The people in a gradebook; `row_of` finds the row of a person.

    Args:
        export: the gradebook's CSV file, parsed.
    """

    def __init__(self, export: Export) -> None:
        self.rows = export.rows
        self.columns = {
            export.kinds[name]: i
            for i, name in enumerate(export.rows[0].cells)
            if name in export.kinds
        }
        self.places: dict[str, dict[str, set[int]]] = {kind: {} for kind in MATCHED_BY}
        for kind, column in self.columns.items():
            for i, row in enumerate(self.rows[export.first :], export.first):
                if value := normal(row.at(column), kind):
                    # A login name also counts as an email address, because in some
                    # universities people log in with their address.
                    for known_as in (kind, "email") if kind == "login" else (kind,):
                        self.places[known_as].setdefault(value, set()).add(i)

    def row_of(self, owner: Owner) -> tuple[int | None, str]:
        """Return the index of a person's row, and a message if the row is not certain.

        Args:
            owner: the person who handed in.

        Returns:
            The index is None if the row is not certain, or if the person has no row.
            The message says why the row is not certain; otherwise it is "".
        """
        known = {**owner.ids, "name": owner.name}
        if [*owner.ids] == ["login"]:  # from a file's name, which may be any identifier
            known |= dict.fromkeys(("sid", "email"), owner.ids["login"])
            rows = set().union(*self.found(known).values())
        else:
            rows = set()
            for kind, some in self.found(known).items():
                if kind == "moodle" and (other := self.others(some, owner.name)):
                    whose = f"number {known[kind]} is that of {other}"
                    return None, f"{owner.name}: not entered, for {whose}"
                rows = rows & some or rows or some
        if len(rows) > 1:
            could_be = f"{len(rows)} rows could be meant"
            return None, f"{owner.name}: not entered, for {could_be}"
        return next(iter(rows), None), ""

    def found(self, known: dict[str, str]) -> dict[str, set[int]]:
        """Return the rows that have an identifier of a person.

        Args:
            known: a person's identifiers by kind.

        Returns:
            Sets of row indices by kind of identifier, the most certain kind first.
            Kinds without a matching row are left out.
        """
        return {
            kind: some
            for kind in MATCHED_BY
            if kind in known
            if (some := self.places[kind].get(normal(known[kind], kind)))
        }

    def others(self, rows: set[int], name: str) -> str:
        """Return the names in some rows; "" if one of them may be the given name.

        Moodle gives numbers to groups, too, and a participant outside a group can have
        the group's number. If the number in a folder's name is that of a group, this
        participant's name differs from the name in the folder's name.

        Args:
            rows: the indices of the rows with the number in the folder's name.
            name: the name in the folder's name.
        """
        told = [self.name_in(row) for row in sorted(rows)]
        if any(same_name(name, other) for other in told):
            return ""
        return " and ".join(other or "somebody without a name" for other in told)

    def name_in(self, row: int) -> str:
        """Return the name in a row.

        If the export has no column of names, the result is the word before the number
        in the column Identifier: "Participant" in "Participant 123".

        Args:
            row: the index of the row.
        """
        if "name" in self.columns:
            return self.rows[row].at(self.columns["name"])
        return re.sub(r"\s*\d+\s*$", "", self.rows[row].at(self.columns["moodle"]))


def same_name(folder: str, name: str) -> bool:
    """Return whether a folder of Moodle may belong to the person with this name.

    In a folder's name, Moodle omits characters that file systems do not allow, and may
    put the name of a group and a hyphen before the person's name. If the folder's name
    has bytes that could not be decoded, only the ASCII letters are compared.

    Args:
        folder: the name in a folder of Moodle.
        name: the name of a person in an export.
    """
    parts = folder.split("-")
    told = {letters("-".join(parts[i:])) for i in range(len(parts))}
    if re.search("[\ud800-\udfff�]", folder):
        return letters(ascii_of(name)) == letters(ascii_of(folder)) != ""
    return not letters(folder) or letters(name) in told


def letters(name: str) -> str:
    """Return the letters of a name, sorted: equal for "Jane Doe" and "Doe Jane"."""
    return "".join(sorted(normal_name(name).replace(" ", "")))


def ascii_of(name: str) -> str:
    """Return the ASCII characters of a name."""
    composed = unicodedata.normalize("NFC", name)
    return "".join(c for c in composed if c.isascii())


def normal(value: str, kind: str) -> str:
    """Return an identifier in a normal form: equal identifiers become equal texts.

    The result is "" if the text holds no identifier of this kind.

    Args:
        value: the text with the identifier.
        kind: the kind of identifier, such as "email"; one of `MATCHED_BY`.
    """
    if kind == "name":
        return normal_name(value)
    if kind == "moodle":  # "Participant 123", in the site's language
        digits = re.search(r"\d+\s*$", value)
        return digits[0].strip() if digits else ""
    return unicodedata.normalize("NFKC", value).strip().casefold()
