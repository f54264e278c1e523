"""The checks of `mc_loss`, with hand-ins that compute with NumPy."""

from collections.abc import Callable

import numpy as np
import pytest

from grader.checks import test_2_monte_carlo as checks
from grader.contract.case import Answer, Case
from grader.contract.cases import taken_values
from grader.contract.compare import numbers
from grader.contract.fixed_cases import MC_EPISODE
from grader.contract.outcomes import Raised, Wrong
from grader.contract.stand_in import stand_in_returns


def right(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return the right returns [T] of rewards [T]."""
    returns = np.zeros(len(rewards) + 1)
    for i in reversed(range(len(rewards))):
        returns[i] = rewards[i] + gamma * returns[i + 1]
    return returns[:-1]


def fails(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Raise an exception, as a hand-in whose returns cannot be computed."""
    raise Raised("no returns")


class Answers:
    """Fake answers of a hand-in or of the reference; each loss has a gradient of 0.

    Args:
        returns: function (rewards [T], γ) that computes the returns [T].
        extra: a number that is added to `mc_loss`; 0 if the loss is right.
    """

    def __init__(self, returns: Callable, extra: float = 0.0) -> None:
        self.returns, self.extra = returns, extra
        self.stopped: set[str] = set()

    def answer(self, case: Case) -> Answer:
        """Return the returns, or the loss of terminal transitions or of an episode."""
        rewards, gamma = case.args["reward"], case.spec["gamma"]
        returns = stand_in_returns if case.spec.get("stand_in") else self.returns
        if case.part == "discounted_returns":
            return Answer(returns=returns(rewards, gamma))
        if case.part == "mc_loss":
            targets, extra = returns(rewards, gamma), self.extra
        else:  # the TD loss of terminal transitions
            targets, extra = rewards, 0.0
        loss = np.mean((taken_values(case.args) - targets) ** 2) + extra
        grads = [np.zeros_like(leaf) for leaf in case.args["theta_Q"]]
        return Answer(loss=np.asarray(loss, np.float32), grads=grads)

    traced = answer


def first_case(cases, body: Callable[[Case], None]) -> None:
    """Run a check's body on the first fixed case."""
    body(cases.fixed[0])


@pytest.mark.parametrize(
    ("returns", "used", "words"),
    [
        (right, right, "from your discounted_returns"),
        (lambda r, g: right(r, 1.0), None, "from your discounted_returns"),
        (fails, stand_in_returns, "by G_i = −(1 + γ) r_i − r_{i+1}"),
    ],
)
def test_the_message_on_a_loss_shows_its_returns(returns, used, words):
    """The returns G of the expected loss are shown, and where they come from."""
    reference = Answers(right)
    checks.test_loss(Answers(returns), reference, first_case)
    with pytest.raises(Wrong) as caught:
        checks.test_loss(Answers(returns, extra=2.0), reference, first_case)
    case = MC_EPISODE.fixed[0]
    shown = (used or returns)(case.args["reward"], case.spec["gamma"])
    assert f"G = {numbers(shown)}" in str(caught.value)
    assert words in str(caught.value)
