"""A dueling network; targets, losses and steps in small named functions."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray


class Transition(NamedTuple):
    """A step or a batch of steps."""

    state: Any
    action: Any
    reward: Any
    terminated: Any
    next_state: Any


class DuelingNetwork(eqx.Module):
    """Q = V + A - mean A, with a body that both share."""

    body: eqx.nn.Sequential
    value: eqx.nn.MLP
    advantage: eqx.nn.MLP

    def __init__(self, key: PRNGKeyArray, state_dim: int, num_actions: int):
        a, b, c = jax.random.split(key, 3)
        self.body = eqx.nn.Sequential(
            [eqx.nn.Linear(state_dim, 64, key=a), eqx.nn.Lambda(jax.nn.relu)]
        )
        self.value = eqx.nn.MLP(64, "scalar", 32, 1, key=b)
        self.advantage = eqx.nn.MLP(64, num_actions, 32, 1, key=c)

    def __call__(self, state: Float[Array, " D"]) -> Float[Array, " A"]:
        """Every action's value in a state."""
        features = self.body(state)
        advantage = self.advantage(features)
        return self.value(features) + (advantage - jnp.mean(advantage))


def q_network(key, state_dim, num_actions):
    return DuelingNetwork(key, state_dim, num_actions)


def episode_terminateds(num_steps):
    return jnp.zeros(num_steps, dtype=bool).at[-1].set(True)


def bootstrapped(rewards, terminateds, next_values, gamma):
    """The target: the reward, and the best that can follow unless it is over."""
    return jnp.where(terminateds, rewards, rewards + gamma * next_values.max(axis=-1))


def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    target = bootstrapped(rewards, terminateds, Q[next_states], gamma)
    eta = Q[states, actions] - target
    return Q.at[states, actions].add(-alpha * eta)


def discounted_returns(rewards, gamma):
    discounts = gamma ** jnp.arange(len(rewards))
    return jnp.stack(
        [
            jnp.dot(discounts[: len(rewards) - i], rewards[i:])
            for i in range(len(rewards))
        ]
    )


def values_of_chosen(net, states, actions):
    return jnp.take_along_axis(jax.vmap(net)(states), actions[:, None], 1)[:, 0]


def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    q = values_of_chosen(eqx.combine(theta_Q, model), states, actions)
    return optax.squared_error(q, discounted_returns(rewards, gamma)).mean()


def epsilon_greedy(key, q_values, epsilon):
    coin_key, action_key = jax.random.split(key)
    noise = jax.random.uniform(action_key, q_values.shape)
    explore = jax.random.bernoulli(coin_key, epsilon, q_values.shape[:1])
    return jnp.argmax(jnp.where(explore[:, None], noise, q_values), axis=-1)


class ReplayBuffer:
    """A ring in one dict of arrays."""

    def __init__(self, capacity):
        self.capacity, self.count, self.ring = capacity, 0, {}

    def add(self, *fields):
        """Write over the oldest row."""
        for name, field in zip(Transition._fields, fields, strict=True):
            value = np.asarray(field)
            if name not in self.ring:
                self.ring[name] = np.zeros((self.capacity, *value.shape), value.dtype)
            self.ring[name][self.count % self.capacity] = value
        self.count += 1

    def __len__(self):
        return min(self.count, self.capacity)

    def sample(self, batch_size, rng):
        """Draw with replacement."""
        rows = rng.choice(len(self), size=batch_size, replace=True)
        return Transition(**{name: ring[rows] for name, ring in self.ring.items()})


def td_loss(theta_Q, theta_T, model, batch, gamma):
    next_values = jax.vmap(eqx.combine(theta_T, model))(batch.next_state)
    target = bootstrapped(batch.reward, batch.terminated, next_values, gamma)
    q = values_of_chosen(eqx.combine(theta_Q, model), batch.state, batch.action)
    return optax.squared_error(q, jax.lax.stop_gradient(target)).mean()


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    loss, grads = eqx.filter_value_and_grad(td_loss)(
        theta_Q, theta_T, model, batch, gamma
    )
    updates, opt_state = optimizer.update(grads, opt_state, params=theta_Q)
    return optax.apply_updates(theta_Q, updates), opt_state, loss


def sync_target(theta_Q, theta_T, step, period):
    return optax.periodic_update(theta_Q, theta_T, jnp.asarray(step), period)
