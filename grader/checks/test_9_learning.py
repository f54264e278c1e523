"""Exercise 9: the parts learn small MDPs with known Q*, a maze, and CartPole."""

import numpy as np
import pytest

from grader.contract import compare, mdps
from grader.contract.learning import CARTPOLE, FULL, HALF, MAZE, MAZE_SHARE
from grader.contract.outcomes import (
    NOT_IMPLEMENTED,
    GraderError,
    Raised,
    Stopped,
    Waiting,
    Wrong,
)
from grader.diagnosis import learning_failures
from grader.oracle.learning import NEEDS_MAZE
from grader.oracle.learning_results import Result, Results

CLOSE = 0.05  # the allowed error of Q, as a share of the largest |Q*|


@pytest.mark.points(4)
def test_tables(learned, above):
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
        raise not_judged(tables.reason, learned, above)
    for mdp, Q in tables.learned:
        Q_star = mdps.value_iteration(mdp)
        allowed = CLOSE * np.abs(Q_star).max()
        error = np.where(np.isfinite(Q), np.abs(Q - Q_star), np.inf)
        if error.max() > allowed:
            s, a = np.unravel_index(error.argmax(), error.shape)
            raise Wrong(
                f"{mdp.name}: Q[{s}, {a}] is {compare.number(Q[s, a])}, Q* is "
                f"{compare.number(Q_star[s, a])}; allowed are {allowed:.2g} off",
                about_updates(learned, above),
            )


@pytest.mark.points(3)
def test_maze(learned, above):
    """A maze of rooms that was drawn for this run: close to the shortest way."""
    maze = learned.maze
    if maze.mean_return is None:
        raise unjudged(learned, MAZE, above)
    if maze.share >= MAZE_SHARE:
        return
    best, walk = maze.facts["shortest"], maze.facts["random_walk"]
    most = walk - MAZE_SHARE * (walk - best)
    raise Wrong(
        f"the way to the exit took {-maze.mean_return:.1f} steps on average"
        f"{best_of(maze)}, expected at most {most:.1f}; the shortest way takes "
        f"{best:.1f}, a random walk {walk:.1f}"
        + (maze.problem and f"; {maze.problem}"),
        why(learned, MAZE, above),
    )


@pytest.mark.points(4)
def test_cartpole_half(learned, above):
    """CartPole-v1: mean return of at least 195 over 100 fresh episodes."""
    reached(HALF, learned, above)


@pytest.mark.points(4)
def test_cartpole_full(learned, above):
    """CartPole-v1: mean return of at least 450 over 100 fresh episodes."""
    reached(FULL, learned, above)


def reached(threshold: float, learned: Results, above: dict[str, bool]) -> None:
    """Check that the trained policy's mean return on CartPole reaches the threshold.

    Args:
        threshold: the mean return to reach.
        learned: the results of learning.
        above: whether each earlier exercise has all its points, by exercise.

    Raises:
        GraderError, Raised, Stopped, Waiting, Wrong: the mean return is too low, or no
            training run was judged.
    """
    result = learned.cartpole
    if result.mean_return is None:
        raise unjudged(learned, CARTPOLE, above)
    if result.mean_return >= threshold:
        return
    raise Wrong(
        f"mean return {result.mean_return:.1f}{best_of(result)}, expected "
        f"{threshold:.0f} (a random policy has about 22, a constant action 9)"
        + (result.problem and f"; {result.problem}"),
        why(learned, CARTPOLE, above),
    )


def best_of(result: Result) -> str:
    """Return in brackets of how many training runs this is the best; "" for one."""
    return f" (the best of {result.runs} training runs)" if result.runs > 1 else ""


def unjudged(learned: Results, task: str, above: dict[str, bool]) -> BaseException:
    """Return the exception to raise if no training run of a task was judged."""
    result = getattr(learned, task)
    if result.reason is None:
        return Wrong(f"not judged: {result.problem}", why(learned, task, above))
    return not_judged(result.reason, learned, above)


def not_judged(
    reason: BaseException, learned: Results, above: dict[str, bool]
) -> BaseException:
    """Return the exception to raise for the exception that prevented learning."""
    told = isinstance(reason, Raised | Stopped | Waiting | Wrong)
    if isinstance(reason, GraderError) or not told:
        return reason
    if str(reason).startswith(NOT_IMPLEMENTED) or str(reason) == NEEDS_MAZE:
        return reason.with_traceback(None)
    words = f"not judged: {reason}"
    if isinstance(reason, Wrong):
        blamed = learning_failures.blamed(str(reason), above)
        return Wrong(words, blamed or about_updates(learned, above))
    return type(reason)(words)


def about_updates(learned: Results, above: dict[str, bool]) -> str | None:
    """Return what is known of updates that are not those asked for, or None."""
    formula, judged = learned.formula, learned.by_formula
    return learning_failures.about_updates(formula, judged, above) or None


def why(learned: Results, task: str, above: dict[str, bool]) -> str | None:
    """Return why the best training run did not learn a task; None if not known."""
    result = getattr(learned, task)
    lines = [about_updates(learned, above)]
    if result.watched:
        mean = np.nan if result.mean_return is None else result.mean_return
        run = learning_failures.Watched(
            task,
            result.watched,
            np.array(result.curve, np.float64).reshape(-1, 2),
            mean,
            result.problem,
            learned.by_formula,
        )
        lines.append(learning_failures.explanation(run, above))
    elif result.problem:
        lines.append(learning_failures.blamed(result.problem, above))
    return "\n".join(filter(None, lines)) or None
