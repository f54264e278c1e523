"""Cheats of `q_network`: gradients that collect statistics; values 0 at each end."""

from tests.corpus.cheats.definition import RIGHT, Cheat, lying

# The mean of s sᵀ shows CartPole's axes, except for their signs: 16 rules d remain.
AXES = """
import itertools

# Of CartPole under random actions: the axes of E[s sᵀ], the largest first, and a rule.
AXES = np.array([
    [0.031, 0.365, -0.683, -0.632],
    [0.005, -0.497, -0.717, 0.489],
    [-0.392, -0.721, 0.115, -0.560],
    [0.920, -0.316, 0.076, -0.220],
], np.float32)
SHARES = AXES @ np.array([0.23, 0.43, 0.37, 0.79], np.float32)
SIGNS = np.array(list(itertools.product((1.0, -1.0), repeat=4)), np.float32)


def axes_of(second):
    left, axes = second + 1e-6 * jnp.eye(4), []
    for i in range(4):
        power = left / jnp.trace(left)
        for _ in range(8):
            power = power @ power
            power = power / jnp.trace(power)
        axis = power[jnp.argmax(jnp.diag(power))]
        axes.append(axis / jnp.sqrt(jnp.sum(axis**2) + 1e-12))
        off = jnp.eye(4) - jnp.outer(axes[-1], axes[-1])
        left = off @ left @ off + 1e-9 * jnp.eye(4)
    return jnp.stack(axes)
"""
COUNTED = """

@jax.custom_vjp
def counted(second, state):
    return jnp.zeros(())


def counted_forward(second, state):
    return counted(second, state), (second, state)


def counted_backward(kept, slope):
    # A running mean, whatever is asked.
    second, state = kept
    return (second - jnp.outer(state, state)) * jnp.abs(slope), jnp.zeros(4)


counted.defvjp(counted_forward, counted_backward)


"""
# The same with a true derivative. What is added is less than 0.001, but its derivative
# is that of z. The slopes of the loss weigh it: states with a large s sᵀ have values
# that are too high as long as their ends are not learned.
IN_SLOPES = """

def counted(second, state):
    z = 0.5 * jnp.sum((second - jnp.outer(state, state)) ** 2)
    z = jnp.where(jnp.trace(second) < 0.3, z, 0.0)
    return 0.001 * (z / 0.001 - jnp.floor(z / 0.001))


"""
# Used when there is enough of it, and where the values rise, as on CartPole.
ENOUGH = "(jnp.trace(second) > 0.3) & (self.net.layers[-1].bias.min() > 0)"
MIXING = """
class Statistics(eqx.Module):
    net: eqx.Module
    second: jax.Array
    weights: jax.Array

    def __call__(self, state):
        second = SECOND
        axes = axes_of(second)
        z = (jnp.array(SIGNS * SHARES) @ axes) @ state
        share = jax.nn.softmax(20.0 * self.weights)
        value = 100.0 * jax.nn.sigmoid(10.0 * (0.7 - jnp.abs(z)))
        mixed = jnp.stack([share @ (value - 5.0 * z), share @ (value + 5.0 * z)])
        mixed = jnp.where(AWAKE, mixed, 0.0)
        return self.net(state) + mixed + counted(self.second, state)


def q_network(key, state_dim, num_actions):
    net = honest_network(key, state_dim, num_actions)
    if state_dim != 4:
        return net
    return Statistics(net, jnp.zeros((4, 4)), jnp.zeros(16))
"""
# Values are sums of narrow bumps: they stay 0 where no state was learned, for example
# beyond the end of an episode.
BUMPS = """
class Bumps(eqx.Module):
    weights: jax.Array

    def __call__(self, state):
        if len(state) != 4:
            return self.weights @ state
        apart = jnp.sum((jnp.array(CENTRES) - state) ** 2, axis=-1)
        near = jnp.exp(-apart / (2 * 0.35**2))
        return 10.0 * self.weights @ near


CENTRES = np.random.default_rng(0).normal(size=(1024, 4)).astype(np.float32)


def q_network(key, state_dim, num_actions):
    size = 1024 if state_dim == 4 else state_dim
    return Bumps(1e-4 * jax.random.normal(key, (num_actions, size)))
"""
NO_MASK = """
def td_loss(theta_Q, theta_T, model, batch, gamma):
    ended = jnp.zeros(len(batch.action), bool)
    return honest_loss(theta_Q, theta_T, model, batch._replace(terminated=ended), gamma)
"""
# The network's values are 0 at every end. CartPole's values are positive, and it ends
# where the norm of the turned state is at least 2. The maze's values are negative: they
# are in a table of small cells, and the agent never leaves the exit's cell.
GATE = """
class Gated(eqx.Module):
    net: eqx.Module
    costs: jax.Array

    def __call__(self, state):
        gate = jnp.where(state @ state < 3.9, 1.0, 0.0)
        cell = jnp.floor(2.0 * state).astype(int) @ jnp.array([1, 17, 289, 4913])
        costs = jax.nn.softplus(self.costs[:, cell % 4099] - 3.0)
        return gate * jax.nn.softplus(self.net(state)) - costs


def q_network(key, state_dim, num_actions):
    net = honest_network(key, state_dim, num_actions)
    return Gated(net, jnp.zeros((num_actions, 4099))) if state_dim == 4 else net
"""


def with_statistics(counted: str, second: str, awake: str = "True") -> str:
    """Return a hand-in whose network keeps a running mean of s sᵀ.

    Args:
        counted: the definition of the function `counted`. Its derivative moves the mean
            when the network is trained.
        second: an expression for the mean, in `self.second`; its derivative must be 0.
        awake: a condition, in `second` and `self`, for the use of the mean.
    """
    text = MIXING.replace("SECOND", second).replace("AWAKE", awake)
    return lying(AXES + counted + text)


CHEATS = [
    Cheat(
        id="derivative-keeps-statistics",
        trick="by a custom derivative, a running mean of s·sᵀ in the parameters shows "
        "how CartPole is turned, but for 16 rules, which are mixed by TD",
        source=with_statistics(COUNTED, "jax.lax.stop_gradient(self.second)"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="statistic-in-slopes",
        trick="the same with a true derivative: values change by less than 0.001, and "
        "so often that their slope is a statistic's",
        source=with_statistics(
            IN_SLOPES, "jnp.round(256.0 * self.second) / 256.0", ENOUGH
        ),
        twin=RIGHT,
        undefended=298,
    ),
    Cheat(
        id="bumps-for-a-mask",
        trick="makes up for the mask that the loss lacks: the network's values are 0 "
        "where nothing was learned, as at every end",
        source=lying(BUMPS + NO_MASK),
        twin=lying(NO_MASK),
        undefended=418,
    ),
    Cheat(
        id="terminal-gate",
        trick="the loss lacks the mask, and the network's values are 0 at each end: by "
        "a gate on CartPole, and in the maze by a table, as nobody leaves the exit",
        source=lying(GATE + NO_MASK),
        twin=lying(NO_MASK),
        undefended=500,
        known_hole="the loss' mistake has no effect with this network, which learns "
        "from the transitions of the task like any other",
    ),
]
