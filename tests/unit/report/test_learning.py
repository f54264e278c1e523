"""The results of learning are described in a few lines of text."""

from grader.report import learning
from tests.support.handins import checks_of

MAZE = {
    **{"mean_return": -5.25, "curve": [[512, -40.0], [1024, -22.0], [1536, -5.0]]},
    **{"shortest": 4.0, "random_walk": 26.5, "runs": 1, "not_judged": None},
}
CARTPOLE = {
    **{"mean_return": 432.1, "curve": [[1024, 9.5], [2048, 260.0], [3072, 500.0]]},
    **{"runs": 3, "not_judged": None},
}


def not_judged(reason: str) -> dict:
    """Return the report's entry for a task that was not judged.

    Args:
        reason: why it was not judged.
    """
    return {"mean_return": None, "curve": [], "runs": 0, "not_judged": reason}


def test_judged_tasks_have_a_result_and_a_curve():
    """Each judged task has two lines: its result and its learning curve.

    The result of the maze is a number of steps, that of CartPole a mean return.
    """
    learned = {"maze": MAZE, "cartpole": CARTPOLE}
    assert learning.results(learned) == [
        "Maze: 5.2 steps on average; shortest way 4.0, random walk 26.5",
        "step 512 ▁▅█ 1536, shortest 5.0 steps at step 1536",
        "CartPole: mean return 432.1 of 500, the best of 3 training runs",
        "step 1024 ▁▅█ 3072, highest 500 at step 3072",
    ]
    assert learning.reasons(learned) == []


def test_a_long_curve_fits_in_a_line():
    """If a curve has many validations, one bar shows the mean of several of them."""
    curve = [[1024 * (i + 1), 500.0 * (i >= 24)] for i in range(48)]
    line = learning.sparkline("cartpole", {"curve": curve})
    assert line == f"step 1024 {'▁' * 12}{'█' * 12} 49152, highest 500 at step 25600"
    assert len(line) <= 74


def test_a_task_that_was_not_judged_has_a_reason():
    """For a task that was not judged, the first line of the reason is shown.

    If both tasks have the same reason, it is shown once, for both.
    """
    learned = {"maze": MAZE, "cartpole": not_judged("the maze first\nmore")}
    assert len(learning.results(learned)) == 2
    assert learning.reasons(learned) == ["CartPole: not judged: the maze first"]
    both = dict.fromkeys(("maze", "cartpole"), not_judged("waits for td_loss"))
    assert learning.results(both) == []
    assert learning.reasons(both) == ["Maze, CartPole: not judged: waits for td_loss"]


def test_no_words_without_learning():
    """If exercise 9 was not graded, there are no lines on learning."""
    assert learning.results({}) == learning.reasons({}) == []


def test_each_task_has_a_last_check():
    """The last check of each task is known, below which its result stands."""
    last = [name for name in checks_of("learning") if name in learning.LAST_CHECKS]
    assert [learning.LAST_CHECKS[name] for name in last] == [*learning.NAMES]
    assert last == [
        [name for name in checks_of("learning") if name.startswith(task)][-1]
        for task in learning.NAMES
    ]
