"""The transitions of a question, with both networks' values, as formulas use them."""

from dataclasses import dataclass, replace

import numpy as np

from grader.contract import cases
from grader.contract.case import Case

STEP = 1e-5  # the step of central differences


@dataclass(frozen=True)
class Rows:
    """B transitions in float64, with the values of their states by both networks.

    The fields q_s, q_n and q_0 can hold the values of several networks in the place of
    theta_Q. The networks then are the leading axes (...). There are A actions.

    Attributes:
        q_s: the values Q(s, ·; theta_Q) [..., B, A].
        q_n: the values Q(s′, ·; theta_Q) [..., B, A].
        t_s: the values Q(s, ·; theta_T) [B, A].
        t_n: the values Q(s′, ·; theta_T) [B, A].
        held_s: the values Q(s, ·; theta_Q) as constants, without a gradient [B, A].
        held_n: the values Q(s′, ·; theta_Q) as constants, without a gradient [B, A].
        q_0: the values Q(0, ·; theta_Q) of a state of zeros [..., 1, A].
        t_0: the values Q(0, ·; theta_T) of a state of zeros [1, A].
        a: the actions [B].
        r: the rewards [B].
        d: the flags [B]: 1 for a terminal transition, else 0.
        gamma: the discount γ.
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
        """The number B of transitions."""
        return len(self.a)

    @property
    def width(self) -> int:
        """The number A of actions."""
        return self.t_s.shape[-1]


def in_double(leaves: list[np.ndarray]) -> list[np.ndarray]:
    """Return copies of a network's parameters in float64."""
    return [np.array(leaf, np.float64, order="C") for leaf in leaves]


def states_of(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the states s and s′ of a question to a loss, and a state of zeros.

    A question to `mc_loss` has no next states. For such a question, s′ is the state of
    the following row; in the last row s′ is s.

    Returns:
        The states s [B, D], the next states s′ [B, D], and zeros [1, D].
    """
    state = case.args["state"].astype(np.float64)
    later = case.args.get("next_state", np.concatenate([state[1:], state[-1:]]))
    return state, later.astype(np.float64), 0 * state[:1]


def rows_of(case: Case) -> Rows:
    """Return the transitions of a question to a loss, with both networks' values.

    A question to `mc_loss` has no theta_T and no flags. For such a question, theta_T is
    theta_Q, and only the last row is terminal.
    """
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
    """Return the rows with the values of 2P networks that are near theta_Q.

    P is the number of parameters of theta_Q. In network i, parameter i is larger by
    `STEP`; in network P + i, parameter i is smaller by `STEP`. The fields q_s, q_n and
    q_0 get a leading axis [2P]. All other fields stay as they are.

    Args:
        case: the question, which has theta_Q and the states.
        rows: the question's rows, from `rows_of`.
    """
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
    """Return the values [N, B, A] that N networks give to B states.

    Each network has the form of the one in `cases.probe_values`, and parameters of its
    own.

    Args:
        stack: the four parameter arrays of such a network, each with a leading axis
            [N].
        states: the states [B, D].
    """
    weight, bias, last_weight, last_bias = stack
    hidden = np.tanh(states @ weight.swapaxes(1, 2) + bias[:, None])
    return hidden @ last_weight.swapaxes(1, 2) + last_bias[:, None]
