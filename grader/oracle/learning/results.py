"""The results of learning, and the time that each part of the hand-in takes."""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.contract import mdps
from grader.contract.case import Args


@dataclass
class Result:
    """The result of one task: the best training run, or why no run was judged.

    Attributes:
        mean_return: the mean return of the best run; None if no run was judged.
        curve: pairs of environment step and mean return of a validation.
        runs: how many training runs were made.
        compared: how many updates of the best run the hand-in has made as well.
        facts: numbers on the task that was drawn.
        watched: numbers of the best run, from `inside/learning/training_log.py`.
        problem: why this run or a later one was stopped, or "".
        reason: the exception that prevented learning, or None.
    """

    mean_return: float | None = None
    curve: list[list[float]] = field(default_factory=list)
    runs: int = 0
    compared: int = 0
    facts: dict[str, float] = field(default_factory=dict)
    watched: Args = field(default_factory=dict)
    problem: str = ""
    reason: BaseException | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the task's entry in report.json.

        Without a judged run, the entry has the reason instead of a result.
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
        """The maze's result: 0 for a random walk, 1 for the shortest way."""
        shortest, walk = self.facts["shortest"], self.facts["random_walk"]
        return (walk + (self.mean_return or -walk)) / (walk - shortest)


@dataclass
class Tables:
    """The result of the table worlds.

    Attributes:
        learned: the MDPs and the values [S,A] that were learned.
        reason: the exception that prevented learning, or None.
    """

    learned: list[tuple[mdps.Mdp, np.ndarray]] = field(default_factory=list)
    reason: BaseException | None = None


@dataclass(frozen=True)
class Formula:
    """What the hand-in's `td_loss` computes, in the lecture's symbols.

    Attributes:
        found: whether the formula was found.
        computes: the formula; "" if the loss is right or no formula was found.
        asked: the formula that is asked for; "" if `computes` is "".
        hints: what is wrong, a sentence or more for each mistake.
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
        deviates: whether `td_update` makes other updates than those that are asked
            for. If so, learning has to be repeated with the formula of `td_loss`.
        by_formula: whether the updates were made by the formula of the hand-in's loss.
        formula: what the hand-in's loss computes; None if the updates are those that
            are asked for.
    """

    tables: Tables = field(default_factory=Tables)
    maze: Result = field(default_factory=Result)
    cartpole: Result = field(default_factory=Result)
    deviates: bool = False
    by_formula: bool = False
    formula: Formula | None = None


class Clock:
    """A clock that measures how long each part of the hand-in runs.

    The time between two questions of the learner counts for the programs, which the
    learner runs then. The loop itself takes almost no time.
    """

    BETWEEN = "td_update, epsilon_greedy or the network"

    def __init__(self) -> None:
        self.part = "tracing the programs"
        self.since = time.monotonic()
        self.seconds: dict[str, float] = {}

    def turn(self, part: str) -> None:
        """Stop the time of the current part and start that of another part."""
        now = time.monotonic()
        spent = self.seconds.get(self.part, 0.0) + now - self.since
        self.seconds[self.part] = spent
        self.part, self.since = part, now

    def longest(self) -> str:
        """Return the name of the part that has run longest so far."""
        self.turn(self.part)
        return max(self.seconds, key=lambda part: self.seconds[part])
