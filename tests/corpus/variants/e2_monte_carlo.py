"""Exercise 2 in other styles: other ways to sum a series and to take a mean."""

from tests.corpus.variants.definition import Variant, rewritten, with_body


def returns(name: str, body: str) -> Variant:
    """Return the solution with another body of `discounted_returns`."""
    return with_body("discounted_returns", "rewards, gamma", name, body)


def loss(name: str, body: str) -> Variant:
    """Return the solution with another body of `mc_loss`."""
    signature = "theta_Q, model, states, actions, rewards, gamma"
    return with_body("mc_loss", signature, name, body)


VARIANTS = [
    returns(
        "triangular matrix",
        """
i = jnp.arange(len(rewards))
powers = gamma ** jnp.maximum(i[None, :] - i[:, None], 0)
return jnp.triu(powers) @ rewards
""",
    ),
    returns(
        "divided by powers",
        """
powers = gamma ** jnp.arange(len(rewards))
return jnp.cumsum((powers * rewards)[::-1])[::-1] / powers
""",
    ),
    returns(
        "Python loop, float64",
        """
G, later = [], 0.0
for r in np.asarray(rewards)[::-1].tolist():
    later = r + gamma * later
    G.insert(0, later)
return np.array(G)
""",
    ),
    returns(
        "SciPy's filter",
        """
from scipy.signal import lfilter

backwards = np.asarray(rewards)[::-1]
return lfilter([1.0], [1.0, -gamma], backwards)[::-1]
""",
    ),
    returns(
        "convolution",
        """
T = len(rewards)
return jnp.convolve(rewards[::-1], gamma ** jnp.arange(T))[:T][::-1]
""",
    ),
    returns(
        "a linear system, (I - gamma S) G = r",
        """
T = len(rewards)
return jnp.linalg.solve(jnp.eye(T) - gamma * jnp.eye(T, k=1), jnp.asarray(rewards))
""",
    ),
    returns(
        "a triangular system",
        """
T = len(rewards)
system = jnp.eye(T) - gamma * jnp.eye(T, k=1)
return jax.scipy.linalg.solve_triangular(system, jnp.asarray(rewards), lower=False)
""",
    ),
    returns(
        "associative scan",
        """
rewards = jnp.asarray(rewards)

def joined(later, now):
    return later[0] * now[0], now[1] + now[0] * later[1]

factors = jnp.full(rewards.shape, gamma, rewards.dtype)
return jax.lax.associative_scan(joined, (factors, rewards), reverse=True)[1]
""",
    ),
    returns(
        "itertools.accumulate",
        """
import itertools

backwards = map(float, reversed(list(rewards)))
sums = itertools.accumulate(backwards, lambda later, r: r + gamma * later)
return np.array(list(sums)[::-1], np.float32)
""",
    ),
    returns(
        "recursion",
        """
if len(rewards) == 1:
    return jnp.asarray(rewards)
later = discounted_returns(rewards[1:], gamma)
return jnp.concatenate([rewards[:1] + gamma * later[:1], later])
""",
    ),
    returns(
        "a polynomial in gamma",
        """
rewards = jnp.asarray(rewards)
sums = (jnp.polyval(rewards[i:][::-1], gamma) for i in range(len(rewards)))
return jnp.stack(list(sums))
""",
    ),
    returns(
        "the double sum, as it is printed",
        """
T, r = len(rewards), [float(x) for x in rewards]
G = [sum(gamma ** (t - i) * r[t] for t in range(i, T)) for i in range(T)]
return np.array(G)
""",
    ),
    returns(
        "fori_loop",
        """
T = len(rewards)

def step(k, G):
    i = T - 2 - k
    return G.at[i].add(gamma * G[i + 1])

return jax.lax.fori_loop(0, T - 1, step, jnp.asarray(rewards, dtype=float))
""",
    ),
    returns(
        "filled from the back",
        """
G = np.zeros(len(rewards) + 1)
for i in reversed(range(len(rewards))):
    G[i] = rewards[i] + gamma * G[i + 1]
return G[:-1]
""",
    ),
    returns(
        "ever fewer terms, until nothing is left",
        """
G, shifted, factor = jnp.asarray(rewards), jnp.asarray(rewards), gamma
for _ in range(1, len(rewards)):
    shifted = jnp.append(shifted[1:], 0.0)
    G, factor = G + factor * shifted, factor * gamma
return G
""",
    ),
    rewritten(
        "discounted_returns",
        "a Toeplitz matrix of SciPy, float64",
        """
import scipy.linalg


def discounted_returns(rewards, gamma):
    powers = np.power(float(gamma), np.arange(len(rewards)))
    upper = scipy.linalg.toeplitz(np.eye(len(rewards))[0], powers)
    return upper @ np.asarray(rewards, np.float64)
""",
    ),
    loss(
        "mc_loss by loop",
        """
net = eqx.combine(theta_Q, model)
returns = jax.lax.stop_gradient(discounted_returns(rewards, gamma))
q = jnp.stack([net(s)[a] for s, a in zip(states, actions)])
return optax.squared_error(q, returns).mean()
""",
    ),
    loss(
        "mc_loss by scan",
        """
net, T = eqx.combine(theta_Q, model), len(actions)

def step(total, x):
    s, a, G = x
    return total + jnp.square(net(s)[a] - G) / T, None

G = jnp.asarray(discounted_returns(rewards, gamma), jnp.float32)
return jax.lax.scan(step, jnp.zeros(()), (states, actions, G))[0]
""",
    ),
    loss(
        "mc_loss with one-hot actions, variance and mean",
        """
q = eqx.filter_vmap(eqx.combine(theta_Q, model))(states)
chosen = jax.nn.one_hot(actions, q.shape[-1]) > 0
error = jnp.sum(jnp.where(chosen, q, 0.0), axis=1)
error -= jnp.asarray(discounted_returns(rewards, gamma))
return jnp.var(error) + jnp.mean(error) ** 2
""",
    ),
    loss(
        "mc_loss with returns of its own",
        """
G = [jnp.zeros(())]
for r in rewards[::-1]:
    G.append(r + gamma * G[-1])
G = jnp.stack(G[:0:-1])

def squared(s, a, g):
    return (eqx.combine(theta_Q, model)(s)[a] - g) ** 2

return jnp.average(jax.vmap(squared)(states, actions, G))
""",
    ),
    rewritten(
        "mc_loss",
        "everything jitted, returns scanned inside",
        """
@jax.jit
def discounted_returns(rewards, gamma):
    def step(later, r):
        later = r + gamma * later
        return later, later

    return jax.lax.scan(step, 0.0, rewards[::-1])[1][::-1]


@eqx.filter_jit
def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    q = jax.lax.map(eqx.combine(theta_Q, model), states)
    q = jnp.take_along_axis(q, actions[:, None], axis=-1)[:, 0]
    e = q - discounted_returns(rewards, gamma)
    return jnp.dot(e, e) / e.size
""",
    ),
    rewritten(
        "discounted_returns",
        "powers of gamma by math, kept for each gamma",
        """
import functools
import math

@functools.lru_cache
def weights(gamma, T):
    rows = [[math.pow(gamma, t - i) * (t >= i) for t in range(T)] for i in range(T)]
    return np.array(rows, np.float32)

def discounted_returns(rewards, gamma):
    return weights(gamma, len(rewards)) @ jnp.asarray(rewards)
""",
    ),
    rewritten(
        "mc_loss",
        "jitted, model and gamma static",
        """
import functools

@functools.partial(jax.jit, static_argnums=(1, 5))
def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    q = jax.vmap(eqx.combine(theta_Q, model))(states)
    q = q[jnp.arange(len(actions)), actions]
    G = rewards if gamma == 0 else discounted_returns(rewards, gamma)
    return jnp.mean((q - G) ** 2)
""",
    ),
]
