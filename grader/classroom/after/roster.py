"""Read a list of the people of a course."""

import re
from collections.abc import Iterable, Sequence

from grader.classroom.gradebooks.export import Export
from grader.classroom.gradebooks.moodle import KINDS as MOODLE
from grader.classroom.gradebooks.moodle import is_worksheet
from grader.classroom.gradebooks.people import normal
from grader.classroom.gradebooks.sheet import Sheet, as_csv, sheet_of
from grader.classroom.layouts import words_of
from grader.contract.outcomes import UsageError

# The kinds of identifiers (see `Owner.ids`), and in the end the name of the group.
KINDS = ("name", "email", "sid", "login", "github", "canvas", "moodle")
CELLS = (*KINDS, "group")
UNIQUE = ("sid", "email", "login", "github")  # two people hardly share one
# By kind, the names of columns in lists of people and in exported gradebooks.
HEADS = {
    "name": ("name", "student", "student name", "display name"),
    "first": (
        *("first name", "given name", "firstname", "vorname", "prénom", "nombre"),
        "voornaam",
    ),
    "last": (
        *("last name", "surname", "family name", "lastname", "nachname"),
        *("nom", "nom de famille", "apellidos", "apellido(s)", "achternaam"),
    ),
    "email": (
        *("email", "e-mail", "mail", "email address", "e-mail address"),
        *("e-mail-adresse", "adresse de courriel", "dirección de correo"),
    ),
    "sid": (
        *("student id", "student number", "sis user id", "sid", "id", "orgdefinedid"),
        *("matrikelnummer", "matrikel", "studentnummer"),
    ),
    "login": ("login", "user name", "login id", "sis login id"),
    "github": ("github", "github username", "github login", "github account"),
    "group": ("group name", "team"),
}
_KIND_OF = {
    name.casefold(): kind
    for heads in (HEADS, MOODLE)
    for kind, names in heads.items()
    for name in names
}
_SURNAME = (
    "ROSTER: {!r} before {!r} was taken for a last name, not for a login; a first row "
    "with the names of the columns would say which it is"
)
CLASSROOM_50 = {"username", "first_name", "last_name", "email", "section"}
_EMAIL = re.compile(r"[^\s<>()]+@[^\s<>()]+")
# A student ID and a name in one cell, in either order.
_SID_AND_NAME = re.compile(
    r"\(?(?P<first>[^\s()]*\d[^\s()]*)\)?\s+(?P<name>\D+)"
    r"|(?P<name_2>\D+)\s+\(?(?P<last>[^\s()]*\d[^\s()]*)\)?"
)
# "Participant 123" in any language; a student ID begins with fewer letters.
_PARTICIPANT = re.compile(r"\D{6,}\d+$")
# Rows of Canvas' gradebook that belong to nobody.
_NOBODY = re.compile(r"\s*points possible|student, test$|test student$", re.I)


def read_roster(sheet: Sheet) -> Export:
    """Return the people of a course, in the form in which gradebooks are searched.

    The file is an exported gradebook, or any other table or list with the names, e-mail
    addresses, student ids or logins of the people. If its first row is no head that is
    known, the kind of each cell is told by what is in it; the first row is passed over
    if it seems to have the names of columns all the same. A person may be in several
    rows, as in a list with a row for each section; the result has one row.

    Raises:
        UsageError: the file has no people, or a row has more cells than the head.
    """
    rows = [row.cells for row in sheet.rows]
    head = kinds_of(rows[0], rows[1:]) if rows else []
    note = ""
    if is_worksheet(sheet) and _PARTICIPANT.match(rows[1][0]):
        head[0] = "moodle"
    if {*head} & {*KINDS, "last", "identifier"}:
        for i, cells in enumerate(rows, 1):
            if any(cells[len(head) :]):
                raise UsageError(f"ROSTER: row {i} has more cells than the first row")
        people = [by_head(head, cells) for cells in rows[1:]]
    else:
        if rows and is_head(rows[0], [cells for cells in rows[1:] if any(cells)]):
            skipped = ", ".join(filter(None, map(str.strip, rows.pop(0))))
            note = f"ROSTER: the first row was taken for names of columns: {skipped}"
        logins, doubt = logins_first(rows)
        note = "; ".join(filter(None, (note, doubt)))
        people = [by_shape(cells, login_first=logins) for cells in rows]
    kept = [
        person
        for person in people
        if any(person.get(kind) for kind in KINDS)
        and not _NOBODY.match(person.get("name", ""))
    ]
    if not kept:
        raise UsageError("ROSTER: nobody is in it")
    people = merged(kept)
    table = [[person.get(kind, "") for kind in CELLS] for person in people]
    listed = sheet_of(as_csv([CELLS, *table]))
    columns: dict[str, tuple[int, ...]] = {kind: (i,) for i, kind in enumerate(CELLS)}
    return Export("", listed, columns, 1, 0, [0.0] * len(listed.rows), note=note)


def kinds_of(head: list[str], rows: Sequence[list[str]]) -> list[str]:
    """Return the kind of each column, such as "email"; "" for an unknown name.

    Args:
        head: the names of the columns.
        rows: the rows below the head.
    """
    names = [cell.strip().casefold().replace("_", " ") for cell in head]
    known = dict(_KIND_OF)
    if "section" in names and {"student", "lastname"} & {*names}:
        known["id"] = "canvas"  # the column ID of a gradebook of Canvas
    if "github" not in map(known.get, names) and is_classroom_50(head, rows):
        known["username"] = "github"
    if {"identifier", "github username"} <= {*names}:
        # In GitHub Classroom's roster, the teacher gives the identifiers. The name is
        # what the owner of the account calls himself, perhaps as somebody else.
        known |= {"identifier": "identifier", "name": ""}
    kinds = [known.get(name, "") for name in names]
    if "first" in kinds and "last" not in kinds:
        people = [by_head(kinds, cells) for cells in rows]
        if not are_whole_names(people):
            known["name"] = "last"  # as in German lists: "Name", "Vorname"
    return [known.get(name, "") for name in names]


def is_classroom_50(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bool:
    """Return whether a list is a roster or a table of scores of Classroom 50.

    Only there is it certain that the column `username` has logins at GitHub, and that
    `github_id` has the numbers of the accounts. In a list of a teacher, a column
    "GitHub ID" may have these logins, and "Username" those at the university.

    Args:
        head: the names of the columns.
        rows: the rows below the head.
    """
    names = [cell.strip() for cell in head]
    if not CLASSROOM_50.issubset(names):
        return False
    if "github_id" not in names:
        return "submission_tag" in names
    numbers = ("".join(row[names.index("github_id") :][:1]).strip() for row in rows)
    return all(cell.isdecimal() for cell in numbers if cell)


def are_whole_names(people: Iterable[dict[str, str]]) -> bool:
    """Return whether names are whole beside first names, not last names.

    They are so if more than half of them have all words of the first name, and others.

    Args:
        people: by kind, what the rows say; people without a first name do not count.
    """
    whole = [
        {*words_of(person["first"])} < {*words_of(person["name"])}
        for person in people
        if "first" in person
    ]
    return 2 * sum(whole) > len(whole)


def by_head(head: list[str], cells: list[str]) -> dict[str, str]:
    """Return what a row says of a person, by kind.

    Of several columns of one kind, the first whose cell is not empty counts. If there
    is no such cell of the kind "name", the name is made of those of "first" and "last".
    A cell of the kind "identifier" can be a name, a student ID, a login or an address;
    its name counts only if there is no other.

    Args:
        head: the kind of each column; "" for other columns.
        cells: the row.
    """
    person: dict[str, str] = {}
    for kind, cell in zip(head, cells, strict=False):
        if kind and cell.strip():
            person.setdefault(kind, cell.strip())
    both = " ".join(filter(None, (person.get("first"), person.get("last"))))
    told = by_shape([person["identifier"]]) if "identifier" in person else {"name": ""}
    return {**told, "name": both or told["name"], **person}


def is_head(row: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Return whether a row has the names of columns, whatever the language.

    It has if it is the only one without a digit and an "@", and if a column has one of
    them in all other rows, of which there are at least two. Above all such columns it
    has a name, because an empty cell is that of a person without a number. It has a
    name above another column, too, and none that is also below.

    Args:
        row: the first row.
        others: the rows below, without those whose cells are all empty.
    """
    marked = re.compile(r"[\d@]")
    numbered = [
        at
        for at, column in enumerate(zip(*others, strict=False))
        if all(map(marked.search, column))
    ]
    named = {at for at, cell in enumerate(row) if cell.strip()}
    columns = zip(row, *others, strict=False)
    return (
        len(others) > 1
        and bool(numbered)
        and named.issuperset(numbered)
        and len(named) > 1
        and not any(map(marked.search, row))
        and not any(cell.strip() and cell in below for cell, *below in columns)
    )


def logins_first(rows: Iterable[Sequence[str]]) -> tuple[bool, str]:
    """Return whether each row begins with a login, and a sentence if some only may.

    Args:
        rows: the rows of a list without a head.
    """
    words = [some for cells in rows if (some := told_apart(cells)[0])]
    begin = [some for some in words if may_begin_with_login(some)]
    if begin and len(begin) == len(words) and all(map(is_login, begin)):
        return True, ""
    return False, _SURNAME.format(*begin[0]) if begin else ""


def may_begin_with_login(words: Sequence[str]) -> bool:
    """Return whether a word in small letters is before a text of several words.

    It can be a login before a name, or a last name before first names.

    Args:
        words: the cells of a row without digits, which are not empty.
    """
    if len(words) < 2:
        return False
    first, other, *_ = words
    small = first.islower() and not other.islower()
    return small and " " not in first and " " in other


def is_login(words: Sequence[str]) -> bool:
    """Return whether the first word is hardly a last name: "jdoe" before "Jane Doe".

    It is so if a word of the name is a part of it.

    Args:
        words: cells for which `may_begin_with_login` is True.
    """
    login = words[0].casefold()
    parts = [part for part in words_of(words[1]) if len(part) > 1]
    return any(part in login and part != login for part in parts)


def by_shape(cells: Sequence[str], *, login_first: bool = False) -> dict[str, str]:
    """Return what a row without a head says of a person, by kind.

    A name may stand before or after the student id, as in "123 Jane Doe". Otherwise it
    is in the cells without digits (see `named_in`).

    Args:
        cells: the row.
        login_first: whether the first of the cells without digits is a login.
    """
    words, person = told_apart(cells)
    if not words and (both := _SID_AND_NAME.fullmatch(person.get("sid", ""))):
        person["sid"] = both["first"] or both["last"]
        words.append(both["name"] or both["name_2"])
    return {**named_in(words, login_first=login_first), **person}


def told_apart(cells: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the cells without digits that are not empty, and what others say, by kind.

    A cell with @ is an e-mail address, also in "Jane Doe <jane@example.org>". The first
    cell with a digit is a student id, the next cell with a digit a login.

    Args:
        cells: a row without a head.
    """
    person: dict[str, str] = {}
    words = []
    for cell in cells:
        if email := _EMAIL.search(cell):
            person["email"] = email[0]
            cell = re.sub(r"[<>()]", " ", cell.replace(email[0], " "))
        cell = cell.strip()
        if re.search(r"\d", cell):
            person |= {"login" if "sid" in person else "sid": cell}
        elif cell:
            words.append(cell)
    return words, person


def named_in(words: Sequence[str], *, login_first: bool = False) -> dict[str, str]:
    """Return a person's name and perhaps login from cells without digits.

    The name is in the first cell if this has a blank, else in the first two. A login
    may follow. A single word counts as both name and login.

    Args:
        words: the cells that are not empty.
        login_first: whether the first cell is a login, and the second one the name.
    """
    if not words:
        return {"name": ""}
    first, *others = words
    if others and login_first:
        return {"name": others[0], "login": first}
    if others and " " not in first:
        first, *others = f"{first} {others[0]}", *others[1:]
    login = others[0] if others else "" if " " in first else first
    return {"name": first, **({"login": login} if login else {})}


def merged(rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Return each person once who is in several rows of a list.

    Two rows are of one person if they share a student ID, an e-mail address or a login,
    and contradict each other in nothing. What people of several names share, such as
    the number of a section, does not count. The groups of all rows are kept, one on
    each line.

    Args:
        rows: by kind, what each row says.
    """
    names: dict[tuple[str, str], set[str]] = {}  # of those who share an identifier
    for row in rows:
        for kind in UNIQUE:
            key = kind, normal(row.get(kind, ""), kind)
            names.setdefault(key, set()).add(normal(row.get("name", ""), "name"))
    people: list[dict[str, str]] = []
    known: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        told = {
            kind: form
            for kind in KINDS
            if (form := normal(row.get(kind, ""), kind))
            and len(names.get((kind, form), set()) - {""}) < 2
        }
        # A login that is also the name may be a first name.
        keys = [
            (kind, told[kind])
            for kind in UNIQUE
            if kind in told and not (kind == "login" and row[kind] == row.get("name"))
        ]
        same = (known[key] for key in keys if key in known)
        person = next((one for one in same if are_one(one, told)), None)
        if person is None:
            person = {}
            people.append(person)
        groups = "\n".join(one.get("group", "") for one in (person, row)).split("\n")
        cells = ((kind, cell) for kind, cell in row.items() if not person.get(kind))
        person |= {**dict(cells), "group": "\n".join(dict.fromkeys(groups)).strip()}
        known |= {key: known.get(key, person) for key in keys}
    return people


def are_one(person: dict[str, str], told: dict[str, str]) -> bool:
    """Return whether nothing that is told of somebody contradicts what a person is.

    Args:
        person: by kind, what is known of the person.
        told: by kind, what is told of somebody, as `normal`.
    """
    return all(
        normal(person.get(kind) or form, kind) == form for kind, form in told.items()
    )
