"""Loops where others vectorise, in the parts that are traced as well."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np


class Transition(NamedTuple):
    """A step or a batch of steps."""

    state: object
    action: object
    reward: object
    terminated: object
    next_state: object


def episode_terminateds(num_steps):
    flags = []
    for t in range(num_steps):
        flags.append(t == num_steps - 1)
    return jnp.array(flags)


def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    new_Q = np.array(Q)
    num_actions = new_Q.shape[1]
    for t in range(len(states)):
        s = int(states[t])
        a = int(actions[t])
        best = -np.inf
        for b in range(num_actions):
            if Q[int(next_states[t])][b] > best:
                best = float(Q[int(next_states[t])][b])
        if terminateds[t]:
            best = 0.0
        eta = float(Q[s][a]) - (float(rewards[t]) + gamma * best)
        new_Q[s, a] -= alpha * eta
    return new_Q


def discounted_returns(rewards, gamma):
    G = np.zeros(len(rewards))
    for i in range(len(rewards)):
        discount = 1.0
        for t in range(i, len(rewards)):
            G[i] += discount * rewards[t]
            discount *= gamma
    return G


def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    Q = eqx.combine(theta_Q, model)
    G = discounted_returns(rewards, gamma)
    loss = 0.0
    for i in range(len(states)):
        loss = loss + (Q(states[i])[actions[i]] - G[i]) ** 2
    return loss / len(states)


class Net(eqx.Module):
    """Layers in a list, gone through one by one."""

    layers: list

    def __init__(self, key, sizes):
        self.layers = []
        for i in range(len(sizes) - 1):
            key, layer_key = jax.random.split(key)
            self.layers.append(eqx.nn.Linear(sizes[i], sizes[i + 1], key=layer_key))

    def __call__(self, x):
        """Every action's value in a state."""
        for i in range(len(self.layers)):
            x = self.layers[i](x)
            if i < len(self.layers) - 1:
                x = jax.nn.relu(x)
        return x


def q_network(key, state_dim, num_actions):
    return Net(key, [state_dim, 64, 64, num_actions])


def epsilon_greedy(key, q_values, epsilon):
    actions = jnp.zeros(len(q_values), dtype=jnp.int32)
    for n in range(len(q_values)):
        key, coin_key, action_key = jax.random.split(key, 3)
        action = jax.random.randint(action_key, (), 0, q_values.shape[1])
        best = 0
        for a in range(1, q_values.shape[1]):
            best = jnp.where(q_values[n, a] > q_values[n, best], a, best)
        action = jnp.where(jax.random.uniform(coin_key) < epsilon, action, best)
        actions = actions.at[n].set(action)
    return actions


class ReplayBuffer:
    """Five lists."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.lists = [[], [], [], [], []]

    def add(self, state, action, reward, terminated, next_state):
        """Append to each list, and cut off what is too old."""
        values = [np.array(state), action, reward, terminated, np.array(next_state)]
        for i in range(5):
            self.lists[i].append(values[i])
            while len(self.lists[i]) > self.capacity:
                del self.lists[i][0]

    def __len__(self):
        return len(self.lists[0])

    def sample(self, batch_size, rng):
        """Draw one row after the other."""
        batch = [[], [], [], [], []]
        for _ in range(batch_size):
            k = rng.integers(len(self))
            for i in range(5):
                batch[i].append(self.lists[i][k])
        return Transition(*[np.array(column) for column in batch])


def td_loss(theta_Q, theta_T, model, batch, gamma):
    Q = eqx.combine(theta_Q, model)
    Q_target = eqx.combine(theta_T, model)
    losses = []
    for i in range(len(batch.action)):
        future = gamma * jnp.max(Q_target(batch.next_state[i]))
        y = batch.reward[i] + jnp.where(batch.terminated[i], 0.0, future)
        losses.append((Q(batch.state[i])[batch.action[i]] - y) ** 2)
    return sum(losses) / len(losses)


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    loss, grads = jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, gamma)
    updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
    leaves, structure = jax.tree.flatten(theta_Q)
    moves = jax.tree.leaves(updates)
    for i in range(len(leaves)):
        leaves[i] = leaves[i] + moves[i]
    return jax.tree.unflatten(structure, leaves), opt_state, loss


def sync_target(theta_Q, theta_T, step, period):
    multiple = 0
    while multiple < step:
        multiple += period
    if multiple == step:
        return theta_Q
    return theta_T
