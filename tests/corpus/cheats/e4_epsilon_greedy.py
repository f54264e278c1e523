"""Cheats of `epsilon_greedy`: a controller, and actions that do not exist."""

from tests.corpus.cheats.definition import IDLE, Cheat, lying

CHEATS = [
    Cheat(
        id="greedy-controls",
        trick="reads the state in the Q values, acts as a controller, learns nothing",
        source=lying(f"""{IDLE}
class Shown(eqx.Module):
    net: eqx.Module

    def __call__(self, state):
        return self.net(state) * 1e-6 + jnp.stack([state[2], state[3]])


def q_network(key, state_dim, num_actions):
    net = honest_network(key, state_dim, num_actions)
    return Shown(net) if state_dim == 4 else net


def epsilon_greedy(key, q_values, epsilon):
    return (q_values.sum(axis=1) > 0).astype(jnp.int32)
"""),
        task="cartpole",
    ),
    Cheat(
        id="greedy-out-of-range",
        trick="chooses actions that do not exist",
        source=lying("""
def epsilon_greedy(key, q_values, epsilon):
    return jnp.full(q_values.shape[0], 2)
"""),
        noticed="chose action 2",
    ),
]
