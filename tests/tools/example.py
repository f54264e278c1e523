"""Make up a class as Canvas hands it out (`make example`).

The folder `example/` gets the downloaded hand-ins, the exported gradebook, the
exported groups and a file of changes of scores. So everything that `make grade-class`
does can be tried before the first real hand-in.
"""

import csv
import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from grader.contract.exercises import ROOT
from tests.corpus.mutants import MUTANTS
from tests.corpus.variants import WHOLE
from tests.support import attack_runs
from tests.support.edits import SOLUTION

EXAMPLE = ROOT / "example"
ASSIGNMENT = "Deep Q-learning"
FIRST = [
    "Ann",
    "Ben",
    "Cem",
    "Dana",
    "Eva",
    "Finn",
    "Gül",
    "Hana",
    "Ivo",
    "Jan",
    "Kim",
    "Lea",
]
LAST = ["Abel", "Brandt", "Castro", "Demir", "Endo", "Fischer", "Gallo", "Huber"]
# Attacks whose answers are not random, because two reports must be comparable.
HOSTILE = ("exits_at_import", "patched_jax", "forges_the_report", "prints_answers")
KINDS = ("right", "mistake", "right", "mistake", "hostile", "right", "unwritten")
FORMS = ("dqn.py", "dqn.py", "hand-in.zip", "dqn.ipynb", "dqn.py")
FIRST_NUMBER, FIRST_FILE = 2001, 90001


@dataclass(frozen=True)
class Member:
    """One person of the class.

    Attributes:
        number: the number that Canvas gives to the person.
        first: the first name.
        last: the last name.
        group: the name of the person's group; "" if the person works alone.
    """

    number: int
    first: str
    last: str
    group: str = ""

    @property
    def login(self) -> str:
        """The name with which the person logs in."""
        return f"{self.first}{self.number}".casefold()


def people(size: int) -> list[Member]:
    """Return so many persons; no two of them have the same names.

    Args:
        size: the number of persons. From twelve persons on, two of twelve are a group.
    """
    everyone = []
    for i in range(size):
        again = i // (len(FIRST) * len(LAST))
        last = LAST[(i + i // len(FIRST)) % len(LAST)] + ("", f"-{again}")[again > 0]
        group = f"Pair {i // 12 + 1}" if i % 12 in (7, 8) and size >= 12 else ""
        first = FIRST[i % len(FIRST)]
        everyone.append(Member(FIRST_NUMBER + i, first, last, group))
    return everyone


def sources(size: int) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of each hand-in of a class; all texts differ.

    Args:
        size: the number of hand-ins.
    """
    attacks = [
        attack_runs.STARTER + path.read_text(encoding="utf-8").replace("tell(", "str(")
        for path in sorted(attack_runs.FILES.glob("*/*.py"))
        if path.stem in HOSTILE
    ]
    kinds = {
        "right": cycle([SOLUTION, *(variant.source for variant in WHOLE)]),
        "mistake": cycle(mutant.source for mutant in MUTANTS[::7]),
        "unwritten": cycle([attack_runs.STARTER]),
        "hostile": cycle(attacks),
    }
    for number, kind in enumerate(islice(cycle(KINDS), size)):
        yield kind, f"{next(kinds[kind])}\n# hand-in {number}\n"


def make_hand_ins(folder: Path, members: Sequence[Member]) -> dict[str, str]:
    """Write the hand-ins of a class into a folder, as Canvas' download has them.

    One person of eleven has handed in a file that is no text. A group hands in once.

    Args:
        folder: the folder, which must exist.
        members: the persons who hand in.

    Returns:
        The kind of each hand-in, by the name of its file.
    """
    kinds: dict[str, str] = {}
    groups: set[str] = set()
    for number, (member, (kind, text)) in enumerate(
        zip(members, sources(len(members)), strict=True)
    ):
        if member.group in groups:
            continue
        groups |= {member.group} - {""}
        name = (member.group or member.last + member.first).replace(" ", "").casefold()
        form = FORMS[number % len(FORMS)]
        late = "LATE_" if number % 6 == 1 else ""
        if number % 11 == 10:
            kind, form = "malformed", "dqn.py"
        path = folder / f"{name}_{late}{member.number}_{FIRST_FILE + number}_{form}"
        kinds[path.name] = kind
        if kind == "malformed":
            path.write_bytes(b"\xff\xfe no text %d" % number)
        else:
            write_hand_in(path, text)
    return kinds


def write_hand_in(path: Path, text: str) -> None:
    """Write the text of `dqn.py` to a zip archive, a notebook or a Python file.

    Args:
        path: the file; its suffix says which of the three it is.
        text: the text.
    """
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("dqn.py", text)
    else:
        notebook = path.suffix == ".ipynb"
        path.write_text(as_notebook(text) if notebook else text, encoding="utf-8")


def as_notebook(text: str) -> str:
    """Return the JSON text of a notebook that has the text in one code cell."""
    cell = {"cell_type": "code", "metadata": {}, "source": text, "outputs": []}
    cell["execution_count"] = None
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(notebook)


def write_csv(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """Write rows to a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def make_gradebook(path: Path, members: Sequence[Member]) -> None:
    """Write the gradebook of a class as Canvas exports it."""
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    rows: list[list[object]] = [
        [*head, "Homework 1 (700)", f"{ASSIGNMENT} (701)"],
        ["    Points Possible", "", "", "", "", "10.00", "100.00"],
    ]
    for member in members:
        name = f"{member.last}, {member.first}"
        known = [name, member.number, f"s{member.number}", member.login, "Class A"]
        rows.append([*known, "9.00", ""])
    write_csv(path, rows)


def make_groups(path: Path, members: Sequence[Member]) -> None:
    """Write the groups of a class as Canvas exports them."""
    head = ["name", "canvas_user_id", "user_id", "login_id", "sections", "group_name"]
    rows: list[list[object]] = [head]
    for member in members:
        name = f"{member.first} {member.last}"
        known = [name, member.number, f"s{member.number}", member.login, "Class A"]
        rows.append([*known, member.group])
    write_csv(path, rows)


def make_example(folder: Path, size: int) -> None:
    """Write a class and its files into a new folder.

    The last person of the class has handed in nothing.

    Args:
        folder: the folder; an older one is replaced.
        size: the number of persons in the class.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "submissions").mkdir(parents=True)
    members = people(size)
    make_hand_ins(folder / "submissions", members[:-1])
    make_gradebook(folder / "gradebook.csv", members)
    make_groups(folder / "groups.csv", members)
    first, second = members[0], members[1]
    write_csv(
        folder / "adjust.csv",
        [
            [second.login, "-10%", "one day late"],
            [first.login, "-2", "no name in the file"],
        ],
    )


def main() -> None:
    """Write the folder `example/` with a class of N persons, 12 without N."""
    size = int(os.environ.get("N") or "12")
    if size < len(KINDS):
        raise SystemExit(f"error: N={size}: a class has at least {len(KINDS)} persons")
    make_example(EXAMPLE, size)
    files = "submissions/, gradebook.csv, groups.csv, adjust.csv"
    print(f"A class of {size} in {EXAMPLE.relative_to(ROOT)}/: {files}")


if __name__ == "__main__":
    main()
