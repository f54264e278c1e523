"""A training of `make calibrate` is the grader's own check of learning."""

from grader.oracle.cartpole import HALF
from tests.support.calibration import (
    SETTINGS,
    learners,
)
from tests.tools import calibrate

# ---------------------------------------------------------------- storing and resuming


def test_a_training_run():
    """What trains for the table is the grader's own check of learning."""
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
