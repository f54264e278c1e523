"""All of NumPy that the contract allows, in float64 where nothing is traced."""

from itertools import pairwise
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax


class Transition(NamedTuple):
    """A step or a batch of steps."""

    state: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    next_state: np.ndarray


def episode_terminateds(num_steps):
    flags = np.zeros(num_steps, dtype=bool)
    flags[-1] = True
    return flags


def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    Q = np.asarray(Q, dtype=np.float64)
    s, a, s2 = (np.asarray(x) for x in (states, actions, next_states))
    alive = 1.0 - np.asarray(terminateds, dtype=np.float64)
    eta = Q[s, a] - np.asarray(rewards) - alive * gamma * Q.max(axis=1)[s2]
    moves = np.zeros_like(Q)
    np.subtract.at(moves, (s, a), alpha * eta)
    return Q + moves


def discounted_returns(rewards, gamma):
    rewards = np.asarray(rewards, dtype=np.float64)
    T = rewards.size
    steps = np.arange(T)
    distance = steps[None, :] - steps[:, None]
    weights = np.where(distance < 0, 0.0, float(gamma) ** np.abs(distance))
    return weights @ rewards


def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    G = discounted_returns(rewards, gamma).astype(np.float32)
    q_values = jax.vmap(eqx.combine(theta_Q, model))(np.asarray(states))
    q = q_values[np.arange(G.size), np.asarray(actions)]
    return ((q - G) ** 2).sum() / G.size


class TwoLayers(eqx.Module):
    """Two hidden layers, their arrays drawn by NumPy."""

    weights: list[np.ndarray]
    biases: list[np.ndarray]

    def __init__(self, seed, sizes):
        rng = np.random.default_rng(seed)
        pairs = list(pairwise(sizes))
        bounds = [np.sqrt(6 / m) for m, _ in pairs]
        self.weights = [
            rng.uniform(-bound, bound, size=pair).astype(np.float32)
            for bound, pair in zip(bounds, pairs, strict=True)
        ]
        self.weights[-1] *= 0.3
        self.biases = [np.zeros(n, dtype=np.float32) for _, n in pairs]

    def __call__(self, x):
        """Every action's value in a state."""
        *hidden, last = zip(self.weights, self.biases, strict=True)
        for W, b in hidden:
            x = jnp.maximum(x @ W + b, 0.0)
        W, b = last
        return x @ W + b


def q_network(key, state_dim, num_actions):
    seed = np.asarray(jax.random.key_data(key)).tolist()
    return TwoLayers(seed, [state_dim, 64, 64, num_actions])


def epsilon_greedy(key, q_values, epsilon):
    num_envs, num_actions = np.shape(q_values)
    coins, dice = jax.random.uniform(key, (2, num_envs))
    anything = (dice * num_actions).astype(int)
    return jnp.where(coins < epsilon, anything, q_values.argmax(-1))


class ReplayBuffer:
    """One array for each field, a place that wraps around."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.place = self.stored = 0
        self.arrays = None

    def __len__(self):
        return self.stored

    def add(self, state, action, reward, terminated, next_state):
        """Write over the oldest place."""
        row = Transition(state, action, reward, terminated, next_state)
        if self.arrays is None:
            self.arrays = [np.zeros((self.capacity, *np.shape(x))) for x in row]
        for array, value in zip(self.arrays, row, strict=True):
            array[self.place] = value
        self.place = (self.place + 1) % self.capacity
        self.stored = min(self.stored + 1, self.capacity)

    def sample(self, batch_size, rng):
        """Draw places without replacement."""
        places = rng.choice(self.stored, size=batch_size, replace=False)
        state, action, reward, terminated, next_state = (
            np.take(array, places, axis=0) for array in self.arrays
        )
        return Transition(
            state,
            action.astype(np.int64),
            reward,
            terminated.astype(np.uint8),
            next_state,
        )


def td_loss(theta_Q, theta_T, model, batch, gamma):
    s, a, r, d, s2 = batch
    q = jax.vmap(eqx.combine(theta_Q, model))(s)
    v = jax.vmap(eqx.combine(theta_T, model))(s2)
    rows = np.arange(np.shape(a)[0])
    y = r + gamma * v.max(axis=1) * (1 - d)
    return ((q[rows, a] - y) ** 2).mean()


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    loss, grads = jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, gamma)
    updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
    return optax.apply_updates(theta_Q, updates), opt_state, loss


def sync_target(theta_Q, theta_T, step, period):
    return theta_T if np.mod(step, period) else jax.tree.map(np.copy, theta_Q)
