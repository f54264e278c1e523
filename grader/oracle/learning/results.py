"""Hold the results of learning, and measure the time of each part of the hand-in."""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.contract import mdps
from grader.contract.case import Args
from grader.contract.learning import FULL, MAZE, MAZE_SHARE
from grader.contract.outcomes import Raised, Stopped, TimedOut, UsedUp


@dataclass
class Result:
    """The result of one task: its best training, or why no training was judged.

    A training that was stopped is not judged. If no training was judged, `curve`,
    `compared`, `facts` and `watched` describe the stopped training. They are empty or 0
    if the learner sent no results of this training.

    Attributes:
        mean_return: the mean return in the test episodes after the best training; None
            if no training was judged.
        curve: the best training's validations: pairs of environment step and mean
            return.
        runs: the number of trainings that were made.
        compared: in how many updates of the best training the hand-in's `td_update` was
            compared with the grader's update.
        facts: numbers by name that describe the task of the best training, for example
            the length of the shortest way.
        watched: what was recorded during the best training: lists of numbers by the
            name of the column, see COLUMNS in `inside/learning/training_log.py`.
        problem: a text that says why the last training was stopped; "" if it was not
            stopped. The result of an earlier training that was judged still counts.
        late: the exception in `problem` if the last training took too long; else None.
            The task might have been learned if there had been more time.
        reason: the exception that ended this task before a training was judged, or an
            exception of the grader itself; None if there was no such exception.
    """

    mean_return: float | None = None
    curve: list[list[float]] = field(default_factory=list)
    runs: int = 0
    compared: int = 0
    facts: dict[str, float] = field(default_factory=dict)
    watched: Args = field(default_factory=dict)
    problem: str = ""
    late: TimedOut | None = None
    reason: BaseException | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the task's entry in report.json, as a dict.

        If no training was judged, the entry says why under "not_judged". `watched` is
        left out.
        """
        mean = self.mean_return
        return {
            "mean_return": None if mean is None else round(mean, 2),
            "not_judged": str(self.reason or self.problem) if mean is None else None,
            "curve": [] if mean is None else self.curve,
            "runs": self.runs,
            "compared": self.compared,
            **{name: round(float(value), 2) for name, value in self.facts.items()},
        }

    @property
    def share(self) -> float:
        """The mean return in the maze, scaled linearly to at most 1.

        1 means that all ways to the exit are shortest ways, and 0 that they are as long
        as a random walk. If no training was judged, but `facts` is known, the result is
        0. This property is for the maze only.

        Raises:
            KeyError: `facts` is empty, or this is the result of CartPole.
        """
        shortest, walk = self.facts["shortest"], self.facts["random_walk"]
        return (walk + (self.mean_return or -walk)) / (walk - shortest)


def has_full_points(task: str, result: Result) -> bool:
    """Return whether the best training in the maze or on CartPole gets full points.

    Args:
        task: "maze" or "cartpole".
        result: the task's result. Without a judged training, False is returned.
    """
    if result.mean_return is None:
        return False
    if task == MAZE:
        return result.share >= MAZE_SHARE
    return result.mean_return >= FULL


@dataclass
class Tables:
    """The result of the table worlds.

    Attributes:
        learned: for each table world that was learned, a pair of its MDP and the
            learned values [S,A].
        reason: the exception that prevented or ended learning; None if there was none.
    """

    learned: list[tuple[mdps.Mdp, np.ndarray]] = field(default_factory=list)
    reason: BaseException | None = None


@dataclass(frozen=True)
class Formula:
    """What the hand-in's `td_loss` computes, in the lecture's symbols.

    Attributes:
        found: whether a formula was found.
        computes: the formula that was found; "" if it is the right one, or if none was
            found.
        asked: the right formula, for comparison; "" if `computes` is "".
        hints: for each mistake in the formula, a text that says what is wrong.
    """

    found: bool = False
    computes: str = ""
    asked: str = ""
    hints: tuple[str, ...] = ()


@dataclass
class Results:
    """The results of all tasks.

    Attributes:
        tables: the result of the table worlds.
        maze: the result of the maze.
        cartpole: the result of CartPole.
        deviates: whether the hand-in's `td_update` deviates from the grader's updates.
            If so, learning is repeated with the formula of the hand-in's `td_loss`.
        by_formula: whether the learner made its updates by the formula of the hand-in's
            `td_loss`.
        formula: what the hand-in's `td_loss` computes; None if `td_update` did not
            deviate in the first trainings.
    """

    tables: Tables = field(default_factory=Tables)
    maze: Result = field(default_factory=Result)
    cartpole: Result = field(default_factory=Result)
    deviates: bool = False
    by_formula: bool = False
    formula: Formula | None = None


class LearnerLate(TimedOut):
    """Raised if a training takes too long, and the learner itself took most of it."""


class Clock:
    """A clock that measures how long each part of the hand-in runs in one training.

    While the learner asks the grader nothing, it runs the hand-in's programs. The time
    of these programs is counted together, under the name `BETWEEN`. The learning loop
    itself takes almost no time.
    """

    BETWEEN = "td_update, epsilon_greedy or the network"

    def __init__(self) -> None:
        self.part = self.BETWEEN
        self.since = time.monotonic()
        self.seconds: dict[str, float] = {}

    def turn(self, part: str) -> None:
        """Begin to measure a part; end the measurement of the part before.

        Args:
            part: name of the part that is measured from now on.
        """
        now = time.monotonic()
        spent = self.seconds.get(self.part, 0.0) + now - self.since
        self.seconds[self.part] = spent
        self.part, self.since = part, now

    def longest(self) -> str:
        """Return the name of the part that took longest so far, or `BETWEEN`."""
        self.turn(self.part)
        return max(self.seconds, key=lambda part: self.seconds[part])

    def with_blame(self, reason: Raised | Stopped) -> Raised | Stopped:
        """Return the exception that stopped learning, with a part named in its message.

        This is the part that was running or, if the learner took too long, the part
        that ran longest in this training.
        """
        if not isinstance(reason, TimedOut):
            return type(reason)(f"{reason}\nwhile it ran {self.part}")
        part = self.longest()
        kind = LearnerLate if part == self.BETWEEN else TimedOut
        # Earlier trainings may have used other parts longer.
        here = "in this training, " if isinstance(reason, UsedUp) else ""
        return kind(f"{reason}; {here}most of the time went to {part}")
