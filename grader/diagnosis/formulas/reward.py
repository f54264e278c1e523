"""The choices of the reward in a target.

A choice has a text for the formula and a function that computes the reward from the
rows of a batch. A choice that is a mistake also has a name and a hint. The first choice
is right code.
"""

import numpy as np

from grader.diagnosis.formulas.grammar import Choice
from grader.diagnosis.formulas.rows import Rows

DEEP_Q = "(slides: Deep Q Learning)"


def returns(rows: Rows) -> np.ndarray:
    """Return the discounted returns [B], where G_i = Σ_{t≥i} γ^(t−i) r_t."""
    later, found = 0.0, np.zeros(rows.size)
    for i in reversed(range(rows.size)):
        found[i] = later = rows.r[i] + rows.gamma * later
    return found


def normalised(x: np.ndarray) -> np.ndarray:
    """Return x, shifted and scaled to mean 0 and standard deviation 1.

    Args:
        x: an array [B], or [..., I, B]. With the second shape, mean and deviation are
            computed over the last two axes.
    """
    mean, deviation = (
        f(x, axis=(-2, -1), keepdims=True) if x.ndim > 1 else f(x)
        for f in (np.mean, np.std)
    )
    return (x - mean) / (deviation + 1e-8)


REWARD = (
    Choice("r", lambda x: x.r),
    Choice(
        "0",
        lambda x: 0 * x.r,
        "no-reward",
        f"Your target does not depend on the reward: r_i is missing in it {DEEP_Q}.",
    ),
    Choice(
        "γ r",
        lambda x: x.gamma * x.r,
        "gamma-on-reward",
        "You discount the reward too. r comes now and counts in full; γ is a factor of "
        "the future term alone (slides: Admin).",
        {"td": None, "mc": None},
    ),
    Choice(
        "clip(r, −1, 1)",
        lambda x: np.clip(x.r, -1, 1),
        "reward-clipped",
        "You clip the reward to [-1, 1], as some do for Atari games. CartPole does not "
        f"show it, but the target needs r as it is {DEEP_Q}.",
    ),
    Choice(
        "sign(r)",
        lambda x: np.sign(x.r),
        "reward-sign",
        "You keep the sign of the reward only, as some do for Atari games. CartPole "
        f"does not show it, but the target needs r as it is {DEEP_Q}.",
    ),
    Choice(
        "tanh(r)",
        lambda x: np.tanh(x.r),
        "reward-squashed",
        "You squash the reward with tanh. CartPole hardly shows it, but the target "
        f"needs r as it is {DEEP_Q}.",
    ),
    Choice(
        "|r|",
        lambda x: np.abs(x.r),
        "reward-absolute",
        "Your rewards lose their sign. CartPole's are positive, others are not "
        f"{DEEP_Q}.",
    ),
    Choice(
        "max(r, 0)",
        lambda x: np.maximum(x.r, 0),
        "reward-positive",
        "You cut negative rewards to 0. CartPole has none, other tasks have: the "
        f"target needs r as it is {DEEP_Q}.",
    ),
    Choice(
        "−r",
        lambda x: -x.r,
        "reward-negated",
        f"The reward has the wrong sign: the target adds r {DEEP_Q}.",
    ),
    Choice(
        "(r without its decimals)",
        lambda x: np.trunc(x.r),
        "reward-int",
        "Your rewards lose what follows the decimal point, as if cast to integers. "
        f"CartPole's are whole, others are not {DEEP_Q}.",
    ),
    Choice(
        "(r − mean r) / std r",
        lambda x: normalised(x.r),
        "reward-normalised",
        "You shift and scale the rewards by the batch's mean and deviation. Then r "
        f"depends on what else was drawn; the target needs it as it is {DEEP_Q}.",
    ),
    Choice(
        "(r − mean r)",
        lambda x: x.r - x.r.mean(),
        "reward-centred",
        "You subtract the batch's mean from the rewards. Then r depends on what else "
        f"was drawn; the target needs it as it is {DEEP_Q}.",
    ),
    Choice(
        "mean r",
        lambda x: x.r.mean() + 0 * x.r,
        "reward-mean",
        "All rows get one reward, the mean of the batch. Each transition has its own "
        f"r_i {DEEP_Q}.",
    ),
    Choice(
        "Σ r",
        lambda x: x.r.sum() + 0 * x.r,
        "reward-sum",
        "All rows get the sum of all rewards. Each transition has its own r_i "
        f"{DEEP_Q}.",
    ),
    Choice(
        "1",
        lambda x: 1 + 0 * x.r,
        "reward-one",
        "Your target takes every reward for 1, as in CartPole. Other tasks have other "
        f"rewards {DEEP_Q}.",
    ),
    Choice(
        "(r, but −1 where d)",
        lambda x: np.where(x.d > 0, -1.0, x.r),
        "end-reward-shaped",
        "You replace the reward of terminal transitions by one of your own. That "
        f"teaches another task: r comes from the environment, also at an end {DEEP_Q}.",
    ),
    Choice(
        "r of the row below",
        lambda x: np.roll(x.r, -1),
        "reward-off-by-one",
        "Your target uses the following row's reward. r_t is the one earned by a_t, "
        "on the way from s_t to s'_t: entry t of the rewards (slides: Admin, which "
        "write it R(s_1)).",
    ),
    Choice(
        "r of the row above",
        lambda x: np.roll(x.r, 1),
        "reward-of-row-above",
        "Your target uses the reward of the row above. r_t is the one earned by a_t, "
        f"on the way from s_t to s'_t: entry t of the rewards {DEEP_Q}.",
    ),
    Choice(
        "G",
        returns,
        "reward-to-go",
        "You sum the discounted rewards of the following rows into the target. TD "
        "takes one reward, and the value of s' stands for all later ones "
        f"{DEEP_Q}.",
    ),
)
