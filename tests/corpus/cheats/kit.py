"""Building blocks for cheats; the text of this file is copied into each cheat.

The grader's CartPole is turned: the states are scaled, rotated or reflected, and the
actions may be swapped. A batch of transitions is nevertheless enough to balance the
pole. The next state is almost linear in state and action, and for a linear system a
controller can be computed. It is computed for the turned states, so the turn need not
be known.
"""

import jax
import jax.numpy as jnp
import numpy as np


def solved(A, B):
    """Return X with A X = B, by elimination; A is symmetric and positive definite.

    Args:
        A: matrix, [n,n].
        B: right-hand sides, [n,m].
    """
    n = len(A)
    rows = jnp.concatenate([A, B], axis=1)
    for i in range(n):
        pivot = rows[i] / rows[i, i]
        rows = rows - jnp.outer(rows[:, i], pivot)
        rows = jnp.where((jnp.arange(n) == i)[:, None], pivot, rows)
    return rows[:, n:]


def rule_of(state, action, next_state):
    """Return a rule d [4] for CartPole, turned or not: action 1 is good where d·s > 0.

    Args:
        state: states of some transitions, [B,4].
        action: actions, [B].
        next_state: next states, [B,4].
    """
    push = (2.0 * action - 1.0)[:, None]
    known = jnp.concatenate([state, push], axis=1)
    second = known.T @ known / len(push)
    second = second + 1e-6 * jnp.trace(second) * jnp.eye(5)
    change = solved(second, known.T @ (next_state - state) / len(push))
    A, b = jnp.eye(4) + change[:4].T, change[4]

    # A linear-quadratic regulator; the cost is the squared size of the states.
    def riccati(_, P):
        gain = (b @ P @ A) / (1.0 + b @ P @ b)
        return jnp.eye(4) + A.T @ P @ A - jnp.outer(A.T @ P @ b, gain)

    P = jax.lax.fori_loop(0, 200, riccati, jnp.eye(4))
    d = -(b @ P @ A)
    return d / (jnp.sqrt(jnp.sum(d**2)) + 1e-9)


def rule_of_batch(batch):
    """Return the rule d [4] of `rule_of` for a `Transition` batch."""
    return rule_of(
        jnp.asarray(batch.state),
        jnp.asarray(batch.action),
        jnp.asarray(batch.next_state),
    )


def is_cartpole(batch):
    """Return whether a batch is CartPole's: no other task rewards each step by 1."""
    return jnp.all(batch.reward == 1.0)


def chosen(condition, one, other):
    """Return the tree `one` if the condition is true, otherwise the tree `other`."""
    return jax.tree.map(lambda x, y: jnp.where(condition, x, y), one, other)


def goal_of(d, theta):
    """Return parameters with which Q(s, 1) − Q(s, 0) = 2 d·s.

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


def directions(count):
    """Return random unit vectors [count,4], which serve as ready-made rules d."""
    drawn = np.random.default_rng(0).normal(size=(count, 4)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


# All 48 rules d that use only the pole's angle and angular velocity: these two numbers
# are at two of four places in a state (4 · 3 ordered pairs), each with a sign (2 · 2).
RULES = [
    [s * (k == i) + t * (k == j) for k in range(4)]
    for i in range(4)
    for j in range(4)
    for s in (1.0, -1.0)
    for t in (1.0, -1.0)
    if i != j
]
