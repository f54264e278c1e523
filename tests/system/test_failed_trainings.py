"""After a real training that fails, the hint says why learning failed."""

from dataclasses import replace

import pytest

from grader.contract.limits import LIMITS
from grader.grading.pipeline import Options, Progress, grade
from grader.intake.submission import Submission
from tests.support.edits import SOLUTION
from tests.support.grading import replaced

UNTOUCHED = """\
loss = td_loss(theta_Q, theta_T, model, batch, gamma)
return theta_Q, opt_state, loss"""
REAL = {
    "never updated": ({"td_update": UNTOUCHED}, "Your td_loss is right."),
    "never synced": (
        {"sync_target": "return theta_T"},
        "sync_target returned θ_Q in 0 of",
    ),
}


@pytest.mark.parametrize(("bodies", "words"), REAL.values(), ids=REAL)
def test_the_reason_is_told(bodies, words):
    """The hint of a failed training names the part that is wrong."""
    submission = Submission("wrong", replaced(SOLUTION, bodies).encode())
    limits = replace(LIMITS, trainings=1)
    options = Options("1", ("learning",), limits=limits)
    _, maze, *_ = grade(submission, options, Progress()).exercises[0].checks
    assert words in maze.hint
