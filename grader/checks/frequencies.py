"""Judge whether observed frequencies deviate from expected ones by more than chance.

Outcomes are counted, for example how often each action came. A row is a row of the
array `q_values` [N,A], for which `epsilon_greedy` returns one action.
"""

import numpy as np

from grader.contract.outcomes import WAITS_FOR_ABOVE, Waiting

TAIL = 1e-10  # the probability with which a right hand-in exceeds a limit by chance


def statistic(counts: np.ndarray, expected: np.ndarray | float) -> float:
    """Return Pearson's χ² statistic: the sum of (counts - expected)² / expected.

    Args:
        counts: the observed count of each outcome [n].
        expected: the expected count of each outcome [n], or one number for all.
    """
    return float(((counts - expected) ** 2 / expected).sum())


def too_far(counts: np.ndarray, expected: np.ndarray) -> bool:
    """Return whether counts deviate from expected counts by more than chance allows.

    For the counts of a right hand-in, the result is True with the small probability
    `TAIL`.

    Args:
        counts: the observed count of each outcome [n].
        expected: the expected count of each outcome [n].
    """
    return statistic(counts, expected) > chi2_limit(len(counts) - 1)


def uneven(counts: np.ndarray, expected: np.ndarray) -> bool:
    """Return whether the summed counts of K calls deviate by more than chance allows.

    The draws of one call may depend on each other; another check judges whether they
    do. If they do, the counts can vary more from call to call than with independent
    draws. So the limit of the χ² statistic is multiplied by this ratio, if it is above
    1: the variance of the counts, divided by their variance for independent draws.

    Args:
        counts: the observed count of each outcome in each call [K,n].
        expected: the expected count of each outcome in one call [n].
    """
    degrees = len(expected) - 1
    total = statistic(counts.sum(axis=0), len(counts) * expected)
    own = counts.mean(axis=0)
    came = own > 0
    scatter = ((counts - own)[:, came] ** 2 / own[came]).sum(axis=1).mean()
    excess = scatter / max(1, came.sum() - 1)
    return total > chi2_limit(degrees) * max(1.0, excess)


def odd_row(counts: np.ndarray, expected: np.ndarray) -> int:
    """Return the index of the row whose counts deviate most from the expected counts.

    The result is -1 if chance explains the deviations of all rows.

    Args:
        counts: the observed count of each action in each row [N,A].
        expected: the expected count of each action in each row [N,A].
    """
    statistics = [statistic(*row) for row in zip(counts, expected, strict=True)]
    row = int(np.argmax(statistics))
    return row if statistics[row] > chi2_limit(counts.shape[1] - 1) else -1


def odd_scatter(events: np.ndarray) -> str:
    """Judge whether the number of events per call varies too much or too little.

    An event happens or does not happen in a row, for example that the row gets action
    2. The variance of the number of events per call is compared with the variance for
    independent rows. The probability of the event in each row is estimated from the K
    calls.

    Args:
        events: whether the event happened in each call and row [K,N].

    Returns:
        "more" if the number varies too much to be chance, "less" if it varies too
        little to be chance, "" otherwise.

    Raises:
        Waiting: the event comes nearly always or nearly never. The variance is then too
            small to judge.
    """
    shares = events.mean(axis=0)
    variance = (shares * (1 - shares)).sum()
    if variance < 1:
        raise Waiting(WAITS_FOR_ABOVE)
    scatter = ((events.sum(axis=1) - shares.sum()) ** 2).sum() / variance
    if scatter > chi2_limit(len(events)):
        return "more"
    return "less" if scatter < chi2_limit(len(events), 1 - TAIL) else ""


def chi2_limit(degrees: int, tail: float = TAIL) -> float:
    """Return the value that a χ² distribution exceeds with probability `tail`.

    Args:
        degrees: the degrees of freedom.
        tail: the probability.
    """
    from scipy import special  # here, because it takes 0.2 s and few checks need it

    return float(special.chdtri(degrees, tail))
