"""The fixed cases reach far enough to show what a wrong part clips."""

import numpy as np
import pytest

from grader.contract import fixed_cases

LARGEST_RETURN = 500  # of CartPole


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("TD0_CUT", "rewards"),
        ("TD0_EPISODE", "rewards"),
        ("RETURNS_LONG", "reward"),
        ("MC_EPISODE", "reward"),
        ("TD_BATCH_CONTINUES", "reward"),
        ("TD_MIXED", "reward"),
    ],
)
def test_some_rewards_are_beyond_every_return_of_cartpole(name, field):
    """Code that clips at the largest return of CartPole fails on both sides."""
    found = [case.args[field] for case in getattr(fixed_cases, name).fixed]
    rewards = np.concatenate(found)
    assert rewards.max() > 2 * LARGEST_RETURN
    assert rewards.min() < -2 * LARGEST_RETURN
