"""The numbers of one question, as the choices of a formula see them."""

from dataclasses import dataclass, replace

import numpy as np

from grader.contract import cases
from grader.contract.case import Case

STEP = 1e-5  # of central differences


@dataclass(frozen=True)
class Rows:
    """B transitions, in float64, with the values of their states.

    Values may have more axes in front: then theta_Q stands for a stack of parameters.

    Attributes:
        q_s: Q(s, ·; theta_Q) [..., B, A].
        q_n: Q(s′, ·; theta_Q) [..., B, A].
        t_s: Q(s, ·; theta_T) [B, A].
        t_n: Q(s′, ·; theta_T) [B, A].
        held_s: q_s without a gradient [B, A].
        held_n: q_n without a gradient [B, A].
        q_0: Q(0, ·; theta_Q) of a state of zeros [..., 1, A].
        t_0: Q(0, ·; theta_T) of a state of zeros [1, A].
        a: actions [B].
        r: rewards [B].
        d: flags [B], 0 or 1.
        gamma: the discount.
    """

    q_s: np.ndarray
    q_n: np.ndarray
    t_s: np.ndarray
    t_n: np.ndarray
    held_s: np.ndarray
    held_n: np.ndarray
    q_0: np.ndarray
    t_0: np.ndarray
    a: np.ndarray
    r: np.ndarray
    d: np.ndarray
    gamma: float

    @property
    def size(self) -> int:
        """B."""
        return len(self.a)

    @property
    def width(self) -> int:
        """A."""
        return self.t_s.shape[-1]


def in_double(leaves: list[np.ndarray]) -> list[np.ndarray]:
    """Return parameters in float64."""
    return [np.array(leaf, np.float64, order="C") for leaf in leaves]


def states_of(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return s and s′ [B, D] of a question to a loss, and a state of zeros [1, D].

    A loss on returns has no next states: they are those of the following row, and the
    last one is its own.
    """
    state = case.args["state"].astype(np.float64)
    later = case.args.get("next_state", np.concatenate([state[1:], state[-1:]]))
    return state, later.astype(np.float64), 0 * state[:1]


def rows_of(case: Case) -> Rows:
    """Return the rows of a question to a loss."""
    args = case.args
    theta_Q = in_double(args["theta_Q"])
    theta_T = in_double(args["theta_T" if "theta_T" in args else "theta_Q"])
    q_s, q_n, q_0 = (cases.probe_values(theta_Q, x) for x in states_of(case))
    t_s, t_n, t_0 = (cases.probe_values(theta_T, x) for x in states_of(case))
    size = len(q_s)
    ends = args.get("terminated", np.arange(size) == size - 1)
    return Rows(
        *(q_s, q_n, t_s, t_n, q_s, q_n, q_0, t_0),
        a=args["action"].astype(np.int64),
        r=args["reward"].astype(np.float64),
        d=ends.astype(np.float64),
        gamma=float(case.spec["gamma"]),
    )


def nearby(case: Case, rows: Rows) -> Rows:
    """Return the rows with theta_Q a step up and down in each entry [2P, B, A]."""
    theta = in_double(case.args["theta_Q"])
    count = sum(leaf.size for leaf in theta)
    steps = STEP * np.concatenate([np.eye(count), -np.eye(count)])
    ends = np.cumsum([leaf.size for leaf in theta])[:-1]
    stack = [
        leaf + step.reshape(-1, *leaf.shape)
        for leaf, step in zip(theta, np.split(steps, ends, axis=1), strict=True)
    ]
    q_s, q_n, q_0 = (values_of(stack, states) for states in states_of(case))
    return replace(rows, q_s=q_s, q_n=q_n, q_0=q_0)


def values_of(stack: list[np.ndarray], states: np.ndarray) -> np.ndarray:
    """Return the values [N, B, A] of N probe networks, as `cases.probe_values`."""
    weight, bias, last_weight, last_bias = stack
    hidden = np.tanh(states @ weight.swapaxes(1, 2) + bias[:, None])
    return hidden @ last_weight.swapaxes(1, 2) + last_bias[:, None]
