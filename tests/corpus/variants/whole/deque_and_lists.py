"""Plain Python's containers wherever nothing has to be traced."""

import random
from collections import deque
from itertools import pairwise, repeat
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np


class Transition(NamedTuple):
    """A step or a batch of steps."""

    state: Any
    action: Any
    reward: Any
    terminated: Any
    next_state: Any


def episode_terminateds(num_steps):
    return np.array([*repeat(False, num_steps - 1), True])


def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    table = np.asarray(Q).tolist()
    steps = deque(
        zip(
            *(
                np.asarray(column).tolist()
                for column in (states, actions, rewards, next_states, terminateds)
            ),
            strict=True,
        )
    )
    while steps:
        s, a, r, after, ended = steps.popleft()
        y = r if ended else r + gamma * max(table[after])
        table[s][a] -= alpha * (table[s][a] - y)
    return np.array(table)


def discounted_returns(rewards, gamma):
    G = deque()
    for r in reversed(np.asarray(rewards).tolist()):
        G.appendleft(r + gamma * (G[0] if G else 0.0))
    return np.array(G, dtype=np.float32)


def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    net = eqx.combine(theta_Q, model)
    G = discounted_returns(rewards, gamma).tolist()
    squares = [
        (net(s)[int(a)] - g) ** 2 for s, a, g in zip(states, actions, G, strict=True)
    ]
    return sum(squares) / len(squares)


def q_network(key, state_dim, num_actions):
    sizes = [state_dim, 128, 128, num_actions]
    keys = list(jax.random.split(key, len(sizes) - 1))
    layers = []
    for fan_in, fan_out in pairwise(sizes):
        layers.append(eqx.nn.Linear(fan_in, fan_out, key=keys.pop()))
        layers.append(eqx.nn.Lambda(jax.nn.leaky_relu))
    layers.pop()
    return eqx.nn.Sequential(layers)


def epsilon_greedy(key, q_values, epsilon):
    actions = []
    for q, row_key in zip(q_values, jax.random.split(key, len(q_values)), strict=True):
        coin, die = jax.random.split(row_key)
        anything = jax.random.randint(die, (), 0, len(q))
        best = q.argmax()
        actions.append(jnp.where(jax.random.uniform(coin) < epsilon, anything, best))
    return jnp.stack(actions)


class ReplayBuffer:
    """A deque of transitions as they came, copied."""

    def __init__(self, capacity):
        self.memory = deque(maxlen=capacity)

    def add(self, state, action, reward, terminated, next_state):
        """Append; the deque lets the oldest fall out."""
        self.memory.append(
            Transition(
                [float(x) for x in state],
                int(action),
                float(reward),
                bool(terminated),
                [float(x) for x in next_state],
            )
        )

    def __len__(self):
        return len(self.memory)

    def sample(self, batch_size, rng):
        """Draw as the PyTorch tutorials do, but from the generator."""
        chance = random.Random(int(rng.integers(2**62)))
        picked = chance.sample(self.memory, batch_size)
        return Transition(*(np.array(column) for column in zip(*picked, strict=True)))


def td_loss(theta_Q, theta_T, model, batch, gamma):
    online, target = (eqx.combine(theta, model) for theta in (theta_Q, theta_T))

    def squared_error(state, action, reward, terminated, next_state):
        label = reward + gamma * jnp.where(terminated, 0.0, target(next_state).max())
        return (online(state)[action] - label) ** 2

    return jax.vmap(squared_error)(*batch).mean()


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    def loss_of(theta):
        return td_loss(theta, theta_T, model, batch, gamma)

    loss, grads = jax.value_and_grad(loss_of)(theta_Q)
    updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
    leaves, structure = jax.tree.flatten(theta_Q)
    moved = [p + u for p, u in zip(leaves, jax.tree.leaves(updates), strict=True)]
    return jax.tree.unflatten(structure, moved), opt_state, loss


def sync_target(theta_Q, theta_T, step, period):
    return [theta_T, theta_Q][step % period == 0]
