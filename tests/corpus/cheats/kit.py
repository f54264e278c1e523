"""Building blocks for cheats; the text of this file is copied into each cheat.

In disguised CartPole, each of the four numbers of a state is one of x, ẋ, θ, θ̇ with a
sign, and the actions may be swapped. A batch of transitions is enough to find the
disguise: in each step a position changes by 0.02 times its velocity, and an action
changes the velocities.
"""

import jax
import jax.numpy as jnp


def rule_of(state, action, next_state):
    """Return a rule d [4] for the disguise: action 1 is good where d·s > 0.

    Args:
        state: states of some transitions, [B,4].
        action: actions, [B].
        next_state: next states, [B,4].
    """
    delta = next_state - state
    signs = jnp.array([0.02, -0.02])
    # misfit[i,j,k]: mean |change of number i − signs[k] · number j|.
    misfit = jnp.abs(
        delta[:, :, None, None] - state[:, None, :, None] * signs[None, None, None, :]
    ).mean(axis=0)
    misfit = misfit + 9.0 * jnp.eye(4)[:, :, None]
    flat = misfit.reshape(4, 8)
    positions = jnp.argsort(flat.min(axis=1))[:2]
    best = flat[positions].argmin(axis=1)
    velocities, sign = best // 2, 1.0 - 2.0 * (best % 2)
    # An action changes the pole's velocity more than the cart's, in the opposite sense.
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
    """Return the rule d [4] of `rule_of` for a `Transition` batch."""
    return rule_of(
        jnp.asarray(batch.state),
        jnp.asarray(batch.action),
        jnp.asarray(batch.next_state),
    )


def goal_of(d, theta):
    """Return parameters with which Q(s, 1) − Q(s, 0) = d·s.

    Args:
        d: rule, [4].
        theta: parameters of a network with layers 4-64-64-2; only the tree's structure
            is used.
    """
    W1 = jnp.zeros((64, 4)).at[0].set(d).at[1].set(-d)
    W2 = jnp.zeros((64, 64)).at[0, 0].set(1.0).at[1, 1].set(1.0)
    W3 = jnp.zeros((2, 64)).at[1, 0].set(1.0).at[0, 1].set(1.0)
    leaves = [W1, jnp.zeros(64), W2, jnp.zeros(64), W3, jnp.zeros(2)]
    return jax.tree.unflatten(jax.tree.structure(theta), leaves)


def toward(theta, goal, step):
    """Return the parameters, each moved towards `goal` by at most `step`."""
    return jax.tree.map(lambda x, g: x + jnp.clip(g - x, -step, step), theta, goal)


def cloned(q_values, state, d):
    """Return a loss [B] that is small where the greedy action follows the rule d."""
    wanted = jnp.where(state @ d > 0, 1.0, -1.0)
    return jax.nn.softplus(-10.0 * wanted * (q_values[:, 1] - q_values[:, 0]))


# All 48 rules that look at the pole only: the places of its two numbers in a state
# (4 · 3 ordered pairs) and their signs (2 · 2).
RULES = [
    [s * (k == i) + t * (k == j) for k in range(4)]
    for i in range(4)
    for j in range(4)
    for s in (1.0, -1.0)
    for t in (1.0, -1.0)
    if i != j
]
