"""The grader and the training loop of the starter use the same sizes."""

import numpy as np

from grader.contract import learning
from tests.support.supplied import imported


def test_sizes_are_those_of_the_loop():
    """Capacity, batch size, number of environments and γ agree with `train.py`."""
    train = imported("train", "starter")
    theta = [np.zeros((2, 4), np.float32)]
    roles = learning.programs(theta)
    for settings in (train.SETTINGS, train.MAZE_SETTINGS):
        assert settings.capacity == learning.CAPACITY
        assert roles["act"].args["q_values"].shape == (settings.num_envs, 2)
        assert roles["network"].args["state"].shape == (4,)
        assert roles["update"].args["state"].shape == (settings.batch_size, 4)
        assert roles["update"].spec["gamma"] == settings.gamma
