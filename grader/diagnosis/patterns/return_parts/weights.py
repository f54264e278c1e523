"""Tables of choices: weights and ranges of the sums in `discounted_returns`.

A line of a table has a formula, a function that computes it, and the mistake. The first
weight and the first range are right and have no mistake. To add a choice, add a line.
"""

from collections.abc import Sequence

import numpy as np

from grader.contract.compare import number
from grader.diagnosis.patterns.return_parts.formula import Range, Rule, Weight, differs
from grader.diagnosis.reading import Difference

# ---------------------------------------------------------------- weights

OWN_GAMMA = differs(
    "mc-own-gamma",
    "Your returns use one fixed γ, whatever the argument gamma is. Discount by the γ "
    "that is passed in",
)
GAMMA_T = differs(
    "mc-gamma-t",
    "You discount by γ^t, as the slides misprint it: from the start of the episode. "
    "In G_i time counts from step i, so r_i itself counts in full",
)
EXPONENT = differs(
    "mc-other-exponent",
    "Your exponent of γ is another one. It is the number of steps from step i to the "
    "reward, so that r_i counts in full",
)
ONCE = differs(
    "mc-discounts-once",
    "Your weights are no powers of γ. Each step further away, a reward counts one "
    "factor γ less",
)
WEIGHTS: Sequence[Weight] = [
    Weight("γ^({n})", lambda n, i, t, T, gamma: gamma**n),
    Weight("γ^t", lambda n, i, t, T, gamma: gamma**t, GAMMA_T),
    Weight(
        "",
        lambda n, i, t, T, gamma: np.ones(n.shape),
        differs(
            "mc-undiscounted",
            "Your returns are not discounted: γ is missing. Each step further away, a "
            "reward counts one factor γ less",
        ),
    ),
    Weight(
        "γ^({n}+1)",
        lambda n, i, t, T, gamma: gamma ** (n + 1),
        differs(
            "mc-discounts-own-reward",
            "You discount every reward once too often, r_i in G_i included. It comes "
            "now and counts in full; discounting begins with the reward after it",
        ),
    ),
    Weight("γ^(t+1)", lambda n, i, t, T, gamma: gamma ** (t + 1), EXPONENT),
    Weight("γ^i", lambda n, i, t, T, gamma: gamma**i, EXPONENT),
    Weight("γ^(T−t)", lambda n, i, t, T, gamma: gamma ** (T - t), EXPONENT),
    Weight("γ^(T−1−t)", lambda n, i, t, T, gamma: gamma ** (T - 1 - t), EXPONENT),
    Weight("γ^(T−i)", lambda n, i, t, T, gamma: gamma ** (T - i), EXPONENT),
    Weight("γ^(T−1−i)", lambda n, i, t, T, gamma: gamma ** (T - 1 - i), EXPONENT),
    Weight("γ^(i+t)", lambda n, i, t, T, gamma: gamma ** (i + t), EXPONENT),
    Weight("γ^(2({n}))", lambda n, i, t, T, gamma: gamma ** (2 * n), EXPONENT),
    Weight("γ^−({n})", lambda n, i, t, T, gamma: gamma ** (-1.0 * n), EXPONENT),
    Weight("γ^(({n})²)", lambda n, i, t, T, gamma: gamma ** (n**2), EXPONENT),
    Weight("γ^[t≠i]", lambda n, i, t, T, gamma: gamma ** np.minimum(n, 1), ONCE),
    Weight("γ", lambda n, i, t, T, gamma: np.full(n.shape, gamma), ONCE),
    Weight("1/({n}+1)", lambda n, i, t, T, gamma: 1.0 / (n + 1), ONCE),
    Weight("(γ ({n}) + [t=i])", lambda n, i, t, T, gamma: gamma * n + (n == 0), ONCE),
    Weight("(1−γ)^({n})", lambda n, i, t, T, gamma: (1.0 - gamma) ** n, ONCE),
    Weight("(1−γ) γ^({n})", lambda n, i, t, T, gamma: (1.0 - gamma) * gamma**n, ONCE),
]

# ---------------------------------------------------------------- ranges

LATER = ("t−i", lambda i, t: t - i)
SOONER = ("t−i−1", lambda i, t: t - i - 1)
BEFORE = ("i−t", lambda i, t: i - t)
BEFORE_SOONER = ("i−t−1", lambda i, t: i - t - 1)
APART = ("|t−i|", lambda i, t: abs(t - i))
SKIPS_OWN = differs(
    "mc-skips-own-reward",
    "Your G_i starts with the next step's reward, so the last entry is 0. The sum "
    "begins at t = i: r_i belongs to G_i",
)
PAST = differs(
    "mc-sums-the-past",
    "Your G_i sums the rewards up to step i, the past. A return sums what is still to "
    "come: r_i and the later rewards, t ≥ i",
)
MISSES_OWN = differs(
    "mc-skips-own-reward",
    "r_i itself is missing from your G_i. The step's own reward belongs to its return",
)
DROPS_LAST = Difference(
    "mc-drops-last-reward",
    "The last reward is missing from all your returns, as when a backward loop leaves "
    "out the last step. That step has a return too: its reward.",
)
FEW_STEPS = differs(
    "mc-few-steps",
    "Your G_i sums a few rewards only. It sums all of them from step i to the end of "
    "the episode",
)
RANGES: Sequence[Range] = [
    Range("t≥i", lambda i, t, T: t >= i, LATER),
    Range("t>i", lambda i, t, T: t > i, LATER, SKIPS_OWN),
    Range("t>i", lambda i, t, T: t > i, SOONER, SKIPS_OWN),
    Range("t≤i", lambda i, t, T: t <= i, BEFORE, PAST),
    Range("t<i", lambda i, t, T: t < i, BEFORE, PAST, MISSES_OWN),
    Range("t<i", lambda i, t, T: t < i, BEFORE_SOONER, PAST, MISSES_OWN),
    Range(
        "all t",
        lambda i, t, T: t >= 0,
        APART,
        differs(
            "mc-sums-all",
            "Your G_i sums the rewards of the whole episode, those before step i too. "
            "It sums only the rewards from step i on",
        ),
    ),
    Range(
        "t=i",
        lambda i, t, T: t == i,
        LATER,
        differs(
            "mc-own-reward-only",
            "Your G_i is the step's own reward. A return sums the later rewards too, "
            "discounted",
        ),
    ),
    Range("i≤t≤i+1", lambda i, t, T: (t >= i) & (t <= i + 1), LATER, FEW_STEPS),
    Range("i≤t≤i+2", lambda i, t, T: (t >= i) & (t <= i + 2), LATER, FEW_STEPS),
    Range("i≤t<T−1", lambda i, t, T: (t >= i) & (t < T - 1), LATER, DROPS_LAST),
    Range(
        "t≥max(i,1)",
        lambda i, t, T: (t >= i) & (t > 0),
        LATER,
        Difference(
            "mc-drops-first-reward",
            "The first reward is missing from your returns. Each step has a reward, "
            "step 0 too, and it belongs to G_0.",
        ),
    ),
]


def restarting(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return discounted sums [K,T] that restart at each reward other than 0.

    G_t = r_t if r_t ≠ 0, else γ G_{t+1}.

    Args:
        rewards: rewards of K episodes [K,T].
        gamma: γ.
    """
    sums, later = np.zeros(rewards.shape), np.zeros(len(rewards))
    for i in reversed(range(rewards.shape[1])):
        later = np.where(rewards[:, i] != 0, rewards[:, i], gamma * later)
        sums[:, i] = later
    return sums


def skipping(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return the returns [K,T] of code that skips steps with a reward of 0.

    G_t = G_{t+1} if r_t = 0, else r_t + γ G_{t+1}.

    Args:
        rewards: rewards of K episodes [K,T].
        gamma: γ.
    """
    sums, later = np.zeros(rewards.shape), np.zeros(len(rewards))
    for i in reversed(range(rewards.shape[1])):
        later = np.where(rewards[:, i] == 0, later, rewards[:, i] + gamma * later)
        sums[:, i] = later
    return sums


RULES: Sequence[Rule] = [
    Rule(
        "r_i if r_i ≠ 0, else γ G_{i+1}",
        restarting,
        differs(
            "mc-restarts-at-rewards",
            "Your sum starts anew at each reward that is not 0 (a habit from Pong). "
            "Within an episode it runs on: all later rewards count, discounted",
        ),
    ),
    Rule(
        "r_i + γ G_{i+1} if r_i ≠ 0, else G_{i+1}",
        skipping,
        differs(
            "mc-skips-zero-rewards",
            "You discount only where there is a reward. γ counts the steps between now "
            "and a later reward, whatever they bring, those with reward 0 too",
        ),
    ),
]


def weights_of(rewards: np.ndarray, returns: np.ndarray, gamma: float) -> list[Weight]:
    """Return the choices for the rewards' weights: `WEIGHTS`, and powers of constants.

    A constant takes the place of γ. Some constants are usual discounts; others are
    estimated from the returns.

    Args:
        rewards: rewards of K episodes [K,T]; the last T episodes are unit vectors.
        returns: the hand-in's returns [K,T].
        gamma: γ.
    """
    size = rewards.shape[1]
    units = returns[-size:].T
    own = [0.99, 0.9, 0.95, 0.5]
    with np.errstate(all="ignore"):
        ratios = [units[0, 1] / units[0, 0], units[0, 2] / units[0, 1]]
    ratios += [units[-1, -2], units[-1, -3] / units[-1, -2] if units[-1, -2] else 0]
    own += [float(f"{r:.4g}") for r in ratios if np.isfinite(r) and 0 < abs(r) < 10]
    return [
        *WEIGHTS,
        *(own_gamma(c) for c in dict.fromkeys(own) if c not in (1, gamma)),
    ]


def own_gamma(c: float) -> Weight:
    """Return the choice that discounts by the constant c instead of γ."""
    return Weight(f"{number(c)}^({{n}})", lambda n, i, t, T, gamma: c**n, OWN_GAMMA)
