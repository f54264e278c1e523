"""The log of one training, and numbers that are computed from the log."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from grader.contract.learning import MAZE

# As in `SETTINGS` and `MAZE_SETTINGS` of starter/train.py.
BLOCK_STEPS, BLOCK_UPDATES, PERIOD = 64, 128, 100
EPSILON, EPSILON_STEPS = 0.04, 3_000  # ε at the end, and the steps until then
FEW = 4  # the least number of blocks, or of validations, that a rule needs


@dataclass(frozen=True)
class Watched:
    """The log of one training: a column for each name in `training_log.COLUMNS`.

    A block is a fixed number of updates; the log has one number for each block.

    Attributes:
        task: the task, "maze" or "cartpole".
        columns: for each name, an array [n] with one number for each of the n blocks.
        curve: environment step and mean return of each of k validations [k,2].
        mean_return: mean return of the test episodes; NaN without such episodes.
        problem: why learning was stopped; "" if it was not stopped.
        by_formula: True if the updates were made by the formula of the hand-in's loss.
        checked: True if the updates were compared with right ones; `make train` does
            not compare them.
    """

    task: str
    columns: Mapping[str, np.ndarray]
    curve: np.ndarray
    mean_return: float
    problem: str = ""
    by_formula: bool = False
    checked: bool = True

    def __getitem__(self, name: str) -> np.ndarray:
        """Return the column `name` of the log, an array [n] for n blocks of updates."""
        return self.columns[name]

    @property
    def in_maze(self) -> bool:
        """Whether the task is the maze, and not CartPole."""
        return self.task == MAZE

    @property
    def blocks(self) -> int:
        """The number of blocks of updates in the log."""
        return len(self["env_step"])

    def last(self, name: str) -> np.ndarray:
        """Return the finite numbers of the log's last quarter, for one column.

        A column has one number for each block of updates.

        Args:
            name: the name of the column, as in `training_log.COLUMNS`.

        Returns:
            A vector; it is empty if no number is finite.
        """
        column = self[name][-max(self.blocks // 4, 1) :]
        return column[np.isfinite(column)]

    def late(self, name: str) -> float:
        """Return the median of the finite numbers of the log's last quarter.

        Args:
            name: the name of a column of the log, as in `training_log.COLUMNS`.

        Returns:
            The median; NaN if no number is finite.
        """
        column = self.last(name)
        return float(np.median(column)) if len(column) else math.nan


def syncs(watched: Watched) -> tuple[int, int]:
    """Return how many syncs took place, and how many syncs were due.

    A sync is due after every `PERIOD` updates. It takes place if θ_T becomes θ_Q.
    """
    ends = np.arange(watched.blocks + 1) * BLOCK_UPDATES // PERIOD
    due = np.diff(ends)
    took = np.nan_to_num(watched["synced"]) * due
    return round(float(took.sum())), int(due.sum())


def sound(watched: Watched) -> np.ndarray:
    """Return a mask [n] of the blocks in which loss, Q and θ_Q's change are finite."""
    names = ("largest_loss", "largest_q", "moved")
    return np.all([np.isfinite(watched[name]) for name in names], axis=0)
