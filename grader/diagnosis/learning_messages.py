"""Judge the results of learning, and explain failures.

`of_tables`, `of_maze` and `of_cartpole` return None if the task was learned. Otherwise
they return the exception that the check raises: `Wrong`, the exception that prevented
learning, or `TimedOut` if there was no time for another training. The argument `above`
has the exercises graded so far; `Above` in `learning_failures` is its type.
"""

import numpy as np

from grader.contract import compare, mdps
from grader.contract.learning import CARTPOLE, CLOSE, MAZE, MAZE_SHARE
from grader.contract.outcomes import (
    BY_HAND_IN,
    NOT_IMPLEMENTED,
    TimedOut,
    Wrong,
)
from grader.diagnosis import learning_failures
from grader.diagnosis.learning_failures import Above
from grader.oracle.learning.results import LearnerLate, Result, Results
from grader.oracle.learning.run import NEEDS_MAZE

TOO_SLOW = "learning with what your td_loss computes took too long"


def of_tables(learned: Results, above: Above) -> BaseException | None:
    """Judge the table worlds: each learned Q has to be close to Q*.

    Args:
        learned: the results of learning.
        above: for each graded exercise None (full marks) or a hint, see `Above`.

    Returns:
        None if each Q is close to its Q*; otherwise the exception that the check
        raises.
    """
    tables = learned.tables
    if tables.reason:
        return not_judged(tables.reason, learned, above)
    for mdp, Q in tables.learned:
        Q_star = mdps.value_iteration(mdp)
        allowed = CLOSE * np.abs(Q_star).max()
        error = np.where(np.isfinite(Q), np.abs(Q - Q_star), np.inf)
        if error.max() > allowed:
            s, a = np.unravel_index(error.argmax(), error.shape)
            return Wrong(
                f"{mdp.name}: in state {s}, action {a} has the value Q = "
                f"{compare.number(Q[s, a])}, but Q* = {compare.number(Q_star[s, a])}; "
                f"it may be {allowed:.2g} off, {CLOSE:.0%} of the largest |Q*|",
                learning_failures.about_tables(
                    learned.formula, learned.by_formula, above
                ),
            )
    return None


def of_maze(learned: Results, above: Above) -> BaseException | None:
    """Judge the maze: the mean way to the exit has to be close to the shortest way.

    Args:
        learned: the results of learning.
        above: for each graded exercise None (full marks) or a hint, see `Above`.

    Returns:
        None if the way is short enough; otherwise the exception that the check raises.
    """
    maze = learned.maze
    if maze.mean_return is None:
        return unjudged(learned, MAZE, above)
    if maze.share >= MAZE_SHARE:
        return None
    # Rounded as in report.json, so that the report shows one number in both places.
    best, walk = (round(maze.facts[name], 2) for name in ("shortest", "random_walk"))
    most = walk - MAZE_SHARE * (walk - best)
    return too_low(maze)(
        f"after training, the way to the exit took {-maze.mean_return:.1f} steps on "
        f"average{best_of(maze)}; expected at most {most:.1f}, which is "
        f"{MAZE_SHARE:.0%} of the way from a random walk ({walk:.1f}) to the shortest "
        f"way ({best:.1f})" + (maze.problem and f"; {maze.problem}"),
        why(learned, MAZE, above),
    )


def of_cartpole(
    threshold: float, learned: Results, above: Above
) -> BaseException | None:
    """Judge CartPole: the mean return has to reach the threshold.

    Args:
        threshold: the lowest mean return that passes.
        learned: the results of learning.
        above: for each graded exercise None (full marks) or a hint, see `Above`.

    Returns:
        None if the threshold is reached; otherwise the exception that the check raises.
    """
    result = learned.cartpole
    if result.mean_return is None:
        return unjudged(learned, CARTPOLE, above)
    if result.mean_return >= threshold:
        return None
    return too_low(result)(
        f"mean return {result.mean_return:.1f}{best_of(result)}, expected "
        f"{threshold:.0f} (a random policy has about 22, a constant action 9)"
        + (result.problem and f"; {result.problem}"),
        why(learned, CARTPOLE, above),
    )


def too_low(result: Result) -> type[Wrong] | type[TimedOut]:
    """Return the class of the exception for a task whose best training is too low.

    It is `TimedOut` if a later training took too long: with more time, this training
    might have reached the goal.
    """
    return TimedOut if result.late else Wrong


def best_of(result: Result) -> str:
    """Return " (the best of … training runs)"; "" if there was only one training."""
    return f" (the best of {result.runs} training runs)" if result.runs > 1 else ""


def unjudged(learned: Results, task: str, above: Above) -> BaseException:
    """Return the exception that the check raises if no training of a task was judged.

    Args:
        learned: the results of learning.
        task: "maze" or "cartpole".
        above: for each graded exercise None (full marks) or a hint, see `Above`.
    """
    result = getattr(learned, task)
    if result.reason is None:
        return Wrong(f"not judged: {result.problem}", why(learned, task, above))
    return not_judged(result.reason, learned, above)


def not_judged(reason: BaseException, learned: Results, above: Above) -> BaseException:
    """Return the exception that the check raises if an exception prevented learning.

    Args:
        reason: the exception that prevented learning.
        learned: the results of learning.
        above: for each graded exercise None (full marks) or a hint, see `Above`.

    Returns:
        `reason` itself if the hand-in did not cause it, or if its message needs no
        explanation; otherwise a new exception whose message says "not judged" and why.
    """
    if not isinstance(reason, BY_HAND_IN):
        return reason
    # These two reasons need no explanation.
    if str(reason).startswith(NOT_IMPLEMENTED) or str(reason) == NEEDS_MAZE:
        return reason.with_traceback(None)
    if learned.by_formula and isinstance(reason, LearnerLate):
        # This training is slow by itself: no part of the hand-in is to blame.
        reason = TimedOut(TOO_SLOW)
    words = f"not judged: {reason}"
    if learned.by_formula and isinstance(reason, TimedOut):
        return TimedOut(words, about_updates(learned, above))
    if isinstance(reason, Wrong):
        blamed = learning_failures.blamed(str(reason), above)
        return Wrong(words, about_updates(learned, above) or blamed or None)
    return type(reason)(words)


def about_updates(learned: Results, above: Above) -> str | None:
    """Return how the hand-in's updates differ from right ones, as lines of text.

    Args:
        learned: the results of learning.
        above: for each graded exercise None (full marks) or a hint, see `Above`.

    Returns:
        None if the updates are right.
    """
    formula, judged = learned.formula, learned.by_formula
    return learning_failures.about_updates(formula, judged, above) or None


def why(learned: Results, task: str, above: Above) -> str | None:
    """Return why the best training of a task did not reach its goal, as lines of text.

    Args:
        learned: the results of learning.
        task: "maze" or "cartpole".
        above: for each graded exercise None (full marks) or a hint, see `Above`.

    Returns:
        None if no reason is known.
    """
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
