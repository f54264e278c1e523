"""The small MDPs of exercise 9 have the right values and the right experience."""

import numpy as np
import pytest

from grader.contract import mdps


def test_values_by_hand():
    """Value iteration finds values that are easy to compute by hand.

    They are γ^n at n steps from the end of the chain, and −1 / (1 − γ) in the ring.
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
    """Two seeds give MDPs with different rewards.

    The same seeds give the same experience.
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
    """The experience has every pair (s, a), right transitions, and cut episodes.

    `terminated` is true where the MDP ends, but not where an episode is only cut.
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
