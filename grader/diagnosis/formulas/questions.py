"""The questions from which a loss is read: designed, generic numbers."""

import numpy as np

from grader.contract import cases
from grader.contract.case import Case
from grader.contract.cases import GAMMA

ACTIONS = 4
SIZE = 5
# Which rows end: none of what a mask may look at is the same in all.
ENDS = ([0, 1, 0, 0, 1], [1, 0, 0, 1, 0], [0, 0, 1, 1, 0])


def drawn(rng: np.random.Generator) -> cases.Fixed:
    """Return a source of the grader's cases that draws from a generator."""
    source = cases.Fixed("")
    source.rng = rng
    return source


def signed(rng: np.random.Generator, low: float, high: float, size: int) -> np.ndarray:
    """Draw numbers of both signs, their sizes even on a logarithmic scale."""
    signs = rng.permutation(np.resize([1.0, -1.0], size))
    return np.round(signs * np.exp(rng.uniform(np.log(low), np.log(high), size)), 2)


def table(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Draw a table [A, rows] of values; in one row in five all are negative."""
    values = np.round(rng.uniform(0.2, 4.0, (rows, ACTIONS)), 2)
    values += 0.0003 * rng.permutation(values.size).reshape(values.shape)  # no ties
    signs = rng.choice([-1.0, 1.0], values.shape)
    signs[:, 0] = 1.0
    signs = rng.permuted(signs, axis=1)
    signs[rng.permutation(rows)[: max(1, rows // 5)]] = -1.0
    return (signs * values).T.astype(np.float32)


def on_tables(
    rng: np.random.Generator, ends: list[int], rewards: np.ndarray
) -> Case:
    """Make a batch for `td_loss` in which each state is one column of the tables."""
    size = len(ends)
    one_hot = np.eye(2 * size, dtype=np.float32)
    tables = [np.concatenate([table(rng, size), table(rng, size)], 1) for _ in "QT"]
    args = {
        "theta_Q": [tables[0]],
        "theta_T": [tables[1]],
        "state": one_hot[:size],
        "action": rng.permutation(np.resize(np.arange(ACTIONS), size)).astype(np.int32),
        "reward": rewards.astype(np.float32),
        "terminated": np.array(ends, bool),
        "next_state": one_hot[size:],
    }
    spec = {"net": "table", "state_dim": 2 * size, "num_actions": ACTIONS}
    return Case("td_loss", {**spec, "gradient": True, "gamma": GAMMA}, args)


def batches(rng: np.random.Generator) -> list[Case]:
    """Make batches with errors of all sizes: usual ones, spread ones and large ones."""
    usual = signed(rng, 0.3, 3.0, SIZE)
    spread = signed(rng, 0.1, 40.0, SIZE)
    large = signed(rng, 30.0, 500.0, SIZE)
    large[rng.integers(SIZE)] = 0.6
    rewards = (usual, spread, large)
    return [on_tables(rng, e, r) for e, r in zip(ENDS, rewards, strict=True)]


def singles(rng: np.random.Generator) -> list[Case]:
    """Make batches of one transition that goes on, and of one that ends."""
    return [on_tables(rng, [end], signed(rng, 0.3, 3.0, 1)) for end in (0, 1)]


def on_networks(rng: np.random.Generator) -> list[Case]:
    """Make batches on the probe network: of another γ, and of other sizes."""
    source = drawn(rng)
    return [
        cases.td(source, SIZE),
        cases.td(source, SIZE, gamma=1.0),
        cases.td(source, 64, 4, 2),
    ]


def episodes(rng: np.random.Generator) -> list[Case]:
    """Make episodes for `mc_loss` with a stand-in for the returns, as `batches`."""
    found = []
    for case in batches(rng):
        args = {k: case.args[k] for k in ("theta_Q", "state", "action", "reward")}
        args["theta_Q"] = [args["theta_Q"][0][:, :SIZE].copy()]
        args["state"] = np.eye(SIZE, dtype=np.float32)
        spec = {**case.spec, "state_dim": SIZE, "stand_in": True}
        found.append(Case("mc_loss", spec, args))
    return found


def episodes_on_networks(rng: np.random.Generator) -> list[Case]:
    """Make episodes for `mc_loss` on the probe network, of other sizes and γ."""
    source = drawn(rng)
    found = [
        cases.mc(source, SIZE),
        cases.mc(source, SIZE, gamma=1.0),
        cases.mc(source, 1),
        cases.mc(source, 3, num_actions=2),
    ]
    return [case.replace(spec={"stand_in": True}) for case in found]
