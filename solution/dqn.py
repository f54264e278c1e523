"""Deep Q-learning in eight exercises: the one file that you edit and hand in.

Work from top to bottom. `make grade ONLY=update_Q_TD0` checks one exercise, by the name
of a part or its number; `make grade` checks all. The `>>>` examples can be followed by
hand, or run: `.venv/bin/python -m doctest starter/dqn.py` (Windows: see the handout).
Keep names and arguments as they are; your own helpers and imports are welcome.

Symbols, as in the lecture:
- s, a, r, s': state, action, reward, next state; d: s' is terminal, ¬d: it is not
- T, B, N: steps of an episode, transitions of a batch, environments
- S, A, D: states of a table, actions, numbers that describe a state
- alpha (α), gamma (γ), epsilon (ε): learning rate, discount, share of exploration
- theta_Q (θ_Q): parameters of the network Q; theta_T (θ_T): an older copy of them

`theta_Q, model = eqx.partition(net, eqx.is_array)` takes a network apart, parameters
and the rest; `Q = eqx.combine(theta_Q, model)` is the network again: `Q(state)` for one
state [D], `jax.vmap(Q)(states)` for several [B, D].

Always: change no argument. Numbers are float32, actions int32. `terminated` is bool, or
0 and 1 of any number type: ¬d is `1 - terminated`, for `~1` is -2. Sizes may be 1, but
A ≥ 2. The network, td_loss, td_update and epsilon_greedy work under `jax.jit`, so they
have no Python `if` on an array's value.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree, Shaped

Vec = Float[jax.Array | np.ndarray, "... D"]  # states, of NumPy or of JAX


class Transition(NamedTuple):
    """One step (s, a, r, d, s'), or a batch of them with a leading B. Supplied."""

    state: Vec
    action: Int[jax.Array | np.ndarray, "..."]
    reward: Float[jax.Array | np.ndarray, "..."]
    terminated: Shaped[jax.Array | np.ndarray, "..."]
    next_state: Vec


def episode_terminateds(num_steps: int) -> Bool[Array, " T"]:
    """Flag the last step of an episode that ended in a terminal state. Supplied.

    The old line of homework 1 made T + 1 flags for T steps.

    >>> episode_terminateds(3).tolist()
    [False, False, True]
    """
    return jnp.concatenate(
        [jnp.zeros(num_steps - 1, dtype=bool), jnp.array([1], dtype=bool)]
    )


# Exercise 1 · update_Q_TD0 · 15 points
def update_Q_TD0(
    Q: Float[Array, "S A"],
    states: Int[Array, " T"],
    actions: Int[Array, " T"],
    rewards: Float[Array, " T"],
    next_states: Int[Array, " T"],
    terminateds: Shaped[Array, " T"],
    alpha: float,
    gamma: float,
) -> Float[Array, "S A"]:
    """Learn from one episode with a table of action values.

        η_t = Q(s_t, a_t) - (r_t + ¬d_t γ max_a Q(s'_t, a))
        Q(s_t, a_t) ← Q(s_t, a_t) - α η_t       (slides: Admin)

    Args: Q; for each step s_t, a_t, r_t, s'_t (states are row numbers of Q) and d_t,
        true at the last step, or nowhere if the time limit ended the episode; α; γ.
    Returns: the new table; cells not visited keep their value.
    Rules: every η is computed from the Q passed in. A cell that several steps visit
        moves by the sum of their moves (step by step, each on the newest Q, is accepted
        too). Where d is false, γ max_a Q(s', a) counts, also at the last step.

    >>> Q = jnp.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> s, a, next_s = jnp.array([[0, 1], [0, 1], [1, 2]])
    >>> r = jnp.array([1.0, 10.0])
    >>> update_Q_TD0(Q, s, a, r, next_s, jnp.array([False, True]), 0.5, 0.25).tolist()
    [[1.5, 2.0], [3.0, 7.0], [5.0, 6.0]]
    >>> update_Q_TD0(Q, s, a, r, next_s, jnp.array([False, False]), 0.5, 0.25).tolist()
    [[1.5, 2.0], [3.0, 7.75], [5.0, 6.0]]
    """
    Q = jnp.asarray(Q)  # `.at` needs a JAX array
    predicted = Q[states, actions]
    # As a number: ~ would turn an integer 1 into -2.
    not_terminated = 1.0 - jnp.asarray(terminateds, dtype=float)
    future = not_terminated * gamma * Q[next_states].max(axis=1)
    empirical = rewards + future
    eta = predicted - empirical
    # `add`, unlike `set`, keeps every visit to a cell.
    return Q.at[states, actions].add(-alpha * eta)


# Exercise 2 · discounted_returns, mc_loss · 10 points
def discounted_returns(rewards: Float[Array, " T"], gamma: float) -> Float[Array, " T"]:
    """Compute the return from each step to the end of the episode.

        G_i = Σ_{t≥i} γ^(t-i) r_t       (slides: Deep Q Learning)

    Args: r_t for each step of one complete episode; γ.
    Returns: G_i for each step i.
    Rules: G_i counts r_i in full. After the last step nothing is added.

    >>> discounted_returns(jnp.array([1.0, 0.0, 2.0]), 0.5).tolist()
    [1.5, 1.0, 2.0]
    """

    def step_back(later, reward):
        now = reward + gamma * later
        return now, now

    # Backwards, G_i = r_i + γ G_{i+1}: no powers of γ to overflow or divide by.
    rewards = jnp.asarray(rewards, dtype=float)
    return jax.lax.scan(step_back, jnp.zeros(()), rewards, reverse=True)[1]


def mc_loss(
    theta_Q: PyTree,
    model: PyTree,
    states: Float[Array, "T D"],
    actions: Int[Array, " T"],
    rewards: Float[Array, " T"],
    gamma: float,
) -> Float[Array, ""]:
    """Measure how far the network is from the returns of one complete episode.

        L(θ_Q) = 1/T Σ_i (Q(s_i, a_i, θ_Q) - G_i)²       (slides: Deep Q Learning)

    Args: the two halves of the network Q; for each step s_i, a_i, r_i; γ.
    Returns: one number; `jax.grad` with respect to theta_Q must work.
    Rules: the mean over the T steps, without ½. Subtract [T] from [T], not from [T, 1].

    >>> net = eqx.nn.Linear(1, 2, use_bias=False, key=jax.random.key(0))
    >>> theta, model = eqx.partition(net, eqx.is_array)
    >>> theta_Q = jax.tree.map(lambda w: jnp.array([[1.0], [3.0]]), theta)  # [s, 3s]
    >>> s, a, r = jnp.array([[1.0], [2.0]]), jnp.array([1, 0]), jnp.array([0.0, 4.0])
    >>> float(mc_loss(theta_Q, model, s, a, r, 0.5))  # Q = [3, 2], G = [2, 4]
    2.5
    """
    Q = eqx.combine(theta_Q, model)
    predicted = jax.vmap(Q)(states)[jnp.arange(len(actions)), actions]
    empirical = discounted_returns(rewards, gamma)
    return jnp.mean((predicted - empirical) ** 2)


# Exercise 3 · q_network · 5 points
def q_network(key: PRNGKeyArray, state_dim: int, num_actions: int) -> eqx.Module:
    """Build the network that gives all action values of a state at once.

        Q : S → ℝ^|A|       (slides: Deep Q Networks, Deep Learning Review)

    Args: a key (another key, other parameters); D; A.
    Returns: any nonlinear module from one state [D] to its values [A].
    Rules: the values may be any numbers, so no activation follows the last layer. Each
        array in a field, of NumPy too, is a parameter and float (two million numbers at
        most); a constant is a Python number, or is made in `__call__`.

    >>> net = q_network(jax.random.key(0), state_dim=4, num_actions=2)
    >>> net(jnp.ones(4)).shape, jax.vmap(net)(jnp.ones((5, 4))).shape
    ((2,), (5, 2))
    """
    keys = jax.random.split(key, 3)
    return eqx.nn.Sequential(
        [
            eqx.nn.Linear(state_dim, 64, key=keys[0]),
            eqx.nn.Lambda(jax.nn.relu),
            eqx.nn.Linear(64, 64, key=keys[1]),
            eqx.nn.Lambda(jax.nn.relu),
            eqx.nn.Linear(64, num_actions, key=keys[2]),
        ]
    )


# Exercise 4 · epsilon_greedy · 10 points
def epsilon_greedy(
    key: PRNGKeyArray, q_values: Float[Array, "N A"], epsilon: float
) -> Int[Array, " N"]:
    """Choose an action in each of N environments: mostly the best, sometimes any.

        a = argmax_i Q(s)_i with probability 1 - ε, any with probability ε

    Args: a key (same key, same actions); Q(s) of each environment; ε from 0 to 1.
    Returns: actions, 0 to A - 1; ties go either way. (Slides: Deep Q Networks.)
    Rules: "any" is drawn uniformly from all A actions, the greedy one included. Each
        environment tosses its own coin and draws its own action. The coins and the
        actions are drawn with different keys, from `jax.random.split(key)`.

    >>> q_values = jnp.array([[1.0, 3.0, 2.0], [0.0, -2.0, -1.0]])
    >>> epsilon_greedy(jax.random.key(0), q_values, 0.0).tolist()
    [1, 0]
    >>> sorted(set(epsilon_greedy(jax.random.key(0), jnp.zeros((99, 3)), 1.0).tolist()))
    [0, 1, 2]
    """
    coin_key, action_key = jax.random.split(key)
    N, A = q_values.shape
    explore = jax.random.bernoulli(coin_key, epsilon, (N,))
    anything = jax.random.randint(action_key, (N,), 0, A)  # A itself is excluded
    greedy = jnp.argmax(q_values, axis=1)
    return jnp.where(explore, anything, greedy)


# Exercise 5 · ReplayBuffer · 15 points
class ReplayBuffer:
    """Keep the last `capacity` transitions, to draw from (slides: Experience Replay).

        B_t = {(s_i, a_i, r_i, d_i, s'_i) : t - capacity < i ≤ t}

    Rules: i numbers what is added, t is the last. A row keeps the values, and the d,
        with which it was added; a drawn batch keeps its values, too. All five fields of
        a drawn row are of one transition. Places that are still empty are never drawn.

    >>> buffer, rng = ReplayBuffer(capacity=2), np.random.default_rng(0)
    >>> for i in range(3):
    ...     buffer.add(np.full(4, i), i, 10.0 * i, i == 2, np.full(4, i + 1))
    >>> len(buffer), sorted({int(buffer.sample(1, rng).action[0]) for _ in range(64)})
    (2, [1, 2])
    >>> s, a, r, d, next_s = map(np.asarray, buffer.sample(2, rng))
    >>> next_s.shape, (r == 10 * a).tolist()
    ((2, 4), [True, True])
    """

    def __init__(self, capacity: int) -> None:
        """Start empty, with room for `capacity` transitions."""
        self.capacity = capacity
        self.num_added = 0

    def add(
        self, state: Vec, action: int, reward: float, terminated: bool, next_state: Vec
    ) -> None:
        """Store a copy of one transition; if full, the oldest leaves."""
        if self.num_added == 0:  # only now is the state's shape known
            C, shape = self.capacity, np.shape(state)
            self.columns = Transition(
                state=np.zeros((C, *shape), np.float32),
                action=np.zeros(C, np.int32),
                reward=np.zeros(C, np.float32),
                terminated=np.zeros(C, bool),
                next_state=np.zeros((C, *shape), np.float32),
            )
        row = self.num_added % self.capacity  # a ring: the oldest is overwritten
        self.columns.state[row] = state
        self.columns.action[row] = action
        self.columns.reward[row] = reward
        self.columns.terminated[row] = terminated
        self.columns.next_state[row] = next_state
        self.num_added += 1

    def __len__(self) -> int:
        """Return the number of transitions stored now."""
        return min(self.num_added, self.capacity)

    def sample(self, batch_size: int, rng: np.random.Generator) -> Transition:
        """Draw B rows (B ≤ len) uniformly, by `rng` alone, with replacement or not."""
        rows = rng.integers(len(self), size=batch_size)
        # One set of rows for all columns; indexing by an array makes a copy.
        return Transition(*(column[rows] for column in self.columns))


# Exercise 6 · td_loss · 20 points
def td_loss(
    theta_Q: PyTree, theta_T: PyTree, model: PyTree, batch: Transition, gamma: float
) -> Float[Array, ""]:
    """Measure how far the network is from its temporal-difference targets.

        L(θ_Q) = 1/B Σ_i (Q(s_i, a_i, θ_Q) - y_i)²       (slides: Target Networks)
        y_i = r_i + ¬d_i γ max_a Q(s'_i, a, θ_T)

    Args: θ_Q and θ_T, with the model they share; B transitions; γ.
    Returns: one number; its gradient is taken with respect to theta_Q.
    Rules: the mean over the B transitions, without ½, without clipping. Each transition
        has its own target y_i, of its own r, d and s'. d is false where the time limit
        ended the episode. Subtract [B] from [B], not from [B, 1].

    >>> net = eqx.nn.Linear(1, 2, use_bias=False, key=jax.random.key(0))
    >>> theta, model = eqx.partition(net, eqx.is_array)
    >>> theta_Q = jax.tree.map(lambda w: jnp.array([[1.0], [3.0]]), theta)  # [s, 3s]
    >>> theta_T = jax.tree.map(lambda w: jnp.array([[2.0], [4.0]]), theta)  # [2s, 4s]
    >>> rows = [[1.0], [2.0]], [1, 0], [1.0, 5.0], [False, True], [[2.0], [2.0]]
    >>> batch = Transition(*map(jnp.array, rows))
    >>> float(td_loss(theta_Q, theta_T, model, batch, 0.5))  # (3 - 5)² and (2 - 5)²
    6.5
    """
    state, action, reward, terminated, next_state = batch
    Q, Q_target = eqx.combine(theta_Q, model), eqx.combine(theta_T, model)
    predicted = jax.vmap(Q)(state)[jnp.arange(len(action)), action]
    # As a number, because ~ is no "not" for integers.
    not_terminated = 1.0 - jnp.asarray(terminated, dtype=float)
    future = not_terminated * gamma * jax.vmap(Q_target)(next_state).max(axis=1)
    # No stop_gradient needed: the label depends on θ_T, which is not being trained.
    empirical = reward + future
    return jnp.mean((predicted - empirical) ** 2)


# Exercise 7 · td_update · 5 points
def td_update(
    theta_Q: PyTree,
    theta_T: PyTree,
    model: PyTree,
    batch: Transition,
    optimizer: optax.GradientTransformation,
    opt_state: optax.OptState,
    gamma: float,
) -> tuple[PyTree, optax.OptState, Float[Array, ""]]:
    """Take one optimizer step on `td_loss`.

        θ_Q ← θ_Q - α ∇L(θ_Q)       (slides: Deep Learning Review)

    Args: as td_loss; any optax transformation, update(grads, state, params); its state.
    Returns: the new θ_Q, the new state, and the loss before the step.
    Rules: the formula is that of gradient descent; the step is the optimizer's. Give
        `optimizer.update` the gradient, the state passed in, and θ_Q as params, which
        AdamW reads. Return the state that comes out. θ_T stays as it is.

    >>> net = eqx.nn.Linear(1, 2, use_bias=False, key=jax.random.key(0))
    >>> theta, model = eqx.partition(net, eqx.is_array)
    >>> theta_Q = jax.tree.map(lambda w: jnp.array([[1.0], [3.0]]), theta)  # [s, 3s]
    >>> batch = Transition(*map(jnp.array, ([[1.0]], [0], [5.0], [True], [[1.0]])))
    >>> sgd = optax.sgd(0.25, momentum=0.5)
    >>> new, state = theta_Q, sgd.init(theta_Q)
    >>> for _ in range(2):  # target 5, ∇L = [-8, 0], then [-4, 0]
    ...     new, state, loss = td_update(new, theta_Q, model, batch, sgd, state, 0.5)
    ...     print(new.weight.ravel().tolist(), float(loss))
    [3.0, 3.0] 16.0
    [5.0, 3.0] 4.0
    """
    loss, grads = jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, gamma)
    # With the parameters, because weight decay reads them.
    updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
    theta_Q = eqx.apply_updates(theta_Q, updates)
    return theta_Q, opt_state, loss


# Exercise 8 · sync_target · 5 points
def sync_target(theta_Q: PyTree, theta_T: PyTree, step: int, period: int) -> PyTree:
    """Renew the target parameters every `period` gradient updates.

        θ_T ← θ_Q if step is a multiple of period, θ_T otherwise

    Args: θ_Q; θ_T; step and period, Python integers.
    Returns: θ_Q (itself or a copy), or θ_T as it was. (Slides: Target Networks.)
    Rules: `step` counts gradient updates, not episodes or environment steps. The agent
        asks after each update, so its first is 1. 0 is a multiple of every period.

    >>> old, new = jnp.array(-1.0), jnp.array(7.0)
    >>> [float(sync_target(new, old, step, period=2)) for step in range(5)]
    [7.0, -1.0, 7.0, -1.0, 7.0]
    """
    return jax.tree.map(jnp.copy, theta_Q) if step % period == 0 else theta_T


# Exercise 9 · learning · 15 points
# Nothing to write: agent.py and train.py put your parts of exercises 3 to 8 to work on
# table worlds with known Q* (4 points), in a maze of rooms (3) and on CartPole-v1 (8).
# The grader draws all of them, and `make train TASK=maze` lets you try a maze.
