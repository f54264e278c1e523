"""The numbers of one question, as the choices of a formula see them."""

from dataclasses import dataclass

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
        zero: max Q(0, ·; theta_T), of a state of zeros.
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
    zero: float
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


def rows_of(case: Case) -> Rows:
    """Return the rows of a question to a loss.

    A loss on returns has no next states: they are those of the following row, and the
    last one is its own.
    """
    args = {k: v for k, v in case.args.items() if not isinstance(v, list)}
    theta_Q = in_double(case.args["theta_Q"])
    theta_T = in_double(case.args.get("theta_T", case.args["theta_Q"]))
    state = args["state"].astype(np.float64)
    later = args.get("next_state", np.concatenate([state[1:], state[-1:]]))
    later = later.astype(np.float64)
    size = len(state)
    ends = args.get("terminated", np.arange(size) == size - 1)
    q_s, q_n = (cases.probe_values(theta_Q, states) for states in (state, later))
    t_s, t_n = (cases.probe_values(theta_T, states) for states in (state, later))
    return Rows(
        *(q_s, q_n, t_s, t_n, q_s, q_n),
        zero=float(cases.probe_values(theta_T, 0 * state[:1]).max()),
        a=args["action"].astype(np.int64),
        r=args["reward"].astype(np.float64),
        d=ends.astype(np.float64),
        gamma=float(case.spec["gamma"]),
    )


def nearby(case: Case, rows: Rows) -> Rows:
    """Return the rows with theta_Q a step up and down in each entry [2P, B, A]."""
    theta = in_double(case.args["theta_Q"])
    state = case.args["state"].astype(np.float64)
    later = case.args.get("next_state", np.concatenate([state[1:], state[-1:]]))
    later = later.astype(np.float64)
    stacks: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for sign in (1, -1):
        for leaf in theta:
            flat = leaf.reshape(-1)
            for i in range(flat.size):
                before = flat[i]
                flat[i] = before + sign * STEP
                stacks[0].append(cases.probe_values(theta, state))
                stacks[1].append(cases.probe_values(theta, later))
                flat[i] = before
    q_s, q_n = map(np.stack, stacks)
    fields = {**vars(rows), "q_s": q_s, "q_n": q_n}
    return Rows(**fields)
