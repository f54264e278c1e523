"""The settings of the learning loop that the grader also has are the same in both."""

import importlib.util

from grader.contract import cases
from grader.contract.exercises import ROOT
from grader.oracle import cartpole


def test_cases_have_the_shapes_of_the_loop():
    """Capacity, batch size, environments and γ agree with `train.SETTINGS`."""
    spec = importlib.util.spec_from_file_location("train", ROOT / "starter/train.py")
    train = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(train)
    settings = train.SETTINGS
    roles = cases.learning([], [])
    assert settings.capacity == cartpole.CAPACITY
    assert roles["act"].args["q_values"].shape == (settings.num_envs, 2)
    assert roles["network"].args["state"].shape == (settings.batch_size, 4)
    assert roles["update"].args["state"].shape == (settings.batch_size, 4)
    assert roles["update"].spec["gamma"] == settings.gamma
    assert settings.block_updates % settings.period == 0
