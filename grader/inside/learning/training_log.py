"""Note some numbers for each block of updates while CartPole is learned.

No number has an effect on the points. If learning fails, the grader makes the sentences
of the report from these numbers.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from train import Progress, Settings

COLUMNS = (
    "env_step",  # environment steps so far
    "loss",  # mean of the block's losses
    "largest_loss",  # largest |loss| of the block
    "greedy",  # share of the agent's last actions that are argmax Q(s, ·; θ_Q)
    "q",  # mean of max Q(s, ·; θ_Q) over states of the block
    "largest_q",  # largest |Q(s, a; θ_Q)| over states of the block and all actions
    "q_at_end",  # mean Q(s, a) of transitions into a terminal state; nan without one
    "same_best",  # share of states of the block with the most frequent best action
    "moved",  # largest change of a parameter since the start
    "synced",  # share of the syncs that were due in the block that took place
)


class TrainingLog:
    """The numbers of one training run.

    Args:
        values_of: function of parameters and states [n,D] that returns values [n,A].
        theta: parameters at the start [P].
        settings: settings of the training loop.
    """

    def __init__(
        self,
        values_of: Callable[[Any, np.ndarray], np.ndarray],
        theta: np.ndarray,
        settings: Settings,
    ) -> None:
        self.values_of, self.start, self.settings = values_of, theta, settings
        self.rows = settings.validation_episodes
        self.blocks: list[list[float]] = []
        self.returns: list[tuple[int, float]] = []

    def after_block(
        self,
        thetas: tuple[Any, Any],
        behaviour: list[tuple[np.ndarray, ...]],
        batches: dict[str, np.ndarray],
        losses: np.ndarray,
        synced: np.ndarray,
    ) -> None:
        """Note the numbers of a block of updates.

        Args:
            thetas: the parameters [P] before and after the block.
            behaviour: the agent's transitions since the last block: for each step the
                five fields, [N,...] each.
            batches: the block's batches as arrays by field, [n,B,...] each.
            losses: the losses of the updates [n].
            synced: for each sync that was due in the block, whether it took place.
        """
        before, theta = thetas
        states, actions = (
            np.concatenate([row[i] for row in behaviour])[-self.rows :] for i in (0, 1)
        )
        # Always as many states, because JAX compiles anew for another number of them.
        padded = np.resize(states, (self.rows, *states.shape[1:]))
        greedy = self.values_of(before, padded)[: len(states)].argmax(axis=1)

        flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in batches.items()}
        (ends,) = np.nonzero(flat["terminated"])
        ends = ends[: self.rows // 2]
        others = np.arange(self.rows - len(ends))
        chosen = np.concatenate([ends, others])
        after = self.values_of(theta, flat["state"][chosen])
        taken = after[np.arange(len(after)), flat["action"][chosen]]
        best = after[len(ends) :].argmax(axis=1)
        share = float(best.mean())

        line = {
            "env_step": self.settings.block_steps * (len(self.blocks) + 1),
            "loss": losses.mean(),
            "largest_loss": np.abs(losses).max(initial=0.0),
            "greedy": (greedy == actions).mean(),
            "q": after[len(ends) :].max(axis=1).mean(),
            "largest_q": np.abs(after).max(),
            "q_at_end": taken[: len(ends)].mean() if len(ends) else np.nan,
            "same_best": max(share, 1 - share),
            "moved": np.abs(np.asarray(theta) - self.start).max(initial=0.0),
            "synced": synced.mean() if len(synced) else np.nan,
        }
        self.blocks.append([float(line[name]) for name in COLUMNS])

    def after_validation(self, progress: Progress) -> None:
        """Note a validation's mean return, once for each validation.

        Args:
            progress: progress of training after a block. Its mean return is noted only
                for the first block after a validation.
        """
        env_step = progress.env_step - self.settings.block_steps
        if env_step and env_step % self.settings.validate_steps == 0:
            self.returns.append((env_step, progress.mean_return))

    def as_dict(self) -> dict[str, np.ndarray]:
        """Return all noted numbers by name.

        Returns:
            Each column of COLUMNS [n], for n blocks, and `returns` [k,2] with rows
            (environment step, mean return), for k validations.
        """
        table = np.array(self.blocks, np.float64).reshape(-1, len(COLUMNS))
        columns = dict(zip(COLUMNS, table.T.copy(), strict=True))
        return {**columns, "returns": np.array(self.returns).reshape(-1, 2)}
