"""The questions that the checks ask, from two sources of numbers.

Each builder makes one `Case` from a source: `Fixed` draws from a fixed seed (the
fixed cases, whose answers are recorded), `Drawn` from hypothesis (live, shrinking). The
shapes are pairwise different and few, the numbers signed and no integers: what a zero,
a one or a square shape would hide shows here.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import hypothesis.strategies as st
import numpy as np
from hypothesis.extra.numpy import arrays

from grader.contract.case import Args, Case

CASES_OF_EACH = 4  # so that a sign or a size that only some have is met
WIDTH = 8  # of the probe network's hidden layer
# Where a case has no other. They are plain Python values, and each has programs of its
# own: two in all are enough to tell them from constants, three for returns.
ALPHA, GAMMA = 0.1, 0.7


class Source(Protocol):
    """Where a builder's numbers come from."""

    def reals(self, *shape: int) -> np.ndarray:
        """Draw float32 numbers of both signs."""

    def whole(self, below: int, *shape: int) -> np.ndarray:
        """Draw int32 in [0, below)."""

    def flags(self, *shape: int) -> np.ndarray:
        """Booleans."""

    def pick(self, options: list[Any]) -> Any:
        """Pick one of the options, the first being the simplest."""

    def generator(self) -> np.random.Generator:
        """Return a generator for what is too large to be drawn number by number."""


class Fixed:
    """Numbers from a seed that never changes."""

    def __init__(self, name: str) -> None:
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))

    def reals(self, *shape: int) -> np.ndarray:
        return np.round(self.rng.uniform(-4, 4, shape), 2).astype(np.float32)

    def whole(self, below: int, *shape: int) -> np.ndarray:
        return self.rng.integers(0, below, shape).astype(np.int32)

    def flags(self, *shape: int) -> np.ndarray:
        return self.rng.integers(0, 2, shape).astype(bool)

    def pick(self, options: list[Any]) -> Any:
        return options[self.rng.integers(len(options))]

    def generator(self) -> np.random.Generator:
        return self.rng


class Drawn:
    """Numbers that hypothesis draws, and shrinks when a check fails on them."""

    def __init__(self, draw: Callable) -> None:
        self.draw = draw

    def reals(self, *shape: int) -> np.ndarray:
        quarters = arrays(np.int32, shape, elements=st.integers(-16, 16))
        return (self.draw(quarters) / 4).astype(np.float32)

    def whole(self, below: int, *shape: int) -> np.ndarray:
        return self.draw(arrays(np.int32, shape, elements=st.integers(0, below - 1)))

    def flags(self, *shape: int) -> np.ndarray:
        return self.draw(arrays(np.bool_, shape, elements=st.booleans()))

    def pick(self, options: list[Any]) -> Any:
        return self.draw(st.sampled_from(options))

    def generator(self) -> np.random.Generator:
        return np.random.default_rng(self.draw(st.integers(0, 2**16)))


@dataclass(frozen=True)
class Cases:
    """What one equality check is checked on.

    Attributes:
        fixed: the same in every run, the smallest first.
        strategy: hypothesis' way to draw more of the same kind.
    """

    fixed: tuple[Case, ...]
    strategy: st.SearchStrategy[Case]


def cases(build: Callable[..., Case], *settings: dict[str, Any]) -> Cases:
    """Make a few fixed cases with each of the settings, and a strategy that draws more.

    Args:
        build: takes a source and settings.
        settings: for the builder, the smallest first.
    """
    fixed = tuple(
        build(Fixed(f"{build.__name__} {i} {j}"), **chosen)
        for i, chosen in enumerate(settings)
        for j in range(CASES_OF_EACH)
    )

    @st.composite
    def strategy(draw: Callable) -> Case:
        return build(Drawn(draw), **draw(st.sampled_from(settings)))

    return Cases(fixed, strategy())


def rewards(source: Source, size: int, scale: float) -> np.ndarray:
    """Rewards of both signs; among several one is 0, as most are in many tasks."""
    drawn = source.reals(size) * np.float32(scale) + np.float32(0)  # never -0.0
    if size > 2:
        drawn[size // 2] = 0.0
    return drawn


# ---------------------------------------------------------------- the table


def td0(
    source: Source,
    num_steps: int,
    *,
    ends: bool,
    num_states: int = 7,
    num_actions: int = 3,
    revisits: bool = False,
    scale: float = 1.0,
    alpha: float = ALPHA,
    gamma: float = GAMMA,
) -> Case:
    """Make one episode for `update_Q_TD0`.

    Without `revisits` its states are all different, the last next state included, so
    that every sound reading gives one result. With it, few states are visited often.
    A large `scale` of the rewards shows what clips.
    """
    if revisits:
        path = source.whole(2, num_steps + 1)
    else:
        path = source.generator().permutation(num_states)[: num_steps + 1]
    terminateds = np.zeros(num_steps, bool)
    terminateds[-1] = ends
    args = {
        "Q": source.reals(num_states, num_actions),
        "states": path[:-1].astype(np.int32),
        "actions": source.whole(num_actions, num_steps),
        "rewards": rewards(source, num_steps, scale),
        "next_states": path[1:].astype(np.int32),
        "terminateds": terminateds,
    }
    return Case("update_Q_TD0", {"alpha": alpha, "gamma": gamma}, args)


# ---------------------------------------------------------------- Monte Carlo


def returns(
    source: Source, num_steps: int, *, gamma: float = GAMMA, scale: float = 1.0
) -> Case:
    """Make one complete episode's rewards for `discounted_returns`."""
    args = {"reward": rewards(source, num_steps, scale)}
    return Case("discounted_returns", {"gamma": gamma}, args)


def mc(
    source: Source,
    num_steps: int,
    *,
    state_dim: int = 3,
    num_actions: int = 4,
    scale: float = 1.0,
    gamma: float = GAMMA,
) -> Case:
    """Make one complete episode for `mc_loss`, on the probe network."""
    args = {
        "theta_Q": probe(source.generator(), state_dim, num_actions),
        "state": source.reals(num_steps, state_dim),
        "action": source.whole(num_actions, num_steps),
        "reward": rewards(source, num_steps, scale),
    }
    spec = {**probe_spec(state_dim, num_actions), "gradient": True, "gamma": gamma}
    return Case("mc_loss", spec, args)


# ---------------------------------------------------------------- deep Q learning


def td(
    source: Source,
    batch_size: int,
    state_dim: int = 3,
    num_actions: int = 4,
    *,
    ends: str = "mixed",
    scale: float = 1.0,
    gamma: float = GAMMA,
) -> Case:
    """Make a batch for `td_loss`, on the probe network; theta_T is not theta_Q.

    Args:
        source: of the numbers.
        batch_size: B.
        state_dim: D.
        num_actions: A.
        ends: which transitions end an episode: "none", "all", or "mixed".
        scale: of the rewards; a large one shows what clips.
        gamma: the discount.
    """
    rng = source.generator()
    if ends == "mixed":
        terminated = source.flags(batch_size)
        terminated[:2] = False, True
    else:
        terminated = np.full(batch_size, ends == "all")
    args = {
        "theta_Q": probe(rng, state_dim, num_actions),
        "theta_T": probe(rng, state_dim, num_actions),
        "state": source.reals(batch_size, state_dim),
        "action": source.whole(num_actions, batch_size),
        "reward": rewards(source, batch_size, scale),
        "terminated": terminated,
        "next_state": source.reals(batch_size, state_dim),
    }
    spec = {**probe_spec(state_dim, num_actions), "gradient": True, "gamma": gamma}
    return Case("td_loss", spec, args)


def probe_spec(state_dim: int, num_actions: int) -> dict[str, Any]:
    """Return the spec of the grader's own small network."""
    return {"net": "probe", "state_dim": state_dim, "num_actions": num_actions}


def probe(
    rng: np.random.Generator, state_dim: int, num_actions: int
) -> list[np.ndarray]:
    """Parameters of the probe network: values of both signs, no unit saturated."""
    shapes = [(WIDTH, state_dim), (WIDTH,), (num_actions, WIDTH), (num_actions,)]
    scales = [0.3, 0.3, 1.5, 1.5]
    return [
        (rng.normal(size=shape) * scale).astype(np.float32)
        for shape, scale in zip(shapes, scales, strict=True)
    ]


def on_table(case: Case) -> Case:
    """Return a loss's batch with tables in the place of the probe networks.

    State i is a one-hot row and its values are a column of the table, so that in the
    gradient every transition, and every action of it, stands alone.
    """
    size = len(case.args["action"])
    states = {"state": np.arange(size)}
    if case.part == "td_loss":
        states["next_state"] = size + np.arange(size)
    rows = size * len(states)
    seen = np.concatenate([case.args[name] for name in states])
    args = dict(case.args)
    for name in ("theta_Q", "theta_T"):
        if name in args:
            args[name] = [probe_values(args[name], seen).T]
    for name, where in states.items():
        args[name] = np.eye(rows, dtype=np.float32)[where]
    num_actions = case.spec["num_actions"]
    spec = {"net": "table", "state_dim": rows, "num_actions": num_actions}
    return Case(case.part, {**case.spec, **spec}, args)


def probe_values(theta: list[np.ndarray], states: np.ndarray) -> np.ndarray:
    """Compute the values [B,A] of the probe network, or of a table."""
    if len(theta) == 1:
        return states @ theta[0].T
    weight, bias, last_weight, last_bias = theta
    return np.tanh(states @ weight.T + bias) @ last_weight.T + last_bias


def taken_values(args: Args) -> np.ndarray:
    """Q(s_i, a_i; θ_Q) [B] of the probe network, for the actions that were taken."""
    values = probe_values(args["theta_Q"], args["state"])
    return values[np.arange(len(values)), args["action"]]


def update(case: Case, optimizer: str, opt_state: list[np.ndarray]) -> Case:
    """Make the question for `td_update` of a loss's batch."""
    spec = {k: v for k, v in case.spec.items() if k != "gradient"}
    args = {**case.args, "opt_state": opt_state}
    return Case("td_update", {**spec, "optimizer": optimizer}, args)


def sync(
    theta_Q: list[np.ndarray],
    theta_T: list[np.ndarray],
    step: int,
    period: int,
    net: str = "probe",
) -> Case:
    """Make a question for `sync_target`; its network's sizes are CartPole's."""
    spec = {"net": net, "state_dim": 4, "num_actions": 2, "step": step}
    args = {"theta_Q": theta_Q, "theta_T": theta_T}
    return Case("sync_target", {**spec, "period": period}, args)


def fresh_network(seed: int, state_dim: int, num_actions: int) -> Case:
    """Make the question for the parameters of a new network."""
    spec = {"state_dim": state_dim, "num_actions": num_actions}
    return Case("q_network", spec, {"key": np.array([0, seed], np.uint32)})


def exploration(key: np.ndarray, q_values: np.ndarray, epsilon: float) -> Case:
    """Make a question for `epsilon_greedy`."""
    args = {"key": key, "q_values": q_values, "epsilon": np.float32(epsilon)}
    return Case("epsilon_greedy", {}, args)


def distinct(rng: np.random.Generator, rows: int, num_actions: int) -> np.ndarray:
    """Values [N,A] without ties, of both signs, every action the best somewhere."""
    ranks = rng.permuted(np.tile(np.arange(num_actions), (rows, 1)), axis=1)
    noise = rng.uniform(-0.3, 0.3, (rows, num_actions))
    return (3.0 * ranks - 4.0 + noise).astype(np.float32)


def learning(theta: list[np.ndarray], opt_state: list[np.ndarray]) -> dict[str, Case]:
    """Make a case for each program of learning, by role; all numbers are zero."""
    own = {"net": "own", "state_dim": 4, "num_actions": 2}
    table = {"net": "table", "state_dim": 128, "num_actions": 2}

    def zeros(*shape: int, dtype: Any = np.float32) -> np.ndarray:
        return np.zeros(shape, dtype)

    def update_of(
        spec: dict[str, Any],
        theta: list[np.ndarray],
        optimizer: str,
        opt_state: list[np.ndarray],
    ) -> Case:
        states = zeros(64, spec["state_dim"])
        args = {
            "theta_Q": theta,
            "theta_T": theta,
            "state": states,
            "action": zeros(64, dtype=np.int32),
            "reward": zeros(64),
            "terminated": zeros(64, dtype=np.bool_),
            "next_state": states,
        }
        case = Case("td_loss", {**spec, "gamma": 0.99}, args)
        return update(case, optimizer, opt_state)

    return {
        "act": exploration(zeros(2, dtype=np.uint32), zeros(8, 2), 0.0),
        "network": Case(
            "forward",
            {**own, "derivative": True},
            {"theta": theta, "state": zeros(64, 4)},
        ),
        "update": update_of(own, theta, "cartpole", opt_state),
        "update_values": update_of(table, [zeros(2, 128)], "slope", []),
    }


# ---------------------------------------------------------------- the buffer


def transitions(first: int, last: int, state_dim: int = 3) -> dict[str, np.ndarray]:
    """Transitions that carry their number in every field: any mix-up shows."""
    number = np.arange(first, last)
    columns = np.arange(state_dim) / 10  # digits that a shorter float would lose
    return {
        "state": (number[:, None] + 0.3 + columns).astype(np.float32),
        "action": (number * 3 % 5).astype(np.int32),
        "reward": (-number - 0.3).astype(np.float32),
        "terminated": number % 3 == 0,
        "next_state": (number[:, None] + 1000.7 + columns).astype(np.float32),
    }
