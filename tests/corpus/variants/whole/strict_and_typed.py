"""Types and shapes declared and held to: matched, asserted, no silent broadcasting."""

from __future__ import annotations

import jax

jax.config.update("jax_numpy_rank_promotion", "raise")

import dataclasses  # noqa: E402
from typing import (  # noqa: E402
    Final,
    Generic,
    NamedTuple,
    Protocol,
    TypeVar,
    assert_never,
    final,
)

import equinox as eqx  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree  # noqa: E402

HIDDEN: Final = (64, 64)


class Transition(NamedTuple):
    """A step or a batch of steps."""

    state: Float[Array, "*B D"]
    action: Int[Array, "*B"]
    reward: Float[Array, "*B"]
    terminated: Bool[Array, "*B"]
    next_state: Float[Array, "*B D"]


class Network(Protocol):
    """What maps a state to the values of its actions."""

    def __call__(self, state: Float[Array, " D"]) -> Float[Array, " A"]:
        """Every action's value."""


def episode_terminateds(num_steps: int) -> Bool[Array, " T"]:
    return jnp.equal(jnp.arange(num_steps), jnp.full(num_steps, num_steps - 1))


def as_number(flags: Array) -> Float[Array, " T"]:
    return jnp.asarray(flags).astype(jnp.float32)


def update_Q_TD0(
    Q: Float[Array, "S A"],
    states: Int[Array, " T"],
    actions: Int[Array, " T"],
    rewards: Float[Array, " T"],
    next_states: Int[Array, " T"],
    terminateds: Bool[Array, " T"],
    alpha: float,
    gamma: float,
) -> Float[Array, "S A"]:
    (T,) = states.shape
    assert Q.ndim == 2
    assert actions.shape == rewards.shape == next_states.shape == (T,)
    best: Float[Array, " T"] = jnp.max(Q[next_states, :], axis=1)
    label = rewards + gamma * ((1.0 - as_number(terminateds)) * best)
    eta = Q[states, actions] - label
    assert eta.shape == (T,)
    return Q.at[states, actions].add(-alpha * eta)


def discounted_returns(rewards: Float[Array, " T"], gamma: float) -> Float[Array, " T"]:
    def back(
        later: Float[Array, ""], reward: Float[Array, ""]
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        total = reward + gamma * later
        return total, total

    start = jnp.zeros((), rewards.dtype)
    _, G = jax.lax.scan(back, start, rewards, reverse=True)
    assert G.shape == rewards.shape
    return G


def values_at(
    net: Network, states: Float[Array, "B D"], actions: Int[Array, " B"]
) -> Float[Array, " B"]:
    values = jax.vmap(net)(states)
    assert values.ndim == 2
    return values[jnp.arange(values.shape[0]), actions]


def mean_square(error: Float[Array, " B"]) -> Float[Array, ""]:
    assert error.ndim == 1, "a column minus a row is a matrix"
    return jnp.mean(jnp.square(error))


def mc_loss(
    theta_Q: PyTree,
    model: PyTree,
    states: Float[Array, "T D"],
    actions: Int[Array, " T"],
    rewards: Float[Array, " T"],
    gamma: float,
) -> Float[Array, ""]:
    net: Network = eqx.combine(theta_Q, model)
    return mean_square(
        values_at(net, states, actions) - discounted_returns(rewards, gamma)
    )


@final
class Layered(eqx.Module):
    """Linear layers with ReLU between them."""

    hidden: tuple[eqx.nn.Linear, ...]
    head: eqx.nn.Linear
    num_actions: int = eqx.field(static=True)

    def __check_init__(self) -> None:
        assert self.head.out_features == self.num_actions

    def __call__(self, state: Float[Array, " D"]) -> Float[Array, " A"]:
        """Every action's value in a state."""
        assert state.ndim == 1, "one state at a time; use jax.vmap"
        for layer in self.hidden:
            state = jax.nn.relu(layer(state))
        values = self.head(state)
        assert values.shape == (self.num_actions,)
        return values


def q_network(key: PRNGKeyArray, state_dim: int, num_actions: int) -> Layered:
    *keys, head_key = jax.random.split(key, len(HIDDEN) + 1)
    widths = (state_dim, *HIDDEN)
    hidden = tuple(
        eqx.nn.Linear(n_in, n_out, key=k)
        for k, n_in, n_out in zip(keys, widths[:-1], widths[1:], strict=True)
    )
    head = eqx.nn.Linear(widths[-1], num_actions, key=head_key)
    return Layered(hidden, head, num_actions)


def epsilon_greedy(
    key: PRNGKeyArray, q_values: Float[Array, "N A"], epsilon: float
) -> Int[Array, " N"]:
    assert jnp.issubdtype(key.dtype, jax.dtypes.prng_key), "a typed key, please"
    N, A = q_values.shape
    coin_key, action_key = jax.random.split(key, 2)
    explore: Bool[Array, " N"] = jax.random.bernoulli(coin_key, epsilon, (N,))
    anything: Int[Array, " N"] = jax.random.randint(action_key, (N,), 0, A)
    greedy = jnp.argmax(q_values, axis=1).astype(anything.dtype)
    return jax.lax.select(explore, anything, greedy)


Row = TypeVar("Row")


class Ring(Generic[Row]):
    """The last rows, in any order."""

    def __init__(self, capacity: int) -> None:
        assert capacity >= 1
        self.capacity: Final = capacity
        self.rows: list[Row] = []
        self.oldest = 0

    def push(self, row: Row) -> None:
        """Take one in; when full, in the place of the oldest."""
        match len(self.rows) - self.capacity:
            case 0:
                self.rows[self.oldest] = row
                self.oldest = (self.oldest + 1) % self.capacity
            case room if room < 0:
                self.rows.append(row)
            case never:
                assert_never(never)


@dataclasses.dataclass(frozen=True, slots=True)
class Stored:
    """One transition in NumPy's types."""

    state: np.ndarray
    action: np.int32
    reward: np.float32
    terminated: np.bool_
    next_state: np.ndarray


class ReplayBuffer:
    """A typed ring of transitions."""

    def __init__(self, capacity: int) -> None:
        self._ring: Ring[Stored] = Ring(capacity)

    def add(
        self,
        state: Float[np.ndarray, " D"],
        action: int,
        reward: float,
        terminated: bool,
        next_state: Float[np.ndarray, " D"],
    ) -> None:
        """Store a copy."""
        self._ring.push(
            Stored(
                np.array(state, np.float32),
                np.int32(action),
                np.float32(reward),
                np.bool_(terminated),
                np.array(next_state, np.float32),
            )
        )

    def __len__(self) -> int:
        return len(self._ring.rows)

    def sample(self, batch_size: int, rng: np.random.Generator) -> Transition:
        """Draw rows with replacement."""
        assert isinstance(rng, np.random.Generator)
        assert 1 <= batch_size <= len(self)
        rows = [self._ring.rows[i] for i in rng.integers(len(self), size=batch_size)]
        return Transition(
            **{
                name: np.stack([getattr(row, name) for row in rows])
                for name in Transition._fields
            }
        )


def td_loss(
    theta_Q: PyTree, theta_T: PyTree, model: PyTree, batch: Transition, gamma: float
) -> Float[Array, ""]:
    if not isinstance(batch, Transition):
        raise TypeError(f"expected a Transition, got a {type(batch).__name__}")
    match batch:
        case Transition(state=s, action=a, reward=r, terminated=d, next_state=s_next):
            online: Network = eqx.combine(theta_Q, model)
            target: Network = eqx.combine(theta_T, model)
    assert s.shape == s_next.shape
    assert a.shape == r.shape == d.shape == s.shape[:1]
    best = jnp.max(jax.vmap(target)(s_next), axis=1)
    label = r + gamma * ((1.0 - as_number(d)) * best)
    return mean_square(values_at(online, s, a) - label)


def td_update(
    theta_Q: PyTree,
    theta_T: PyTree,
    model: PyTree,
    batch: Transition,
    optimizer: optax.GradientTransformation,
    opt_state: optax.OptState,
    gamma: float,
) -> tuple[PyTree, optax.OptState, Float[Array, ""]]:
    loss, grads = jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, gamma)
    assert jax.tree.structure(grads) == jax.tree.structure(theta_Q)
    updates, new_state = optimizer.update(grads, opt_state, theta_Q)
    assert jax.tree.structure(new_state) == jax.tree.structure(opt_state)
    return optax.apply_updates(theta_Q, updates), new_state, loss


def sync_target(theta_Q: PyTree, theta_T: PyTree, step: int, period: int) -> PyTree:
    assert step >= 0
    assert period >= 1
    assert jax.tree.structure(theta_Q) == jax.tree.structure(theta_T)
    return theta_Q if step % period == 0 else theta_T
