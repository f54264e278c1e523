"""Hold the results of learning, and measure the time of each part of the hand-in."""

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
        curve: the best run's validations: pairs of environment step and mean return.
        runs: the number of training runs that were made.
        compared: the number of updates of the best run that the hand-in's `td_update`
            made, too, for a comparison.
        facts: numbers that describe the task of the best run, such as the length of the
            shortest way.
        watched: numbers of the best run, from `inside/learning/training_log.py`.
        problem: why the last run was stopped; "" if it was not stopped.
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

        If no run was judged, the entry says why under "not_judged".
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
        """The mean return in the maze, scaled: 0 for a random walk, 1 at best.

        1 means that all ways to the exit are shortest ways. Not defined for CartPole.
        """
        shortest, walk = self.facts["shortest"], self.facts["random_walk"]
        return (walk + (self.mean_return or -walk)) / (walk - shortest)


@dataclass
class Tables:
    """The result of the table worlds.

    Attributes:
        learned: pairs of an MDP and the values [S,A] that were learned in it.
        reason: the exception that prevented learning, or None.
    """

    learned: list[tuple[mdps.Mdp, np.ndarray]] = field(default_factory=list)
    reason: BaseException | None = None


@dataclass(frozen=True)
class Formula:
    """What the hand-in's `td_loss` computes, in the lecture's symbols.

    Attributes:
        found: whether a formula was found.
        computes: the formula; "" if the loss is right or no formula was found.
        asked: the right formula, for comparison; "" if `computes` is "".
        hints: what is wrong: one or more sentences for each mistake.
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
        by_formula: whether the updates followed the formula of the hand-in's loss.
        formula: what the hand-in's loss computes; None if `td_update` did not deviate.
    """

    tables: Tables = field(default_factory=Tables)
    maze: Result = field(default_factory=Result)
    cartpole: Result = field(default_factory=Result)
    deviates: bool = False
    by_formula: bool = False
    formula: Formula | None = None


class Clock:
    """A clock that measures how long each part of the hand-in runs.

    Between two questions to the grader, the learner runs the hand-in's programs. This
    time counts for all programs together, under the name `BETWEEN`. The learning loop
    itself takes almost no time.
    """

    BETWEEN = "td_update, epsilon_greedy or the network"

    def __init__(self) -> None:
        self.part = "tracing the programs"
        self.since = time.monotonic()
        self.seconds: dict[str, float] = {}

    def turn(self, part: str) -> None:
        """Stop the clock of the current part and start that of another part."""
        now = time.monotonic()
        spent = self.seconds.get(self.part, 0.0) + now - self.since
        self.seconds[self.part] = spent
        self.part, self.since = part, now

    def longest(self) -> str:
        """Return the part with the longest time so far: a name of a part, or `BETWEEN`.

        The result can also be "tracing the programs".
        """
        self.turn(self.part)
        return max(self.seconds, key=lambda part: self.seconds[part])
