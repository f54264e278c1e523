"""What is noted while CartPole is learned: some numbers for each block of updates.

Nothing is judged here. If learning fails, the grader makes sentences of these numbers.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from train import Progress, Settings

COLUMNS = (
    "env_step",  # environment steps so far
    "loss",  # the mean of the block's losses ...
    "largest_loss",  # ... and the largest |loss|
    "greedy",  # the share of the actions before the block that are argmax Q(s, ·; θ_Q)
    "q",  # mean of max Q(s, ·; θ_Q) over states of the block
    "largest_q",  # the largest |Q| there
    "q_at_end",  # mean Q(s, a) of transitions into a terminal state; nan without one
    "same_best",  # the share of states that have the most frequent best action
    "moved",  # the largest distance of a parameter from where it started
    "synced",  # 1 where sync_target answered θ_Q before the block, 0 where it kept θ_T
)


class TrainingLog:
    """The numbers of one training run.

    Args:
        values_of: gives the values [n,A] of parameters and states [n,D].
        theta: the parameters at the start.
        settings: of the loop.
    """

    def __init__(
        self,
        values_of: Callable[[Any, np.ndarray], np.ndarray],
        theta: list[np.ndarray],
        settings: Settings,
    ) -> None:
        self.values_of, self.start, self.settings = values_of, theta, settings
        self.rows = settings.validation_episodes
        self.blocks: list[list[float]] = []
        self.returns: list[tuple[int, float]] = []

    def after_block(
        self,
        agent: Any,
        behaviour: list[tuple[np.ndarray, ...]],
        batches: dict[str, np.ndarray],
        out: dict[str, Any],
    ) -> None:
        """Note the numbers of a block of updates.

        Args:
            agent: as it was before the block.
            behaviour: the transitions that the agent made before the block.
            batches: what the block learned from, [n,B,...].
            out: the new `theta_Q` and the `losses` [n].
        """
        states, actions = (
            np.concatenate([row[i] for row in behaviour])[-self.rows :] for i in (0, 1)
        )
        greedy = self.values_of(agent.theta_Q, states).argmax(axis=1)

        flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in batches.items()}
        (ends,) = np.nonzero(flat["terminated"])
        ends = ends[: self.rows // 2]
        others = np.arange(self.rows - len(ends))
        chosen = np.concatenate([ends, others])
        after = self.values_of(out["theta_Q"], flat["state"][chosen])
        taken = after[np.arange(len(after)), flat["action"][chosen]]
        best = after[len(ends) :].argmax(axis=1)
        share = float(best.mean())

        losses = np.asarray(out["losses"], np.float64)
        pairs = zip(out["theta_Q"], self.start, strict=True)
        moved = [np.abs(np.asarray(a) - b).max(initial=0) for a, b in pairs]
        line = {
            "env_step": self.settings.block_steps * (len(self.blocks) + 1),
            "loss": losses.mean(),
            "largest_loss": np.abs(losses).max(initial=0.0),
            "greedy": (greedy == actions).mean(),
            "q": after[len(ends) :].max(axis=1).mean(),
            "largest_q": np.abs(after).max(),
            "q_at_end": taken[: len(ends)].mean() if len(ends) else np.nan,
            "same_best": max(share, 1 - share),
            "moved": np.max(moved),
            "synced": agent.theta_T is agent.theta_Q,
        }
        self.blocks.append([float(line[name]) for name in COLUMNS])

    def after_validation(self, progress: Progress) -> None:
        """Note a validation's mean return, which the block after it reports."""
        env_step = progress.env_step - self.settings.block_steps
        if env_step and env_step % self.settings.validate_steps == 0:
            self.returns.append((env_step, progress.mean_return))

    def as_dict(self) -> dict[str, np.ndarray]:
        """Return every column [n], and `returns` [k,2]."""
        table = np.array(self.blocks, np.float64).reshape(-1, len(COLUMNS))
        columns = dict(zip(COLUMNS, table.T.copy(), strict=True))
        return {**columns, "returns": np.array(self.returns).reshape(-1, 2)}
