"""If a wrong loss follows a formula, all tasks are learned again by this formula.

Learning by a formula means: the updates use the slopes of this formula, not the
hand-in's `td_update`.
"""

from types import SimpleNamespace

import pytest

from grader.contract import learning, mdps
from grader.contract.outcomes import GraderError, UsedUp
from grader.diagnosis.formulas.losses import td_loss
from grader.diagnosis.formulas.losses.scale import Scale
from grader.diagnosis.formulas.losses.search import Found
from grader.diagnosis.reading import Reading
from grader.grading import diagnoses
from grader.grading.learning import results_of
from grader.grading.passes import Graded, Pass
from grader.oracle.budget import Budget
from grader.oracle.learning.results import Results

STUDENT = object()
HALF = Found(td_loss.LANGUAGE.right, Scale(0.5))
RIGHT = Found(td_loss.LANGUAGE.right, Scale())


class Process:
    """A fake of `Learning` whose first learning has ended.

    Args:
        deviates: whether the hand-in's `td_update` deviates.

    Attributes:
        slopes: the argument of `again`; None if `again` was not called.
        faults: the notes on faults of ours, after the end.
    """

    def __init__(self, deviates):
        self.results, self.slopes = Results(deviates=deviates), None
        self.faults = []

    def wait(self):
        """Return the results of the first learning."""
        return self.results

    def again(self, slopes):
        """Return the results of learning by a formula.

        Args:
            slopes: the formula's `Slopes` for each discount γ; empty without a formula.
        """
        self.slopes = slopes
        return Results(by_formula=True)


@pytest.fixture
def grade(monkeypatch):
    """Return a function (deviates, find) that runs the fake learning to its end.

    This function returns the results and the fake `Process`. `deviates` is the argument
    of `Process`. `find` replaces the search for a formula: its arguments are the
    hand-in and a generator, its result is the formula or None.
    """

    def run(deviates, find):
        monkeypatch.setattr(td_loss, "find", find)
        # The words of the formula need a real sample. A right formula has none.
        words = Reading("L = ½ …", "L = …", ())
        told = lambda language, found, sample: None if found is RIGHT else words  # noqa: E731
        monkeypatch.setattr("grader.grading.learning.reading", told)
        graded = Graded(STUDENT, None, None, Budget(), "1")
        process = Process(deviates)
        results = results_of(graded, process)
        process.faults = graded.faults
        return results, process

    return run


def test_right_updates_are_not_repeated(grade):
    """If no update deviates, no formula is searched, and learning is not repeated."""

    def find(student, rng):
        raise AssertionError

    results, process = grade(False, find)
    assert results is process.results
    assert process.slopes is None


def test_a_formula_is_used_for_all_tasks(grade):
    """If a wrong formula is found, learning is repeated with this formula's slopes.

    The slopes are given for two discounts γ: that of the table worlds, and that of the
    other tasks.
    """
    asked = []

    def find(student, rng):
        asked.append(student)
        return HALF, None

    results, process = grade(True, find)
    assert asked == [STUDENT]
    assert results.by_formula
    gammas = {gamma: slopes.gamma for gamma, slopes in process.slopes.items()}
    assert gammas == {each: each for each in (mdps.GAMMA, learning.GAMMA)}
    assert all(slopes.found is HALF for slopes in process.slopes.values())


def test_learning_and_exercise_6_see_one_formula(grade, monkeypatch):
    """The formula is searched with the questions that the diagnosis of `td_loss` asks.

    With other questions, one report could show two formulas of one function.
    """
    drawn = []

    def find(student, rng):
        drawn.append(rng.random())
        return HALF, None

    def diagnose(part, student, known, rng, fixed):
        find(student, rng)

    grade(True, find)
    monkeypatch.setattr(diagnoses, "diagnose", diagnose)
    student = SimpleNamespace(eager=False)
    graded = Graded(student, None, None, Budget(), "1")
    diagnoses.diagnose_exercise(
        Pass(graded, failed={"td_loss": {"td_loss": []}}), "td_loss"
    )
    assert drawn[0] == drawn[1]


def test_a_right_loss_does_not_explain_other_updates(grade):
    """If the formula of the loss is right, learning is not repeated by this formula."""
    _, process = grade(True, lambda student, rng: (RIGHT, None))
    assert process.slopes == {}


@pytest.mark.parametrize("reason", [None, ValueError("no"), UsedUp("no time left")])
def test_without_a_formula(grade, reason):
    """If no formula fits, or `td_loss` gives no answer, learning is given no slopes.

    If the search fails by a fault of ours, the report has a note.
    """

    def find(student, rng):
        if reason:
            raise reason

    _, process = grade(True, find)
    assert process.slopes == {}
    assert len(process.faults) == isinstance(reason, ValueError)


def test_a_fault_of_ours_is_no_zero(grade):
    """A grader error during the search for a formula ends the grading."""

    def find(student, rng):
        raise GraderError("the runner has ended")

    with pytest.raises(GraderError):
        grade(True, find)
