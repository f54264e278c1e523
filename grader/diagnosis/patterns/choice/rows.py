"""Find mistakes by which the rows of a call of `epsilon_greedy` are not alike.

The rows may depend on each other, or row 0 may choose otherwise than the other rows.
"""

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from grader.diagnosis.patterns.choice import words
from grader.diagnosis.patterns.choice.fit import ALWAYS, FITS, OFF, Fit, Sample
from grader.diagnosis.patterns.choice.questions import ACTIONS
from grader.diagnosis.reading import Difference


def together(samples: list[Sample], fit: Fit) -> Iterator[Difference]:
    """Yield each mistake by which the rows of a call depend on each other.

    For example, all exploring rows may get the same random action, or all rows may
    explore together.

    Args:
        samples: the actions for each array of Q values and each ε.
        fit: the pattern that fits the samples.
    """
    shares = {epsilon: share for epsilon, (share, _) in fit.exploring.items()}
    most = max(samples, key=lambda sample: shares[sample.epsilon])
    greedy = fit.greedy.allowed(most.q_values).argmax(axis=1)
    if shares[most.epsilon] > 0.1 and not fit.is_certain:
        others = [row[row != greedy] for row in most.actions]
        several = [row for row in others if len(row) > 1]
        if len(several) > 100 and all(len(set(row.tolist())) == 1 for row in several):
            yield words.SHARED
            return
        taken = most.actions[:, :, None] == np.arange(ACTIONS)
        chances, counts = taken.mean(axis=0), taken.sum(axis=1)
        scatter = counts.var(axis=0).sum() / (chances * (1 - chances)).sum()
        if shares[most.epsilon] > 0.8 and scatter < 0.6:
            alike = [s for s in samples if s.epsilon == most.epsilon]
            yield words.DEALT if all(map(dealt, alike)) else words.DEPENDENT
    middle = min(samples, key=lambda sample: abs(shares[sample.epsilon] - 0.4))
    share = shares[middle.epsilon]
    if not 0.1 < share < 0.9:
        return
    yield from scattered(middle, fit, share)


def dealt(sample: Sample) -> bool:
    """Tell whether each call has the same number of each action, or one more."""
    counts = sample.taken.sum(axis=1)
    return bool(np.ptp(counts[:, counts.any(axis=0)], axis=1).max() <= 1)


def scattered(sample: Sample, fit: Fit, share: float) -> Iterator[Difference]:
    """Yield a mistake if the rows of a call do not explore independently.

    Either all rows of a call explore together, or each call has the same number of
    exploring rows. The variance of the number of exploring rows per call is compared
    with the variance for independent rows.

    Args:
        sample: the actions of many calls with the same Q values and ε.
        fit: the pattern that fits the samples.
        share: estimated probability of exploring in this sample.
    """
    allowed = fit.greedy.allowed(sample.q_values)
    explores = sample.actions != allowed.argmax(axis=1)
    counts = explores.sum(axis=1)
    chances = explores.mean(axis=0)
    ratio = counts.var() / float((chances * (1 - chances)).sum())
    calls, rows = explores.shape
    limit = OFF * np.sqrt(2 / calls)
    if ratio > 1 + limit:
        none = float((counts == 0).mean())
        expected = 1 - share
        if abs(none - expected) < FITS * np.sqrt(share * (1 - share) / calls) + 0.01:
            yield words.PER_BATCH
    elif ratio < 1 - limit and counts.max() <= np.ceil(share * rows - 0.3):
        yield words.EXACT_SHARE


def by_values(samples: list[Sample]) -> list[np.ndarray]:
    """Return for each array of Q values the actions of all calls [C,N], at any ε.

    Args:
        samples: the actions for each array of Q values and each ε, in this order.
    """
    groups = groupby(samples, key=lambda sample: id(sample.q_values))
    return [np.concatenate([sample.actions for sample in group]) for _, group in groups]


def first_row(samples: list[Sample], fit: Fit) -> Difference:
    """Return the mistake of row 0, which does not choose as the other rows do.

    If coin and action come from one key, they are correlated. This changes the shares
    of the actions only if the coin may fall either way: a row that always explores, or
    never, has the right ones.

    Args:
        samples: the actions for each array of Q values and each ε.
        fit: the pattern that fits the other rows.
    """
    if all((calls[:, 0] == calls[0, 0]).all() for calls in by_values(samples)):
        return words.FIRST_NEVER
    shares = {epsilon: share for epsilon, (share, _) in fit.exploring.items()}
    either = {e for e, share in shares.items() if 1 - ALWAYS < share < ALWAYS}
    odd = {epsilon for row, epsilon in fit.odd if row == 0}
    if max(shares.values()) > ALWAYS and odd <= either:
        return words.REUSED_SCORES
    return words.FIRST_OTHER
