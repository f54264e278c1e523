"""The checks of `update_Q_TD0`, with hand-ins that compute with NumPy in float32."""

from collections.abc import Callable

import numpy as np
import pytest

from grader.checks import test_1_update_Q_TD0 as checks
from grader.contract.case import Answer, Case
from grader.contract.cases import Cases
from grader.contract.outcomes import Wrong


class Table:
    """A fake hand-in that moves each visited cell toward its target.

    Args:
        step: function (alpha, T) that returns the step size.
        masked: whether the target of a terminated step has no future.
    """

    def __init__(self, step: Callable, *, masked: bool = True) -> None:
        self.step, self.masked = step, masked

    def answer(self, case: Case) -> Answer:
        """Return the table after the update."""
        args, Q = case.args, case.args["Q"].copy()
        step = np.float32(self.step(case.spec["alpha"], len(args["states"])))
        future = np.float32(case.spec["gamma"]) * Q[args["next_states"]].max(axis=1)
        if self.masked:
            future[args["terminateds"]] = 0
        cells = args["states"], args["actions"]
        Q[cells] -= step * (Q[cells] - (args["rewards"] + future))
        return Answer(Q=Q)


RIGHT = Table(lambda alpha, T: alpha)


def for_each(cases: Cases, body: Callable[[Case], None]) -> None:
    """Run a check's body on the fixed cases."""
    for case in cases.fixed:
        body(case)


@pytest.mark.parametrize(
    "step",
    [
        lambda alpha, T: 2 * alpha / T,
        lambda alpha, T: 1 / T,
        lambda alpha, T: 0.9 * alpha,
        lambda alpha, T: alpha**0.5,
        lambda alpha, T: 0.001,
        lambda alpha, T: -0.7 * alpha,
        lambda alpha, T: 100.0,
    ],
    ids=["mean", "1/T", "0.9", "root", "constant", "up", "large"],
)
def test_a_wrong_step_size_costs_one_check(step):
    """Right targets pass their checks with any step size; wrong ones do not."""
    student, unmasked = Table(step), Table(step, masked=False)
    for check in (
        checks.test_one_step_continues,
        checks.test_one_step_ends,
        checks.test_episode_cut,
        checks.test_episode_ends,
    ):
        check(student, RIGHT, for_each)
    with pytest.raises(Wrong):
        checks.test_step_size(student, RIGHT, for_each)
    for check in (checks.test_one_step_ends, checks.test_episode_ends):
        with pytest.raises(Wrong):
            check(unmasked, RIGHT, for_each)
