"""Makes questions that tell the formulas of a loss apart."""

import numpy as np

from grader.contract import cases
from grader.contract.case import Case

# The checks use the same sizes, so programs for these sizes are compiled already.
SIZE, DIM, ACTIONS = 5, 3, 4
# The flags d of each batch. No row has the same flag in all batches, and the number of
# terminal rows is not the same in all batches.
ENDS = ([0, 1, 0, 0, 1], [1, 0, 0, 1, 0], [0, 0, 1, 1, 0], [0] * 5, [1] * 5)


def source_of(rng: np.random.Generator) -> cases.Fixed:
    """Return a source of numbers that draws from `rng`, for the builders in `cases`."""
    source = cases.Fixed("")
    source.rng = rng
    return source


def signed(rng: np.random.Generator, low: float, high: float, size: int) -> np.ndarray:
    """Draw numbers of both signs whose absolute values lie between two bounds.

    The logarithms of the absolute values are uniform. The numbers have two decimals.

    Args:
        rng: the source of random numbers.
        low: the lower bound, above 0.
        high: the upper bound.
        size: how many numbers to draw.
    """
    signs = rng.permutation(np.resize([1.0, -1.0], size))
    return np.round(signs * np.exp(rng.uniform(np.log(low), np.log(high), size)), 2)


def large(rng: np.random.Generator, ends: list[int]) -> np.ndarray:
    """Draw one reward of 0.6, and others between 600 and 2400 in absolute value.

    The reward 0.6 is within all likely bounds, and the others are beyond them. Of the
    large rewards, terminal rows have both signs, and the other rows have both signs. So
    a bound acts on rows without and with a future, on each side.

    Args:
        rng: the source of random numbers.
        ends: the flag d of each row, 0 or 1 [SIZE]; at least two are 1, and at least
            three are 0.
    """
    rewards = np.abs(signed(rng, 600.0, 2400.0, SIZE))
    for flag in (0, 1):
        rows = rng.permutation(np.flatnonzero(np.equal(ends, flag)))
        rewards[rows[0]] *= -1
        if not flag:
            rewards[rows[2]] = 0.6
    return rewards


def states(
    rng: np.random.Generator, theta_Q: list[np.ndarray], theta_T: list[np.ndarray]
) -> np.ndarray | None:
    """Draw next states for which the two networks have very different values.

    In one state all values by theta_T are negative, but not all by theta_Q. In another
    state all values by theta_Q are negative, but not all by theta_T. In each other
    state, the two networks have different best actions.

    Returns:
        The states [SIZE, DIM], or None if too few such states were drawn.
    """
    pool = np.round(rng.uniform(-4, 4, (200, DIM)), 2).astype(np.float32)
    of_Q, of_T = (cases.probe_values(theta, pool) for theta in (theta_Q, theta_T))
    low_T = np.flatnonzero((of_T.max(axis=1) < -0.2) & (of_Q.max(axis=1) > 0.2))
    low_Q = np.flatnonzero((of_Q.max(axis=1) < -0.2) & (of_T.max(axis=1) > 0.2))
    apart = np.flatnonzero(
        (of_Q.argmax(axis=1) != of_T.argmax(axis=1)) & (of_T.max(axis=1) > 0.5)
    )
    if not len(low_T) or not len(low_Q) or len(apart) < SIZE:
        return None
    rows = np.array([low_T[0], low_Q[0], *apart[: SIZE - 2]])
    return pool[rng.permutation(rows)]


def batch(rng: np.random.Generator, ends: list[int], rewards: np.ndarray) -> Case:
    """Make one question to `td_loss` with two small random networks.

    Args:
        rng: the source of all numbers that are not given.
        ends: the flag d of each row, 0 or 1 [SIZE].
        rewards: the reward of each row [SIZE].
    """
    drawn_states = None
    while drawn_states is None:
        theta_Q, theta_T = (cases.probe(rng, DIM, ACTIONS) for _ in range(2))
        drawn_states = states(rng, theta_Q, theta_T)
    every = rng.permutation(np.resize(np.arange(ACTIONS), SIZE))
    case = cases.td(source_of(rng), SIZE, DIM, ACTIONS)
    return case.replace(
        args={
            "theta_Q": theta_Q,
            "theta_T": theta_T,
            "action": every.astype(np.int32),
            "reward": rewards.astype(np.float32),
            "terminated": np.array(ends, bool),
            "next_state": drawn_states,
        }
    )


def batches(rng: np.random.Generator) -> list[Case]:
    """Make five questions to `td_loss`, with rewards of several sizes.

    The absolute values of the rewards are between 0.3 and 3 in the first, fourth and
    fifth question. In the second question they are between 0.1 and 40. In the third
    question one reward is 0.6, and all others are between 600 and 2400.
    """
    usual = (signed(rng, 0.3, 3.0, SIZE) for _ in range(3))
    spread = signed(rng, 0.1, 40.0, SIZE)
    rewards = (next(usual), spread, large(rng, ENDS[2]), *usual)
    return [batch(rng, e, r) for e, r in zip(ENDS, rewards, strict=True)]


def others(rng: np.random.Generator) -> list[Case]:
    """Make four further questions to `td_loss`.

    Two have a single row, and one has 64 rows. One has as many rows as the questions of
    `batches`, but γ = 1.
    """
    source = source_of(rng)
    return [
        cases.td(source, 1, ends="none"),
        cases.td(source, 1, ends="all"),
        cases.td(source, SIZE, gamma=1.0),
        cases.td(source, 64, 4, 2),
    ]


def episodes(rng: np.random.Generator) -> list[Case]:
    """Make five questions to `mc_loss` from five questions drawn by `batches`."""
    return [of_returns(case) for case in batches(rng)]


def of_returns(case: Case) -> Case:
    """Return a question to `mc_loss` with the numbers of a question to `td_loss`.

    In the new question, a stand-in replaces the hand-in's `discounted_returns`.
    """
    args = {k: case.args[k] for k in ("theta_Q", "state", "action", "reward")}
    return Case("mc_loss", {**case.spec, "stand_in": True}, args)


def other_episodes(rng: np.random.Generator) -> list[Case]:
    """Make four further questions to `mc_loss`.

    Two have a single step, and one has three steps. One has as many steps as the
    questions of `episodes`, but γ = 1.
    """
    source = source_of(rng)
    found = [
        cases.mc(source, 1),
        cases.mc(source, 1),
        cases.mc(source, SIZE, gamma=1.0),
        cases.mc(source, 3, num_actions=2),
    ]
    return [case.replace(spec={"stand_in": True}) for case in found]
