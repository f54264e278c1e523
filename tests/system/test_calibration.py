"""A run of `make calibrate` is one grading, and each training of it is recorded."""

from grader.contract.learning import CARTPOLE, MAZE
from tests.support.calibration.runs import learners
from tests.support.calibration.statistics import FACTS, passed
from tests.support.calibration.trial import DECIDED, graded

LEARNERS = {learner.name: learner for learner in learners()}


def test_a_run_of_right_work():
    """The solution loses no check, and each task's last recorded training passes.

    The run also holds the error of the tables and the facts on each drawn task.
    """
    run = graded(LEARNERS["solution"], 1)
    assert run["lost"] == []
    assert 0 < run["table_error"] < 0.1
    assert not run["by_formula"]
    assert run["problem"] == ""
    for task in (MAZE, CARTPOLE):
        last = run[task][-1]
        assert passed(last, task)
        assert set(last["facts"]) == set(FACTS[task])
        assert last["steps"] > 0


def test_a_run_by_the_formula_of_a_mistake():
    """A mutant of `td_loss` learns the table worlds by its own formula, and loses.

    A mutant that must not have all points is not trained in the maze and on CartPole
    then.
    """
    run = graded(LEARNERS["td-no-mask"], 1)
    assert run["by_formula"]
    assert run["lost"] == ["tables", "maze", "cartpole_half", "cartpole_full"]
    assert run["table_error"] > 1
    assert run["problem"] == DECIDED
    assert run[MAZE] == run[CARTPOLE] == []
