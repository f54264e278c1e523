"""The classes for the formulas of `discounted_returns`, right and wrong.

A formula has three stages. First each reward may be changed (`Reward`). Then a sum R_i
is computed for each step i: a weighted sum of these rewards (`Weight` and `Range`), or
a wrong recursion (`Rule`). Last, the sums may be changed (`Output`). The result is the
returns G_i. Right code changes neither the rewards nor the sums.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grader.contract.compare import number
from grader.diagnosis.reading import Difference

DQL = "(slides: Deep Q Learning)."


def differs(name: str, hint: str) -> Difference:
    """Return a mistake of `discounted_returns`.

    Args:
        name: name of the mistake.
        hint: text for the student on what is wrong, without a full stop at the end.
            "(slides: Deep Q Learning)." is added to it.
    """
    return Difference(name, f"{hint} {DQL}")


@dataclass(frozen=True)
class Reward:
    """A choice of how the code changes each reward r_t before it sums the rewards.

    Attributes:
        text: the changed reward as a formula; "r_t" for the right choice.
        change: function of the rewards of K episodes [K,T]; returns the changed rewards
            [K,T].
        difference: the mistake; None for the right choice.
    """

    text: str
    change: Callable[[np.ndarray], np.ndarray]
    difference: Difference | None = None

    @property
    def of_step(self) -> str:
        """The changed reward of step i as text, such as "clip(r_i, −1, 1)"."""
        return self.text.replace("r_t", "r_i").replace("r_{t−1}", "r_{i−1}")


@dataclass(frozen=True)
class Weight:
    """A choice of the weight of each reward r_t in each return G_i.

    Attributes:
        text: the weight as a formula, with {n} for the distance of i and t, see
            `Range.steps`.
        value: function (n, i, t, T, γ) that returns the weights as an array [T,T] over
            i and t. Its arguments n, i and t are arrays [T,T], too; n is the distance.
        difference: the mistake; None for the right choice.
    """

    text: str
    value: Callable[[np.ndarray, np.ndarray, np.ndarray, int, float], np.ndarray]
    difference: Difference | None = None

    @property
    def of_own_reward(self) -> str:
        """The weight of r_i in G_i as text, such as "γ^i"; "" if it is 1."""
        i = np.arange(3)
        if np.allclose(self.value(0 * i, i, i, len(i), 0.5), 1):
            return ""
        text = self.text.format(n=0).replace("t", "i").replace("i+i", "2i")
        return text.replace("^(0+1)", "").replace(" γ^(0)", "")


@dataclass(frozen=True)
class Range:
    """A choice of which rewards r_t are summed in each return G_i.

    Attributes:
        text: the condition on t, as it stands under the Σ.
        member: function (i, t, T) that returns a mask of the summed rewards, an array
            [T,T] over i and t. Its arguments i and t are arrays [T,T], too.
        steps: how the code counts the distance n of the steps i and t. A pair: a text,
            such as "t−i", and a function of i and t that returns n.
        difference: the mistake; None for the right choice.
        second: a second mistake of the same choice, or None.
    """

    text: str
    member: Callable[[np.ndarray, np.ndarray, int], np.ndarray]
    steps: tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]
    difference: Difference | None = None
    second: Difference | None = None


@dataclass(frozen=True)
class Rule:
    """A wrong recursion, which computes sums that no weights of the rewards can give.

    Attributes:
        text: the sum of step i as a formula.
        value: function of the rewards of K episodes [K,T] and γ; returns the sums
            [K,T].
        difference: the mistake.
    """

    text: str
    value: Callable[[np.ndarray, float], np.ndarray]
    difference: Difference


@dataclass(frozen=True)
class Output:
    """A choice of how the code changes the sums R_i before it returns them.

    Attributes:
        text: the changed sum as a formula, with {c} for the constant; "" if the sums
            are returned unchanged.
        change: function of the sums [...,K,T] and of the rewards [K,T] that were
            summed; returns the changed sums [...,K,T].
        difference: the mistake; None for the right choice.
        fitted: how the constant is used: "factor" if it multiplies the changed sums,
            "shift" if it is added to them, "" if there is no constant.
        constant: the constant, as estimated from the hand-in's returns; 0 if there is
            none.
    """

    text: str
    change: Callable[[np.ndarray, np.ndarray], np.ndarray]
    difference: Difference | None = None
    fitted: str = ""
    constant: float = 0.0

    def values(self, sums: np.ndarray, rewards: np.ndarray) -> np.ndarray:
        """Return the changed sums [...,K,T], with the constant factor or shift.

        Args:
            sums: the sums R_i [...,K,T].
            rewards: the rewards [K,T] that were summed, already changed by a `Reward`.
        """
        changed = self.change(sums, rewards)
        if self.fitted == "factor":
            return self.constant * changed
        return changed + self.constant


Sums = tuple[Weight, Range] | Rule


def sums_of(sums: Sums, rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Compute the sums R_i [K,T] of K episodes, before an `Output` changes them.

    Args:
        sums: how the sums are computed: by the weights and the range of a weighted sum,
            or by a wrong recursion (`Rule`).
        rewards: the rewards [K,T] to sum, already changed by a `Reward`.
        gamma: γ.
    """
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
    """A formula for the returns G_i, right or wrong.

    Attributes:
        reward: how each reward is changed before it is summed; unchanged if right.
        sums: how a sum R_i is computed for each step i. Usually a pair: the weight and
            the range of a weighted sum. A `Rule` if the code uses a wrong recursion.
        output: how the sums R_i are changed before they are returned as G_i; unchanged
            if right.
    """

    reward: Reward
    sums: Sums
    output: Output

    def values(self, rewards: np.ndarray, gamma: float) -> np.ndarray:
        """Return the returns [K,T] that the formula gives.

        Args:
            rewards: rewards of K episodes [K,T].
            gamma: γ.
        """
        changed = self.reward.change(rewards)
        sums = sums_of(self.sums, changed, gamma)
        return self.output.values(sums, changed)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """The mistakes in the formula, the most basic one first; () for none."""
        if isinstance(self.sums, Rule):
            found: list[Difference | None] = [self.sums.difference]
        else:
            weight, over = self.sums
            found = [over.difference, over.second, weight.difference]
        found += [self.reward.difference, self.output.difference]
        return tuple(difference for difference in found if difference)

    @property
    def cost(self) -> float:
        """Number of mistakes; a frequent mistake counts 1.0 and a rare one 1.2."""
        return sum(1.0 if d.name in COMMON else 1.2 for d in self.differences)

    @property
    def text(self) -> str:
        """The formula as students read it, such as "G_i = Σ_{t≥i} γ^(t−i) r_t"."""
        if isinstance(self.sums, Rule):
            text = self.sums.text.replace("r_i", self.reward.of_step)
        else:
            weight, over = self.sums
            terms = [f"Σ_{{{over.text}}}", weight.text.format(n=over.steps[0])]
            terms.append(self.reward.text)
            if over.text == "t=i":
                terms = [weight.of_own_reward, self.reward.of_step]
            text = " ".join(term for term in terms if term)
        if not self.output.text:
            return f"G_i = {text}"
        done = self.output.text.replace("{c}", number(self.output.constant))
        return f"G_i = {done}, where R_i = {text.replace('G_', 'R_')}"


# Names of frequent mistakes. They cost less, so that of two formulas with the same
# returns the more frequent mistake is reported.
COMMON = frozenset(
    {
        *("mc-gamma-t", "mc-G0-for-all", "mc-undiscounted", "mc-own-gamma"),
        *("mc-not-reversed-back", "mc-sums-the-past", "mc-skips-own-reward"),
        *("mc-discounts-own-reward", "mc-misses-first", "mc-drops-last-reward"),
        *("mc-normalised", "mc-ignores-rewards", "mc-clips-rewards"),
        *("mc-int-returns", "mc-own-reward-only"),
    }
)
