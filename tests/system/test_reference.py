"""`make reference` records the solution's answers and refuses a wrong solution.

The record consists of the files in `grader/reference/` and of the stored answers. Here
only three exercises are recorded.
"""

import json
import re
import shutil

import pytest

from grader.contract.exercises import ROOT
from grader.oracle.reference import load_known, load_programs
from tests.support import record as recorded
from tests.support import short_reference
from tests.support.record import load_answers

MUTANTS = "tests/corpus/mutants"


@pytest.fixture
def folder(tmp_path):
    """Return the path of a folder for the record; the folder does not exist yet."""
    return tmp_path / "reference"


@pytest.fixture
def staff_tree(tree, solution):
    """Return a copy of the repository as the staff have it.

    The copy has the solution and the mutants of `q_network`.
    """
    (tree / "solution").mkdir()
    (tree / "solution" / "dqn.py").write_text(solution)
    for name in (
        *("tests/__init__.py", "tests/support/edits.py", "tests/support/record.py"),
        *("tests/support/short_reference.py", "tests/tools/reference.py"),
        *(f"{MUTANTS}/__init__.py", f"{MUTANTS}/definition.py"),
        f"{MUTANTS}/e3_q_network.py",
    ):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    return tree


def test_recording_twice(command, staff_tree):
    """A second `make reference` writes the same bytes as the first one.

    Here a stored answer is changed between the two runs. The second run prints the name
    of a check that asks for this answer.
    """
    folder = staff_tree / "grader" / "reference"
    shutil.rmtree(folder)
    run = command(tree=staff_tree, module=short_reference.__name__)
    assert run.code == 0, run.err
    assert "nothing to compare with" in run.out
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    provenance = json.loads(first["provenance.json"])
    assert {"solution_sha256", "packages", "python", "platform", "device"} <= set(
        provenance
    )

    answers = staff_tree / "tests" / "evidence" / "answers.npz"
    altered = load_answers(answers)
    name = next(name for name in altered if name.startswith("update_Q_TD0/"))
    altered[name] = altered[name] + 1
    programs, known = load_programs(folder), load_known(folder)
    recorded.save(programs, altered, known, {}, folder, answers)
    run = command(tree=staff_tree, module=short_reference.__name__)
    assert run.code == 0, run.err
    (name,) = re.findall(r"^Verdict: changed: update_Q_TD0 (\w+)", run.out, re.M)
    checks = ROOT / "grader" / "checks" / "test_1_update_Q_TD0.py"
    assert f"def test_{name}(" in checks.read_text()
    assert "jax: unknown when it was recorded" in run.out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_wrong_solution_is_not_recorded(command, staff_tree):
    """A solution that fails a check is refused, and the record stays unchanged."""
    path = staff_tree / "solution" / "dqn.py"
    text = path.read_text().replace("step % period == 0", "step % period == 1")
    path.write_text(text)
    folder = staff_tree / "grader" / "reference"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run = command(tree=staff_tree, module=short_reference.__name__)
    assert run.code == 2
    assert "sync_target" in run.err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


BLIND = """
from tests.corpus.mutants.definition import changed

MUTANTS = [
    changed("q_network", "none-at-all", "S", "right", "Right.", ("64, 64", "64, 64"))
]
"""


def test_mutant_that_cannot_be_told_is_not_recorded(command, staff_tree):
    """If a mutant gives the same answers as the solution, the error names this mutant.

    Nothing is recorded.
    """
    (staff_tree / MUTANTS / "e3_q_network.py").write_text(BLIND)
    folder = staff_tree / "grader" / "reference"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run = command(tree=staff_tree, module=short_reference.__name__)
    assert run.code == 2
    assert "none-at-all cannot be told from the solution" in run.err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
