"""The builders of cases: functions that make one `Case`, mostly with drawn numbers.

Few shapes are used, because each shape needs its own program. A mistake can stay hidden
if a size is 1, if two sizes are equal, or if numbers are 0 or 1. So the sizes in a
shape are pairwise different, and the numbers have both signs and are mostly no whole
numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np

from grader.contract.case import Args, Case
from grader.contract.sources import Drawn, Fixed, Source

# Number of fixed cases for each dict of settings that a check gives to `cases`. There
# are several, because some mistakes show only with certain signs and sizes of the
# numbers.
CASES_OF_EACH = 4
WIDTH = 8  # units in the hidden layer of the probe network
# The usual step size and discount. Each other value needs a program of its own. So the
# cases have only two values of each (three for returns), which is enough to see whether
# a part ignores the argument.
ALPHA, GAMMA = 0.1, 0.7


@dataclass(frozen=True)
class Cases:
    """The cases of one check that compares answers with the reference's.

    Attributes:
        fixed: the fixed cases, the smallest first.
        strategy: hypothesis strategy that draws cases with settings of fixed cases.
    """

    fixed: tuple[Case, ...]
    strategy: st.SearchStrategy[Case]


def cases(build: Callable[..., Case], *settings: dict[str, Any]) -> Cases:
    """Return the fixed cases of a check, and a strategy that draws further cases.

    There are CASES_OF_EACH fixed cases for each dict in `settings`. The strategy picks
    one of these dicts at random, and then draws the numbers of the case.

    Args:
        build: function that takes a source of numbers and keyword arguments, and
            returns a case.
        settings: dicts with keyword arguments of `build`. The dict of the smallest
            cases comes first.
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
    """Draw rewards, float32 [size]; if there are three or more, the middle one is 0.

    A reward of 0 is included because it is frequent in many tasks.

    Args:
        source: source of the numbers.
        size: number of rewards.
        scale: factor by which the drawn numbers, from -4 to 4, are multiplied.
    """
    drawn = source.reals(size) * np.float32(scale) + np.float32(0)  # -0.0 becomes 0.0
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
    """Return a case of `update_Q_TD0`: one episode.

    Args:
        source: source of the numbers.
        num_steps: number T of steps.
        ends: whether the episode ends in a terminal state; False if a time limit cut
            it.
        num_states: number S of states; has to be larger than T if `revisits` is False.
        num_actions: number A of actions.
        revisits: whether the episode moves between two states only and so visits them
            repeatedly, until it ends in a third one. If False, no state is visited
            twice. The new Q is then the same whether all steps are updated at once or
            one after the other.
        scale: factor of the rewards; large rewards show whether a part clips values.
        alpha: step size.
        gamma: discount.
    """
    if revisits:
        path = source.whole(2, num_steps + 1)
        path = np.append(path[:-1], 2) if ends else path  # no step leaves an end
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
    """Return a case of `discounted_returns`: the rewards of one complete episode.

    Args:
        source: source of the numbers.
        num_steps: number T of steps.
        gamma: discount.
        scale: factor of the rewards; large rewards show whether a part clips values.
    """
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
    """Return a case of `mc_loss`: one complete episode, with the probe network.

    The probe network is a small network of the grader, see `probe`.

    Args:
        source: source of the numbers.
        num_steps: number T of steps.
        state_dim: number D of numbers in a state.
        num_actions: number A of actions.
        scale: factor of the rewards; large rewards show whether a part clips values.
        gamma: discount.
    """
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
    """Return a case of `td_loss`: one batch, with the probe network.

    The probe network is a small network of the grader, see `probe`. theta_T differs
    from theta_Q, so that the loss is wrong if a part confuses them.

    Args:
        source: source of the numbers.
        batch_size: number B of transitions, at least 2 for "mixed".
        state_dim: number D of numbers in a state.
        num_actions: number A of actions.
        ends: which transitions are terminated: "none", "all", or "mixed" (not all, but
            at least one).
        scale: factor of the rewards; large rewards show whether a part clips values.
        gamma: discount.
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
    """Return a case's settings for the probe network, a small network of the grader."""
    return {"net": "probe", "state_dim": state_dim, "num_actions": num_actions}


def probe(
    rng: np.random.Generator, state_dim: int, num_actions: int
) -> list[np.ndarray]:
    """Draw parameters of the probe network: weights and biases, by layer.

    The probe network has one hidden layer of WIDTH tanh units. The parameters have both
    signs. Those of the hidden layer are small, so that the units hardly saturate.

    Args:
        rng: generator of the random numbers.
        state_dim: number D of numbers in a state.
        num_actions: number A of actions.

    Returns:
        Four float32 arrays: [WIDTH,D], [WIDTH], [A,WIDTH] and [A].
    """
    shapes = [(WIDTH, state_dim), (WIDTH,), (num_actions, WIDTH), (num_actions,)]
    scales = [0.3, 0.3, 1.5, 1.5]
    return [
        (rng.normal(size=shape) * scale).astype(np.float32)
        for shape, scale in zip(shapes, scales, strict=True)
    ]


def on_table(case: Case) -> Case:
    """Return a case of a loss with tables in place of the probe networks.

    Each probe network (see `probe`) becomes a table, an array with one row for each
    action and one column for each state of the case (in `state` and `next_state`). A
    column holds the values that the network gives to one state. In the new case, this
    state is a one-hot vector that selects the column. So the gradient, too, has a
    column for each state.

    Args:
        case: a case of `mc_loss` or `td_loss` with the probe network.
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
    """Return the values [B,A] that the probe network or a table gives to states.

    Args:
        theta: parameters of the probe network (see `probe`), or the table as a list of
            one array [A,D].
        states: the states [B,D]; for a table, one-hot vectors.
    """
    if len(theta) == 1:
        return states @ theta[0].T
    weight, bias, last_weight, last_bias = theta
    return np.tanh(states @ weight.T + bias) @ last_weight.T + last_bias


def taken_values(args: Args) -> np.ndarray:
    """Return Q(s_i, a_i; θ_Q) for each transition i of a case, as an array [B].

    Args:
        args: arguments of a case of `mc_loss` or `td_loss` with the probe network (see
            `probe`) or a table (see `on_table`).
    """
    values = probe_values(args["theta_Q"], args["state"])
    return values[np.arange(len(values)), args["action"]]


def update(case: Case, optimizer: str, opt_state: list[np.ndarray]) -> Case:
    """Return a case of `td_update` with the network and the batch of a `td_loss` case.

    Args:
        case: the case of `td_loss`.
        optimizer: name of the optimizer.
        opt_state: arrays of the optimizer's state before the step.
    """
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
    """Return a case of `sync_target` for states of 4 numbers and for 2 actions.

    Args:
        theta_Q: parameters of the network that learns.
        theta_T: parameters of the target network.
        step: number of gradient updates so far.
        period: number of updates from one sync to the next.
        net: name of the network in the settings.
    """
    spec = {"net": net, "state_dim": 4, "num_actions": 2, "step": step}
    args = {"theta_Q": theta_Q, "theta_T": theta_T}
    return Case("sync_target", {**spec, "period": period}, args)


def fresh_network(seed: int, state_dim: int, num_actions: int) -> Case:
    """Return a case of `q_network`, whose answer is the parameters of a new network.

    Args:
        seed: the second number of the JAX key; the first one is 0.
        state_dim: number D of numbers in a state.
        num_actions: number A of actions.
    """
    spec = {"state_dim": state_dim, "num_actions": num_actions}
    return Case("q_network", spec, {"key": np.array([0, seed], np.uint32)})


def exploration(key: np.ndarray, q_values: np.ndarray, epsilon: float) -> Case:
    """Return a case of `epsilon_greedy`.

    Args:
        key: the two numbers of a JAX key, uint32 [2].
        q_values: values of the actions in N states, one row each, float32 [N,A].
        epsilon: probability of a uniformly drawn action.
    """
    args = {"key": key, "q_values": q_values, "epsilon": np.float32(epsilon)}
    return Case("epsilon_greedy", {}, args)


def distinct(rng: np.random.Generator, rows: int, num_actions: int) -> np.ndarray:
    """Draw values of actions, float32 [rows, num_actions], without ties in a row.

    In each row, a random action has the largest value. With many rows, every action has
    the largest value in some row. With three or more actions, each row has values of
    both signs.
    """
    ranks = rng.permuted(np.tile(np.arange(num_actions), (rows, 1)), axis=1)
    noise = rng.uniform(-0.3, 0.3, (rows, num_actions))
    return (3.0 * ranks - 4.0 + noise).astype(np.float32)


# ---------------------------------------------------------------- the buffer


def transitions(first: int, last: int, state_dim: int = 3) -> dict[str, np.ndarray]:
    """Return the transitions with numbers first, ..., last - 1, as arrays by field.

    All fields of a transition are computed from its number. So a sampled row shows
    whether all its fields belong to the same transition.
    """
    number = np.arange(first, last)
    columns = np.arange(state_dim) / 10  # float16 cannot hold these digits
    return {
        "state": (number[:, None] + 0.3 + columns).astype(np.float32),
        "action": (number * 3 % 5).astype(np.int32),
        "reward": (-number - 0.3).astype(np.float32),
        "terminated": number % 3 == 0,
        "next_state": (number[:, None] + 1000.7 + columns).astype(np.float32),
    }
