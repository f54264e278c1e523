"""The checks of `td_loss`, with hand-ins that compute with NumPy."""

from collections.abc import Callable

import numpy as np
import pytest

from grader.checks import test_6_td_loss as checks
from grader.contract.case import Answer, Case
from grader.contract.cases import Cases
from tests.support.failed_checks import failed
from tests.support.losses import td_loss


class Loss:
    """A fake hand-in whose loss is a multiple of the mean square error.

    Args:
        factor: function of the batch size B that returns the factor.
        target: function of rewards and discounted next values that returns the targets.
    """

    def __init__(self, factor: Callable, target: Callable = np.add) -> None:
        self.factor, self.target = factor, target

    def answer(self, case: Case) -> Answer:
        """Return the loss and its gradient."""
        factor = self.factor(len(case.args["action"]))
        loss, grads = td_loss(case, self.target)
        return Answer(
            loss=np.array(factor * loss, np.float32),
            grads=[(factor * leaf).astype(np.float32) for leaf in grads],
        )

    called = answer

    def export(self, case: Case) -> str:
        """Return the name of a program; the export works."""
        return "program"

    def changed(self, case: Case, kind: str) -> list:
        """Return no names: the arguments stay as they are."""
        return []


RIGHT = Loss(lambda B: 1)
OF_TARGETS = {"one_continues", "one_ends", "batch_continues", "batch_mixed"}
OF_GRADIENT = {"gradient_continues", "gradient_mixed"}


def lost(student: Loss) -> set[str]:
    """Return the names of the checks that a fake hand-in fails."""

    def for_each(cases: Cases, body: Callable[[Case], None]) -> None:
        for case in cases.fixed:
            body(case)

    given = {"student": student, "reference": RIGHT, "for_each": for_each}
    return failed(checks, given)


def test_the_right_loss_passes():
    """The mean square error passes all checks."""
    assert lost(RIGHT) == set()


@pytest.mark.parametrize(
    "factor",
    [
        lambda B: -1,
        lambda B: 0.5,
        lambda B: -0.5,
        lambda B: B,
        # The sum, divided by the `len` of a batch, which is the number of its fields.
        lambda B: B / 5,
        lambda B: B / 64,
    ],
    ids=["minus", "half", "minus half", "sum", "sum / 5", "sum / 64"],
)
def test_a_wrong_factor_costs_the_mean_alone(factor):
    """Right targets pass their checks with any factor, and so does the gradient."""
    of_mean = {"mean_of_squares", "example", "learning_sizes"}
    assert "mean_of_squares" in lost(Loss(factor)) <= of_mean


def test_wrong_targets_fail_with_any_sign():
    """Wrong targets and their gradient are no multiple of the right ones."""
    for sign in (1, -1):
        names = lost(Loss(lambda B, sign=sign: sign, np.subtract))
        assert names >= (OF_TARGETS | OF_GRADIENT) - {"one_ends"}
