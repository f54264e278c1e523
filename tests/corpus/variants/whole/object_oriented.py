"""Helper classes, dataclasses, abstract bases; the contract's names at the end."""

import abc
import dataclasses
import enum
from collections.abc import Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax


class Transition(NamedTuple):
    """A step or a batch of steps."""

    state: Any
    action: Any
    reward: Any
    terminated: Any
    next_state: Any


class Ending(enum.Enum):
    """What may follow a step."""

    CONTINUES = 0
    TERMINAL = 1

    @property
    def discount(self) -> float:
        """The share of the future that counts."""
        return 1.0 - self.value


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of an episode in a table."""

    state: int
    action: int
    reward: float
    next_state: int
    ending: Ending


class Episode:
    """A sequence of steps."""

    def __init__(self, *columns: Any) -> None:
        self._columns = [np.asarray(column) for column in columns]

    def __iter__(self) -> Iterator[Step]:
        for s, a, r, after, d in zip(*self._columns, strict=True):
            yield Step(int(s), int(a), float(r), int(after), Ending(int(d)))


class Table:
    """Action values in a table, with the rule by which they learn."""

    def __init__(self, values: Any) -> None:
        self.values = np.array(values, dtype=np.float64)

    def best(self, state: int) -> float:
        """The largest value of a state."""
        return float(self.values[state].max())

    def error(self, step: Step, gamma: float) -> float:
        """The temporal difference η of a step."""
        future = step.ending.discount * gamma * self.best(step.next_state)
        return float(self.values[step.state, step.action]) - (step.reward + future)

    def learn(self, episode: Episode, *, alpha: float, gamma: float) -> "Table":
        """A new table, every error from this one."""
        learned = Table(self.values)
        for step in episode:
            learned.values[step.state, step.action] -= alpha * self.error(step, gamma)
        return learned


class Labels(abc.ABC):
    """Where the numbers come from that a network is fitted to."""

    @abc.abstractmethod
    def __call__(self) -> jax.Array:
        """The labels."""


@dataclasses.dataclass
class Returns(Labels):
    """Monte Carlo labels."""

    rewards: Any
    gamma: Any

    def __call__(self) -> jax.Array:
        """The returns of each step."""
        return jnp.asarray(discounted_returns(self.rewards, self.gamma))


@dataclasses.dataclass
class Bootstrapped(Labels):
    """Temporal-difference labels."""

    target: "Critic"
    batch: Transition
    gamma: Any

    def __call__(self) -> jax.Array:
        """Rewards, and the best that the target network expects."""
        not_over = jnp.logical_not(self.batch.terminated)
        best = self.target.all(self.batch.next_state).max(axis=1)
        return self.batch.reward + self.gamma * jnp.where(not_over, best, 0.0)


class Critic:
    """A network put together from its two halves."""

    def __init__(self, theta: Any, model: Any) -> None:
        self._net = eqx.combine(theta, model)

    def all(self, states: Any) -> jax.Array:
        """Every action's value in each state."""
        return jax.vmap(self._net)(states)

    def of(self, states: Any, actions: Any) -> jax.Array:
        """The chosen actions' values."""
        return jax.vmap(lambda values, a: values[a])(self.all(states), actions)


class MeanSquaredError:
    """What is minimised."""

    def __call__(self, predicted: jax.Array, labels: Labels) -> jax.Array:
        """The mean over the batch."""
        return jnp.mean(jnp.square(predicted - labels()))


class QNetwork(eqx.Module):
    """Two hidden layers."""

    layers: tuple[eqx.nn.Linear, eqx.nn.Linear, eqx.nn.Linear]

    @staticmethod
    def create(key: Any, state_dim: int, num_actions: int) -> "QNetwork":
        """Draw a network."""
        widths = state_dim, 64, 64, num_actions
        keys = jax.random.split(key, 3)
        return QNetwork(
            tuple(eqx.nn.Linear(*widths[i : i + 2], key=keys[i]) for i in range(3))
        )

    def _hidden(self, state: jax.Array) -> jax.Array:
        first, second, _ = self.layers
        return jax.nn.elu(second(jax.nn.elu(first(state))))

    def __call__(self, state: jax.Array) -> jax.Array:
        """Every action's value in a state."""
        return self.layers[-1](self._hidden(state))


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class EpsilonGreedy:
    """A policy that is a tree, so that it can be mapped and jitted."""

    epsilon: Any

    def one(self, key: Any, values: jax.Array) -> jax.Array:
        """The action in one environment."""
        coin, die = jax.random.split(key)
        return jnp.where(
            jax.random.bernoulli(coin, self.epsilon),
            jax.random.choice(die, values.shape[0]),
            values.argmax(),
        )

    def __call__(self, key: Any, values: jax.Array) -> jax.Array:
        """The actions in all environments."""
        keys = jax.random.split(key, values.shape[0])
        return jax.vmap(self.one)(keys, values)


class Ring:
    """A fixed number of places, the oldest of which is written next."""

    def __init__(self, places: int) -> None:
        self._items: list[Any] = []
        self._places, self._next = places, 0

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> Any:
        return self._items[index]

    def push(self, item: Any) -> None:
        """Write the next place."""
        self._items[self._next : self._next + 1] = [item]
        self._next = (self._next + 1) % self._places


class ReplayBuffer:
    """A ring of transitions."""

    def __init__(self, capacity: int) -> None:
        self._ring = Ring(capacity)

    def add(
        self, state: Any, action: Any, reward: Any, terminated: Any, next_state: Any
    ) -> None:
        """Push copies."""
        copies = map(np.copy, (state, action, reward, terminated, next_state))
        self._ring.push(Transition(*copies))

    def __len__(self) -> int:
        return len(self._ring)

    def sample(self, batch_size: int, rng: np.random.Generator) -> Transition:
        """Draw with replacement."""
        indices = rng.integers(low=0, high=len(self), size=batch_size)
        columns = zip(*(self._ring[int(i)] for i in indices), strict=True)
        return Transition._make(np.stack(column) for column in columns)


class Trainer:
    """One optimizer step, for any loss of theta."""

    def __init__(self, optimizer: optax.GradientTransformation) -> None:
        self.optimizer = optimizer

    def step(self, loss_of: Any, theta: Any, state: Any) -> tuple[Any, Any, Any]:
        """The new parameters, the new state, the loss before."""
        loss, grads = jax.value_and_grad(loss_of)(theta)
        updates, state = self.optimizer.update(grads, state, theta)
        return optax.apply_updates(theta, updates), state, loss


class Schedule:
    """When a target network is renewed."""

    def __init__(self, period: int) -> None:
        self.period = period

    def is_due(self, step: int) -> bool:
        """Whether this update's number is a multiple of the period."""
        return step % self.period == 0


def episode_terminateds(num_steps):
    endings = [Ending.CONTINUES] * (num_steps - 1) + [Ending.TERMINAL]
    return np.array([ending is Ending.TERMINAL for ending in endings])


def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    episode = Episode(states, actions, rewards, next_states, terminateds)
    return Table(Q).learn(episode, alpha=alpha, gamma=gamma).values


def discounted_returns(rewards, gamma):
    class Accumulator:
        total = 0.0

        def push(self, reward):
            self.total = reward + gamma * self.total
            return self.total

    accumulator = Accumulator()
    backwards = [accumulator.push(r) for r in rewards[::-1]]
    return jnp.stack([jnp.asarray(G) for G in reversed(backwards)])


def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    predicted = Critic(theta_Q, model).of(states, actions)
    return MeanSquaredError()(predicted, Returns(rewards, gamma))


def q_network(key, state_dim, num_actions):
    return QNetwork.create(key, state_dim, num_actions)


def epsilon_greedy(key, q_values, epsilon):
    return EpsilonGreedy(epsilon)(key, q_values)


def td_loss(theta_Q, theta_T, model, batch, gamma):
    predicted = Critic(theta_Q, model).of(batch.state, batch.action)
    labels = Bootstrapped(Critic(theta_T, model), batch, gamma)
    return MeanSquaredError()(predicted, labels)


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    return Trainer(optimizer).step(
        lambda theta: td_loss(theta, theta_T, model, batch, gamma), theta_Q, opt_state
    )


def sync_target(theta_Q, theta_T, step, period):
    return theta_Q if Schedule(period).is_due(step) else theta_T
