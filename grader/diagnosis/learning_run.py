"""One training run in numbers, and what can be read off them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

GAMMA = 0.99
LARGEST_RETURN = 1 / (1 - GAMMA)  # a reward of 1 for ever
BEYOND = 1.5 * LARGEST_RETURN  # |Q| above this is no value any more ...
EXPLODED = 10 * LARGEST_RETURN  # ... and above this it grows by itself
SUDDEN = 20  # times as fast as labels rise in which θ_T waits for a sync
FEW = 4  # blocks of updates, or validations: fewer say nothing


@dataclass(frozen=True)
class Watched:
    """The numbers of one training run, columns [n] as `training_log.COLUMNS` has them.

    Attributes:
        columns: the numbers of each block of updates.
        curve: [k,2], environment step and mean return of each validation.
        mean_return: of the test episodes; nan where there were none.
        problem: why learning had to be stopped, or "".
    """

    columns: Mapping[str, np.ndarray]
    curve: np.ndarray
    mean_return: float
    problem: str = ""

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a column."""
        return self.columns[name]

    def late(self, name: str) -> float:
        """Return the median of a column's last quarter without gaps; nan if empty."""
        column = self[name][-max(len(self[name]) // 4, 1) :]
        column = column[np.isfinite(column)]
        return float(np.median(column)) if len(column) else math.nan


def exploded_at(watched: Watched) -> int | None:
    """Return the first block after which an exploding Q was beyond any return."""
    if largest(watched["largest_q"]) < EXPLODED:
        return None
    return int(np.argmax(watched["largest_q"] > BEYOND))


def is_sudden(watched: Watched, at: int) -> bool:
    """Tell whether Q has come there faster than by a reward from sync to sync."""
    return bool(watched["largest_q"][at] > SUDDEN * (at + 1))


def sound(watched: Watched) -> np.ndarray:
    """Tell whether loss, Q and parameters were finite, for each block."""
    names = ("largest_loss", "largest_q", "moved")
    return np.all([np.isfinite(watched[name]) for name in names], axis=0)


def largest(column: np.ndarray) -> float:
    """Return the largest finite value, 0 for none."""
    return float(column[np.isfinite(column)].max(initial=0.0))


def recent_return(watched: Watched) -> float:
    """Return the mean of the last validations and the test."""
    return float(np.mean([*watched.curve[-FEW:, 1], watched.mean_return]))
