"""Record some numbers for each block of updates while a task is learned.

The numbers have no effect on the points. If learning fails, the grader uses them to
explain the failure in the report. `make train` records the same numbers.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

COLUMNS = (
    "env_step",  # environment steps so far
    "largest_loss",  # largest |loss| of the block
    "greedy",  # share of the agent's last actions that are argmax Q(s, ·; θ_Q)
    "q",  # mean of max Q(s, ·; θ_Q) over states of the block
    "largest_q",  # largest |Q(s, a; θ_Q)| over states of the block and all actions
    "q_at_end",  # mean Q(s, a) of transitions into a terminal state; nan without one
    "same_best",  # share of states of the block with the most frequent best action
    "moved",  # largest change of a parameter since the start
    "synced",  # of the syncs that were due in the block, the share that took place
)


class TrainingLog:
    """The recorded numbers of one training: the numbers in COLUMNS for each block.

    Args:
        values_of: function from parameters [P] and states [n,D] to values [n,A].
        theta: parameters at the start [P].
        num_states: number n of states in each block for which values are recorded.
        num_envs: number N of environments.
    """

    def __init__(
        self,
        values_of: Callable[[Any, np.ndarray], np.ndarray],
        theta: np.ndarray,
        num_states: int,
        num_envs: int,
    ) -> None:
        self.values_of, self.start = values_of, theta
        self.num_states, self.num_envs, self.env_step = num_states, num_envs, 0
        self.blocks: list[list[float]] = []

    def after_block(
        self,
        thetas: tuple[Any, Any],
        new_rows: list[tuple[np.ndarray, ...]],
        batches: dict[str, np.ndarray],
        losses: np.ndarray,
        synced: np.ndarray,
    ) -> None:
        """Record the numbers of one block of updates.

        Args:
            thetas: the parameters [P] before the block, and those after it.
            new_rows: the agent's transitions since the previous block. For each step,
                there is a tuple of the five fields: arrays [N,...] for N environments.
            batches: the block's n batches, an array [n,B,...] for each field.
            losses: the losses of the updates [n].
            synced: for each update of the block after which θ_T should become θ_Q,
                whether this happened, bool [k].
        """
        theta_before, theta = thetas
        self.env_step += self.num_envs * len(new_rows)
        states, actions = (
            np.concatenate([row[i] for row in new_rows])[-self.num_states :]
            for i in (0, 1)
        )
        # Always the same number of states, because JAX compiles anew for each number.
        padded = np.resize(states, (self.num_states, *states.shape[1:]))
        greedy = self.values_of(theta_before, padded)[: len(states)].argmax(axis=1)

        flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in batches.items()}
        (ends,) = np.nonzero(flat["terminated"])
        ends = ends[: self.num_states // 2]
        others = np.arange(self.num_states - len(ends))
        chosen = np.concatenate([ends, others])
        q_values = self.values_of(theta, flat["state"][chosen])
        taken = q_values[np.arange(len(q_values)), flat["action"][chosen]]
        of_others = q_values[len(ends) :]
        share = float(of_others.argmax(axis=1).mean())  # of action 1; the other is 0

        line = {
            "env_step": self.env_step,
            "largest_loss": np.abs(losses).max(initial=0.0),
            "greedy": (greedy == actions).mean(),
            "q": of_others.max(axis=1).mean(),
            "largest_q": np.abs(q_values).max(),
            "q_at_end": taken[: len(ends)].mean() if len(ends) else np.nan,
            "same_best": max(share, 1 - share),
            "moved": np.abs(np.asarray(theta) - self.start).max(initial=0.0),
            "synced": synced.mean() if len(synced) else np.nan,
        }
        self.blocks.append([float(line[name]) for name in COLUMNS])

    def as_dict(self) -> dict[str, np.ndarray]:
        """Return the recorded numbers: for each name in COLUMNS, an array [n].

        n is the number of blocks so far.
        """
        table = np.array(self.blocks, np.float64).reshape(-1, len(COLUMNS))
        return dict(zip(COLUMNS, table.T.copy(), strict=True))
