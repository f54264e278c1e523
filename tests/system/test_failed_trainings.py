"""After a real training that fails, the message says what was not learned, and why."""

from dataclasses import replace

from grader.grading.pipeline import Options, Progress, grade
from grader.intake.submission import Submission
from grader.oracle.learning.run import DEVIATES, NEEDS_MAZE
from grader.report.model import Check, Report
from tests.support.edits import SOLUTION
from tests.support.grading import replaced
from tests.support.patient import PATIENT

NEVER_SYNCED = {"sync_target": "return theta_T"}
ONE_ACTION = {"epsilon_greedy": "return jnp.zeros(q_values.shape[0], dtype=jnp.int32)"}


def trained_once(bodies: dict[str, str]) -> tuple[Report, list[Check]]:
    """Grade exercise 9 of a changed solution, with at most one training for each task.

    Args:
        bodies: new bodies of parts of the solution, by the part's name.

    Returns:
        The report, and the checks of exercise 9.
    """
    submission = Submission("wrong", replaced(SOLUTION, bodies).encode())
    limits = replace(PATIENT, trainings=1)
    report = grade(submission, Options("1", ("learning",), limits=limits), Progress())
    return report, report.exercises[0].checks


def test_the_maze_is_not_learned():
    """If `sync_target` never syncs, the maze is not learned; CartPole is not tried."""
    report, (tables, maze, half, full) = trained_once(NEVER_SYNCED)
    assert (tables.score, maze.score, half.score, full.score) == (0, 0, 0, 0)
    assert "to the shortest way (" in maze.message
    assert "sync_target returned θ_Q in 0 of" in maze.hint
    assert NEEDS_MAZE in half.message
    assert half.message == full.message
    entry = report.learning["cartpole"]
    assert (entry["mean_return"], entry["not_judged"]) == (None, NEEDS_MAZE)
    assert report.learning["maze"]["curve"]


def test_cartpole_is_not_tried_without_the_maze():
    """A hand-in that always takes action 0 has only the points of the table worlds.

    CartPole is not tried, because the maze was not learned.
    """
    _, (tables, maze, half, full) = trained_once(ONE_ACTION)
    assert tables.score == tables.max_score
    assert (maze.score, half.score, full.score) == (0, 0, 0)
    assert NEEDS_MAZE in half.message


def test_an_update_that_does_nothing():
    """If `td_update` returns θ_Q unchanged, nothing in exercise 9 is judged.

    Each check has failed, and its message says that `td_update` deviates.
    """
    untouched = """\
loss = td_loss(theta_Q, theta_T, model, batch, gamma)
return theta_Q, opt_state, loss"""
    report, checks = trained_once({"td_update": untouched})
    for check in checks:
        assert (check.outcome, check.score) == ("failed", 0)
        assert check.message == f"not judged: {DEVIATES}"
    assert report.learning["maze"]["not_judged"] == DEVIATES
    assert report.learning["maze"]["mean_return"] is None
