"""Read a grading worksheet or a gradebook that Moodle exports.

Moodle writes the names of the columns in the user's language. The names in four
languages are known. A column with any other name is found by its cells and by the order
of the columns (moodle/moodle, mod/assign/gradingtable.php for the worksheet,
grade/export for the gradebook).
"""

import re

from grader.classroom.gradebooks.export import Export, named, the_column, told
from grader.classroom.gradebooks.sheet import Sheet, number
from grader.contract.outcomes import UsageError

KINDS = {
    "sid": ["ID number", "ID-Nummer", "Numéro d’identification", "Número de ID"],
    "login": ["Username", "Anmeldename", "Nom d’utilisateur", "Nombre de usuario"],
    "email": [
        *("Email address", "E-Mail-Adresse", "Adresse de courriel"),
        "Dirección de correo",
    ],
    "name": ["Full name", "Vollständiger Name", "Nom complet", "Nombre completo"],
    "group": ["Group", "Gruppe", "Groupe", "Grupo"],
}
PARTS = [  # the parts of a name
    *("First name", "Vorname", "Prénom", "Nombre"),
    *("Last name", "Surname", "Nachname", "Nom", "Nom de famille"),
    *("Apellido(s)", "Apellidos"),
]
STATUS = ["Status", "Statut", "Estado", "Estatus", "Stato"]
MAXIMUM = ["Maximum grade", "Bestwertung", "Note maximale", "Calificación máxima"]
# "No" and "yes" in many languages, in lower case. No word is in both sets.
NO = {
    *("no", "nein", "non", "nee", "nej", "nei", "não", "nie", "ne", "nē", "nem", "ei"),
    *(
        "nu",
        "ez",
        "όχι",
        "hayır",
        "нет",
        "ні",
        "не",
        "いいえ",
        "否",
        "아니오",
        "아니요",
    ),
    *("không", "tidak", "לא", "لا"),
}
YES = {
    *("yes", "ja", "oui", "sí", "sì", "si", "sim", "tak", "ano", "áno", "da", "igen"),
    *("kyllä", "jah", "jā", "taip", "bai", "ναι", "evet", "да", "так", "はい", "是"),
    *("예", "có", "ya", "כן", "نعم"),
}
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def is_moodle(sheet: Sheet) -> bool:
    """Return whether a file is a worksheet or a gradebook of Moodle."""
    return is_worksheet(sheet) or bool(
        {"sid", "email"} & {*columns_of(sheet)}
        and any(re.search(r"\(.+\)$", name) for name in sheet.head)
    )


def is_worksheet(sheet: Sheet) -> bool:
    """Return whether a file is a grading worksheet of Moodle.

    The first column of a worksheet has texts such as "Participant 123". The word before
    the number can be in any language, and is the same in all rows.
    """
    cells = sheet.column(0)
    words = {re.sub(r"\d+$", "", cell) for cell in cells}
    return 0 not in known(sheet) and len(words) == 1 and words.isdisjoint({"", *cells})


def known(sheet: Sheet) -> set[int]:
    """Return the indices of the columns whose names are in `KINDS` or `PARTS`."""
    parts = named(sheet.head, {**KINDS, "part": PARTS})
    return {column for columns in parts.values() for column in columns}


def read_moodle(sheet: Sheet, assignment: str) -> Export:
    """Find the students and the column for the scores in a file from Moodle.

    In a worksheet, the number of points for a full score is read from the column after
    the grade, for each student. A gradebook does not have this number.

    Args:
        sheet: the file from Moodle.
        assignment: the name of the column for the scores, or of the assignment. A
            worksheet has one such column, and needs no name.

    Raises:
        UsageError: no column, or more than one, is for the scores; or it is not clear
            which grades of a worksheet cannot be changed.
    """
    columns = columns_of(sheet)
    if not is_worksheet(sheet):
        column = graded(sheet, assignment)
        columns.pop("group", None)  # of all groups of the course, not of this work
        kept = told(sheet, 1, column)
        return Export(
            "Moodle", sheet, columns, 1, column, [0.0] * len(sheet.rows), kept
        )
    most = maximum(sheet)
    maxima = [number(row.at(most)) or 0.0 for row in sheet.rows]
    kept = told(sheet, 1, most - 1) | locked(sheet, most)
    columns["moodle"] = (0,)
    return Export("Moodle", sheet, columns, 1, most - 1, maxima, kept)


def columns_of(sheet: Sheet) -> dict[str, tuple[int, ...]]:
    """Return the indices of the columns that identify a student, by kind.

    The kinds are "name", "sid" (student ID), "login", "email" and "group", as far as
    there are such columns. The parts of a name can be in several columns, and so can
    the addresses of a person: where people log in with one, it is the user name.
    """
    columns = named(sheet.head, KINDS)
    emails = tuple(
        i
        for i in range(len(sheet.head))
        if (cells := [*filter(None, sheet.column(i))])
        and all(map(EMAIL.fullmatch, cells))
    )
    if emails:
        columns.setdefault("email", emails)
    if "name" not in columns:
        # Moodle puts the full name second in a worksheet, and its parts first in a
        # gradebook.
        usual: tuple[int, ...] = (0, 1)
        if is_worksheet(sheet):
            usual = () if is_nameless(sheet) else (1,)
        if name := named(sheet.head, {"name": PARTS}).get("name", usual):
            columns["name"] = name
    return columns


def is_nameless(sheet: Sheet) -> bool:
    """Return whether a worksheet is without names: its second column is the status.

    The texts of a status repeat, as names hardly do.
    """
    cells = sheet.column(1)
    is_status = bool(named(sheet.head[1:2], {"status": STATUS}))
    return is_status or 2 * len({*cells}) < len(cells)


def graded(sheet: Sheet, assignment: str) -> int:
    """Return the index of a gradebook's column for the scores.

    Such a column has a name like "Assignment: Homework (Real)". Columns whose cells are
    percentages, letters or feedback are passed over, unless `assignment` is the whole
    name of the column.

    Args:
        sheet: the gradebook.
        assignment: the whole name of the column, or the assignment's name in it.

    Raises:
        UsageError: no column, or more than one, has this name.
    """
    head = sheet.head
    others = [name for name in head if re.search(r"\(.+\)$", name)]
    if assignment in head:
        found = [i for i, name in enumerate(head) if name == assignment]
        return the_column(found, assignment, others)
    form = re.compile(rf"(.+\s?[:：]\s*)?{re.escape(assignment)} \([^()]*\)")
    found = [i for i, name in enumerate(head) if form.fullmatch(name)]
    points = [i for i in found if len(told(sheet, 1, i)) == 0]
    if len(points) > 1:
        points = [i for i in points if head[i].endswith("(Real)")] or points
    return the_column(points if assignment else [], assignment, others)


def maximum(sheet: Sheet) -> int:
    """Return the index of a worksheet's column with the points for a full score.

    If the column does not have one of the names in `MAXIMUM`, it is the only one that
    holds the same number in all rows and follows a column of numbers, the grades.

    Raises:
        UsageError: there is no such column, or more than one.
    """
    by_name = named(sheet.head, {"most": MAXIMUM}).get("most", ())
    by_cells = []
    for i in range(2, len(sheet.head)):
        numbers = {number(cell) for cell in sheet.column(i)}
        before = {number(cell) for cell in sheet.column(i - 1) if cell}
        new = known(sheet).isdisjoint({i - 1, i})
        if new and len(numbers) == 1 and None not in numbers | before:
            by_cells.append(i)
    for found in (by_name, by_cells):
        if len(found) == 1:
            return found[0]
    raise UsageError(
        "GRADEBOOK: the worksheet has no column with the largest grade, which is a "
        "number and follows the grade (set Moodle to English to export). "
        f"It has: {', '.join(sheet.head)}"
    )


def locked(sheet: Sheet, most: int) -> dict[int, str]:
    """Return the rows of a worksheet whose grade cannot be changed, with the reason.

    Args:
        sheet: the worksheet.
        most: the index of the column with the points for a full score. One of the two
            columns after it tells whether the grade can be changed.

    Returns:
        For each such row, by its index in `sheet.rows`, the reason in words.

    Raises:
        UsageError: the worksheet is in a language whose words for yes and no are not
            known, and one of these two columns has two different texts.
    """
    is_unclear = False
    for column in (most + 1, most + 2):
        cells = {cell.casefold() for cell in sheet.column(column)}
        if cells <= NO | YES:
            return {
                i: "Moodle does not let its grade be changed"
                for i, row in enumerate(sheet.rows)
                if row.at(column).strip().casefold() in NO
            }
        is_unclear |= len(cells) == 2
    if is_unclear and not named(sheet.head, {"most": MAXIMUM}):
        raise UsageError(
            "GRADEBOOK: it is not clear which grades Moodle does not let be changed, "
            "for the worksheet's words for yes and no are not known (set Moodle to "
            "English to export)"
        )
    return {}
