"""`make reference` writes equal answers as equal bytes and reports changed answers.

The record is what it writes: programs, fingerprints, answers and their provenance.
"""

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from grader.contract import cases, fixed_cases
from grader.contract.case import Case
from grader.contract.compare import RTOL
from grader.contract.outcomes import GraderError
from grader.oracle.known import Known, Mistake
from grader.oracle.reference import load_known, load_programs
from tests.support import record as recorded
from tests.support.record import Drift, difference, drift, load_answers
from tests.tools import reference as record

KNOWN = Known(
    {"td_loss": {"loss": [2.5, -1.0], "jit": "no: why?"}},
    {"td_loss": [Mistake("td-é", "You ¬ …", {"loss": [9e9], "jit": []})]},
)
CASE = Case("td_loss", {"net": "probe"}, {"gamma": np.float32(0.5)})


@pytest.fixture
def folder(tmp_path):
    """Return the path of a folder for the record; the folder does not exist yet."""
    return tmp_path / "reference"


def answers(**outputs) -> dict[str, np.ndarray]:
    """Return the arrays of an answer to the case `CASE`, by their names in the record.

    Args:
        outputs: the arrays, by their names in the answer.
    """
    prefix = f"{CASE.part}/{CASE.digest()}"
    return {f"{prefix}/{name}": array for name, array in outputs.items()}


def save(arrays: dict, known: Known, provenance: dict, folder: Path) -> None:
    """Write a record that has one program.

    Args:
        arrays: the recorded answers.
        known: the fingerprints.
        provenance: versions, device and other facts on how the record was made.
        folder: folder of the record.
    """
    programs = {"td_loss/0": np.array([1, 2, 3], np.uint8)}
    recorded.save(programs, arrays, known, provenance, folder, folder / "answers.npz")


def verdict(old: dict, new: dict) -> str:
    """Return the verdict on changes, the last line that `make reference` prints.

    Two checks ask the case `CASE`.

    Args:
        old: answers of the old record.
        new: answers of the new record.
    """
    console = Console(file=io.StringIO(), width=80)
    asked = {f"{CASE.part}/{CASE.digest()}": ["td_loss one", "td_loss two"]}
    rows = drift(old, new, asked if new else {})
    record.print_drift(rows, console)
    return console.file.getvalue().splitlines()[-1]


def test_same_answers_same_bytes(folder):
    """If the same answers are saved in another order, the same bytes are written.

    Loading returns what was saved.
    """
    arrays = answers(loss=np.array(2.5), grads=np.arange(3))
    save(arrays, KNOWN, {"b": 1, "a": 2}, folder)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    reordered = dict(reversed(arrays.items()))
    save(reordered, KNOWN, {"a": 2, "b": 1}, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert sorted(first) == [
        *("answers.npz", "mistakes.json", "programs.npz", "provenance.json")
    ]
    assert load_known(folder) == KNOWN
    assert load_programs(folder)["td_loss/0"].tolist() == [1, 2, 3]


def test_changed_file_is_noticed(folder):
    """If the file of programs differs from its recorded hash, loading it is refused."""
    save({}, Known(), {}, folder)
    path = folder / "programs.npz"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(GraderError, match=r"programs\.npz"):
        load_programs(folder)


def test_no_objects_in_the_record(folder):
    """Recorded answers with pickled objects are refused."""
    save(answers(loss=np.array([object()])), Known(), {}, folder)
    with pytest.raises(ValueError, match="pickle"):
        load_answers(folder / "answers.npz")


def test_verdicts():
    """The verdict calls the answers identical, within the tolerance, or changed.

    It is "changed", too, if a case is missing on one side.
    """
    old = answers(loss=np.array(2.0), grads=np.array([1.0, -1.0]))
    assert "identical" in verdict(old, dict(old))
    near = {name: array * (1 + 1e-6) for name, array in old.items()}
    assert "within tolerance" in verdict(old, near)
    far = old | answers(loss=np.array(2.5))
    assert verdict(old, far) == "Verdict: changed: td_loss one, td_loss two"
    fewer = answers(loss=np.array(2.0))
    for one, other in ((old, fewer), (fewer, old), ({}, old)):
        assert verdict(one, other) == "Verdict: changed: td_loss one, td_loss two"
    assert verdict(old, {}) == "Verdict: changed: td_loss asked no more"


def test_drift_counts():
    """`drift` counts, for each check, compared arrays, new arrays and missing arrays.

    It also returns the largest difference.
    """
    old = answers(loss=np.array(2.0), gone=np.array(1.0))
    new = answers(loss=np.array(2.5), new=np.array(1.0))
    other = {"mc_loss/0/loss": np.array(1.0)}
    asked = {f"{CASE.part}/{CASE.digest()}": ["td_loss one"], "mc_loss/0": ["mc_loss"]}
    assert drift(old | other, new | other, asked) == [
        Drift("td_loss one", both=1, new=1, gone=1, largest=0.2),
        Drift("mc_loss", both=1),
    ]


def test_what_is_different_here():
    """`machines` returns a sentence for each changed version, device or solution."""
    old = {"solution_sha256": "a", "packages": {"jax": "1", "numpy": "2"}}
    old |= {"python": "3.11.7", "platform": "Linux x86_64", "device": "cpu"}
    assert record.machines(old, old) == []
    new = old | {"packages": {"jax": "1.1", "numpy": "2"}, "device": "gpu"}
    assert record.machines(old, new | {"solution_sha256": "b"}) == [
        "device: cpu when it was recorded, gpu here",
        "jax: 1 when it was recorded, 1.1 here",
        "the solution is another file than the one that was recorded",
    ]
    assert "jax: unknown when it was recorded, 1 here" in record.machines({}, old)


def test_difference_of_answers():
    """The difference of two arrays is relative to the second one's largest |entry|.

    If the largest |entry| is below 1, the difference is absolute. Arrays of different
    shapes have an infinite difference. With NaN in one array, the difference is never
    below the tolerance.
    """
    assert difference(np.array([200.0]), np.array([100.0])) == 1.0
    assert difference(np.zeros(3), np.zeros((3, 1))) == float("inf")
    assert difference(np.zeros(0), np.zeros(0)) == 0.0
    for pair in ((np.nan, 1.0), (1.0, np.nan)):
        assert not difference(*map(np.array, pair)) <= RTOL


def test_nan_is_no_small_drift():
    """If an answer has become NaN, the verdict is "changed"."""
    old = answers(loss=np.array(2.0))
    new = answers(loss=np.array(np.nan))
    assert "changed: td_loss" in verdict(old, new)
    both = old | answers(grads=np.array(1.0))
    assert "changed: td_loss" in verdict(both, new | answers(grads=np.array(9.0)))


def test_one_transition_meets_all_actions() -> None:
    """In the cases with one transition, each action is taken at least once.

    Where s′ matters, each action is also the best one in s′ at least once. So a mistake
    that concerns a single action changes the record.
    """
    for group in (fixed_cases.TD0_CONTINUES, fixed_cases.TD0_ENDS):
        args = [case.args for case in group.fixed]
        assert {int(a["actions"][0]) for a in args} == set(range(3))
        best = {int(a["Q"][a["next_states"][0]].argmax()) for a in args}
        assert best == set(range(3))
        assert {float(a["rewards"][0]) == 0 for a in args} == {True, False}
    for group in (
        fixed_cases.TD_CONTINUES,
        fixed_cases.TD_ENDS,
        fixed_cases.MC_ONE_STEP,
    ):
        args = [case.args for case in group.fixed]
        assert {int(a["action"][0]) for a in args} == set(range(4))
        assert {float(a["reward"][0]) == 0 for a in args} == {True, False}
    values = [
        cases.probe_values(case.args["theta_T"], case.args["next_state"])
        for case in fixed_cases.TD_CONTINUES.fixed
    ]
    assert {int(v.argmax()) for v in values} == set(range(4))
