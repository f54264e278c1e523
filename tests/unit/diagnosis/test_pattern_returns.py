"""The reader finds the formula of wrong returns from the returns alone."""

import numpy as np
import pytest

from grader.contract.case import Answer, Case
from grader.contract.cases import GAMMA
from grader.contract.outcomes import Raised
from grader.diagnosis.patterns import returns
from grader.diagnosis.patterns.return_parts.weights import RULES
from grader.diagnosis.patterns.returns import Asked, in_words
from grader.diagnosis.reading import Reading


def right(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return the right returns [T] of rewards [T]."""
    steps = range(len(rewards))
    return np.array(
        [sum(gamma ** (t - i) * rewards[t] for t in steps[i:]) for i in steps]
    )


def answers(formula) -> list[Asked]:
    """Return a fake hand-in's returns for some episodes, as the reader gets them.

    Args:
        formula: function (rewards [T], γ) that computes the returns [T].

    Returns:
        Three `Asked` with different γ or lengths of the episodes.
    """
    rng = np.random.default_rng(3)
    long = np.concatenate([returns.drawn_rewards(rng, 5), np.eye(5)]).astype(float)
    asked = []
    for gamma, rewards in (
        (GAMMA, long),
        (returns.OTHER_GAMMA, returns.drawn_rewards(rng, 5).astype(float)),
        (GAMMA, returns.drawn_rewards(rng, 1).astype(float)),
    ):
        values = np.stack([formula(row, gamma) for row in rewards])
        asked.append(Asked(gamma, rewards, values.astype(np.float32).astype(float)))
    return asked


def names(formula) -> list[str] | None:
    reading = in_words(answers(formula), None)
    return [d.name for d in reading.differences] if reading else None


def test_right_returns_have_no_reading():
    """For right returns there is no reading, although float32 has rounded them."""
    assert names(right) is None


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (lambda r, g: right(r, g) * g ** np.arange(len(r)), "mc-gamma-t"),
        (lambda r, g: right(r, 1.0), "mc-undiscounted"),
        (lambda r, g: right(r, 0.97), "mc-own-gamma"),
        (lambda r, g: right(r, g)[::-1], "mc-not-reversed-back"),
        (lambda r, g: right(r[::-1], g)[::-1], "mc-sums-the-past"),
        (lambda r, g: np.append(right(r, g)[1:], 0), "mc-skips-own-reward"),
        (lambda r, g: right(r, g) - r, "mc-skips-own-reward"),
        (lambda r, g: g * right(r, g), "mc-discounts-own-reward"),
        (lambda r, g: right(np.append(r[:-1], 0), g), "mc-drops-last-reward"),
        (lambda r, g: right(np.clip(r, -3, 3), g), "mc-clips-rewards"),
        (lambda r, g: 0.01 * right(r, g), "mc-scaled"),
        (lambda r, g: right(r, g) + 1.5, "mc-adds-constant"),
        (lambda r, g: np.trunc(right(r, g)), "mc-int-returns"),
        (lambda r, g: 0 * r, "mc-all-zero"),
        (lambda r, g: r, "mc-own-reward-only"),
    ],
)
def test_one_difference(formula, expected):
    """A single mistake in the returns gets its name."""
    assert names(formula) == [expected]


def test_two_differences():
    """If the returns have several mistakes, all of them are named.

    Mistakes in the sum are named before mistakes in the rewards.
    """
    formula = lambda r, g: right(np.clip(r, -1, 1)[::-1], 1.0)[::-1]  # noqa: E731
    expected = ["mc-sums-the-past", "mc-undiscounted", "mc-clips-rewards"]
    assert names(formula) == expected


def test_words_and_table():
    """The reading shows the hand-in's formula and the right formula in symbols.

    A table shows the returns of an example.
    """
    reading = in_words(answers(lambda r, g: right(np.clip(r, -1, 1), 1.0)), None)
    assert reading.computes == "G_i = Σ_{t≥i} clip(r_t, −1, 1)"
    assert reading.asked == "G_i = Σ_{t≥i} γ^(t−i) r_t"
    assert reading.table[0].startswith("another episode, γ = ")
    assert reading.table[1].split() == ["i", "r_i", "your", "G_i", "right", "G_i"]
    assert len(reading.table) == 7


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (lambda r, g: r, "r_i"),
        (lambda r, g: g ** np.arange(len(r)) * r, "γ^i r_i"),
        (lambda r, g: g * r, "γ r_i"),
        (lambda r, g: g ** np.arange(len(r), 0, -1) * r, "γ^(T−i) r_i"),
        (lambda r, g: np.append(0, r[:-1]), "r_{i−1}"),
    ],
)
def test_the_weight_of_the_only_reward_is_shown(formula, text):
    """If G_i has a single reward, the formula shows the weight of this reward."""
    assert in_words(answers(formula), None).computes == f"G_i = {text}"


def restarting(rewards, gamma):
    """Return sums that start anew at each reward that is not 0."""
    return RULES[0].value(rewards[None], gamma)[0]


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (
            lambda r, g: restarting(np.clip(r, -1, 1), g),
            "G_i = clip(r_i, −1, 1) if clip(r_i, −1, 1) ≠ 0, else γ G_{i+1}",
        ),
        (
            lambda r, g: restarting(np.trunc(r), g),
            "G_i = trunc(r_i) if trunc(r_i) ≠ 0, else γ G_{i+1}",
        ),
        (
            lambda r, g: restarting(r, g)[::-1],
            "G_i = R_{T−1−i}, where R_i = r_i if r_i ≠ 0, else γ R_{i+1}",
        ),
    ],
)
def test_a_wrong_recursion_is_shown_with_its_rewards_and_sums(formula, text):
    """The formula of a wrong recursion shows the changed rewards and its own sums."""
    assert in_words(answers(formula), None).computes == text


def test_unknown_weights_are_shown():
    """If no formula fits but G is linear in the rewards, the reading shows weights.

    A weight is the factor of one reward. If G is not linear, the mistake gets the name
    "mc-not-linear".
    """
    reading = in_words(
        answers(lambda r, g: right(r * [2, 1, 1, 1, 1][: len(r)], g)), None
    )
    assert [d.name for d in reading.differences] == ["mc-other-weights"]
    assert reading.computes.startswith("G_0 = 2 r_0 + 0.7 r_1 + 0.49 r_2")
    reading = in_words(answers(lambda r, g: np.sort(right(r, g))), None)
    assert [d.name for d in reading.differences] == ["mc-not-linear"]


def test_only_a_certain_mistake_is_named():
    """If two formulas fit the returns, only a mistake that both have is named."""
    ones = lambda r, g: right(np.ones(len(r)), g)[::-1]  # noqa: E731
    assert names(ones) == ["mc-ignores-rewards"]


def test_what_is_not_finite_has_no_reading():
    """If the returns are NaN, there is no reading."""
    assert names(lambda r, g: right(r, g) * np.nan) is None


class Returns:
    """A fake hand-in that computes returns by a function.

    Args:
        formula: function (rewards [T], γ) that computes the returns [T].
    """

    def __init__(self, formula) -> None:
        self.formula = formula

    def answer(self, case: Case) -> Answer:
        """Return the returns of an episode."""
        values = self.formula(case.args["reward"].astype(float), case.spec["gamma"])
        return Answer(returns=np.asarray(values, np.float32))

    def changed(self, case: Case, kind: str) -> list:
        """Return no names: the rewards stay as they are."""
        return []


def read(formula) -> Reading | None:
    return returns.read(Returns(formula), np.random.default_rng(3))


def running(change):
    """Return a formula whose running sum of changed rewards goes on in the next call.

    Args:
        change: function that changes the rewards before they are summed.
    """
    kept = [0.0]

    def formula(rewards, gamma):
        found = []
        for reward in change(rewards)[::-1]:
            kept[0] = reward + gamma * kept[0]
            found.append(kept[0])
        return found[::-1]

    return formula


def test_a_sum_that_runs_on_is_told_with_the_rewards_as_they_are():
    """If the sum runs on from call to call, the formula shows the rewards summed.

    If the rewards are changed as well, no formula is shown.
    """
    reading = read(running(lambda rewards: rewards))
    assert [d.name for d in reading.differences] == ["mc-crosses-episodes"]
    assert "Σ_{t≥i} γ^(t−i) r_t" in reading.computes
    reading = read(running(np.sign))
    assert [d.name for d in reading.differences] == ["mc-keeps-state"]
    assert "r_t" not in reading.computes


def refusing(formula):
    """Return a formula that accepts γ between 0 and 1 only."""

    def checked(rewards, gamma):
        if not 0 < gamma < 1:
            raise Raised("discounted_returns: AssertionError")
        return formula(rewards, gamma)

    return checked


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (right, None),
        (lambda r, g: right(r, g * g), "mc-other-exponent"),
        (lambda r, g: right(r, 0.49), "mc-own-gamma"),
        (lambda r, g: right(r, 0.9), "mc-own-gamma"),
    ],
)
def test_code_that_refuses_some_discounts(formula, expected):
    """One fixed γ is told only of code whose returns do not depend on γ.

    Code that refuses γ = 1 is read as other code.
    """
    found = read(refusing(formula))
    assert (found and [d.name for d in found.differences]) == (expected and [expected])


def test_shapes():
    """Returns of shape [T,1] are read as if they had shape [T].

    The wrong shape is named as a further mistake. Returns of another length are not
    read.
    """
    asked = answers(lambda r, g: right(r, 1.0))
    triples = [(a.gamma, a.rewards, a.returns[:, :, None]) for a in asked]
    shaped, shape = returns.in_shape(triples)
    reading = in_words(shaped, shape)
    assert [d.name for d in reading.differences] == ["mc-undiscounted", "mc-column"]
    triples = [(a.gamma, a.rewards, a.returns[:, :-1]) for a in asked]
    assert returns.in_shape(triples) == ([], None)
