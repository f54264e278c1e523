"""Double precision everywhere: JAX is told so before anything is made."""

import jax

jax.config.update("jax_enable_x64", True)

import typing  # noqa: E402

import equinox as eqx  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402

f64 = jnp.float64


class Transition(typing.NamedTuple):
    """A step or a batch of steps."""

    state: jax.Array
    action: jax.Array
    reward: jax.Array
    terminated: jax.Array
    next_state: jax.Array


def episode_terminateds(num_steps):
    return jnp.repeat(jnp.array([False, True]), np.array([num_steps - 1, 1]))


def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    Q = jnp.asarray(Q, f64)
    d = jnp.asarray(terminateds, f64)
    y = jnp.asarray(rewards, f64) + (1 - d) * gamma * jnp.max(Q[next_states], axis=-1)
    return Q.at[states, actions].add(alpha * (y - Q[states, actions]))


def discounted_returns(rewards, gamma):
    rewards = jnp.asarray(rewards, f64)
    powers = jnp.asarray(gamma, f64) ** jnp.arange(rewards.size)
    to_come = jnp.cumsum((rewards * powers)[::-1])[::-1]
    return to_come / powers


def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    states = jnp.asarray(states, f64)
    q = jax.vmap(eqx.combine(theta_Q, model))(states)
    q = jnp.take_along_axis(q, jnp.asarray(actions)[:, None], axis=1)
    return jnp.mean(jnp.square(q - discounted_returns(rewards, gamma)[:, None]))


def q_network(key, state_dim, num_actions):
    keys = jax.random.split(key, 3)
    make = eqx.nn.Linear
    return eqx.nn.Sequential(
        [
            make(state_dim, 96, dtype=f64, key=keys[0]),
            eqx.nn.Lambda(jax.nn.relu),
            make(96, 96, dtype=f64, key=keys[1]),
            eqx.nn.Lambda(jax.nn.relu),
            make(96, num_actions, dtype=f64, key=keys[2]),
        ]
    )


def epsilon_greedy(key, q_values, epsilon):
    key_coin, key_action = jax.random.split(key)
    N, A = q_values.shape
    u = jax.random.uniform(key_coin, (N,), dtype=f64)
    anything = jax.random.randint(key_action, (N,), 0, A, dtype=jnp.int64)
    return jnp.where(u < epsilon, anything, jnp.argmax(q_values, axis=1))


class ReplayBuffer:
    """Five arrays in double precision."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.index = 0
        self.full = False

    def __len__(self):
        return self.capacity if self.full else self.index

    def add(self, state, action, reward, terminated, next_state):
        """Write the next row."""
        if not len(self):
            shape = (self.capacity, np.size(state))
            self.states, self.next_states = np.empty(shape), np.empty(shape)
            self.rewards = np.empty(self.capacity)
            self.actions = np.empty(self.capacity, int)
            self.flags = np.empty(self.capacity)
        i = self.index
        self.states[i], self.next_states[i] = state, next_state
        self.actions[i], self.rewards[i], self.flags[i] = action, reward, terminated
        self.index = (i + 1) % self.capacity
        self.full = self.full or self.index == 0

    def sample(self, batch_size, rng):
        """Draw rows as JAX arrays of 64 bits."""
        i = rng.integers(len(self), size=batch_size)
        columns = self.states, self.actions, self.rewards, self.flags, self.next_states
        return Transition(*(jnp.asarray(column[i]) for column in columns))


def td_loss(theta_Q, theta_T, model, batch, gamma):
    states, next_states = (jnp.asarray(x, f64) for x in (batch.state, batch.next_state))
    q = jax.vmap(eqx.combine(theta_Q, model))(states)
    q = q[jnp.arange(q.shape[0]), batch.action]
    v = jax.vmap(eqx.combine(theta_T, model))(next_states).max(axis=1)
    alive = 1.0 - jnp.asarray(batch.terminated, f64)
    return optax.squared_error(q, batch.reward + alive * gamma * v).mean()


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    loss = td_loss(theta_Q, theta_T, model, batch, gamma)
    grads = jax.grad(td_loss)(theta_Q, theta_T, model, batch, gamma)
    updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
    return optax.apply_updates(theta_Q, updates), opt_state, loss


def sync_target(theta_Q, theta_T, step, period):
    return theta_Q if step % period == 0 else theta_T
