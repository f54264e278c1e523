"""The tasks of exercise 9: sizes, thresholds, and cases for exporting the programs."""

from typing import Any

import numpy as np

from grader.contract import mdps
from grader.contract.case import Case
from grader.contract.cases import exploration, update

MAZE, CARTPOLE = "maze", "cartpole"
STATE_DIM, NUM_ACTIONS = 4, 2  # of the maze and of CartPole
# As in `Settings` of starter/train.py.
NUM_ENVS, BATCH, GAMMA, CAPACITY = 8, 64, 0.99, 10_000
# The mean returns on CartPole that pay all and half of the points.
FULL, HALF = 450.0, 195.0
# The result in the maze that pays points; a random walk has 0, the shortest way has 1.
MAZE_SHARE = 0.9
# The state of `optax.inject_hyperparams` begins with a count and the learning rate.
RATE = np.zeros((), np.int32), np.zeros((), np.float32)
# The table worlds: the buffer is full after half of the transitions.
EXPERIENCE, TABLE_CAPACITY = 800, 400
TABLE_BATCH, TABLE_PERIOD, TABLE_SYNCS = 32, 60, 20
CLOSE = 0.05  # the allowed error of Q as a share of the largest |Q*|


def programs(theta: list[np.ndarray]) -> dict[str, Case]:
    """Return a case for each program that is needed to learn the maze and CartPole.

    All numbers of the cases are 0, except the given parameters, because an export needs
    only shapes.

    Args:
        theta: parameters of the hand-in's network, for their shapes.

    Returns:
        The cases by the role of the program: "network" for the values of a state, "act"
        for the ε-greedy actions, "update" for `td_update`.
    """
    spec = {"net": "own", "state_dim": STATE_DIM, "num_actions": NUM_ACTIONS}
    q_values = zeros(NUM_ENVS, NUM_ACTIONS)
    return {
        "network": Case("forward", spec, {"theta": theta, "state": zeros(STATE_DIM)}),
        "act": exploration(np.zeros(2, np.uint32), q_values, 0.0),
        "update": update_case({**spec, "gamma": GAMMA}, BATCH, "learning", theta, RATE),
    }


def table_programs() -> dict[str, Case]:
    """Return a case for the only program that is needed to learn the table worlds.

    The table worlds are a chain, a maze of six rooms and a ring. All numbers of the
    case are 0, because an export needs only shapes.

    Returns:
        A dict with the case of `td_update` under the key "update".
    """
    sizes = {"state_dim": mdps.STATES, "num_actions": mdps.ACTIONS}
    spec = {"net": "table", **sizes, "gamma": mdps.GAMMA}
    theta = [zeros(mdps.ACTIONS, mdps.STATES)]
    return {"update": update_case(spec, TABLE_BATCH, "table", theta, ())}


def update_case(
    spec: dict[str, Any],
    batch_size: int,
    optimizer: str,
    theta: list[np.ndarray],
    before: tuple[np.ndarray, ...],
) -> Case:
    """Return a case of `td_update` with Adam, for an export.

    All numbers except `theta` and `before` are 0, because an export needs only shapes.

    Args:
        spec: the settings of the network, and γ.
        batch_size: number B of transitions in a batch.
        optimizer: name of an optimizer in `inside/networks.py`, one that uses Adam.
        theta: parameters of the network; the case uses them as θ_Q and θ_T.
        before: the arrays that come before Adam's arrays in the optimizer's state.
    """
    states = zeros(batch_size, spec["state_dim"])
    args = {
        "theta_Q": theta,
        "theta_T": theta,
        "state": states,
        "action": np.zeros(batch_size, np.int32),
        "reward": zeros(batch_size),
        "terminated": np.zeros(batch_size, bool),
        "next_state": states,
    }
    # Adam's state: the count of updates, and two averages for each parameter.
    averages = [np.zeros_like(leaf) for leaf in theta]
    opt_state = [*before, np.zeros((), np.int32), *averages, *averages]
    return update(Case("td_loss", spec, args), optimizer, opt_state)


def zeros(*shape: int) -> np.ndarray:
    """Return an array of zeros in float32."""
    return np.zeros(shape, np.float32)
