"""Everything as pure functions of JAX arrays, the buffer's state included."""

from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax import lax, nn, random, vmap


class Transition(NamedTuple):
    """A step or a batch of steps."""

    state: Any
    action: Any
    reward: Any
    terminated: Any
    next_state: Any


class Storage(NamedTuple):
    """What the buffer holds: a tree that is replaced, never changed."""

    rows: Transition
    total: jax.Array


def episode_terminateds(num_steps):
    return jnp.flip(jnp.arange(num_steps) == 0)


def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    values = jnp.max(Q, axis=1)
    labels = rewards + gamma * values[next_states] * jnp.logical_not(terminateds)
    pull = vmap(lambda s, a, y: jnp.zeros_like(Q).at[s, a].set(y - Q[s, a]))
    return Q + alpha * pull(states, actions, labels).sum(axis=0)


def discounted_returns(rewards, gamma):
    def earlier(later, reward):
        return (g := reward + gamma * later), g

    zero = jnp.zeros_like(rewards[0])
    return lax.scan(earlier, zero, rewards, reverse=True)[1]


def chosen(theta, model, states, actions):
    values = vmap(eqx.combine(theta, model))(states)
    return vmap(lambda row, a: row[a])(values, actions)


def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    q = chosen(theta_Q, model, states, actions)
    return optax.squared_error(q, discounted_returns(rewards, gamma)).mean()


def q_network(key, state_dim, num_actions):
    return eqx.nn.MLP(state_dim, num_actions, 64, 2, activation=nn.silu, key=key)


@jax.jit
def epsilon_greedy(key, q_values, epsilon):
    @vmap
    def row(key, q):
        logits = jnp.where(random.bernoulli(key, epsilon), 0.0, jnp.inf)
        best = jnp.arange(q.size) == q.argmax()
        weights = jnp.where(best, 0.0, -logits)
        return random.categorical(random.fold_in(key, 1), weights)

    return row(random.split(key, q_values.shape[0]), q_values)


def empty(capacity, example):
    rows = jax.tree.map(lambda x: jnp.zeros((capacity, *x.shape), x.dtype), example)
    return Storage(rows, jnp.zeros((), jnp.int32))


@jax.jit
def stored(storage, transition):
    place = storage.total % len(storage.rows.reward)
    rows = jax.tree.map(
        lambda column, x: column.at[place].set(x), storage.rows, transition
    )
    return Storage(rows, storage.total + 1)


@partial(jax.jit, static_argnames="batch_size")
def drawn(rows, key, batch_size, size):
    places = random.randint(key, (batch_size,), 0, size)
    return jax.tree.map(lambda column: column[places], rows)


class ReplayBuffer:
    """The one object with a state: it holds the latest `Storage`."""

    def __init__(self, capacity):
        self.capacity, self.storage = capacity, None

    def add(self, state, action, reward, terminated, next_state):
        """Replace the storage."""
        transition = Transition(
            jnp.asarray(state, jnp.float32),
            jnp.asarray(action, jnp.int32),
            jnp.asarray(reward, jnp.float32),
            jnp.asarray(terminated, jnp.bool_),
            jnp.asarray(next_state, jnp.float32),
        )
        if self.storage is None:
            self.storage = empty(self.capacity, transition)
        self.storage = stored(self.storage, transition)

    def __len__(self):
        if self.storage is None:
            return 0
        return min(int(self.storage.total), self.capacity)

    def sample(self, batch_size, rng):
        """Draw with a key that the generator makes."""
        key = random.key(rng.integers(2**31))
        return drawn(self.storage.rows, key, batch_size, len(self))


def td_loss(theta_Q, theta_T, model, batch, gamma):
    alive = 1 - jnp.asarray(batch.terminated, batch.reward.dtype)
    best = vmap(lambda s: eqx.combine(theta_T, model)(s).max())(batch.next_state)
    label = lax.stop_gradient(batch.reward + gamma * alive * best)
    q = chosen(theta_Q, model, batch.state, batch.action)
    return optax.squared_error(q, label).mean()


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    loss, pull = jax.vjp(lambda t: td_loss(t, theta_T, model, batch, gamma), theta_Q)
    updates, opt_state = optimizer.update(*pull(jnp.ones(())), opt_state, theta_Q)
    return optax.apply_updates(theta_Q, updates), opt_state, loss


def sync_target(theta_Q, theta_T, step, period):
    pick = partial(jnp.where, step % period == 0)
    return jax.tree.map(pick, theta_Q, theta_T)
