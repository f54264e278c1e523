"""A `jax.jit` on everything, with static arguments, scans and nested jits."""

from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax


class Transition(NamedTuple):
    """A step or a batch of steps."""

    state: jax.Array
    action: jax.Array
    reward: jax.Array
    terminated: jax.Array
    next_state: jax.Array


@partial(jax.jit, static_argnums=0)
def episode_terminateds(num_steps):
    return jnp.arange(num_steps) == num_steps - 1


@jax.jit
def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    episode = states, actions, rewards, next_states, jnp.asarray(terminateds, bool)

    @jax.jit
    def visit(table, step):
        s, a, r, after, ended = step
        future = jax.lax.cond(
            ended, lambda: 0.0 * gamma, lambda: gamma * Q[after].max()
        )
        return table.at[s, a].add(alpha * (r + future - Q[s, a])), None

    return jax.lax.scan(visit, Q, episode, unroll=2)[0]


@jax.jit
def discounted_returns(rewards, gamma):
    T = rewards.shape[0]

    def body(i, G):
        t = T - 1 - i
        later = jnp.where(i == 0, 0.0, G[jnp.minimum(t + 1, T - 1)])
        return G.at[t].set(rewards[t] + gamma * later)

    return jax.lax.fori_loop(0, T, body, jnp.zeros(T, rewards.dtype))


@partial(jax.jit, static_argnames="model")
def forward(theta, model, states):
    return jax.vmap(eqx.combine(theta, model))(states)


@eqx.filter_jit
def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    q = forward(theta_Q, model, states)
    q = jax.vmap(jnp.take)(q, actions)
    return jnp.mean((q - discounted_returns(rewards, gamma)) ** 2)


class Net(eqx.Module):
    """A network that fits through `static_argnames`: its rest can be hashed."""

    hidden: tuple[eqx.nn.Linear, ...]
    head: eqx.nn.Linear

    @jax.jit
    def __call__(self, state):
        """Every action's value in a state."""
        for layer in self.hidden:
            state = jax.nn.relu(layer(state))
        return self.head(state)


@partial(jax.jit, static_argnums=(1, 2))
def q_network(key, state_dim, num_actions):
    a, b, c = jax.random.split(key, 3)
    hidden = eqx.nn.Linear(state_dim, 64, key=a), eqx.nn.Linear(64, 64, key=b)
    return Net(hidden, eqx.nn.Linear(64, num_actions, key=c))


@jax.jit
def epsilon_greedy(key, q_values, epsilon):
    keys = jax.random.split(key, q_values.shape)  # one for each row and action
    coin = jax.vmap(jax.random.uniform)(keys[:, 0]) < epsilon
    anything = jax.vmap(lambda k: jax.random.randint(k, (), 0, q_values.shape[1]))(
        keys[:, 1]
    )
    return jnp.where(coin, anything, jnp.argmax(q_values, axis=1))


@jax.jit
def written(columns, place, row):
    return jax.tree.map(lambda column, x: column.at[place].set(x), columns, row)


@jax.jit
def gathered(columns, places):
    return jax.tree.map(lambda column: column[places], columns)


class ReplayBuffer:
    """JAX arrays that jitted functions write and gather."""

    def __init__(self, capacity):
        self.capacity, self.size, self.place = capacity, 0, 0
        self.columns = None

    def __len__(self):
        return self.size

    def add(self, state, action, reward, terminated, next_state):
        """Write one row."""
        row = (state, action, reward, terminated, next_state)
        row = Transition(*map(jnp.asarray, row))
        if self.columns is None:
            self.columns = jax.tree.map(
                lambda x: jnp.broadcast_to(x, (self.capacity, *x.shape)), row
            )
        self.columns = written(self.columns, self.place, row)
        self.place = (self.place + 1) % self.capacity
        self.size = max(self.size, self.place or self.capacity)

    def sample(self, batch_size, rng):
        """Gather rows."""
        return gathered(self.columns, rng.integers(0, self.size, batch_size, np.int32))


@partial(jax.jit, static_argnames="model")
def td_loss(theta_Q, theta_T, model, batch, gamma):
    q = forward(theta_Q, model, batch.state)
    q = jax.vmap(jnp.take)(q, batch.action)
    v = forward(theta_T, model, batch.next_state).max(axis=1)
    return optax.squared_error(
        q, jnp.where(batch.terminated, 0.0, gamma * v) + batch.reward
    ).mean()


@partial(jax.jit, static_argnames=("model", "optimizer"))
def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    step = jax.jit(jax.value_and_grad(td_loss), static_argnums=2)
    loss, grads = step(theta_Q, theta_T, model, batch, gamma)
    updates, opt_state = jax.jit(optimizer.update)(grads, opt_state, theta_Q)
    return jax.jit(optax.apply_updates)(theta_Q, updates), opt_state, loss


@jax.jit
def sync_target(theta_Q, theta_T, step, period):
    return jax.lax.cond(
        step % period == 0, lambda q, t: q, lambda q, t: t, theta_Q, theta_T
    )
