"""Tables of choices: how `discounted_returns` may change the rewards and the sums.

The sums are what the code computes from the rewards; wrong code may change them before
it returns them. A line of a table has a formula, a function that computes it, and the
mistake. The first line is the right choice and has no mistake. To add a choice, add a
line. Arrays have axes for K episodes and T steps.
"""

from collections.abc import Sequence

import numpy as np

from grader.diagnosis.patterns.return_parts.formula import (
    Formula,
    Output,
    Reward,
    differs,
)
from grader.diagnosis.patterns.return_parts.weights import RANGES, WEIGHTS
from grader.diagnosis.reading import Difference

# ---------------------------------------------------------------- rewards

CLIPS = differs(
    "mc-clips-rewards",
    "You clip the rewards, a habit from Atari. The return sums the rewards as they "
    "are, however large",
)
WHOLE = differs(
    "mc-int-rewards",
    "You cut the rewards to whole numbers. The return sums the rewards as they are",
)
CHANGED_REWARDS = differs(
    "mc-changes-rewards",
    "You sum something else than the rewards that were passed in. The return sums "
    "the r_t as they are",
)


def clipped(low: float, high: float) -> Reward:
    """Return the choice that clips each reward to the interval from `low` to `high`."""
    text = f"clip(r_t, {low:g}, {high:g})".replace("-", "−").replace("inf", "∞")
    return Reward(text, lambda r: np.clip(r, low, high), CLIPS)


def later_by_one(rewards: np.ndarray) -> np.ndarray:
    """Return the rewards one step later: entry t is the reward of step t − 1.

    Entry 0 is 0.

    Args:
        rewards: rewards of K episodes [K,T].
    """
    return np.pad(rewards, ((0, 0), (1, 0)))[:, :-1]


def rewards_of(single: np.ndarray) -> list[Reward]:
    """Return the choices for the rewards: `REWARDS`, and clipping to [−c, c].

    Args:
        single: the hand-in's returns of K episodes with one step [K,1]. The limit c is
            their largest absolute value.
    """
    limit = float(f"{np.nan_to_num(np.abs(single)).max():.4g}")
    return [*REWARDS, clipped(-limit, limit)]


REWARDS: Sequence[Reward] = [
    Reward("r_t", lambda r: r),
    Reward(
        "1",
        np.ones_like,
        differs(
            "mc-ignores-rewards",
            "Your returns do not depend on the rewards: every step counts as 1, as in "
            "CartPole. Other tasks have other rewards: sum the r_t passed in",
        ),
    ),
    *(clipped(-c, c) for c in (1.0, 0.5, 2.0, 5.0, 10.0)),
    clipped(0.0, np.inf),
    clipped(-np.inf, 0.0),
    clipped(0.0, 1.0),
    clipped(-np.inf, 1.0),
    clipped(-1.0, np.inf),
    Reward("sign(r_t)", np.sign, CLIPS),
    Reward("trunc(r_t)", np.trunc, WHOLE),
    Reward("round(r_t)", np.round, WHOLE),
    Reward("floor(r_t)", np.floor, WHOLE),
    Reward("|r_t|", np.abs, CHANGED_REWARDS),
    Reward("r_{t−1}", later_by_one, CHANGED_REWARDS),
    Reward("r_t²", np.square, CHANGED_REWARDS),
    Reward("[r_t ≠ 0]", lambda r: (r != 0).astype(float), CHANGED_REWARDS),
    Reward(
        "(r_t − mean r)", lambda r: r - r.mean(axis=-1, keepdims=True), CHANGED_REWARDS
    ),
    Reward(
        "((r_t − mean r) / std r)",
        lambda r: (r - r.mean(axis=-1, keepdims=True)) / r.std(axis=-1, keepdims=True),
        CHANGED_REWARDS,
    ),
]

# ---------------------------------------------------------------- outputs

NORMALISED = differs(
    "mc-normalised",
    "You normalise the returns, a habit from policy gradients. Q has to learn the "
    "returns themselves",
)
REVERSED = Difference(
    "mc-not-reversed-back",
    "Your returns come in reversed order, as when they are collected from the end of "
    "the episode and never turned round. Entry i is the return of step i.",
)
MISSES_FIRST = Difference(
    "mc-misses-first",
    "Your first entry, G_0, stays 0, as when a backward loop stops one step too "
    "early. Every step has a return, step 0 too, also in an episode of one step.",
)
INTEGERS = Difference(
    "mc-int-returns",
    "Your returns are cut down to whole numbers, as in an array of integers. Returns "
    "are float32.",
)
SCALED = differs(
    "mc-scaled",
    "Your returns are multiplied by a constant. A return is the plain discounted sum "
    "of rewards",
)
MEAN = differs(
    "mc-mean",
    "Your returns are means of rewards, not sums. A return is the plain discounted "
    "sum of rewards",
)


def without_first(sums: np.ndarray) -> np.ndarray:
    """Return the sums [...,T] with 0 in the place of the first of the T entries."""
    return np.where(np.arange(sums.shape[-1]) > 0, sums, 0.0)


def centred(sums: np.ndarray) -> np.ndarray:
    """Return the sums [...,T] minus their mean over the T steps."""
    return sums - sums.mean(axis=-1, keepdims=True)


def spread(sums: np.ndarray, ddof: int = 0) -> np.ndarray:
    """Return the standard deviation over the T steps, plus 1e-8, as a column [...,1].

    Args:
        sums: the sums [...,T].
        ddof: the squared deviations are divided by T − ddof. The result is NaN if T ≤
            ddof.
    """
    if sums.shape[-1] <= ddof:
        return np.full((*sums.shape[:-1], 1), np.nan)
    return sums.std(axis=-1, keepdims=True, ddof=ddof) + 1e-8


OUTPUTS: Sequence[Output] = [
    Output("", lambda R, r: R),
    Output("R_{T−1−i}", lambda R, r: R[..., ::-1], REVERSED),
    Output(
        "R_0 for every i",
        lambda R, r: R[..., :1] + 0 * R,
        differs(
            "mc-G0-for-all",
            "All your steps get one and the same return, the first. G_i belongs to "
            "step i: it sums only the rewards from step i on",
        ),
    ),
    Output(
        "R_{T−1} for every i",
        lambda R, r: R[..., -1:] + 0 * R,
        Difference(
            "mc-last-for-all",
            "All your steps get the return of the last step. Every step has a return "
            "of its own.",
        ),
    ),
    Output("(R_i − mean R) / std R", lambda R, r: centred(R) / spread(R), NORMALISED),
    Output(
        "(R_i − mean R) / std R (with T − 1)",
        lambda R, r: centred(R) / spread(R, 1),
        NORMALISED,
    ),
    Output("R_i − mean R", lambda R, r: centred(R), NORMALISED),
    Output("R_i / std R", lambda R, r: R / spread(R), NORMALISED),
    Output(
        "R_i / max |R|", lambda R, r: R / abs(R).max(axis=-1, keepdims=True), NORMALISED
    ),
    Output("R_i cut to a whole number", lambda R, r: np.trunc(R), INTEGERS),
    Output("R_i rounded to a whole number", lambda R, r: np.round(R), INTEGERS),
    Output("R_i rounded down", lambda R, r: np.floor(R), INTEGERS),
    Output("0 for i = 0, else R_i", lambda R, r: without_first(R), MISSES_FIRST),
    Output("R_i / T", lambda R, r: R / R.shape[-1], MEAN),
    Output(
        "R_i / (T−i)", lambda R, r: R / (R.shape[-1] - np.arange(R.shape[-1])), MEAN
    ),
    Output(
        "clip(R_i, −1, 1)",
        lambda R, r: np.clip(R, -1, 1),
        differs(
            "mc-clips-returns",
            "You clip the returns. Q has to learn the returns as they are, however "
            "large",
        ),
    ),
    Output(
        "R_i + R_{i+1} + …",
        lambda R, r: np.cumsum(R[..., ::-1], axis=-1)[..., ::-1],
        differs(
            "mc-summed-twice",
            "You sum the returns once more. Each return already holds all later "
            "rewards",
        ),
    ),
    Output(
        "R_{i+1}, and R_0 for the last",
        lambda R, r: np.roll(R, -1, axis=-1),
        Difference(
            "mc-shifted",
            "Your returns are shifted by one step. Entry i is the return of step i.",
        ),
    ),
    Output(
        "R_i in float16",
        lambda R, r: R.astype(np.float16).astype(np.float64),
        Difference(
            "mc-half-returns",
            "Your returns lose digits, as in float16, which keeps three. Returns are "
            "float32.",
        ),
    ),
    Output("{c} R_i", lambda R, r: R, SCALED, "factor"),
    Output(
        "R_i + {c}",
        lambda R, r: R,
        differs(
            "mc-adds-constant",
            "You add a constant to each return. A return is the plain discounted sum "
            "of rewards",
        ),
        "shift",
    ),
]
RIGHT = Formula(REWARDS[0], (WEIGHTS[0], RANGES[0]), OUTPUTS[0])


def constants_of(output: Output, given: np.ndarray, returns: np.ndarray) -> np.ndarray:
    """Estimate the constant of each of b formulas from the hand-in's returns.

    If `output.fitted` is "factor", the constant multiplies what the formula computes.
    If it is "shift", the constant is added.

    Args:
        output: the last term of the b formulas, which has the constant.
        given: what the b formulas compute without the constant [b,K,T].
        returns: the hand-in's returns [K,T].

    Returns:
        For each formula the constant with the least squared error [b]. A factor of 0
        becomes NaN. All entries are 0 if `output.fitted` is "", for no constant.
    """
    if not output.fitted:
        return np.zeros(len(given))
    if output.fitted == "shift":
        return np.mean(returns - given, axis=(1, 2))
    found = (given * returns).sum(axis=(1, 2)) / (given**2).sum(axis=(1, 2))
    return np.where(found == 0, np.nan, found)
