"""Find the row of an export that belongs to a person, or say why it is not sure."""

import re
import unicodedata

from grader.classroom.gradebooks.export import Export
from grader.classroom.layouts import Owner, normal_name

# The kinds of ids by which owners and rows are matched, the surest first.
MATCHED_BY = ("canvas", "moodle", "sid", "email", "login", "name")


class People:
    """The people in an export, by all ids that it has of them."""

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
                    # Some log in with their address.
                    for known_as in (kind, "email") if kind == "login" else (kind,):
                        self.places[known_as].setdefault(value, set()).add(i)

    def row_of(self, owner: Owner) -> tuple[int | None, str]:
        """Return the row that is surely this person's, and a doubt.

        Returns:
            The number of the row, or None. A sentence that says which rows could be
            meant, or "": then None means that there is no row.
        """
        known = {**owner.ids, "name": owner.name}
        if [*owner.ids] == ["login"]:  # the name of a folder may be any of these
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
        """Return the rows that agree with what is known, by kind, the surest first."""
        return {
            kind: some
            for kind in MATCHED_BY
            if kind in known
            if (some := self.places[kind].get(normal(known[kind], kind)))
        }

    def others(self, rows: set[int], name: str) -> str:
        """Return the names in these rows, or "" where one of them may be this name.

        Moodle numbers groups as well, and participants have the same numbers.
        """
        told = [self.name_in(row) for row in sorted(rows)]
        if any(same_name(name, other) for other in told):
            return ""
        return " and ".join(other or "somebody without a name" for other in told)

    def name_in(self, row: int) -> str:
        """Return the name in a row, or the word before the number if it has no name."""
        if "name" in self.columns:
            return self.rows[row].at(self.columns["name"])
        return re.sub(r"\s*\d+\s*$", "", self.rows[row].at(self.columns["moodle"]))


def same_name(folder: str, name: str) -> bool:
    """Return whether a folder of Moodle's may be that of the person with this name.

    Moodle leaves out of a folder's name what file systems do not take, and puts a group
    and a hyphen before it. Where bytes of it are no text only the rest is compared.
    """
    parts = folder.split("-")
    told = {letters("-".join(parts[i:])) for i in range(len(parts))}
    if re.search("[\ud800-\udfff�]", folder):
        return letters(ascii_of(name)) == letters(ascii_of(folder)) != ""
    return not letters(folder) or letters(name) in told


def letters(name: str) -> str:
    """Return the letters of a name, sorted, so that the order of its parts is gone."""
    return "".join(sorted(normal_name(name).replace(" ", "")))


def ascii_of(name: str) -> str:
    """Return the ASCII characters of a name."""
    composed = unicodedata.normalize("NFC", name)
    return "".join(c for c in composed if c.isascii())


def normal(value: str, kind: str) -> str:
    """Return an id in a form that can be compared."""
    if kind == "name":
        return normal_name(value)
    if kind == "moodle":  # "Participant 123", in the site's language
        digits = re.search(r"\d+\s*$", value)
        return digits[0].strip() if digits else ""
    return unicodedata.normalize("NFKC", value).strip().casefold()
