"""Prints, progress bars, plots, asserts and logs, left in from a long night."""

import functools
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

logging.basicConfig(level=logging.INFO)
log = logging.getLogger("homework")

print("Loading my homework 2!!! backend:", plt.get_backend())
print("devices", jax.devices())

STARTED = time.time()
CALLS: dict[str, int] = {}
LOSSES: list = []


def counted(function):
    """Print how often something was called, and how long it took."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        CALLS[function.__name__] = CALLS.get(function.__name__, 0) + 1
        before = time.perf_counter()
        result = function(*args, **kwargs)
        seconds = time.perf_counter() - before
        print(f"{function.__name__} #{CALLS[function.__name__]}: {seconds:.3f} s")
        return result

    return wrapper


def progress(iterable, total, width=30):
    """What tqdm does, for those who may not install it."""
    for i, item in enumerate(iterable):
        bar = "█" * (width * (i + 1) // total)
        print(f"\r{bar:<{width}} {i + 1}/{total}", end="", file=sys.stderr, flush=True)
        yield item
    print(file=sys.stderr)


class Transition(NamedTuple):
    """A step or a batch of steps."""

    state: jax.Array
    action: jax.Array
    reward: jax.Array
    terminated: jax.Array
    next_state: jax.Array


def episode_terminateds(num_steps):
    print("episode of", num_steps, "steps")
    return jnp.concatenate([jnp.zeros(num_steps - 1, bool), jnp.ones(1, bool)])


@counted
def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    assert len(states) == len(actions) == len(rewards) == len(next_states)
    log.info("Q before: %s", Q)
    Q = jnp.asarray(Q)
    new_Q = Q
    for t in progress(range(len(states)), len(states)):
        s, a, r, s_next = states[t], actions[t], rewards[t], next_states[t]
        print("   t", t, "s", s, "a", a, "r", r, "s'", s_next, "d", terminateds[t])
        not_d = 1 - jnp.asarray(terminateds[t], jnp.float32)
        eta = Q[s, a] - (r + not_d * gamma * jnp.max(Q[s_next]))
        new_Q = new_Q.at[s, a].add(-alpha * eta)
    log.info("Q after: %s", new_Q)
    assert new_Q.shape == Q.shape, "what happened to the table?"
    return new_Q


@counted
def discounted_returns(rewards, gamma):
    G = []
    G_t = 0.0
    for r in progress(list(rewards)[::-1], len(rewards)):
        G_t = r + gamma * G_t
        print("    G_t =", G_t)
        G.append(G_t)
    G.reverse()
    assert len(G) == len(rewards)
    return jnp.array(G)


@counted
def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    Q = eqx.combine(theta_Q, model)
    G = discounted_returns(rewards, gamma)
    predictions = jax.vmap(Q)(states)
    print("predictions", predictions.shape, predictions)
    assert predictions.ndim == 2
    picked = predictions[jnp.arange(len(actions)), actions]
    assert picked.shape == G.shape, (picked.shape, G.shape)
    loss = jnp.mean((picked - G) ** 2)
    jax.debug.print("mc loss {loss}", loss=loss)
    LOSSES.append(loss)
    return loss


class MyNet(eqx.Module):
    """My network :-)."""

    linear1: eqx.nn.Linear
    linear2: eqx.nn.Linear
    linear3: eqx.nn.Linear

    def __init__(self, key, state_dim, num_actions, hidden=64):
        print(f"MyNet: {state_dim} -> {hidden} -> {hidden} -> {num_actions}")
        k1, k2, k3 = jax.random.split(key, 3)
        self.linear1 = eqx.nn.Linear(state_dim, hidden, key=k1)
        self.linear2 = eqx.nn.Linear(hidden, hidden, key=k2)
        self.linear3 = eqx.nn.Linear(hidden, num_actions, key=k3)
        count = sum(x.size for x in jax.tree.leaves(eqx.filter(self, eqx.is_array)))
        print(f"MyNet has {count} parameters")

    def __call__(self, x):
        """My forward pass."""
        print("MyNet: forward", x)
        x = jax.nn.relu(self.linear1(x))
        x = jax.nn.relu(self.linear2(x))
        x = self.linear3(x)
        jax.debug.print("q values {x}", x=x)
        return x


@counted
def q_network(key, state_dim, num_actions):
    return MyNet(key, state_dim, num_actions)


@counted
def epsilon_greedy(key, q_values, epsilon):
    assert q_values.ndim == 2, f"need [N, A], got {q_values.shape}"
    k1, k2 = jax.random.split(key)
    N, A = q_values.shape
    random_actions = jax.random.randint(k1, (N,), minval=0, maxval=A)
    greedy_actions = jnp.argmax(q_values, axis=1)
    is_random = jax.random.uniform(k2, (N,)) < epsilon
    jax.debug.print("epsilon {e} random? {r}", e=epsilon, r=is_random)
    actions = jnp.where(is_random, random_actions, greedy_actions)
    assert actions.shape == (N,)
    return actions


class ReplayBuffer:
    """Stores transitions and talks about it."""

    def __init__(self, capacity):
        print("new buffer of capacity", capacity)
        self.capacity = capacity
        self.data = []
        self.position = 0

    def add(self, state, action, reward, terminated, next_state):
        """Store one and say so."""
        assert np.shape(state) == np.shape(next_state)
        item = Transition(
            np.array(state),
            int(action),
            float(reward),
            bool(terminated),
            np.array(next_state),
        )
        if len(self.data) < self.capacity:
            self.data.append(item)
        else:
            self.data[self.position] = item
        print(f"added at {self.position}: {item}")
        self.position = (self.position + 1) % self.capacity
        assert len(self.data) <= self.capacity

    def __len__(self):
        return len(self.data)

    def __repr__(self):
        return f"ReplayBuffer({len(self)}/{self.capacity})"

    def sample(self, batch_size, rng):
        """Draw and say so."""
        assert batch_size <= len(self), f"{batch_size} of {self}"
        idx = rng.choice(len(self), size=batch_size, replace=False)
        print("sampled", idx, "from", self)
        items = [self.data[i] for i in idx]
        return Transition(*(np.array(x) for x in zip(*items, strict=True)))


@counted
def td_loss(theta_Q, theta_T, model, batch, gamma):
    Q, Q_T = eqx.combine(theta_Q, model), eqx.combine(theta_T, model)
    B = batch.state.shape[0]
    q_all = jax.vmap(Q)(batch.state)
    q = q_all[jnp.arange(B), batch.action]
    next_q = jax.vmap(Q_T)(batch.next_state)
    max_next_q = jnp.max(next_q, axis=1)
    not_done = 1.0 - jnp.asarray(batch.terminated).astype(jnp.float32)
    target = batch.reward + gamma * not_done * max_next_q
    for name, x in {"q": q, "max": max_next_q, "target": target}.items():
        print(f"  {name}: {x.shape} {x.dtype}")
        assert x.shape == (B,), f"{name} has shape {x.shape}"
    td_error = q - target
    loss = jnp.mean(td_error**2)
    jax.debug.print("td loss {x}, largest error {e}", x=loss, e=td_error.max())
    return loss


@counted
def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    loss, grads = jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, gamma)
    norm = optax.global_norm(grads)
    jax.debug.print("gradient norm {n}", n=norm)
    updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
    theta_Q = eqx.apply_updates(theta_Q, updates)
    return theta_Q, opt_state, loss


@counted
def sync_target(theta_Q, theta_T, step, period):
    if step % period == 0:
        log.warning("step %d: target network updated", step)
        return jax.tree.map(jnp.array, theta_Q)
    return theta_T


def plot_epsilon():
    """A picture that nobody asked for."""
    figure, axes = plt.subplots()
    axes.plot(np.linspace(1, 0.04, 50))
    axes.set_title("epsilon")
    path = Path(tempfile.gettempdir()) / "epsilon.png"
    try:
        figure.savefig(path)
    except OSError as error:
        log.warning("no picture: %s", error)
    plt.show()


plot_epsilon()
print(f"imported in {time.time() - STARTED:.1f} s")

if __name__ == "__main__":
    rng = np.random.default_rng(0)
    buffer = ReplayBuffer(10)
    for i in range(20):
        buffer.add(rng.normal(size=4), i % 2, 1.0, i == 19, rng.normal(size=4))
    print(buffer.sample(5, rng))
