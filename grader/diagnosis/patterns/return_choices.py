"""The choices that make a formula of `discounted_returns`, one line each.

To add a choice, add a line to its table: its words, what it computes, and the
difference from right code (None where it is right).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from grader.contract.compare import number
from grader.diagnosis.reading import Difference

DQL = "(slides: Deep Q Learning)."


def differs(name: str, hint: str) -> Difference:
    """Return a difference whose hint ends with the slides."""
    return Difference(name, f"{hint} {DQL}")


@dataclass(frozen=True)
class Reward:
    """What the sum takes for a reward: words, rewards [K,T] -> [K,T], difference."""

    text: str
    change: Callable[[np.ndarray], np.ndarray]
    difference: Difference | None = None


@dataclass(frozen=True)
class Weight:
    """The weight of reward t in entry i.

    Attributes:
        text: with {n} for the exponent, the number of steps between.
        value: of n, i, t (each [T,T]), T and γ.
        difference: from right code.
    """

    text: str
    value: Callable[[np.ndarray, np.ndarray, np.ndarray, int, float], np.ndarray]
    difference: Difference | None = None


@dataclass(frozen=True)
class Range:
    """Which rewards t are in entry i.

    Attributes:
        text: under the Σ.
        member: of i, t (each [T,T]) and T.
        steps: the number of steps n from i to t, in words and as a function of i, t.
        difference: from right code.
        second: one more, if there is one.
    """

    text: str
    member: Callable[[np.ndarray, np.ndarray, int], np.ndarray]
    steps: tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]
    difference: Difference | None = None
    second: Difference | None = None


@dataclass(frozen=True)
class Rule:
    """Sums that no weights give: words, (rewards [K,T], γ) -> [K,T], difference."""

    text: str
    value: Callable[[np.ndarray, float], np.ndarray]
    difference: Difference


@dataclass(frozen=True)
class Output:
    """What is done to the sums R_i.

    Attributes:
        text: "" if nothing is done; may have {c}, the constant.
        change: of the sums [...,K,T] and the rewards [K,T].
        difference: from right code.
        fitted: "factor" or "shift" where a constant is to be found by the answers.
        constant: the one that was found.
    """

    text: str
    change: Callable[[np.ndarray, np.ndarray], np.ndarray]
    difference: Difference | None = None
    fitted: str = ""
    constant: float = 0.0

    def values(self, sums: np.ndarray, rewards: np.ndarray) -> np.ndarray:
        """Return what is done to the sums [...,K,T], the constant included."""
        changed = self.change(sums, rewards)
        if self.fitted == "factor":
            return self.constant * changed
        return changed + self.constant


Sums = tuple[Weight, Range] | Rule


def sums_of(sums: Sums, rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return the sums R_i [K,T] of rewards [K,T]."""
    if isinstance(sums, Rule):
        return sums.value(rewards, gamma)
    weight, over = sums
    size = rewards.shape[1]
    i, t = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    member = over.member(i, t, size)
    n = np.where(member, over.steps[1](i, t), 0)
    weights = np.where(member, weight.value(n, i, t, size, gamma), 0.0)
    return rewards @ weights.T


@dataclass(frozen=True)
class Formula:
    """One choice of each kind."""

    reward: Reward
    sums: Sums
    output: Output

    def values(self, rewards: np.ndarray, gamma: float) -> np.ndarray:
        """Return what it computes of rewards [K,T]."""
        changed = self.reward.change(rewards)
        sums = sums_of(self.sums, changed, gamma)
        return self.output.values(sums, changed)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """The differences from right code, the most basic one first."""
        if isinstance(self.sums, Rule):
            found = [self.sums.difference]
        else:
            weight, over = self.sums
            found = [over.difference, over.second, weight.difference]
        found += [self.reward.difference, self.output.difference]
        return tuple(difference for difference in found if difference)

    @property
    def cost(self) -> float:
        """How far it is from right code; what is rarely written costs more."""
        return sum(1.0 if d.name in COMMON else 1.2 for d in self.differences)

    @property
    def text(self) -> str:
        """The formula as one writes it."""
        if isinstance(self.sums, Rule):
            text = self.sums.text.replace("r_", self.reward.text.replace("t", ""))
            text = self.sums.text if self.reward.text == "r_t" else text
        else:
            weight, over = self.sums
            factor = weight.text.format(n=over.steps[0])
            text = " ".join(x for x in (f"Σ_{{{over.text}}}", factor) if x)
            text = f"{text} {self.reward.text}"
            if over.text == "t=i":
                text = self.reward.text.replace("r_t", "r_i")
        if not self.output.text:
            return f"G_i = {text}"
        done = self.output.text.replace("{c}", number(self.output.constant))
        return f"G_i = {done}, where R_i = {text}"


def weights_of(rewards: np.ndarray, returns: np.ndarray, gamma: float) -> list[Weight]:
    """Return the weights to try: those of the table, and powers of own constants.

    Args:
        rewards: [K,T], the last T of them the unit rewards.
        returns: what came back [K,T].
        gamma: γ.
    """
    size = rewards.shape[1]
    units = returns[-size:].T
    own = [0.99, 0.9, 0.95, 0.5]
    with np.errstate(all="ignore"):
        ratios = [units[0, 1] / units[0, 0], units[0, 2] / units[0, 1]]
    ratios += [units[-1, -2], units[-1, -3] / units[-1, -2] if units[-1, -2] else 0]
    own += [float(f"{r:.4g}") for r in ratios if np.isfinite(r) and 0 < abs(r) < 10]
    return [*WEIGHTS, *(own_gamma(c) for c in dict.fromkeys(own) if c not in (1, gamma))]


def own_gamma(c: float) -> Weight:
    """Return the weights by a constant in the place of γ."""
    return Weight(f"{number(c)}^({{n}})", lambda n, i, t, T, gamma: c**n, OWN_GAMMA)


def constants_of(output: Output, given: np.ndarray, returns: np.ndarray) -> np.ndarray:
    """Return the constant [b] by which each given [b,K,T] is nearest the returns."""
    if not output.fitted:
        return np.zeros(len(given))
    if output.fitted == "shift":
        return np.mean(returns - given, axis=(1, 2))
    found = (given * returns).sum(axis=(1, 2)) / (given**2).sum(axis=(1, 2))
    return np.where(found == 0, np.nan, found)


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
    """Return the choice that clips the rewards."""
    text = f"clip(r_t, {low:g}, {high:g})".replace("-", "−").replace("inf", "∞")
    return Reward(text, lambda r: np.clip(r, low, high), CLIPS)


def later_by_one(rewards: np.ndarray) -> np.ndarray:
    """Return each step's reward one step later, with 0 for the first."""
    return np.pad(rewards, ((0, 0), (1, 0)))[:, :-1]


def rewards_of(single: np.ndarray) -> list[Reward]:
    """Return what to try for a reward: the table, and clipping at an own constant.

    Args:
        single: what came back for single rewards [K,1].
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
    """Return sums that start anew at each reward that is not 0."""
    sums, later = np.zeros(rewards.shape), np.zeros(len(rewards))
    for i in reversed(range(rewards.shape[1])):
        later = np.where(rewards[:, i] != 0, rewards[:, i], gamma * later)
        sums[:, i] = later
    return sums


def skipping(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return sums that discount only at rewards that are not 0."""
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
    """Return the sums with a 0 in the first place."""
    return np.where(np.arange(sums.shape[-1]) > 0, sums, 0.0)


def centred(sums: np.ndarray) -> np.ndarray:
    """Return the sums with their mean taken away."""
    return sums - sums.mean(axis=-1, keepdims=True)


def spread(sums: np.ndarray, ddof: int = 0) -> np.ndarray:
    """Return the standard deviation over the steps, as a column."""
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
        lambda R, r: np.float16(R).astype(np.float64),
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
# What is written often; of two formulas that compute the same, these are meant.
COMMON = frozenset(
    """mc-gamma-t mc-G0-for-all mc-undiscounted mc-own-gamma mc-not-reversed-back
    mc-sums-the-past mc-skips-own-reward mc-discounts-own-reward mc-misses-first
    mc-drops-last-reward mc-normalised mc-ignores-rewards mc-clips-rewards
    mc-int-returns mc-own-reward-only""".split()
)
RIGHT = Formula(REWARDS[0], (WEIGHTS[0], RANGES[0]), OUTPUTS[0])

# ---------------------------------------------------------------- all else

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
    """Return a test of the shape of one answer; None stands for T."""

    def fits(rewards: np.ndarray, obtained: np.ndarray) -> bool:
        expected = tuple(rewards.shape[1] if n is None else n for n in sizes)
        return obtained.shape[1:] == expected

    return fits


def one_more(rewards: np.ndarray, obtained: np.ndarray) -> bool:
    """Tell whether there is one entry more, a 0 at the end."""
    size = rewards.shape[1] + 1
    return obtained.shape[1:] == (size,) and not obtained[:, -1].any()


# Tests of an answer's shape, the same answers as [K,T], and the difference.
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
    "In your G_i the rewards count with other weights: see the table. From step i on, "
    "each step further away, a reward counts one factor γ less",
)
NOT_LINEAR = differs(
    "mc-not-linear",
    "Your returns are no weighted sum of the rewards: the returns of single rewards "
    "do not add up to the returns of all of them. A return is one, without clipping "
    "or normalising",
)
