"""A network whose outputs are bounded fails, and the message says on which side."""

import re

import numpy as np
import pytest

from grader.contract.case import Answer, Case
from grader.contract.outcomes import Outcome
from grader.grading.passes import Graded, Pass
from grader.grading.plugin import run_checks
from grader.oracle.budget import Budget
from grader.report.model import Check


class Network:
    """A fake hand-in with one linear layer and a function after it.

    Args:
        last: the function after the layer.
    """

    eager = False
    runner = None

    def __init__(self, last):
        self.last = last
        self.stopped: set[str] = set()

    def answer(self, case: Case) -> Answer:
        """Return new parameters, or the values of the states in the question."""
        if case.part == "q_network":
            rng = np.random.default_rng(0)
            shape = case.spec["state_dim"], case.spec["num_actions"]
            return Answer(theta=[rng.normal(size=shape).astype(np.float32)])
        (weight,) = case.args["theta"]
        return Answer(q_values=self.last(case.args["state"] @ weight))

    called = answer

    def is_called(self, case: Case) -> bool:
        """Return False, as if the part were exported."""
        return False

    def export(self, case: Case) -> str:
        """Return a program's name, as if the part were exported."""
        return case.program_name()


def judged(last) -> Check:
    """Return the result of the check that the outputs can take any value."""
    student = Network(last)
    graded = Graded(
        student=student, reference=student, runner=None, budget=Budget(), seed="1"
    )
    (exercise,) = run_checks(Pass(graded), ["q_network"])
    return next(check for check in exercise.checks if check.name == "any_values")


@pytest.mark.parametrize(
    ("last", "bounds"),
    [
        (lambda x: np.maximum(x, 0), "below 0"),
        (lambda x: np.minimum(x, 0), "above 0"),
        (np.tanh, "below -1 or above 1"),
        (lambda x: np.maximum(x, -0.25), "below -0.25"),
    ],
)
def test_the_bounded_side_is_named(last, bounds):
    """Only bounds are told, and no large number of the side that has none."""
    found = judged(last)
    assert found.outcome == Outcome.FAILED
    told = f"action [0-9] has no value {bounds} in [0-9]+ inputs, at random .*"
    assert re.fullmatch(told, found.message)


def test_an_unbounded_network_passes():
    """A linear layer can give any values."""
    assert judged(lambda x: x).outcome == Outcome.PASSED
