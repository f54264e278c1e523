"""The checks of `mc_loss` beside a wrong `discounted_returns`."""

from collections.abc import Callable

import numpy as np
import pytest

from grader.checks import test_2_monte_carlo as checks
from grader.contract.case import Answer, Case
from grader.contract.compare import number, numbers
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
    """Return the mean of (Q(s, a) - G)² on a table, with its gradient.

    The errors broadcast to [T,T] if G is a column.
    """
    (table,), states, actions = args["theta_Q"], args["state"], args["action"]
    error = (states @ table.T)[np.arange(len(states)), actions] - G
    grad, means = np.zeros_like(table, np.float64), np.atleast_2d(error).mean(axis=0)
    np.add.at(grad, actions, 2 * factor * means[:, None] * states / len(states))
    return Answer(loss=np.asarray(factor * np.mean(error**2)), grads=[grad])


class Reference:
    """The right answers to the questions of the checks."""

    def answer(self, case: Case) -> Answer:
        """Return the returns, or the TD loss of transitions that all terminate."""
        if case.part == "discounted_returns":
            return Answer(returns=returns(case.args["reward"], case.spec["gamma"]))
        return loss_on(case.args["reward"], case.args)


class Student:
    """A fake hand-in.

    Args:
        helper: function (rewards, gamma) that `discounted_returns` calls.
        own: function (rewards, gamma) of the returns that `mc_loss` uses; None for
            `discounted_returns`, which a stand-in can replace.
        factor: a factor of the loss.
        change: function by which `mc_loss` changes the returns that it uses.
        swapped: whether `mc_loss` calls `discounted_returns` with (gamma, rewards).
    """

    def __init__(
        self,
        helper: Callable,
        own: Callable | None = None,
        factor: float = 1.0,
        change: Callable = lambda G: G,
        *,
        swapped: bool = False,
    ) -> None:
        self.helper, self.own, self.factor = helper, own, factor
        self.change, self.swapped = change, swapped
        self.stopped: set[str] = set()

    def answer(self, case: Case) -> Answer:
        """Return the returns, or the loss with its gradient."""
        rewards, gamma = case.args["reward"], case.spec["gamma"]
        if case.part == "discounted_returns":
            return Answer(returns=self.helper(rewards, gamma))
        called = stand_in_returns if case.spec.get("stand_in") else self.helper
        given = (gamma, rewards) if self.swapped else (rewards, gamma)
        try:
            G = (self.own or called)(*given)
            return loss_on(self.change(G), case.args, self.factor)
        except (IndexError, ValueError) as error:
            raise Raised(f"mc_loss: {error}") from None


def undiscounted(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return the sums of the rewards, without γ."""
    return returns(rewards, 1.0)


def constant(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return the returns of rewards that are all 1."""
    return returns(np.ones(len(rewards)), gamma)


def first(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return G_0 for every step."""
    return np.full(len(rewards), returns(rewards, gamma)[0])


def backwards(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return the returns from the last step to the first."""
    return returns(rewards, gamma)[::-1]


def column(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return the sums of the rewards as a column [T,1]."""
    return undiscounted(rewards, gamma)[:, None]


def one_more(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return the sums of the rewards and a 0 [T+1]."""
    return np.append(undiscounted(rewards, gamma), 0)


def zeros(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return a column of zeros [T,1]."""
    return np.zeros((len(rewards), 1))


def raising(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Raise an exception."""
    raise Raised("discounted_returns: IndexError")


def other_order(gamma: float, rewards: np.ndarray) -> np.ndarray:
    """Return the returns; raise an exception for (rewards, gamma)."""
    if np.ndim(gamma):
        raise Raised("discounted_returns: TypeError")
    return returns(rewards, gamma)


def number_alone(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return G_0 as a single number, shape ()."""
    return np.asarray(returns(rewards, gamma)[0])


def running(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return sums that run on from call to call."""
    running.later = returns(rewards, gamma)[0] + gamma * running.later
    return returns(rewards, gamma) + running.later


running.later = 1.0


LONGER = checks.LOSS_EXAMPLE.replace(
    spec={"gamma": 0.9},
    args={
        "state": np.array([[1], [2], [0.5]], np.float32),
        "action": np.array([1, 0, 1], np.int32),
        "reward": np.array([1, -2, 3], np.float32),
    },
)
ONE_STEP = checks.LOSS_EXAMPLE.replace(
    args={
        "state": np.array([[1]], np.float32),
        "action": np.array([1], np.int32),
        "reward": np.array([2], np.float32),
    }
)
LOSSES += [LONGER, ONE_STEP]


def messages(student: Student) -> dict[str, str]:
    """Return the message of each failed check of `mc_loss`: "loss", "gradient"."""
    found, reference = {}, Reference()

    def for_each(cases: object, body: Callable[[Case], None]) -> None:
        for case in LOSSES:
            body(case)

    for name in ("loss", "gradient"):
        try:
            getattr(checks, f"test_{name}")(student, reference, for_each)
        except Wrong as wrong:
            found[name] = str(wrong)
    return found


BOTH, HALF = {"loss", "gradient"}, {"loss"}
STUDENTS = {
    "calls": (Student(undiscounted), set()),
    "shares": (Student(undiscounted, undiscounted), set()),
    "own": (Student(undiscounted, returns), set()),
    "half": (Student(undiscounted, factor=0.5), HALF),
    "shares, half": (Student(undiscounted, undiscounted, factor=0.5), HALF),
    "rewards": (Student(undiscounted, lambda r, gamma: r), BOTH),
    "running": (Student(running), set()),
    "constant": (Student(constant), set()),
    # A loss that is right on constant returns alone could not use them at all.
    "shares, constant": (Student(constant, constant), BOTH),
    "raises": (Student(raising), set()),
    "raises, half": (Student(raising, factor=0.5), HALF),
    "raises, own": (Student(raising, returns), set()),
    "raises, own, half": (Student(raising, returns, factor=0.5), HALF),
    "other order": (Student(other_order, swapped=True), set()),
    "other order, half": (Student(other_order, factor=0.5, swapped=True), HALF),
    "other order, reverses": (
        Student(other_order, change=lambda G: G[::-1], swapped=True),
        BOTH,
    ),
    # Wrong returns that are all equal hide no mistake of the loss.
    "equal": (Student(first), set()),
    "equal, broadcasts": (Student(first, change=lambda G: G[:, None]), BOTH),
    "equal, reverses": (Student(first, change=lambda G: G[::-1]), BOTH),
    "equal, mean": (Student(first, change=np.mean), BOTH),
    "one number": (Student(number_alone), set()),
    "one number, broadcasts": (
        Student(number_alone, change=lambda G: G.reshape(-1, 1)),
        BOTH,
    ),
    "one entry, broadcasts": (
        Student(lambda r, g: number_alone(r, g)[None], change=lambda G: G[:, None]),
        BOTH,
    ),
    "undone order": (Student(backwards, change=lambda G: G[::-1]), set()),
    "undone order, half": (
        Student(backwards, factor=0.5, change=lambda G: G[::-1]),
        HALF,
    ),
    # A loss that needs the shape of wrong returns is right with these returns.
    "column": (Student(column), set()),
    "column, shares": (Student(column, undiscounted), set()),
    "undone column": (Student(column, change=lambda G: G[:, 0]), set()),
    "undone column, half": (
        Student(column, factor=0.5, change=lambda G: G[:, 0]),
        HALF,
    ),
    "undone column, reversed": (Student(column, change=lambda G: G[::-1, 0]), BOTH),
    "one more": (Student(one_more, change=lambda G: G[:-1]), set()),
    "one more, half": (
        Student(one_more, factor=0.5, change=lambda G: G[:-1]),
        HALF,
    ),
    "zeros": (Student(zeros, lambda r, gamma: 0 * r), BOTH),
}


@pytest.mark.parametrize(("student", "names"), STUDENTS.values(), ids=STUDENTS)
def test_each_mistake_costs_once(student, names):
    """A mistake in `discounted_returns` costs no check of `mc_loss`, and hides none.

    No exception is told that the stand-in alone brings about.
    """
    assert set(messages(student)) == names


@pytest.mark.parametrize(
    ("student", "made_up"),
    [
        (Student(undiscounted, factor=0.5), True),
        (Student(raising, factor=0.5), True),
        (Student(undiscounted, undiscounted, factor=0.5), False),
        (Student(returns, factor=0.5), False),
        (Student(column, factor=0.5, change=lambda G: G[:, 0]), False),
    ],
)
def test_the_expected_loss_can_be_computed_by_hand(student, made_up):
    """The expected loss is that for the right returns, or for the returns shown."""
    case = LOSSES[0]
    rewards, gamma = case.args["reward"], case.spec["gamma"]
    G = (stand_in_returns if made_up else returns)(rewards, gamma)
    message = messages(student)["loss"]
    assert f"expected {number(loss_on(G, case.args)['loss'])}" in message
    assert (f"G = {numbers(G)}: made up" in message) == made_up
