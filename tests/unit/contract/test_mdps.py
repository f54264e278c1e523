"""The small MDPs of exercise 9 have right values and give right transitions."""

import numpy as np
import pytest

from grader.contract import mdps


def test_values_by_hand():
    """Value iteration finds values that can be computed by hand.

    Only the last step of the chain has the reward 1, so the value is γ^n if n steps
    come before the last one. Each step in the ring has the reward −1, so all values
    are −1 / (1 − γ).
    """
    rng = np.random.default_rng(0)
    chain, ring = mdps.chain(rng), mdps.ring(rng)
    found = mdps.value_iteration(chain._replace(rewards=chain.ends * 1.0))
    to_go = np.transpose([[6, 6, 5, 4, 3, 2], [5, 4, 3, 2, 1, 0]])  # left, right
    np.testing.assert_allclose(found, mdps.GAMMA**to_go)
    found = mdps.value_iteration(ring._replace(rewards=-np.ones_like(ring.rewards)))
    np.testing.assert_allclose(found, -1 / (1 - mdps.GAMMA))


@pytest.mark.parametrize("kind", mdps.KINDS)
def test_drawn_anew(kind):
    """MDPs of two seeds have different rewards.

    If MDP and seed are the same, the drawn transitions are the same, too.
    """
    first, again, other = (kind(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first.rewards != other.rewards).any()
    walks = [
        mdps.experience(mdp, 50, np.random.default_rng(3)) for mdp in (first, again)
    ]
    for name, column in walks[0].items():
        np.testing.assert_array_equal(column, walks[1][name])


@pytest.mark.parametrize("kind", mdps.KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_experience(kind, seed):
    """`experience` draws right transitions and meets every pair (s, a).

    Some episodes are cut. `terminated` is true where the MDP ends, but not at a cut.
    """
    rng = np.random.default_rng(seed)
    mdp = kind(rng)
    rows = mdps.experience(mdp, 400, rng)
    s, a, following = rows["state"].argmax(1), rows["action"], rows["next_state"]
    assert len(set(zip(s, a, strict=True))) == mdps.STATES * mdps.ACTIONS
    np.testing.assert_array_equal(following.argmax(1), mdp.nexts[s, a])
    np.testing.assert_array_equal(rows["terminated"], mdp.ends[s, a])
    np.testing.assert_array_equal(rows["reward"], np.float32(mdp.rewards[s, a]))
    assert rows["terminated"].any() == mdp.ends.any()
    goes_on = (following[:-1] == rows["state"][1:]).all(axis=1)
    assert (~goes_on & ~rows["terminated"][:-1]).any(), "nothing was cut"
