"""The checks of `mc_loss` beside a wrong `discounted_returns`."""

from collections.abc import Callable

import numpy as np
import pytest

from grader.checks import test_2_monte_carlo as checks
from grader.contract.case import Answer, Case
from grader.contract.compare import numbers
from grader.contract.outcomes import Raised, Wrong
from grader.contract.stand_in import stand_in_returns

LOSSES = [
    checks.LOSS_EXAMPLE.replace(
        args={"reward": np.array(rewards, np.float32)}, spec={"gamma": gamma}
    )
    for rewards, gamma in (((0, 4), 0.5), ((1.5, -2), 0.7))
]


def returns(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return the discounted returns [T]."""
    G, later = np.zeros(len(rewards)), 0.0
    for i in reversed(range(len(rewards))):
        G[i] = later = rewards[i] + gamma * later
    return G


def loss_on(G: np.ndarray, args: dict, factor: float = 1.0) -> Answer:
    """Return the mean of (Q(s, a) - G)² on a table, with its gradient."""
    (table,), states, actions = args["theta_Q"], args["state"], args["action"]
    error = (states @ table.T)[np.arange(len(G)), actions] - G
    grad = np.zeros_like(table, dtype=np.float64)
    np.add.at(grad, actions, 2 * factor * error[:, None] * states / len(G))
    return Answer(loss=np.asarray(factor * np.mean(error**2)), grads=[grad])


class Reference:
    """The right answers to the questions of the checks."""

    def answer(self, case: Case) -> Answer:
        """Return the returns, or the TD loss of transitions that all terminate."""
        if case.part == "discounted_returns":
            return Answer(returns=returns(case.args["reward"], case.spec["gamma"]))
        return loss_on(case.args["reward"], case.args)


class Student:
    """A fake hand-in whose `discounted_returns` cannot be exported, as with NumPy.

    Args:
        helper: function (rewards, gamma) that `discounted_returns` calls.
        own: function (rewards, gamma) of the returns that `mc_loss` uses; None for
            `discounted_returns`, which a stand-in can replace.
        factor: a factor of the loss.
    """

    def __init__(
        self, helper: Callable, own: Callable | None = None, factor: float = 1.0
    ) -> None:
        self.helper, self.own, self.factor = helper, own, factor
        self.stopped: set[str] = set()

    def answer(self, case: Case) -> Answer:
        """Return the returns, or the loss with its gradient."""
        rewards, gamma = case.args["reward"], case.spec["gamma"]
        if case.part == "discounted_returns":
            return Answer(returns=self.helper(rewards, gamma))
        called = stand_in_returns if case.spec.get("stand_in") else self.helper
        return loss_on((self.own or called)(rewards, gamma), case.args, self.factor)

    def traced(self, case: Case) -> Answer:
        """Raise the exception of an export."""
        raise Raised("TracerArrayConversionError")

    def is_called(self, case: Case) -> bool:
        """Return whether the part of a case cannot be exported."""
        return case.part == "discounted_returns"


def undiscounted(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return the sums of the rewards, without γ."""
    return returns(rewards, 1.0)


def constant(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return the returns of rewards that are all 1."""
    return returns(np.ones(len(rewards)), gamma)


def running(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return sums that run on from call to call."""
    running.later = returns(rewards, gamma)[0] + gamma * running.later
    return returns(rewards, gamma) + running.later


running.later = 1.0


def lost(student: Student) -> set[str]:
    """Return which checks of `mc_loss` fail: "loss", "gradient" or both."""
    found, reference = set(), Reference()

    def for_each(cases: object, body: Callable[[Case], None]) -> None:
        for case in LOSSES:
            body(case)

    for name in ("loss", "gradient"):
        try:
            getattr(checks, f"test_{name}")(student, reference, for_each)
        except Wrong:
            found.add(name)
    return found


@pytest.mark.parametrize(
    ("student", "names"),
    [
        (Student(undiscounted), set()),
        (Student(undiscounted, undiscounted), set()),
        (Student(undiscounted, returns), set()),
        (Student(undiscounted, factor=0.5), {"loss"}),
        (Student(undiscounted, undiscounted, factor=0.5), {"loss"}),
        (Student(undiscounted, lambda r, gamma: r), {"loss", "gradient"}),
        (Student(running), set()),
        (Student(constant), set()),
        # A loss that is right on constant returns alone could not use them at all.
        (Student(constant, constant), {"loss", "gradient"}),
    ],
    ids=[
        "calls",
        "shares",
        "own",
        "half",
        "shares, half",
        "rewards",
        "running",
        "constant",
        "shares, constant",
    ],
)
def test_a_mistake_in_the_returns_costs_once(student, names):
    """A loss that shares a wrong NumPy helper with the returns keeps its points."""
    assert lost(student) == names


def fails(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Raise an exception, as a hand-in whose returns cannot be computed."""
    raise Raised("no returns")


@pytest.mark.parametrize(
    ("helper", "used", "words"),
    [
        (returns, returns, "from your discounted_returns"),
        (undiscounted, stand_in_returns, "by G_i = −(1 + γ) r_i − r_{i+1}"),
        (fails, stand_in_returns, "by G_i = −(1 + γ) r_i − r_{i+1}"),
    ],
)
def test_the_message_on_a_loss_shows_its_returns(helper, used, words):
    """The returns G of the expected loss are shown, and where they come from."""
    case = LOSSES[0]
    with pytest.raises(Wrong) as caught:
        checks.test_loss(
            Student(helper, factor=0.5), Reference(), lambda _, body: body(case)
        )
    shown = used(case.args["reward"], case.spec["gamma"])
    assert f"G = {numbers(shown)}" in str(caught.value)
    assert words in str(caught.value)
