"""`make calibrate` stores which checks were lost and how each training ended."""

from grader.contract.learning import CARTPOLE, MAZE
from grader.sandbox import tiers
from tests.support.calibration.runs import learners
from tests.support.calibration.statistics import FACTS, passed
from tests.support.calibration.trial import DECIDED, graded

LEARNERS = {learner.name: learner for learner in learners()}


def test_a_run_of_right_work():
    """The solution loses no check, and its last training on each task passes.

    This is also the test that learning works on the tier landlock, if there is one.
    The stored record also has the error of the tables. It has facts on each drawn task,
    too, such as the length of the shortest way in the maze.
    """
    tier = "" if tiers.why_not("landlock") else "landlock"
    run = graded(LEARNERS["solution"], 1, tier=tier)
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
    """A mutant of `td_loss` learns the table worlds by its own formula, and fails.

    The mutant has the severity "F". So when the table worlds have lost points, it is
    not trained in the maze and on CartPole.
    """
    run = graded(LEARNERS["td-no-mask"], 1)
    assert run["by_formula"]
    assert run["lost"] == ["tables", "maze", "cartpole_half", "cartpole_full"]
    assert run["table_error"] > 1
    assert run["problem"] == DECIDED
    assert run[MAZE] == run[CARTPOLE] == []
