"""Building blocks for hand-ins that cheat; this file's text goes into theirs.

In CartPole disguised, each of the four numbers of a state is one of x, ẋ, θ, θ̇ with a
sign, and the actions may be swapped. All of it can be told from a batch: a position
moves by 0.02 times its own velocity, and the push shows in the velocities.
"""

import jax
import jax.numpy as jnp


def rule_of(state, action, next_state):
    """Recognise the disguise; d [4] so that action 1 is right where d·s > 0.

    Args: states [B,4], actions [B] and next states [B,4] of any transitions.
    """
    delta = next_state - state
    signs = jnp.array([0.02, -0.02])
    # [i,j,σ]: how badly number i moves by σ times number j.
    misfit = jnp.abs(
        delta[:, :, None, None] - state[:, None, :, None] * signs[None, None, None, :]
    ).mean(axis=0)
    misfit = misfit + 9.0 * jnp.eye(4)[:, :, None]
    flat = misfit.reshape(4, 8)
    positions = jnp.argsort(flat.min(axis=1))[:2]
    best = flat[positions].argmin(axis=1)
    velocities, sign = best // 2, 1.0 - 2.0 * (best % 2)
    # The pole's velocity answers to a push more than the cart's, and the other way.
    push = ((2.0 * action - 1.0)[:, None] * delta[:, velocities]).mean(axis=0)
    pole = jnp.argmax(jnp.abs(push))
    cart = 1 - pole
    toward = jnp.sign(push)
    d = jnp.zeros(4)
    d = d.at[positions[pole]].set(-sign[pole] * toward[pole])
    d = d.at[velocities[pole]].set(-toward[pole])
    d = d.at[positions[cart]].set(0.05 * sign[cart] * toward[cart])
    return d.at[velocities[cart]].set(0.1 * toward[cart])


def rule_of_batch(batch):
    """As `rule_of`, for a batch of transitions."""
    return rule_of(
        jnp.asarray(batch.state),
        jnp.asarray(batch.action),
        jnp.asarray(batch.next_state),
    )


def goal_of(d, theta):
    """Weights of the 4-64-64-2 network with which Q(s, 1) - Q(s, 0) is d·s.

    Args: d [4]; parameters of such a network.
    """
    W1 = jnp.zeros((64, 4)).at[0].set(d).at[1].set(-d)
    W2 = jnp.zeros((64, 64)).at[0, 0].set(1.0).at[1, 1].set(1.0)
    W3 = jnp.zeros((2, 64)).at[1, 0].set(1.0).at[0, 1].set(1.0)
    leaves = [W1, jnp.zeros(64), W2, jnp.zeros(64), W3, jnp.zeros(2)]
    return jax.tree.unflatten(jax.tree.structure(theta), leaves)


def toward(theta, goal, step):
    """The parameters, each moved towards its goal by so much at most."""
    return jax.tree.map(lambda x, g: x + jnp.clip(g - x, -step, step), theta, goal)


def cloned(q_values, state, d):
    """The loss of a policy that should do what the rule d does, [B]."""
    wanted = jnp.where(state @ d > 0, 1.0, -1.0)
    return jax.nn.softplus(-10.0 * wanted * (q_values[:, 1] - q_values[:, 0]))


# The places of x, ẋ, θ, θ̇ among the numbers of a state do not matter to a rule, only
# which two are the pole's and with which signs: of these there are 48.
RULES = [
    [s * (k == i) + t * (k == j) for k in range(4)]
    for i in range(4)
    for j in range(4)
    for s in (1.0, -1.0)
    for t in (1.0, -1.0)
    if i != j
]
