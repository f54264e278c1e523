"""Mistakes of `discounted_returns` outside of the formula, such as a wrong shape."""

from collections.abc import Callable, Sequence

import numpy as np

from grader.diagnosis.patterns.return_parts.formula import differs
from grader.diagnosis.reading import Difference

COLUMN = Difference(
    "mc-column",
    "Your returns have the shape [T, 1]. They are one number for each step, of shape "
    "[T]; a column would broadcast against the predictions to [T, T].",
)
EXTRA_ENTRY = Difference(
    "mc-extra-entry",
    "You return T + 1 entries. The 0 after the end of the episode only helps to "
    "compute, it is not the return of a step: there is one return for each reward.",
)
ROW = Difference(
    "mc-row",
    "Your returns have the shape [1, T]. They are one number for each step, of shape "
    "[T].",
)
ONE_NUMBER = Difference(
    "mc-one-number",
    "You return a single number, the return of the whole episode. There is one "
    "return for each step, of shape [T].",
)
SHAPE_WORDS = {
    "mc-column": "of shape [T, 1]",
    "mc-row": "of shape [1, T]",
    "mc-extra-entry": "and one entry more, a 0",
    "mc-one-number": "a single number, R_0",
}


def shaped(*sizes: int | None) -> Callable[[np.ndarray, np.ndarray], bool]:
    """Make a function that tells whether each episode's returns have the shape `sizes`.

    The function takes the rewards of K episodes [K,T], and what the hand-in computed
    from them [K,...].

    Args:
        sizes: the shape for one episode; None stands for T.
    """

    def fits(rewards: np.ndarray, obtained: np.ndarray) -> bool:
        expected = tuple(rewards.shape[1] if n is None else n for n in sizes)
        return obtained.shape[1:] == expected

    return fits


def one_more(rewards: np.ndarray, obtained: np.ndarray) -> bool:
    """Tell whether each episode has T + 1 returns, of which the last is 0.

    Args:
        rewards: rewards of K episodes [K,T].
        obtained: the hand-in's returns [K,...].
    """
    size = rewards.shape[1] + 1
    return obtained.shape[1:] == (size,) and not obtained[:, -1].any()


# Each entry: a test of the returns' shape, a function that brings the returns into the
# shape [K,T], and the mistake (None for the right shape).
SHAPES: Sequence[tuple[Callable, Callable, Difference | None]] = [
    (shaped(None), lambda r, G: G, None),
    (shaped(None, 1), lambda r, G: G[:, :, 0], COLUMN),
    (shaped(1, None), lambda r, G: G[:, 0], ROW),
    (one_more, lambda r, G: G[:, :-1], EXTRA_ENTRY),
    (shaped(), lambda r, G: G[:, None] + 0.0 * r, ONE_NUMBER),
]
CROSSES_EPISODES = Difference(
    "mc-crosses-episodes",
    "Your running sum survives from call to call, so the rewards of another episode "
    "leak in. Nothing follows the end of an episode: the sum starts from 0 in every "
    "call.",
)
ALL_ZERO = Difference(
    "mc-all-zero",
    "All your returns are 0, whatever the rewards are. Is what you compute also "
    "returned?",
)
KEEPS_STATE = Difference(
    "mc-keeps-state",
    "The same rewards and γ give other returns in another call. Returns depend on "
    "nothing but the arguments: is something kept between calls, or drawn at random?",
)
CHANGES = {
    "numpy": (
        "changed",
        Difference(
            "mc-mutates-rewards",
            "Given a NumPy array, your code changes the caller's own rewards, as when "
            "it sums up inside of them. Work on an array of your own.",
        ),
    ),
    "jax": (
        "deleted",
        Difference(
            "mc-donates",
            "Your code deletes the caller's rewards, as when they are donated to "
            "`jax.jit`. The caller may still need them.",
        ),
    ),
}
OTHER_FORMULA = differs(
    "mc-other-formula",
    "Your returns follow another formula. From step i on, each step further away, a "
    "reward counts one factor γ less",
)
OTHER_WEIGHTS = differs(
    "mc-other-weights",
    "In your G_i the rewards count with other weights. From step i on, each step "
    "further away, a reward counts one factor γ less",
)
NOT_LINEAR = differs(
    "mc-not-linear",
    "Your returns are no weighted sum of the rewards: the returns of single rewards "
    "do not add up to the returns of all of them. A return is one, without clipping "
    "or normalising",
)
