"""Compute statistics of runs: confidence bounds, severities, difficulty of tasks.

A try is one training of a task in a run. It is stored as a dict: `mean_return` (None if
the training was stopped), `steps` (environment steps until training ended) and `facts`
(numbers that describe the drawn task, see `FACTS`).
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
    """Return the exact 95 % confidence bounds of hits / trials (Clopper–Pearson)."""
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
    """Return the first try at a task of each run that has tried the task."""
    return [run[task][0] for run in runs if run[task]]


def score(one: Try, task: str) -> float:
    """Return the number that the check judges; -inf if the training was stopped.

    For CartPole this is the mean return. For the maze it is 0 for the steps of a random
    walk, 1 for those of the shortest way, and linear between.
    """
    if one["mean_return"] is None:
        return -np.inf
    if task == MAZE:
        return Result(mean_return=one["mean_return"], facts=one["facts"]).share
    return one["mean_return"]


def passed(one: Try, task: str) -> bool:
    """Return whether a try gets full points."""
    return score(one, task) >= (MAZE_SHARE if task == MAZE else FULL)


def steps(one: Try, task: str) -> float:
    """Return the environment steps of a try; inf if the try gets no full points."""
    return one["steps"] if passed(one, task) else np.inf


def false_fail(failed: int, trials: int, tries: int) -> tuple[float, float]:
    """Return the probability that a right hand-in fails in all tries of a grading.

    The tries of one grading have different seeds, so they are independent.

    Args:
        failed: number of measured first tries that failed.
        trials: number of measured first tries.
        tries: largest number of tries in one grading.

    Returns:
        The estimated probability, and its 95 % upper bound.
    """
    return (failed / trials) ** tries, bounds(failed, trials)[1] ** tries


def measured_severity(runs: list[Run], right: list[Run]) -> str:
    """Return a mutant's severity, measured by a comparison with the solution.

    Args:
        runs: runs of the mutant.
        right: runs of the solution.

    Returns:
        "F" if no run of the mutant has all points. "D" if the mutant has all points
        less often than the solution (Fisher's test), or if its first tries at a task
        need more steps (Mann-Whitney test). These tests are one-sided with p < 0.01.
        "S" otherwise.
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
    """How a fact on the drawn tasks is related to their difficulty.

    Attributes:
        rho: Spearman's rank correlation of the fact and the steps of a try. Failed
            tries count as the slowest.
        p_steps: p-value of this correlation.
        p_failed: p-value of a Mann-Whitney test that compares the fact in failed and in
            passed tries; None if all tries passed.
    """

    rho: float
    p_steps: float
    p_failed: float | None


def hardness(tries: list[Try], task: str, fact: str) -> Hardness | None:
    """Return how a fact is related to the difficulty of a task.

    The result is None if all tries have the same value of the fact, or the same number
    of steps, which is infinite for failed tries.

    Args:
        tries: first tries of right hand-ins.
        task: the task.
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
    """Return the tries in groups: one for each value of a fact, or four quarters.

    More than four values give quarters: groups between the quartiles of the fact.

    Args:
        tries: the tries.
        fact: a key of the tries' facts.

    Returns:
        The groups by a text that names their value or their range of values.
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
