"""The wrong returns that replace `discounted_returns` in questions to `mc_loss`."""

import numpy as np


def stand_in_returns(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return wrong returns [...,T]: G_i = −(1 + γ) r_i − r_{i+1}, with r_T = 0.

    The worker's stand-in, `stand_in_returns` in `grader/inside/networks.py`, computes
    the same numbers. What most right ways to call `discounted_returns` use is true of
    these returns, too: G_i depends on the rewards from step i on alone, and not on i;
    it is linear in them; rewards of 0 at the end change nothing. But rewards in another
    order give other numbers than returns in another order.

    Args:
        rewards: the rewards [...,T].
        gamma: the discount γ.
    """
    later = np.roll(rewards, -1, axis=-1)
    later[..., -1] = 0
    return -(1 + gamma) * rewards - later


def rewards_for(returns: np.ndarray, gamma: float) -> np.ndarray:
    """Return the rewards [T] for which the stand-in's returns are the given ones.

    Args:
        returns: the returns [T].
        gamma: the discount γ.
    """
    rewards, later = np.zeros(returns.shape), 0.0
    for i in reversed(range(len(returns))):
        rewards[i] = later = -(returns[i] + later) / (1 + gamma)
    return rewards
