"""Draw the steps and periods with which `sync_target` is asked."""

import numpy as np

from grader.diagnosis.patterns.renewal.rules import ROUND_STEPS, Pairs

SHOWN_PERIOD, SHOWN_STEPS = 4, range(13)  # the first questions, in this order
PERIODS = (1, 2, 3, 5, 6, 8, 12, 100, 250)


def questions(rng: np.random.Generator) -> Pairs:
    """Draw the pairs (step, period) with which `sync_target` will be asked.

    The first pairs have the steps `SHOWN_STEPS`, in order, and the period
    `SHOWN_PERIOD`. All other pairs follow in random order.
    """
    pairs = []
    for period in PERIODS:
        k, few = int(rng.integers(2, 12)), int(rng.integers(1, 40))
        steps = [0, period, k * period, k * period + 1, k * period - 1]
        steps += [few, (k + 1) * period]
        pairs += [(step, period) for step in steps]
    pairs += [(step, int(rng.choice(PERIODS[1:]))) for step in ROUND_STEPS]
    in_order = [(step, SHOWN_PERIOD) for step in SHOWN_STEPS]
    return [*in_order, *(pairs[i] for i in rng.permutation(len(pairs)))]


def divisors(renewed: list[int]) -> Pairs:
    """Return pairs (step, period) that reveal a constant used in place of the period.

    Args:
        renewed: the steps at which the hand-in has replaced θ_T by something new.

    Returns:
        A pair (n, 7) for each common divisor n > 1 of these steps, at most 30 pairs.
    """
    common = int(np.gcd.reduce(renewed)) if renewed else 0
    found = [n for n in range(2, min(common, 20_000) + 1) if common % n == 0]
    return [(n, 7) for n in found[:30]]
