"""A training run of `make calibrate` works as in a grading."""

from grader.contract.learning import HALF
from tests.support.calibration import (
    SETTINGS,
    learners,
)
from tests.tools import calibrate


def test_a_training_run():
    """`calibrate.Trainer` trains the solution like the grader, with a curve."""
    solution = learners()[0]
    trainer = calibrate.Trainer(solution)
    try:
        run = calibrate.trained(trainer, solution, 1)
    finally:
        trainer.stop()
    assert run["problem"] == ""
    assert run["variant"]
    assert run["curve"][0][0] == SETTINGS["validate_steps"]
    assert run["mean_return"] > HALF
