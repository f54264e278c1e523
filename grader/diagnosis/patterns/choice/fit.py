"""Fit patterns of `epsilon_greedy` to the actions of many calls.

A pattern is a rule for the greedy action and a distribution of the actions when
exploring. Arrays have axes for K calls, N rows (states) and A actions. In an axis of
length A+1, index A means any number that is no action.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from grader.diagnosis.patterns.choice import words
from grader.diagnosis.patterns.choice.laws import (
    GREEDY,
    TRIED,
    Greedy,
    Law,
    Tried,
    laws,
)
from grader.diagnosis.reading import in_columns

# An estimate fits a law within FITS standard deviations; beyond OFF standard deviations
# it certainly deviates.
FITS, OFF = 4.0, 6.0
FITS_ALL = 4.5  # limit for the largest deviation of many numbers

CLOSE = 0.03  # no table is shown if all estimates are closer to ε
ALWAYS = 0.99  # above it, no greedy action is seen


@dataclass(frozen=True)
class Sample:
    """Actions of many calls of `epsilon_greedy` with the same values and the same ε.

    Attributes:
        epsilon: ε.
        q_values: values of N states and A actions [N,A].
        actions: chosen actions in K calls [K,N], whole numbers. A wrong hand-in may
            choose numbers that are no actions.
        start: index of the first row (state) that is used in a fit.
    """

    epsilon: float
    q_values: np.ndarray
    actions: np.ndarray
    start: int = 0

    @cached_property
    def taken(self) -> np.ndarray:
        """The chosen actions of N rows in K calls, as one-hot vectors [K,N,A+1].

        Index A means any number that is no action.
        """
        known = self.actions[:, :, None] == np.arange(self.q_values.shape[1])
        none = ~known.any(axis=2, keepdims=True)
        return np.concatenate([known, none], axis=2).astype(np.float32)

    @cached_property
    def groups(self) -> np.ndarray:
        """G masks [G,N,A+1]: each selects entries of `taken` to be counted together.

        G is 2 (A+1). The first A+1 masks select in each row the action with the largest
        value, with the second largest, and so on. The other A+1 masks select action 0,
        action 1, and so on. In both halves the last mask selects numbers that are no
        actions. Rows before `start` are left out.
        """
        rows, A = self.q_values.shape
        ranks = (-self.q_values).argsort(axis=1).argsort(axis=1)
        ranks = np.concatenate([ranks, np.full((rows, 1), A)], axis=1)
        numbers = np.tile(np.arange(A + 1), (rows, 1))
        groups = np.stack([x == i for x in (ranks, numbers) for i in range(A + 1)])
        groups[:, : self.start] = False
        return groups.astype(np.float32)

    @cached_property
    def shares(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard error of the count per call, for each mask in `groups`.

        A count is the number of rows whose chosen action the mask selects. Both arrays
        have the shape [G].
        """
        calls = self.over_calls(self.groups)
        return calls.mean(axis=0), calls.std(axis=0) / np.sqrt(len(calls))

    def over_calls(self, weights: np.ndarray) -> np.ndarray:
        """Return for each of K calls G weighted sums over the chosen actions.

        Args:
            weights: for each of the G sums, the weight that each action has in each of
                the N rows [G,N,A+1]. Index A means any number that is no action.

        Returns:
            An array [K,G].
        """
        flat = self.taken.reshape(len(self.taken), -1)
        return (flat @ weights.reshape(len(weights), -1).T).astype(np.float64)


@dataclass(frozen=True)
class Fit:
    """A pattern that fits the samples, with estimated probabilities of exploring.

    Attributes:
        greedy: rule for the greedy action.
        tried: distribution of the actions when exploring.
        exploring: a dict; its keys are the ε of the samples. Each value is the
            estimated probability of exploring, with the standard deviation of this
            estimate.
        odd: pairs of a row and an ε. In this row, at this ε, some action has another
            frequency than the pattern predicts.
    """

    greedy: Greedy
    tried: Tried
    exploring: dict[float, tuple[float, float]]
    odd: frozenset[tuple[int, float]]

    @property
    def odd_rows(self) -> tuple[int, ...]:
        """Indices of the rows in `odd`."""
        return tuple(sorted({row for row, _ in self.odd}))

    @property
    def is_certain(self) -> bool:
        """Whether exploring takes one action of each row, without chance."""
        return self.tried.differences in [(words.CONSTANT,), (words.TRIES_WORST,)]

    @property
    def is_off(self) -> bool:
        """Whether for some ε the probability of exploring is certainly not ε.

        "Certainly" means that the estimate deviates by more than `OFF` standard
        deviations.
        """
        return any(
            abs(share - epsilon) > OFF * spread
            for epsilon, (share, spread) in self.exploring.items()
        )


def fitted(samples: list[Sample]) -> Fit | None:
    """Return the simplest pattern that fits all samples; None if none fits.

    A pattern is a rule for the greedy action and a distribution when exploring. If no
    pattern fits all rows, the result is one that fits all rows except row 0, or None.
    """
    for fit in fits(samples):
        return fit
    # The first row may follow another pattern than the others.
    for fit in fits([replace(sample, start=1) for sample in samples]):
        if 0 in fit.odd_rows:
            return fit
    return None


def fits(samples: list[Sample]) -> Iterator[Fit]:
    """Yield the patterns that fit all samples, the simplest first.

    A pattern is a rule for the greedy action and a distribution when exploring. A rule
    is skipped if there is a row for which it allows several actions.
    """
    for greedy in GREEDY:
        allowed = [greedy.allowed(sample.q_values) for sample in samples]
        if any((one.sum(axis=1) > 1).any() for one in allowed):
            continue
        for tried in TRIED:
            if fit := fit_of(greedy, tried, samples, allowed):
                yield fit


def fit_of(
    greedy: Greedy, tried: Tried, samples: list[Sample], allowed: list[np.ndarray]
) -> Fit | None:
    """Return a pattern with its estimated probabilities of exploring, if it fits.

    Args:
        greedy: the pattern's rule for the greedy action.
        tried: the pattern's distribution of the actions when exploring.
        samples: chosen actions, one `Sample` for each pair of values and ε.
        allowed: for each sample, a mask [N,A] of the rule's greedy actions, with at
            most one in each row.

    Returns:
        None if the pattern does not fit all samples, if exploring and not exploring
        choose the same actions, or if another pattern says the same in a simpler way.
    """
    if not only_known(tried, samples, allowed):
        return None
    found: dict[float, list[tuple[float, float]]] = {}
    odd: set[tuple[int, float]] = set()
    for sample, one in zip(samples, allowed, strict=True):
        none = ~one.any(axis=1, keepdims=True)
        stays = np.concatenate([one, none], axis=1).astype(np.float64)
        tries = tried.shares(sample.q_values, one.argmax(axis=1), sample.epsilon)
        direction = tries - stays
        direction[: sample.start] = 0
        weight = float((direction**2).sum())
        if weight < 1e-3:  # exploring chooses the greedy actions, too
            return None
        # One estimate for each call: the rows of a call may depend on each other.
        calls = sample.over_calls(direction[None].astype(np.float32))[:, 0]
        calls = (calls - (stays * direction).sum()) / weight
        share = float(np.clip(calls.mean(), 0, 1))
        least = 0.3 / (direction.shape[0] * len(calls))
        spread = max(float(calls.std()) / np.sqrt(len(calls)), least)
        expected = stays + share * direction
        expected[: sample.start] += share * (tries - stays)[: sample.start]
        if not agrees(sample, expected, direction * spread):
            return None
        odd |= {(row, sample.epsilon) for row in odd_rows(sample, expected)}
        found.setdefault(sample.epsilon, []).append((share, spread))
    exploring = merged(found)
    if exploring is None:
        return None
    fit = Fit(greedy, tried, exploring, frozenset(odd))
    return None if needless(fit) else fit


def merged(
    found: dict[float, list[tuple[float, float]]],
) -> dict[float, tuple[float, float]] | None:
    """Return for each ε the mean of its estimates, with its standard deviation.

    Args:
        found: for each ε, one estimate of the probability of exploring for each array
            of values, with its standard deviation.

    Returns:
        None if two estimates at one ε differ by more than chance allows. Then the
        actions depend on Q in another way than the pattern says.
    """
    exploring = {}
    for epsilon, pairs in found.items():
        shares, spreads = np.array(pairs).T
        spread = float(np.linalg.norm(spreads))
        if np.ptp(shares) > OFF * spread:
            return None
        exploring[epsilon] = float(shares.mean()), spread / len(pairs)
    return exploring


def needless(fit: Fit) -> bool:
    """Tell whether a simpler pattern describes the same actions.

    If a hand-in always explores, its greedy action is never seen, so only the right
    rule is supposed. If exploring takes one action without chance, the hand-in never
    explores: this action is its greedy one.
    """
    if any(share < ALWAYS for share, _ in fit.exploring.values()):
        return False
    return fit.is_certain or bool(fit.greedy.differences)


def only_known(tried: Tried, samples: list[Sample], allowed: list[np.ndarray]) -> bool:
    """Tell whether a pattern explains all chosen numbers outside 0 to A − 1.

    It can choose A, the end of the range, if exploring includes it. One more number is
    accepted if the rule for the greedy action chooses it.

    Args:
        tried: the pattern's distribution of the actions when exploring.
        samples: chosen actions, one `Sample` for each pair of values and ε.
        allowed: for each sample, a mask [N,A] of the rule's greedy actions. A row with
            no action in its mask gets a number that is no action.
    """
    for sample, one in zip(samples, allowed, strict=True):
        numbers = set(sample.actions[sample.taken[:, :, -1] > 0].tolist())
        if words.INCLUDES_END in tried.differences:
            numbers -= {one.shape[1]}
        if len(numbers) > (0 if one.any(axis=1).all() else 1):
            return False
    return True


def agrees(sample: Sample, expected: np.ndarray, doubt: np.ndarray) -> bool:
    """Tell whether the frequencies of the actions agree with a pattern, within chance.

    The frequencies are those of each action number, and those of the action with the
    largest value, the second largest value, and so on. All rows are counted together.

    Args:
        sample: the chosen actions.
        expected: the pattern's probability of each action [N,A+1]; index A means any
            number that is no action.
        doubt: how much `expected` changes if the estimated probability of exploring
            grows by one standard deviation [N,A+1].
    """
    shares, spreads = sample.shares
    wanted = (sample.groups * expected).sum(axis=(1, 2))
    moved = (sample.groups * doubt).sum(axis=(1, 2))
    # Rare events may be seen too rarely for a standard deviation.
    variances = (sample.groups * expected * (1 - expected)).sum(axis=(1, 2))
    spreads = np.maximum(spreads, np.sqrt(variances.clip(0) / len(sample.actions)))
    limit = FITS_ALL * np.hypot(spreads, moved) + 3 / len(sample.actions)
    return bool((np.abs(shares - wanted) <= limit).all())


def odd_rows(sample: Sample, expected: np.ndarray) -> list[int]:
    """Return the rows in which an action's frequency contradicts a pattern.

    Args:
        sample: the chosen actions.
        expected: the pattern's probability of each action [N,A+1]; index A means any
            number that is no action.

    Returns:
        Indices of the rows; [] if there are none.
    """
    calls = len(sample.actions)
    spread = np.sqrt(expected * (1 - expected) / calls) + 1 / calls
    off = np.abs(sample.taken.mean(axis=0) - expected) / spread
    return np.flatnonzero((off > OFF).any(axis=1)).tolist()


def law_of(fit: Fit) -> Law | None:
    """Return the simplest formula in ε that fits all probabilities of exploring.

    Args:
        fit: has an estimated probability of exploring for each ε. Two of these ε are 0
            and 1.

    Returns:
        None if no formula fits the estimates at all ε.
    """
    least, most = fit.exploring[0.0][0], fit.exploring[1.0][0]
    for law in laws(least, most):
        off = [
            abs(share - law.of(epsilon)) / spread
            for epsilon, (share, spread) in fit.exploring.items()
        ]
        if max(off) <= FITS:
            return law
    return None


def table(fit: Fit) -> tuple[str, ...]:
    """Return the lines of a table: for each ε the estimated probability of exploring.

    Returns:
        () if all estimates are close to ε.
    """
    shares = [(epsilon, share) for epsilon, (share, _) in fit.exploring.items()]
    if all(abs(share - epsilon) < CLOSE for epsilon, share in shares):
        return ()
    rows = [(f"{epsilon:g}", f"{share:.3f}") for epsilon, share in shares]
    return in_columns([("ε", "you explore with"), *rows])
