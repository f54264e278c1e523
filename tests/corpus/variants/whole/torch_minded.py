"""As one writes it who comes from PyTorch: gather, unsqueeze, detach, state dicts."""

import random
from collections import namedtuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

Transition = namedtuple(
    "Transition", ["state", "action", "reward", "terminated", "next_state"]
)


def gather(x, dim, index):
    return jnp.take_along_axis(x, index, axis=dim)


def unsqueeze(x, dim):
    return jnp.expand_dims(x, dim)


def detach(x):
    return jax.lax.stop_gradient(x)


class Linear(eqx.Module):
    """A layer with torch's initialisation."""

    weight: jax.Array
    bias: jax.Array

    def __init__(self, in_features, out_features, *, key):
        bound = 1 / in_features**0.5
        w_key, b_key = jax.random.split(key)
        shape = (out_features, in_features)
        self.weight = jax.random.uniform(w_key, shape, minval=-bound, maxval=bound)
        self.bias = jax.random.uniform(b_key, shape[:1], minval=-bound, maxval=bound)

    def forward(self, x):
        """Apply to the last axis."""
        return x @ self.weight.T + self.bias

    __call__ = forward


class DQN(eqx.Module):
    """fc1, fc2, fc3."""

    fc1: Linear
    fc2: Linear
    fc3: Linear

    def __init__(self, n_observations, n_actions, *, key):
        k1, k2, k3 = jax.random.split(key, 3)
        self.fc1 = Linear(n_observations, 128, key=k1)
        self.fc2 = Linear(128, 128, key=k2)
        self.fc3 = Linear(128, n_actions, key=k3)

    def forward(self, x):
        """Works on one state and on batches alike."""
        x = jax.nn.relu(self.fc1(x))
        x = jax.nn.relu(self.fc2(x))
        return self.fc3(x)

    def __call__(self, x):
        """As torch's modules do it."""
        return self.forward(x)


def q_network(key, state_dim, num_actions):
    return DQN(state_dim, num_actions, key=key)


def episode_terminateds(num_steps):
    return jnp.concatenate([jnp.zeros(num_steps - 1), jnp.ones(1)]).astype(bool)


def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    Q = jnp.asarray(Q)
    q = gather(Q[states], 1, unsqueeze(actions, 1))
    next_q = Q[next_states].max(1, keepdims=True)
    mask = 1.0 - unsqueeze(jnp.asarray(terminateds), 1).astype(jnp.float32)
    td_error = q - (unsqueeze(rewards, 1) + gamma * mask * next_q)
    return Q.at[states, actions].add(-alpha * jnp.squeeze(td_error, 1))


def discounted_returns(rewards, gamma):
    R, returns = 0, []
    for r in rewards[::-1]:
        R = r + gamma * R
        returns.insert(0, R)
    return jnp.array(returns)


def smooth(x, y):
    """The name is old; it is the plain mean of squares."""
    return jnp.mean((x - y) ** 2)


def net_of(theta, model, x):
    return jax.vmap(eqx.combine(theta, model))(x)


def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    q = gather(net_of(theta_Q, model, states), 1, unsqueeze(actions, 1))
    returns = detach(discounted_returns(rewards, gamma))
    return smooth(q, unsqueeze(returns, 1))


def epsilon_greedy(key, q_values, epsilon):
    sample_key, action_key = jax.random.split(key)
    sample = jax.random.uniform(sample_key, (q_values.shape[0],))
    greedy = q_values.argmax(1)
    rand = jax.random.randint(action_key, greedy.shape, 0, q_values.shape[1])
    return jnp.where(sample > epsilon, greedy, rand)


class ReplayBuffer:
    """A memory with `push`, as in the tutorial; `add` is its other name."""

    def __init__(self, capacity):
        self.memory, self.position, self.capacity = [], 0, capacity

    def push(self, *args):
        """Save a transition."""
        if len(self.memory) < self.capacity:
            self.memory.append(None)
        self.memory[self.position] = Transition(*(np.array(x) for x in args))
        self.position = (self.position + 1) % self.capacity

    add = push

    def sample(self, batch_size, rng):
        """Draw without replacement."""
        random_state = random.Random(rng.bytes(16))
        transitions = random_state.sample(self.memory, batch_size)
        batch = Transition(*zip(*transitions, strict=True))
        return Transition(
            state=np.stack(batch.state),
            action=np.stack(batch.action),
            reward=np.stack(batch.reward),
            terminated=np.stack(batch.terminated).astype(np.float32),
            next_state=np.stack(batch.next_state),
        )

    def __len__(self):
        return len(self.memory)


def td_loss(theta_Q, theta_T, model, batch, gamma):
    action, reward, done = (
        unsqueeze(x, 1) for x in (batch.action, batch.reward, batch.terminated)
    )
    state_action_values = gather(net_of(theta_Q, model, batch.state), 1, action)
    next_values = detach(net_of(theta_T, model, batch.next_state))
    next_values = next_values.max(axis=1, keepdims=True)
    expected = reward + gamma * next_values * (1.0 - done.astype(jnp.float32))
    return smooth(state_action_values, expected)


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    loss, grad = jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, gamma)
    step, opt_state = optimizer.update(grad, opt_state, theta_Q)
    theta_Q = optax.apply_updates(theta_Q, step)
    return theta_Q, opt_state, loss


def state_dict(theta):
    return dict(enumerate(jax.tree.leaves(theta)))


def load_state_dict(theta, state):
    return jax.tree.unflatten(jax.tree.structure(theta), list(state.values()))


def sync_target(theta_Q, theta_T, step, period):
    if step % period == 0:
        theta_T = load_state_dict(theta_T, state_dict(theta_Q))
    return theta_T
