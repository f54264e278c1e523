"""Compute statistics of runs: confidence bounds, severities, difficulty of tasks.

A run is one grading of exercise 9, see `trial.graded`. A try is one training of the
maze or of CartPole in a run. It is stored as a dict with three keys. `mean_return` is
the mean return of the trained policy, or None if the training was stopped. `steps` is
the environment step of the last validation, or 0 without a validation. `facts` has
numbers that describe the task that was drawn, by the names in `FACTS`.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from grader.contract.learning import CARTPOLE, FULL, MAZE, MAZE_SHARE
from grader.oracle.learning.results import Result
from tests.support.calibration.runs import Run

CLEAR = 0.01  # a p-value below this counts as a difference of a mutant
# By task, the names of the facts on a drawn task, with their meanings.
FACTS = {
    MAZE: {
        "shortest": "steps of the shortest way, mean over the rooms",
        "random_walk": "steps of a random walk, mean over the rooms",
        "farthest": "steps from the farthest room",
    },
    CARTPOLE: {
        "swapped": "actions swapped (1) or not (0)",
        "reflected": "reflection (1) or rotation (0)",
        "overlap": "how much of an axis lies along one old axis, mean",
    },
}

Try = dict[str, Any]


def bounds(hits: int, trials: int) -> tuple[float, float]:
    """Return the exact 95 % confidence bounds of a success rate (Clopper-Pearson).

    Args:
        hits: the number of successes.
        trials: the number of independent trials, at least 1.

    Returns:
        The lower and the upper bound, from 0 to 1.
    """
    low = stats.beta.ppf(0.025, hits, trials - hits + 1) if hits else 0.0
    high = stats.beta.ppf(0.975, hits + 1, trials - hits) if hits < trials else 1.0
    return float(low), float(high)


def quantile(values: Iterable[float], share: float) -> float:
    """Return a quantile of values, which is one of the values (no interpolation).

    Args:
        values: at least one number.
        share: the quantile's order, from 0 to 1; 0.5 is the median.
    """
    ordered = sorted(values)
    return ordered[int(share * (len(ordered) - 1))]


def first_tries(runs: Iterable[Run], task: str) -> list[Try]:
    """Return the first try at a task of each run; runs without such a try are left out.

    Args:
        runs: the runs.
        task: `MAZE` or `CARTPOLE`.
    """
    return [run[task][0] for run in runs if run[task]]


def score(one: Try, task: str) -> float:
    """Return the number by which a try is judged; -inf if the training was stopped.

    For CartPole this is the mean return. For the maze the mean return is scaled: 0 for
    a random walk, 1 for the shortest way from every room.

    Args:
        one: the try.
        task: `MAZE` or `CARTPOLE`.
    """
    if one["mean_return"] is None:
        return -np.inf
    if task == MAZE:
        return Result(mean_return=one["mean_return"], facts=one["facts"]).share
    return one["mean_return"]


def passed(one: Try, task: str) -> bool:
    """Return whether a try gets all points of its task.

    Args:
        one: the try.
        task: `MAZE` or `CARTPOLE`.
    """
    return score(one, task) >= (MAZE_SHARE if task == MAZE else FULL)


def steps(one: Try, task: str) -> float:
    """Return the environment steps of a try; inf if it does not get all points.

    Args:
        one: the try.
        task: `MAZE` or `CARTPOLE`.
    """
    return one["steps"] if passed(one, task) else np.inf


def false_fail(failed: int, trials: int, tries: int) -> tuple[float, float]:
    """Return the probability that a right hand-in fails in all tries of a grading.

    The tries of one grading have different seeds, so they count as independent.

    Args:
        failed: the number of measured first tries that failed.
        trials: the number of measured first tries.
        tries: how often a task is tried in one grading at most.

    Returns:
        The estimated probability, and its 95 % upper bound.
    """
    return (failed / trials) ** tries, bounds(failed, trials)[1] ** tries


def measured_severity(runs: list[Run], right: list[Run]) -> str:
    """Return the severity of a mutant, measured by a comparison with the solution.

    Args:
        runs: the runs of the mutant.
        right: the runs of the solution.

    Returns:
        "F" if no run of the mutant has all points. "D" if the mutant has all points
        less often than the solution (Fisher's test), or if its first tries at a task
        need more steps (Mann-Whitney test). Both tests are one-sided, with p < 0.01.
        Otherwise "S".
    """
    full = [sum(not run["lost"] for run in group) for group in (runs, right)]
    if not full[0]:
        return "F"
    table = [[full[0], len(runs) - full[0]], [full[1], len(right) - full[1]]]
    p_values = [stats.fisher_exact(table, alternative="less").pvalue]
    for task in FACTS:
        ours, theirs = (
            [steps(one, task) for one in first_tries(group, task)]
            for group in (runs, right)
        )
        later = stats.mannwhitneyu(ours, theirs, alternative="greater")
        p_values.append(later.pvalue)
    return "D" if min(p_values) < CLEAR else "S"


class Hardness(NamedTuple):
    """How the difficulty of a task depends on one fact.

    A fact is a number that describes the task that was drawn, see `FACTS`.

    Attributes:
        rho: Spearman's rank correlation between the fact and the steps of a try. Failed
            tries have the largest rank.
        p_steps: the p-value of this correlation.
        p_failed: the p-value of a Mann-Whitney test that compares the fact in failed
            tries with the fact in passed tries; None if all tries passed.
    """

    rho: float
    p_steps: float
    p_failed: float | None


def hardness(tries: list[Try], task: str, fact: str) -> Hardness | None:
    """Return how one fact is related to the difficulty of a task.

    The result is None if the fact has the same value in all tries, or if all tries have
    the same number of steps. Failed tries have infinitely many steps.

    Args:
        tries: first tries at the task.
        task: `MAZE` or `CARTPOLE`.
        fact: a key of `FACTS[task]`.
    """
    values = [one["facts"][fact] for one in tries]
    taken = [steps(one, task) for one in tries]
    if len(set(values)) < 2 or len(set(taken)) < 2:  # otherwise some tries have passed
        return None
    ranks = stats.rankdata(taken)  # ranks, because steps can be infinite
    rho, p_steps = stats.spearmanr(values, ranks)
    failed, fine = (
        [one["facts"][fact] for one in tries if passed(one, task) is wanted]
        for wanted in (False, True)
    )
    p_failed = float(stats.mannwhitneyu(failed, fine).pvalue) if failed else None
    return Hardness(float(rho), float(p_steps), p_failed)


def grouped(tries: list[Try], fact: str) -> dict[str, list[Try]]:
    """Group tries by one fact: by its value, or into quarters if it has many values.

    If the fact has more than four different values, the quartiles of the fact divide
    the tries into four groups. Empty groups are left out.

    Args:
        tries: the tries.
        fact: a key of each try's `facts`.

    Returns:
        The tries of each group. The key is a text with the group's value or range.
    """
    values = sorted(one["facts"][fact] for one in tries)
    if len(set(values)) <= 4:
        return {
            f"{value:g}": [one for one in tries if one["facts"][fact] == value]
            for value in sorted(set(values))
        }
    cuts = [quantile(values, share) for share in (0.25, 0.5, 0.75)]
    groups: list[list[Try]] = [[], [], [], []]
    for one in tries:
        groups[sum(one["facts"][fact] > cut for cut in cuts)].append(one)
    ends = zip([values[0], *cuts], [*cuts, values[-1]], strict=True)
    names = [f"{low:.3g} to {high:.3g}" for low, high in ends]
    return {name: of for name, of in zip(names, groups, strict=True) if of}
