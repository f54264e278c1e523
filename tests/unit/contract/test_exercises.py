"""The table of exercises agrees with the other tables and files of the grader."""

import ast
import re

import pytest

from grader.contract.exercises import (
    CALLS,
    CHECKS,
    EXERCISES,
    MAY_BE_CALLED,
    PARTS,
    ROWS,
    SOLUTION,
    STARTER,
    Part,
)
from grader.diagnosis.diagnose import READERS
from grader.diagnosis.fingerprints import PROBES
from grader.inside import parts


def definitions(path) -> dict[str, str]:
    """Return the keyword of each top-level function and class of a file, by its name.

    The keyword is "def" or "class".
    """
    keywords = {ast.FunctionDef: "def", ast.ClassDef: "class"}
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {n.name: keywords[type(n)] for n in body if type(n) in keywords}


def missing(part: Part) -> list[str]:
    """Return a sentence for each place where something for a part is missing.

    The list is empty if nothing is missing. A place is the starter, the solution, the
    tables in `inside/parts.py`, or a file with questions by which mistakes are
    recognised.
    """
    found = []
    for path in (STARTER, SOLUTION):
        if definitions(path).get(part.name) != part.keyword:
            place = f"{path.parent.name}/{path.name}"
            found.append(f"{place} has no `{part.keyword} {part.name}`.")
    checks = (CHECKS / EXERCISES[part.exercise]).read_text(encoding="utf-8")
    for question in part.questions if part in ROWS else ():
        table, name = (
            (parts.CALLS, "CALLS") if part.called else (parts.PROGRAMS, "PROGRAMS")
        )
        if question not in table:
            found.append(f"grader/inside/parts.py: {name} has no `{question}`.")
    read = part.name in {*PROBES, *READERS}
    if not read and not re.search(r"(?m)^CASES\b", checks):
        found.append(
            f"By no answers is a mistake in `{part.name}` recognised: add CASES to "
            f"grader/checks/{EXERCISES[part.exercise]}, or a probe to "
            "grader/diagnosis/fingerprints.py."
        )
    return found


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_nothing_is_missing(part):
    """Each part has a stub, a solution, and rows in the tables of `inside/parts.py`.

    It also has questions by which mistakes are recognised.
    """
    assert not missing(part), " ".join(missing(part))


def test_a_missing_thing_is_named():
    """For a part that does not exist, `missing` names the starter and the solution.

    The last sentence names the part.
    """
    sentences = missing(Part("nowhere", "td_loss"))
    assert [s.split(" has no ")[0] for s in sentences[:2]] == [
        "starter/dqn.py",
        "solution/dqn.py",
    ]
    assert "nowhere" in sentences[-1]


def test_tables_have_no_other_names():
    """No other table has a row for a part or an exercise that does not exist."""
    assert {row.exercise for row in ROWS} <= {*EXERCISES}
    assert {*PROBES, *READERS} <= {*PARTS}
    assert {*parts.CALLS} == {*CALLS}
    programs = {q for part in PARTS.values() if not part.called for q in part.questions}
    assert {*parts.PROGRAMS} <= programs


def test_parts_that_may_be_called_are_exported_otherwise():
    """Each is a question to a part, and none is always called."""
    questions = {q for part in PARTS.values() for q in part.questions}
    assert {*MAY_BE_CALLED} <= questions - {*CALLS}
