"""Find the bound of a clipped reward or target, which is in no list of choices.

The largest number that the hand-in computes is taken for the bound. One row determines
it, so a bound counts as found only if further rows are at it. The caller has to check
each formula on all answers.
"""

from collections.abc import Iterator

import numpy as np

from grader.diagnosis.formulas.grammar import Choice
from grader.diagnosis.formulas.losses.scale import constant_words, rounded
from grader.diagnosis.formulas.target import CLIPPED

DEEP_Q = "(slides: Deep Q Learning)"


def bounded_reward(c: float) -> Choice:
    """Return the choice for code that clips the reward to [-c, c]."""
    bound = constant_words(c)
    return Choice(
        f"clip(r, −{bound}, {bound})",
        lambda x: np.clip(x.r, -c, c),
        "reward-clipped",
        "You clip the reward, as some do for Atari games. The target needs r as it is "
        f"{DEEP_Q}.",
    )


def bounded_targets(
    known: np.ndarray, y: np.ndarray, futures: np.ndarray
) -> Iterator[Choice]:
    """Yield the choices for code that clips the target y from above, below, or both.

    The upper bound is the largest of the hand-in's targets, the lower bound the
    smallest. One row determines a bound, so at least one more row has to confirm it. A
    bound on one side is claimed only if a target is as far away on the other side.

    Args:
        known: the targets in all questions without a bound, as one vector.
        y: the targets that the hand-in computes in all questions, as one vector.
        futures: what the targets have beside the rewards, as one vector. The rows that
            confirm a bound have different futures, because rows with the same future do
            not tell a clipped target from a clipped reward.
    """
    # A bound of 0 was read off with the rounding error of the largest targets.
    noise = 2e-6 * float(np.abs(y).max()) + 1e-4
    low, high = (
        0.0 if abs(bound) <= noise else rounded(bound)
        for bound in (float(y.min()), float(y.max()))
    )
    low_words, high_words = constant_words(low), constant_words(high)
    name = "target-clipped"
    above, below = known > high + near(high), known < low - near(low)
    on_high, on_low = above & at_bound(y, high), below & at_bound(y, low)
    if confirmed(on_high, futures) and (known < -abs(high)).any():
        words = f"min({high_words}, {{y}})"
        yield Choice(words, lambda x, y: np.minimum(y, high), name, CLIPPED)
    if confirmed(on_low, futures) and (known > abs(low)).any():
        words = f"max({low_words}, {{y}})"
        yield Choice(words, lambda x, y: np.maximum(y, low), name, CLIPPED)
    fewest = 1 if np.isclose(low, -high, rtol=1e-3) else 2
    shown = min(on_high.sum(), on_low.sum()) >= fewest
    if shown and confirmed(on_high | on_low, futures):
        words = f"clip({{y}}, {low_words}, {high_words})"
        yield Choice(words, lambda x, y: np.clip(y, low, high), name, CLIPPED)


def bounded_rewards(
    r: np.ndarray, rewards: np.ndarray, futures: np.ndarray
) -> Iterator[Choice]:
    """Yield the choice for code that clips the reward, if two rows show the bound.

    Args:
        r: the rewards in all questions, as one vector.
        rewards: the rewards with which the hand-in computes, NaN where unknown.
        futures: what the targets have beside the rewards, as one vector; see
            `bounded_targets`.
    """
    bound = rounded(float(np.nanmax(np.abs(rewards))))
    beyond = np.abs(r) > bound + near(bound)
    if confirmed(beyond & at_bound(np.abs(rewards), bound), futures):
        yield bounded_reward(bound)


def confirmed(rows: np.ndarray, futures: np.ndarray) -> bool:
    """Tell whether the rows at a bound show that it is one, and what it bounds.

    Args:
        rows: for each row of all questions, whether it is at the bound.
        futures: what the targets have beside the rewards, as one vector.
    """
    # If no target has a future, a clipped reward is a clipped target.
    return differ(futures[rows]) or (rows.sum() > 1 and not differ(futures))


def near(bound: float) -> float:
    """Return how far a number that was read off may be from a bound, by rounding."""
    return 2e-5 * abs(bound) + 1e-4


def at_bound(values: np.ndarray, bound: float) -> np.ndarray:
    """Return for each value whether it is equal to a bound within rounding."""
    return np.abs(values - bound) <= near(bound)


def differ(values: np.ndarray) -> bool:
    """Tell whether there are at least two values, and not all of them are equal."""
    return len(values) > 1 and bool(np.ptp(values) > 1e-3)
