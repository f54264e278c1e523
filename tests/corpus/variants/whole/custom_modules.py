"""Modules of one's own: residual blocks with layer norm, parameters in dicts."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array


class Transition(NamedTuple):
    """A step or a batch of steps."""

    state: Any
    action: Any
    reward: Any
    terminated: Any
    next_state: Any


class Affine(eqx.Module):
    """A matrix and a shift in a dict."""

    theta: dict[str, Array]

    @classmethod
    def make(cls, key, n_in, n_out, gain=1.0):
        """Draw the matrix; the shift is zero at first."""
        std = gain / math.sqrt(n_in)
        W = std * jax.random.truncated_normal(key, -2.0, 2.0, (n_out, n_in))
        return cls({"W": W, "b": jnp.zeros(n_out)})

    def __call__(self, x):
        """W x + b."""
        return self.theta["W"] @ x + self.theta["b"]


class Norm(eqx.Module):
    """Layer norm, written out."""

    gain: Array
    shift: Array
    eps: float = eqx.field(static=True, default=1e-5)

    def __call__(self, x):
        """Centred, scaled, and moved to where training likes it."""
        centred = x - jnp.mean(x)
        scale = jax.lax.rsqrt(jnp.mean(centred**2) + self.eps)
        return self.gain * centred * scale + self.shift


class Block(eqx.Module):
    """A residual block."""

    norm: Norm
    up: Affine
    down: Affine
    activation: Callable = eqx.field(static=True)

    def __call__(self, x):
        """The input, and something added to it."""
        return x + self.down(self.activation(self.up(self.norm(x))))


class QNetwork(eqx.Module):
    """A first layer, blocks, a head."""

    first: Affine
    blocks: tuple[Block, ...]
    head: Affine
    note: str = "residual"

    def __call__(self, state):
        """Every action's value in a state."""
        x = self.first(state)
        for block in self.blocks:
            x = block(x)
        return self.head(jax.nn.gelu(x))


def q_network(key, state_dim, num_actions):
    width, num_blocks = 48, 1
    keys = iter(jax.random.split(key, 2 + 2 * num_blocks))
    blocks = tuple(
        Block(
            norm=Norm(jnp.ones(width), jnp.zeros(width)),
            up=Affine.make(next(keys), width, 2 * width),
            down=Affine.make(next(keys), 2 * width, width, gain=0.5),
            activation=lambda x: jax.nn.gelu(x, approximate=True),
        )
        for _ in range(num_blocks)
    )
    first = Affine.make(next(keys), state_dim, width)
    head = Affine.make(next(keys), width, num_actions, gain=0.1)
    return QNetwork(first, blocks, head)


def episode_terminateds(num_steps):
    return jnp.arange(1, num_steps + 1) >= num_steps


class Pick(eqx.Module):
    """One entry of a vector, as a module."""

    index: Array

    def __call__(self, values):
        """The entry."""
        return jnp.sum(values * jax.nn.one_hot(self.index, values.shape[-1]))


def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    picks = jax.vmap(Pick)(actions)
    predicted = jax.vmap(lambda pick, s: pick(Q[s]))(picks, states)
    best = jax.vmap(lambda s: Q[s].max())(next_states)
    cut = jnp.where(jnp.asarray(terminateds, bool), 0.0, gamma)
    eta = predicted - rewards - cut * best
    return jnp.asarray(Q).at[states, actions].subtract(alpha * eta)


class Discount(eqx.Module):
    """The sum to come, as a module with the discount in it."""

    gamma: Any

    def __call__(self, rewards):
        """The return of each step."""
        T = len(rewards)
        lag = jnp.arange(T)[None] - jnp.arange(T)[:, None]
        return jnp.where(lag >= 0, self.gamma ** jnp.maximum(lag, 0), 0.0) @ rewards


def discounted_returns(rewards, gamma):
    return Discount(gamma)(jnp.asarray(rewards))


def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    net = eqx.combine(theta_Q, model)
    error = jax.vmap(lambda s, a, g: Pick(a)(net(s)) - g)
    return jnp.mean(error(states, actions, discounted_returns(rewards, gamma)) ** 2)


class Policy(eqx.Module):
    """An epsilon-greedy policy."""

    epsilon: Any

    def __call__(self, key, q):
        """The action for one row."""
        coin, die = jax.random.split(key)
        return jax.lax.select(
            jax.random.uniform(coin) < self.epsilon,
            jax.random.randint(die, (), 0, q.size),
            jnp.argmax(q).astype(jnp.int32),
        )


def epsilon_greedy(key, q_values, epsilon):
    keys = jax.random.split(key, q_values.shape[0])
    return eqx.filter_vmap(Policy(epsilon))(keys, q_values)


class ReplayBuffer:
    """A list of trees that is written round and round."""

    def __init__(self, capacity):
        self.slots: list = [None] * capacity
        self.added = 0

    def __len__(self):
        return min(self.added, len(self.slots))

    def add(self, state, action, reward, terminated, next_state):
        """Keep copies."""
        transition = Transition(state, action, reward, terminated, next_state)
        self.slots[self.added % len(self.slots)] = jax.tree.map(np.array, transition)
        self.added += 1

    def sample(self, batch_size, rng):
        """Stack the drawn trees."""
        picked = [self.slots[i] for i in rng.integers(0, len(self), batch_size)]
        return jax.tree.map(lambda *leaves: np.stack(leaves), *picked)


class TDError(eqx.Module):
    """The error of one transition."""

    online: Any
    target: Any
    gamma: Any

    def __call__(self, step):
        """Predicted minus label."""
        future = jnp.where(step.terminated, 0.0, self.target(step.next_state).max())
        label = step.reward + self.gamma * future
        return Pick(step.action)(self.online(step.state)) - label


def td_loss(theta_Q, theta_T, model, batch, gamma):
    error = TDError(eqx.combine(theta_Q, model), eqx.combine(theta_T, model), gamma)
    return jnp.mean(jax.vmap(error)(batch) ** 2)


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    differentiated = eqx.filter_value_and_grad(td_loss)
    loss, grads = differentiated(theta_Q, theta_T, model, batch, gamma)
    updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
    return eqx.apply_updates(theta_Q, updates), opt_state, loss


def sync_target(theta_Q, theta_T, step, period):
    if step % period:
        return theta_T
    return jax.tree.map(lambda leaf: leaf + 0, theta_Q)
