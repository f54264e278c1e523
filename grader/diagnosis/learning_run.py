"""The log of one training run, and simple facts about it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

GAMMA = 0.99
LARGEST_RETURN = 1 / (1 - GAMMA)  # return of a reward of 1 in each step for ever
BEYOND = 1.5 * LARGEST_RETURN  # |Q| beyond this is too large for any policy
EXPLODED = 10 * LARGEST_RETURN  # |Q| beyond this grows by itself
SUDDEN = 20  # times as fast as labels can grow if θ_T changes only at a sync
FEW = 4  # least number of blocks of updates, or of validations, for a conclusion


@dataclass(frozen=True)
class Watched:
    """The log of one training run: columns [n], as named in `training_log.COLUMNS`.

    Attributes:
        columns: for each column, a number for each of the n blocks of updates.
        curve: environment step and mean return of each validation [k,2].
        mean_return: mean return of the test episodes; NaN without test.
        problem: why learning was stopped; "" if it was not.
    """

    columns: Mapping[str, np.ndarray]
    curve: np.ndarray
    mean_return: float
    problem: str = ""

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a column [n]."""
        return self.columns[name]

    def late(self, name: str) -> float:
        """Return the median of the finite numbers in a column's last quarter.

        NaN if there are none.
        """
        column = self[name][-max(len(self[name]) // 4, 1) :]
        column = column[np.isfinite(column)]
        return float(np.median(column)) if len(column) else math.nan


def exploded_at(watched: Watched) -> int | None:
    """Return the first block in which an exploding Q is larger than any return.

    Returns:
        None if Q does not explode.
    """
    if largest(watched["largest_q"]) < EXPLODED:
        return None
    return int(np.argmax(watched["largest_q"] > BEYOND))


def is_sudden(watched: Watched, at: int) -> bool:
    """Tell whether Q has grown up to block `at` faster than from sync to sync."""
    return bool(watched["largest_q"][at] > SUDDEN * (at + 1))


def sound(watched: Watched) -> np.ndarray:
    """Return whether loss, Q and parameters are finite, for each block [n]."""
    names = ("largest_loss", "largest_q", "moved")
    return np.all([np.isfinite(watched[name]) for name in names], axis=0)


def largest(column: np.ndarray) -> float:
    """Return the largest finite value of a column; at least 0."""
    return float(column[np.isfinite(column)].max(initial=0.0))


def recent_return(watched: Watched) -> float:
    """Return the mean of the last four validations and the test."""
    return float(np.mean([*watched.curve[-FEW:, 1], watched.mean_return]))
