"""Find the row of a gradebook that belongs to a person, if this is certain."""

import itertools
import re
import unicodedata
from collections.abc import Collection, Mapping

from grader.classroom.gradebooks.export import Export
from grader.classroom.layouts import Owner, normal_name, words_of

Changes = tuple[Mapping[int, str | None], ...]  # for `str.translate`
# The kinds of identifiers that owners and rows have in common, the most certain first,
# and what people call them.
WORDS = {
    "canvas": "number in Canvas",
    "moodle": "participant number",
    "sid": "student ID",
    "email": "e-mail address",
    "login": "login",
    "github": "login at GitHub",
    "name": "name",
    "one word": "name",
}
MATCHED_BY = tuple(WORDS)
_NAMES = {"name", "one word"}  # the second one as Canvas writes it: "doejane"
MOST_WORDS = 5  # of a name that is written as one word, in any order
# Moodle omits these characters in the names of folders.
_APOSTROPHES = dict.fromkeys(map(ord, "'\N{RIGHT SINGLE QUOTATION MARK}`"))
_AT_GITHUB = re.compile(
    r"(?:@|(?:https?://)?(?:www\.)?github\.com/)(?P<login>[\w-]+)/?", re.I
)
# ILIAS writes these letters so in the names of folders.
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_CHANGES: Changes = (_APOSTROPHES, _UMLAUTS)
# A platform's own numbers. In the name of a file or folder, the number can also be that
# of a group (Moodle) or of one member for the whole group (Canvas).
NUMBERS = ("canvas", "moodle")


class People:
    """The people in a gradebook; `row_of` finds the row of a person.

    Args:
        export: the gradebook's CSV file, parsed.
    """

    def __init__(self, export: Export) -> None:
        self.export = export
        self.places: dict[str, dict[str, set[int]]] = {kind: {} for kind in MATCHED_BY}
        for i in range(export.first, len(export.rows)):
            for kind in MATCHED_BY:
                for value in self.values(i, kind):
                    self.places[kind].setdefault(value, set()).add(i)

    def values(self, row: int, kind: str) -> set[str]:
        """Return the identifiers of one kind in a row, in the form of `normal`.

        The identifiers of the kind "email" include a login that is an e-mail address,
        because at some universities people log in with their address.

        Args:
            row: the index of the row.
            kind: the kind of identifier, one of `MATCHED_BY`.
        """
        if kind == "one word":
            return as_one_word(self.name_in(row))
        if kind == "name":
            return written_names(self.name_in(row))
        told = {normal(text, kind) for text in self.texts(row, kind)}
        if kind == "email" and "@" in (login := self.export.value(row, "login")):
            told.add(normal(login, kind))
        return told - {""}

    def texts(self, row: int, kind: str) -> list[str]:
        """Return the identifiers of one kind in a row as they are written there.

        Args:
            row: the index of the row.
            kind: the kind of identifier. Of the kind "email" there can be several.
        """
        text = self.export.value(row, kind)
        return text.split() if kind == "email" else [text]

    def row_of(self, owner: Owner, *, listed: bool = False) -> tuple[int | None, str]:
        """Return the index of a person's row, and a message if the row is not certain.

        Args:
            owner: the person who handed in.
            listed: whether the person is from a list of people. If false, the row with
                the person's number in Canvas or Moodle is certain only if the name in
                it agrees, because the number can be a group's.

        Returns:
            The index is None if the row is not certain, or if the person has no row.
            The message says why the row is not certain; otherwise it is "".
        """
        known = {**owner.ids, "name": owner.name}
        if "canvas" in owner.ids:
            known["one word"] = owner.name
        if is_any(owner):
            known |= dict.fromkeys(("sid", "email"), owner.ids["login"])
            found = self.found(known)
            rows = set().union(*found.values())
        else:
            found = self.found(known)
            rows = set.intersection(*found.values()) if found else set()
        why = "" if listed else self.wrong_number(owner, found)
        why = why or self.doubt(owner, found, rows)
        if why:
            return None, why
        return next(iter(rows), None), ""

    def wrong_number(self, owner: Owner, found: dict[str, set[int]]) -> str:
        """Return a sentence if an owner's number is in a row of another name, else "".

        The number is that in Canvas, or the participant number in Moodle.

        Args:
            owner: the person who handed in.
            found: the result of `found`.
        """
        for kind in NUMBERS:
            for row in sorted(found.get(kind, ())):
                if not self.agrees(owner.name, row):
                    other = self.name_in(row) or "somebody without a name"
                    advice = " (a group? MEMBERS=file says who is in it)"
                    whose = f"number {owner.ids[kind]} is that of {other}"
                    return whose + advice * (kind == "canvas")
        return ""

    def doubt(self, owner: Owner, found: dict[str, set[int]], rows: set[int]) -> str:
        """Return why it is not certain which row belongs to a person.

        The result is "" if one row is certain, or if `found` is empty.

        Args:
            owner: the person who handed in.
            found: the result of `found`: by kind of identifier, the matching rows.
            rows: the indices of the rows that may be the person's. It is empty if the
                identifiers match different rows.
        """
        if len(rows) > 1:
            return f"{len(rows)} rows could be meant"
        if found and not rows:
            whose = (
                f"the {WORDS[kind]} is that of {self.name_in(min(some))}"
                for kind, some in found.items()
            )
            return ", and ".join(whose)
        if found and found.keys() <= _NAMES and not is_any(owner):
            (row,) = rows
            for kind, ours in owner.ids.items():
                theirs = self.values(row, kind)
                if theirs and normal(ours, kind) not in theirs:
                    told = f"{self.export.value(row, kind)}, not {ours}"
                    return f"the row of this name has another {WORDS[kind]}: {told}"
        return ""

    def rows_named(self, name: str, kinds: Collection[str]) -> set[int]:
        """Return the rows of people whose name a platform may write in this way.

        Of several, those count whose name is certainly written so by the platform, if
        there are any: "Jana Mueller" can be Jana Müller in ILIAS, but not in Moodle.

        Args:
            name: the name in the download.
            kinds: the kinds of the owner's identifiers, which tell the platform.
                Without any, the platform may be ILIAS.
        """
        name = normal_name(name)
        rows = self.places["name"].get(name, set())
        changes: Changes = _CHANGES if "ilias" in kinds or not kinds else ()
        if "moodle" in kinds:
            changes = (_APOSTROPHES,)
        sure = {i for i in rows if name in written_names(self.name_in(i), changes)}
        return sure or rows

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
            if (
                some := self.rows_named(known[kind], known.keys() - {"name"})
                if kind == "name"
                else self.places[kind].get(normal(known[kind], kind))
            )
        }

    def agrees(self, name: str, row: int) -> bool:
        """Return whether a name from a file or folder may be that of a row's person.

        The result is also True if the name is the word in the row's identifier of
        Moodle, such as "Participant" in "Participant 123". Where Moodle hides the names
        of people, it writes this word into folders' names.

        Args:
            name: the part of the file's or folder's name that names the person.
            row: the index of the row.
        """
        word = re.sub(r"\s*\d+\s*$", "", self.export.value(row, "moodle"))
        return any(same_name(name, told) for told in (self.name_in(row), word) if told)

    def name_in(self, row: int) -> str:
        """Return the name in a row; "" if there is none.

        Args:
            row: the index of the row.
        """
        return self.export.value(row, "name")


def is_any(owner: Owner) -> bool:
    """Return whether an owner's login may be an identifier of any kind.

    This is so if only the name of a file or folder is known: then the owner's name and
    login are both this name.
    """
    return owner.ids == {"login": owner.name}


def same_name(folder: str, name: str) -> bool:
    """Return whether a name from a file or folder may be that of a person.

    Only letters and digits are compared, because Canvas and Moodle omit characters that
    file systems do not allow. The order of the letters does not matter. Moodle may put
    the name of a group and a hyphen before the person's name. If `folder` has bytes
    that could not be decoded, only the ASCII letters and digits are compared.

    Args:
        folder: the part of the file's or folder's name that names the person.
        name: the name of a person in an export.
    """
    parts = folder.split("-")
    told = {sorted_letters("-".join(parts[i:])) for i in range(len(parts))}
    if re.search("[\ud800-\udfff�]", folder):
        return sorted_letters(ascii_of(name)) == sorted_letters(ascii_of(folder)) != ""
    return sorted_letters(name) in told - {""}


def as_one_word(name: str) -> set[str]:
    """Return a name's words joined in each order: "doejane" and "janedoe" for Jane Doe.

    If the name has more than `MOST_WORDS` words, the orders are those in which the last
    words come first.
    """
    words = words_of(name)
    if len(words) > MOST_WORDS:
        return {"".join(words[i:] + words[:i]) for i in range(len(words))}
    return {"".join(order) for order in itertools.permutations(words)} - {""}


def written_names(name: str, changes: Changes = _CHANGES) -> set[str]:
    """Return the forms of a person's name that platforms write, as `normal_name`.

    Moodle omits apostrophes, and ILIAS writes "ae" for "ä".

    Args:
        name: the person's name.
        changes: how platforms change a name; one form is the name itself.
    """
    composed = unicodedata.normalize("NFC", name.casefold())
    forms = {composed, *(composed.translate(change) for change in changes)}
    return {normal_name(form) for form in forms} - {""}


def sorted_letters(name: str) -> str:
    """Return the letters of a name, sorted: equal for "Jane Doe" and "Doe Jane"."""
    return "".join(sorted(normal_name(name).replace(" ", "")))


def ascii_of(name: str) -> str:
    """Return a name without the characters that are not ASCII, such as "é"."""
    composed = unicodedata.normalize("NFC", name)
    return "".join(c for c in composed if c.isascii())


def normal(value: str, kind: str) -> str:
    """Return an identifier in a normal form: equal identifiers become equal texts.

    The result is "" if the text is blank, or if the kind is "moodle" and the text does
    not end in a number.

    Args:
        value: the text with the identifier.
        kind: the kind of identifier, such as "email"; one of `MATCHED_BY`.
    """
    if kind in _NAMES:
        return normal_name(value)
    if kind == "moodle":  # "Participant 123", in the site's language
        digits = re.search(r"\d+\s*$", value)
        return digits[0].strip() if digits else ""
    if kind == "github":  # also "@jane" and "https://github.com/jane/"
        match = _AT_GITHUB.fullmatch(value.strip())
        value = match["login"] if match else value
    # In Brightspace, "#" is before a number, so that no spreadsheet changes it.
    return unicodedata.normalize("NFKC", value).strip().lstrip("#").casefold()
