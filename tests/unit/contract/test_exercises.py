"""The registry of the exercises: each part has all that the grader needs of it."""

import ast
import re

import pytest

from grader.contract.exercises import (
    CALLS,
    CHECKS,
    EXERCISES,
    PARTS,
    ROWS,
    SOLUTION,
    STARTER,
    Part,
)
from grader.diagnosis import measurements, probes
from grader.inside import parts


def definitions(path) -> dict[str, str]:
    """Return the keyword of each definition of a module, by its name."""
    keywords = {ast.FunctionDef: "def", ast.ClassDef: "class"}
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {n.name: keywords[type(n)] for n in body if type(n) in keywords}


def missing(part: Part) -> list[str]:
    """Return what a part lacks, a sentence each."""
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
    if part.name not in probes.PROBES and not re.search(r"(?m)^CASES\b", checks):
        found.append(
            f"By no answers is a mistake in `{part.name}` recognised: add CASES to "
            f"grader/checks/{EXERCISES[part.exercise]}, or a probe to "
            "grader/diagnosis/probes.py."
        )
    return found


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_nothing_is_missing(part):
    """A stub, a solution, a way to ask and questions by which mistakes are known."""
    assert not missing(part), " ".join(missing(part))


def test_a_missing_thing_is_named():
    """A part that is nowhere lacks a stub, a solution, a way to be asked, a probe."""
    sentences = missing(Part("nowhere", "td_loss"))
    assert [s.split(" has no ")[0] for s in sentences[:2]] == [
        "starter/dqn.py",
        "solution/dqn.py",
    ]
    assert "nowhere" in sentences[-1]


def test_tables_have_no_other_names():
    """No table has a row for what is not in the registry."""
    assert {row.exercise for row in ROWS} <= {*EXERCISES}
    assert {*probes.PROBES, *measurements.FACTS} <= {*PARTS}
    assert {*parts.CALLS} == {*CALLS}
    programs = {q for part in PARTS.values() if not part.called for q in part.questions}
    assert {*parts.PROGRAMS} <= programs
