"""The worker's stand-in for `discounted_returns`, as `mc_loss` may call it."""

import jax.numpy as jnp
import numpy as np
import pytest

from grader.contract.stand_in import rewards_for, stand_in_returns
from grader.inside.networks import stand_in_returns as returns

REWARDS, GAMMA = np.array([1.5, -2.0, 0.25, 4.0], np.float32), 0.7
STEPS = np.arange(len(REWARDS))
GIVEN = stand_in_returns(REWARDS, GAMMA)


def after(i):
    """Return the rewards from step i on, then as many zeros as there are before i."""
    return jnp.roll(jnp.where(i <= STEPS, REWARDS, 0), -i)


@pytest.mark.parametrize(
    "called",
    [
        lambda: returns(REWARDS, GAMMA),
        lambda: returns(rewards=list(REWARDS), gamma=jnp.array(GAMMA)),
        lambda: returns(REWARDS[:, None], GAMMA)[:, 0],
        lambda: jnp.stack([returns(REWARDS[i:], GAMMA)[0] for i in STEPS]),
        lambda: jnp.stack([returns(after(i), GAMMA)[0] for i in STEPS]),
        lambda: returns(jnp.append(REWARDS, 0.0), GAMMA)[:-1],
        lambda: REWARDS @ jnp.stack([returns(x, GAMMA) for x in jnp.eye(len(STEPS))]),
    ],
)
def test_usual_ways_to_ask_for_the_returns_agree(called):
    """Ways that give the right returns with a right function give the same here."""
    assert np.allclose(called(), GIVEN)


def test_turned_round_rewards_are_no_turned_round_returns():
    """Rewards in another order give other numbers than returns in another order."""
    assert not np.allclose(returns(REWARDS[::-1], GAMMA), GIVEN[::-1])


def test_swapped_arguments_raise_no_exception():
    """Swapped arguments give returns that are neither the right ones nor negative."""
    swapped = returns(GAMMA, jnp.asarray(REWARDS))
    assert swapped.shape == GIVEN.shape
    assert not np.allclose(swapped, GIVEN)
    assert not np.allclose(swapped, -GIVEN)


def test_the_rewards_for_given_returns():
    """With the rewards of `rewards_for`, the stand-in returns the given returns."""
    assert np.allclose(stand_in_returns(rewards_for(GIVEN, GAMMA), GAMMA), GIVEN)
