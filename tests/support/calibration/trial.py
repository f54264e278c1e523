"""Make one run for `make calibrate`: grade exercise 9 of a hand-in once.

All trainings of the maze and of CartPole are recorded.
"""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from grader.contract import mdps
from grader.contract.case import Args
from grader.contract.exercises import LEARNING
from grader.contract.learning import CARTPOLE, CLOSE, MAZE
from grader.contract.outcomes import GraderError, Waiting
from grader.grading.passes import Pass
from grader.grading.plugin import run_checks
from grader.intake.submission import Submission
from grader.oracle.learning.results import Results, Tables
from grader.oracle.learning.run import NEEDS_MAZE, Learning, Slopes
from grader.report.model import Check
from grader.sandbox import tiers
from tests.support.calibration.runs import Learner, Run
from tests.support.handins import graded_by, warm

# Why the maze and CartPole are not tried with a mutant that must not get all points.
DECIDED = "the table worlds have lost their points already"


class Recorded(Learning):
    """The learning of exercise 9; keeps what the learner answers to each training.

    Attributes:
        tries: the learner's answers by task, `MAZE` or `CARTPOLE`, in order.
        until_lost: True to skip the maze and CartPole if the table worlds lose points.
    """

    until_lost = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.tries: dict[str, list[Args]] = {MAZE: [], CARTPOLE: []}

    def again(self, slopes: Mapping[float, Slopes]) -> Results:
        """Do what `Learning.again` does; first forget the answers to earlier trainings.

        Args:
            slopes: see `Learning.again`.
        """
        self.tries = {MAZE: [], CARTPOLE: []}
        return super().again(slopes)

    def learn(self, task: str) -> None:
        """Learn a task as `Learning.learn` does, but obey `until_lost`.

        Args:
            task: `MAZE` or `CARTPOLE`.

        Raises:
            Waiting: `until_lost` is true, and the table worlds have lost points.
        """
        error = table_error(self.results.tables)
        if self.until_lost and (error is None or error > 1):
            raise Waiting(DECIDED)
        super().learn(task)

    def learn_once(self, task: str, programs: dict[str, str], index: int) -> Args:
        """Train once on a task; keep the learner's answer, and return it.

        The arguments are those of `Learning.learn_once`.
        """
        answer = super().learn_once(task, programs, index)
        self.tries[task].append(answer)
        return answer


def graded(learner: Learner, number: int, *, tier: str = "") -> Run:
    """Grade exercise 9 of a hand-in; return the run as `runs.jsonl` stores it.

    The grading is that of `make grade ONLY=learning SEED=...`. Learning starts new
    processes; the diagnosis of a wrong `td_loss` uses warm ones.

    Args:
        learner: the hand-in.
        number: the number of the run, from 1; the seed is `learner.seed(number)`.
        tier: the tier of the sandbox for learning; "" for the strongest one.

    Returns:
        A dict with these keys. `run`, `source`, `number`: the hand-in's name, its
        digest and the number of the run. `lost`: the names of the checks without full
        points. `table_error`: the result of `table_error`. `maze`, `cartpole`: lists of
        tries, see `as_stored`. `by_formula`: whether updates followed the formula of
        the hand-in's loss. `problem`: why learning was stopped, or "". `seconds`: the
        duration.

    Raises:
        GraderError: the grading failed by a fault of ours.
    """
    started, seed = time.monotonic(), learner.seed(number)
    submission = Submission(learner.name, learner.source.encode())
    # Only the diagnosis of a wrong td_loss asks this candidate.
    student = warm().take(submission)
    learning = Recorded(
        *(submission, tiers.choose_tier(tier), seed, "cpu"),
        *(student.worker.budget, student.runner.programs, lambda words: None),
    )
    learning.until_lost = learner.kind == "F"
    now = Pass(graded_by(student, seed, learning))
    try:
        learning.ready()
        learning.begin()
        (exercise,) = run_checks(now, [LEARNING])
    finally:
        learning.stop()
    if now.trouble:
        raise GraderError(f"{learner.name}, run {number}: {now.trouble}")
    tries = {
        task: [as_stored(answer) for answer in answers]
        for task, answers in learning.tries.items()
    }
    return {
        "run": learner.name,
        "source": learner.digest,
        "number": number,
        "lost": [check.name for check in exercise.checks if lost(check)],
        "table_error": table_error(learning.results.tables),
        **tries,
        "by_formula": learning.results.by_formula,
        "problem": problem_of(learning.results),
        "seconds": round(time.monotonic() - started, 1),
    }


def lost(check: Check) -> bool:
    """Return whether a check gives less than full points."""
    return check.score < check.max_score


def as_stored(answer: Args) -> dict[str, Any]:
    """Return one training in the form in which `runs.jsonl` stores it as a try.

    Args:
        answer: what the learner process has answered to the request for this training.

    Returns:
        A dict with these keys. `mean_return`: the mean return of the trained policy;
        None if the training was stopped. `steps`: the environment step of the last
        validation; 0 without a validation. `facts`: numbers that describe the drawn
        task, by name.
    """
    problem = str(answer["problem"])
    curve = answer["curve"]
    return {
        "mean_return": None if problem else round(float(answer["mean_return"]), 2),
        "steps": int(curve[-1][0]) if len(curve) else 0,
        "facts": {name: round(float(x), 3) for name, x in answer["facts"].items()},
    }


def table_error(tables: Tables) -> float | None:
    """Return the largest |Q - Q*| in the table worlds, divided by the allowed error.

    A value above 1 means that an error is too large. The result is None if learning was
    stopped, or if an error is not finite.

    Args:
        tables: the result of the table worlds.
    """
    if tables.reason:
        return None
    largest = 0.0
    for mdp, Q in tables.learned:
        Q_star = mdps.value_iteration(mdp)
        allowed = CLOSE * np.abs(Q_star).max()
        largest = max(largest, float(np.abs(Q - Q_star).max() / allowed))
    return round(largest, 4) if np.isfinite(largest) else None


def problem_of(results: Results) -> str:
    """Return the first reason why a task could not be learned, in one line, or ""."""
    reasons: list[Any] = [results.tables.reason]
    for result in (results.maze, results.cartpole):
        reasons += [result.reason, result.problem]
    words = [str(reason).partition("\n")[0] for reason in reasons if reason]
    # Without the maze, CartPole is not tried, which is no problem of its own.
    return next((first for first in words if first != NEEDS_MAZE), "")
