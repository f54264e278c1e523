"""Exercise 9: the parts learn small MDPs with known Q*, a maze, and CartPole."""

import numpy as np
import pytest

from grader.contract import compare, mdps
from grader.contract.learning import CLOSE, FULL, HALF, MAZE_SHARE
from grader.contract.outcomes import (
    NOT_IMPLEMENTED,
    GraderError,
    Raised,
    Stopped,
    Waiting,
    Wrong,
)
from grader.diagnosis import learning_failures
from grader.oracle.learning.results import Result


@pytest.mark.points(4)
def test_tables(learned):
    """On a chain, a maze of six rooms and a ring, Q comes within 5 % of Q*.

    Value iteration gives Q*. The error of right work is about 0.7^20 = 0.0008 of the
    largest |Q*|, because each of the 20 syncs multiplies the error by γ = 0.7. In 200
    runs (600 MDPs) of `tests/system/test_chain.py` the error was at most 0.001 of the
    largest |Q*|, a fiftieth of the allowed error. As none of 200 runs failed, right
    work fails with a probability below 0.015 (95 % confidence); the true one is far
    smaller.
    """
    tables = learned.tables
    if tables.reason:
        raise not_judged(tables.reason)
    for mdp, Q in tables.learned:
        Q_star = mdps.value_iteration(mdp)
        allowed = CLOSE * np.abs(Q_star).max()
        error = np.where(np.isfinite(Q), np.abs(Q - Q_star), np.inf)
        if error.max() > allowed:
            s, a = np.unravel_index(error.argmax(), error.shape)
            raise Wrong(
                f"{mdp.name}: Q[{s}, {a}] is {compare.number(Q[s, a])}, Q* is "
                f"{compare.number(Q_star[s, a])}; allowed are {allowed:.2g} off"
            )


@pytest.mark.points(3)
def test_maze(learned, above):
    """A maze of rooms that was drawn for this run: close to the shortest way."""
    maze = learned.maze
    if maze.mean_return is None:
        raise unjudged(maze, above)
    if maze.share < MAZE_SHARE:
        raise Wrong(
            f"the way out took {-maze.mean_return:.1f} steps on average, the best of "
            f"{maze.runs} training run(s); the shortest way takes "
            f"{maze.facts['shortest']:.1f}, a random walk "
            f"{maze.facts['random_walk']:.1f}" + (maze.problem and f"; {maze.problem}")
        )


@pytest.mark.points(4)
def test_cartpole_half(learned, above):
    """CartPole-v1: mean return of at least 195 over 100 fresh episodes."""
    reached(learned.cartpole, HALF, above)


@pytest.mark.points(4)
def test_cartpole_full(learned, above):
    """CartPole-v1: mean return of at least 450 over 100 fresh episodes."""
    reached(learned.cartpole, FULL, above)


def reached(result: Result, threshold: float, above: dict[str, bool]) -> None:
    """Check that the trained policy's mean return reaches the threshold.

    Args:
        result: the result of learning.
        threshold: the mean return to reach.
        above: whether each earlier exercise has all its points, by exercise.

    Raises:
        GraderError, Raised, Stopped, Waiting, Wrong: the mean return is too low, or no
            training run was judged.
    """
    if result.mean_return is None:
        raise unjudged(result, above)
    if result.mean_return >= threshold:
        return
    raise Wrong(
        f"mean return {result.mean_return:.1f}, the best of {result.runs} training "
        f"run(s), expected {threshold:.0f} (a random policy "
        f"has about 22, a constant action 9)"
        + (result.problem and f"; {result.problem}"),
        why(result, above),
    )


def unjudged(result: Result, above: dict[str, bool]) -> BaseException:
    """Return the exception to raise if no training run was judged."""
    if result.reason is None:
        return Wrong(f"not judged: {result.problem}", why(result, above))
    return not_judged(result.reason)


def not_judged(reason: BaseException) -> BaseException:
    """Return the exception to raise for the exception that prevented learning."""
    told = isinstance(reason, Raised | Stopped | Waiting | Wrong)
    if isinstance(reason, GraderError) or not told:
        return reason
    if str(reason).startswith(NOT_IMPLEMENTED):
        return reason.with_traceback(None)
    return type(reason)(f"not judged: {reason}")


def why(result: Result, above: dict[str, bool]) -> str | None:
    """Return why the best training run did not learn; None if this is not known."""
    if not result.watched:
        return None
    curve = np.array(result.curve, np.float64).reshape(-1, 2)
    mean_return = np.nan if result.mean_return is None else result.mean_return
    run = learning_failures.Watched(result.watched, curve, mean_return, result.problem)
    return learning_failures.explanation(run, above) or None
