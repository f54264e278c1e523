"""Pattern of `epsilon_greedy`: what is greedy, what is tried, and how often.

Many keys are asked for the same values. Probabilities are estimated from the actions of
each call; a deviation is claimed from 6 standard deviations on, and a pattern fits
within 4 to 5.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from grader.contract import cases
from grader.contract.case import Student
from grader.contract.outcomes import NotImplementedYet, Raised, Wrong
from grader.diagnosis.patterns import exploration_words as words
from grader.diagnosis.patterns.exploration_laws import (
    GREEDY,
    TRIED,
    Greedy,
    Law,
    Tried,
    laws,
)
from grader.diagnosis.reading import Difference, Reading

ASKED = "with probability ε any action, else argmax_a Q(s,a), for each row by itself"
KEYS, ROWS, ACTIONS = 2048, 16, 4
EPSILONS = (0.0, 0.05, 0.23, 0.37, 0.66, 0.88, 1.0)
FEW_EPSILONS = (0.0, 0.37, 1.0)  # where every key is a call
FITS, OFF = 4.0, 6.0  # standard deviations
FITS_ALL = 4.5  # for the largest of many
HARD = (  # rows of values: whole numbers, ties, negative and close ones
    *((2, 0, 1, -1), (0, 3, 3, 1), (1, 1, 1, 1), (-3, -1, -2, -1)),
    *((500, 500.05, 500.1, 500.15), (2.25, 2.75, -0.5, 0.5)),
    *((1000, 1001, 0, 0), (100, 100.9, 50, 0)),
)


@dataclass(frozen=True)
class Sample:
    """Actions of many calls for the same values.

    Attributes:
        epsilon: ε.
        q_values: [N,A].
        actions: [K,N].
        start: the first row that counts.
    """

    epsilon: float
    q_values: np.ndarray
    actions: np.ndarray
    start: int = 0

    def taken(self) -> np.ndarray:
        """Return the actions as booleans [K,N,A+1], the last for what is none."""
        A = self.q_values.shape[1]
        known = self.actions[:, :, None] == np.arange(A)
        return np.concatenate([known, ~known.any(axis=2, keepdims=True)], axis=2)


def read(student: Student, rng: np.random.Generator) -> Reading | None:
    """Read how `epsilon_greedy` chooses."""
    questions = Questions(student, rng)
    try:
        samples = questions.samples()
    except NotImplementedYet:
        raise
    except Raised as error:
        return refused(str(error)) or questions.down_the_columns()
    except OtherShape as other:
        return other.reading()
    return explained(samples, questions)


class OtherShape(Exception):
    """The actions [K, ...] have another shape than [K,N]."""

    def __init__(self, shape: tuple[int, ...], rows: int) -> None:
        super().__init__()
        self.shape, self.rows = shape, rows

    def reading(self) -> Reading | None:
        """Say what the shape is."""
        text = f"actions of shape {self.shape} for {self.rows} rows of values"
        if self.rows == 1 and self.shape == ():
            return Reading(text, f"actions of shape ({self.rows},)", (words.SQUEEZED,))
        if self.shape in ((self.rows, self.rows), (self.rows, 1)):
            return Reading(text, f"actions of shape ({self.rows},)", (words.SQUARE,))
        return Reading(text, f"actions of shape ({self.rows},)", ())


class Questions:
    """Asks for actions.

    Args:
        student: the hand-in.
        rng: for values and keys.
    """

    def __init__(self, student: Student, rng: np.random.Generator) -> None:
        self.student, self.rng = student, rng
        self.keys = rng.integers(0, 2**32, (KEYS, 2), dtype=np.uint32)
        self.epsilons = EPSILONS
        self.untraced = ""
        mixed = cases.distinct(rng, ROWS, ACTIONS)
        negative = cases.distinct(rng, ROWS, ACTIONS) - 20
        self.values = (mixed, negative)
        try:
            student.export(cases.exploration(self.keys[0], mixed, 0.5))
        except Raised as error:
            self.untraced = str(error)
            self.epsilons, self.values = FEW_EPSILONS, (mixed,)

    def chosen(self, q_values: np.ndarray, epsilon: float) -> Sample:
        """Ask with all keys."""
        case = cases.exploration(self.keys[0], q_values, epsilon)
        actions = self.student.answer_keys(case, self.keys, "actions")
        if actions.ndim != 2 or actions.shape[1:] != q_values.shape[:1]:
            raise OtherShape(actions.shape[1:], len(q_values))
        if actions.dtype.kind not in "biuf" or (actions != np.round(actions)).any():
            raise Wrong("no whole numbers")
        return Sample(epsilon, q_values, actions.astype(np.int64))

    def samples(self) -> list[Sample]:
        """Ask for two sets of values and several ε."""
        return [self.chosen(q, e) for q in self.values for e in self.epsilons]

    def hard(self, epsilon: float) -> Sample:
        """Ask for values with ties, and for whole numbers."""
        drawn = self.rng.integers(-2, 5, (ROWS - len(HARD), ACTIONS))
        q_values = np.concatenate([np.array(HARD), drawn]).astype(np.float32)
        return self.chosen(q_values, epsilon)

    def of_two(self) -> list[Sample]:
        """Ask with two actions."""
        q_values = cases.distinct(self.rng, 8, 2)
        return [self.chosen(q_values, e) for e in (0.37, 1.0)]

    def alone(self) -> Sample:
        """Ask for a single row."""
        q_values = cases.distinct(self.rng, 1, 3)
        case = cases.exploration(self.keys[0], q_values, 0.0)
        actions = self.student.answer(case).array("actions")
        if actions.shape != (1,):
            raise OtherShape(actions.shape, 1)
        return Sample(0.0, q_values, actions[None])

    def repeats(self, epsilon: float) -> bool:
        """Tell whether plain calls with one key give the same actions."""
        case = cases.exploration(self.keys[0], self.values[0], epsilon)
        one, other = (self.student.called(case).array("actions") for _ in range(2))
        return np.array_equal(one, other)

    def decays(self) -> bool:
        """Tell whether plain calls at ε = 1 become greedy."""
        q_values = self.values[0]
        best = q_values.argmax(axis=1)
        shares = []
        for key in self.keys[:40]:
            case = cases.exploration(key, q_values, 1.0)
            shares.append((self.student.called(case).array("actions") != best).mean())
        return float(np.mean(shares[-10:])) < 0.2

    def down_the_columns(self) -> Reading | None:
        """Ask for as many rows as actions, where other sizes fail."""
        q_values = cases.distinct(self.rng, ACTIONS, ACTIONS)
        down, across = q_values.argmax(axis=0), q_values.argmax(axis=1)
        case = cases.exploration(self.keys[0], q_values, 0.0)
        try:
            actions = self.student.answer(case).array("actions")
        except (Raised, Wrong):
            return None
        if np.array_equal(actions, down) and not np.array_equal(down, across):
            text = "with probability ε any action, else argmax_s Q(s,a)"
            return Reading(text, ASKED, (words.AXIS_0,))
        return None


def refused(message: str) -> Reading | None:
    """Say what a message says for certain."""
    if re.search(r"TracerBoolConversionError.*\n?.*\bif\b", message):
        return Reading(
            "a Python if on a traced value, which fails under jax.jit",
            ASKED,
            (words.PYTHON_IF,),
        )
    if "UnexpectedTracerError" in message:
        text = "a value from one call is used in another"
        return Reading(text, ASKED, (words.GLOBAL_KEY,))
    return None


# ---------------------------------------------------------------- frequencies


@dataclass(frozen=True)
class Fit:
    """A pattern and how well it fits.

    Attributes:
        greedy: the rule for the greedy action.
        tried: the distribution of what is tried.
        exploring: the probability of exploring, and its standard deviation, by ε.
        odd_rows: rows that do not fit, though all together do.
    """

    greedy: Greedy
    tried: Tried
    exploring: dict[float, tuple[float, float]]
    odd_rows: tuple[int, ...]


def fitted(samples: list[Sample]) -> Fit | None:
    """Find what is greedy and what is tried; None if nothing fits."""
    for first in (0, 1):  # the first row may be an odd one
        part = [Sample(s.epsilon, s.q_values, s.actions, first) for s in samples]
        for greedy in GREEDY:
            for tried in TRIED:
                if fit := fit_of(greedy, tried, part):
                    odd = (0,) if first else fit.odd_rows
                    return Fit(greedy, tried, fit.exploring, odd)
    return None


def fit_of(greedy: Greedy, tried: Tried, samples: list[Sample]) -> Fit | None:
    """Estimate the probability of exploring, and check what is expected of it."""
    found: dict[float, list[tuple[float, float]]] = {}
    odd: set[int] = set()
    for sample in samples:
        q, start = sample.q_values, sample.start
        allowed = greedy.allowed(q)
        if (allowed.sum(axis=1) > 1).any():
            return None
        none = ~allowed.any(axis=1, keepdims=True)
        stays = np.concatenate([allowed, none], axis=1).astype(float)
        tries = tried.shares(q, allowed.argmax(axis=1), sample.epsilon)
        taken, stays, tries, q = (
            x[..., start:, :] for x in (sample.taken(), stays, tries, q)
        )
        direction = tries - stays
        weight = float((direction**2).sum())
        if weight < 1e-3:  # what is tried is what is greedy
            return None
        # One estimate for each call, so that rows may depend on each other.
        calls = (taken * direction).sum(axis=(1, 2)) - (stays * direction).sum()
        share, spread = mean_of(calls / weight)
        share = min(max(share, 0.0), 1.0)
        expected = stays + share * direction
        if not agrees(taken, expected, q):
            return None
        odd |= {*odd_rows(taken, expected)}
        found.setdefault(sample.epsilon, []).append((share, spread))
    exploring = {}
    for epsilon, pairs in found.items():
        share = float(np.mean([share for share, _ in pairs]))
        spread = float(np.sqrt(np.sum([s**2 for _, s in pairs]))) / len(pairs)
        exploring[epsilon] = share, spread
    return Fit(greedy, tried, exploring, tuple(sorted(odd)))


def mean_of(calls: np.ndarray) -> tuple[float, float]:
    """Return the mean over calls and its standard deviation."""
    spread = float(calls.std()) / np.sqrt(len(calls))
    return float(calls.mean()), max(spread, 0.3 / (ROWS * len(calls)))


def agrees(taken: np.ndarray, expected: np.ndarray, q_values: np.ndarray) -> bool:
    """Tell whether shares by action and by rank agree within chance.

    Args:
        taken: actions of K calls as booleans [K,N,A+1].
        expected: their probabilities [N,A+1].
        q_values: [N,A].
    """
    ranks = (-q_values).argsort(axis=1).argsort(axis=1)
    none = np.full((len(ranks), 1), q_values.shape[1])
    ranks = np.concatenate([ranks, none], axis=1)
    for rank in range(q_values.shape[1] + 1):
        for chosen in (ranks == rank, np.zeros_like(ranks, bool)):
            if not chosen.any():
                chosen[:, rank] = True
            calls = (taken & chosen).sum(axis=(1, 2)) / len(ranks)
            share, spread = mean_of(calls)
            if (
                abs(share - float(expected[chosen].sum()) / len(ranks))
                > FITS_ALL * spread
            ):
                return False
    return True


def odd_rows(taken: np.ndarray, expected: np.ndarray) -> list[int]:
    """Return the rows in which the shares of single actions are off."""
    calls = len(taken)
    spread = np.sqrt(expected * (1 - expected) / calls) + 1 / calls
    off = np.abs(taken.mean(axis=0) - expected) / spread
    return np.flatnonzero((off > OFF).any(axis=1)).tolist()


def law_of(fit: Fit, rows: int) -> Law | None:
    """Find how the probability of exploring depends on ε."""
    least, most = fit.exploring[0.0][0], fit.exploring[1.0][0]
    for law in laws(least, most, rows, ACTIONS):
        off = [
            abs(share - law.of(epsilon)) / spread
            for epsilon, (share, spread) in fit.exploring.items()
        ]
        if max(off) <= FITS:
            return law
    return None


# ---------------------------------------------------------------- rows together


def together(samples: list[Sample], fit: Fit) -> Iterator[Difference]:
    """Yield how the rows of one call depend on each other."""
    shares = {epsilon: share for epsilon, (share, _) in fit.exploring.items()}
    most = max(samples, key=lambda sample: shares[sample.epsilon])
    rows = most.actions.shape[1]
    greedy = fit.greedy.allowed(most.q_values).argmax(axis=1)
    if shares[most.epsilon] > 0.1 and not words.CONSTANT in fit.tried.differences:
        others = [row[row != greedy] for row in most.actions]
        several = [row for row in others if len(row) > 1]
        if len(several) > 100 and all(len(set(row.tolist())) == 1 for row in several):
            yield words.SHARED
            return
        counts = np.array(
            [np.bincount(row.astype(int) % (ACTIONS + 1)).max() for row in most.actions]
        )
        if shares[most.epsilon] > 0.999 and (counts == rows // ACTIONS).all():
            yield words.DEALT
    middle = min(samples, key=lambda sample: abs(shares[sample.epsilon] - 0.4))
    share = shares[middle.epsilon]
    if not 0.1 < share < 0.9:
        return
    yield from scattered(middle, fit, share)


def scattered(sample: Sample, fit: Fit, share: float) -> Iterator[Difference]:
    """Yield whether the number of rows that explore varies as by chance."""
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


# ---------------------------------------------------------------- all together


def explained(samples: list[Sample], questions: Questions) -> Reading | None:
    """Find what was computed; None if all is right or nothing fits."""
    if same_for_all_keys(samples):
        return without_key(samples, questions)
    fit = fitted(samples)
    if fit is None:
        return noisy(samples) or measured(samples)
    law = law_of(fit, ROWS)
    differences = [*fit.greedy.differences]
    if off_by_more_than_chance(fit):
        differences += law.differences if law else (words.OTHER_EPSILON,)
    differences += fit.tried.differences
    found = [d for d in together(samples, fit) if d not in differences]
    differences += found
    if fit.odd_rows:
        differences += [words.REUSED_SCORES] if fit.odd_rows == (0,) else []
    if words.OTHER_EPSILON in differences and questions.decays():
        differences[differences.index(words.OTHER_EPSILON)] = words.DECAYS
    greedy = hard_rule(fit, questions)
    if greedy and greedy.differences and not fit.greedy.differences:
        differences = [*greedy.differences, *differences]
        fit = Fit(greedy, fit.tried, fit.exploring, fit.odd_rows)
    if not differences:
        return small(questions)
    return Reading(
        in_words(fit, law, differences), ASKED, tuple(differences), table(fit)
    )


def off_by_more_than_chance(fit: Fit) -> bool:
    """Tell whether some probability of exploring is not ε for certain."""
    return any(
        abs(share - epsilon) > OFF * spread
        for epsilon, (share, spread) in fit.exploring.items()
    )


def same_for_all_keys(samples: list[Sample]) -> bool:
    """Tell whether every key gives the same actions, and some are no best ones."""
    alike = all((s.actions == s.actions[0]).all() for s in samples)
    taken = [s.q_values[np.arange(ROWS), s.actions[0] % ACTIONS] for s in samples]
    levels = [
        {int(rank) for rank in (s.q_values > t[:, None]).sum(axis=1)}
        for s, t in zip(samples, taken, strict=True)
    ]
    return alike and any(len(level) > 1 for level in levels)


def without_key(samples: list[Sample], questions: Questions) -> Reading:
    """Return the reading where the key makes no difference."""
    text = "the same actions for every key"
    try:
        repeats = questions.repeats(1.0)
    except Raised as error:
        if found := refused(str(error)):
            return found
        repeats = True
    if repeats:
        return Reading(text, ASKED, (words.FIXED_KEY,))
    text = f"{text} under jax.jit, and other ones for one key in plain calls"
    return Reading(text, ASKED, (words.NUMPY,))


def hard_rule(fit: Fit, questions: Questions) -> Greedy | None:
    """Find the rule for the greedy action where there are ties and close values."""
    epsilon = min(fit.exploring, key=lambda e: fit.exploring[e][0])
    if fit.exploring[epsilon][0] > 0.4:
        return None
    sample = questions.hard(epsilon)
    # Beyond the actions there is one more number: what is none.
    modes = [int(np.bincount(row.clip(0, 9)).argmax()) for row in sample.actions.T]
    for greedy in GREEDY:
        allowed = greedy.allowed(sample.q_values)
        rows = zip(allowed, modes, strict=True)
        if all(row[a] if a < ACTIONS else not row.any() for row, a in rows):
            return greedy
    return None


def small(questions: Questions) -> Reading | None:
    """Ask with two actions, and with a single row."""
    try:
        for sample in questions.of_two():
            best = sample.q_values.argmax(axis=1)
            if (sample.actions == best).all():
                text = "argmax_a Q(s,a) whatever ε is, where there are two actions"
                return Reading(text, ASKED, (words.FOR_TWO,))
        questions.alone()
    except OtherShape as other:
        return other.reading()
    if questions.untraced:
        if not questions.repeats(0.5):
            text = "asked twice with one key, it gives other actions"
            return Reading(text, ASKED, (words.GLOBAL_KEY,))
        return refused(questions.untraced)
    return None


def in_words(fit: Fit, law: Law | None, differences: list[Difference]) -> str:
    """Return the pattern as a sentence."""
    chance = f"probability {law.words}" if law else "another probability than ε"
    if words.DECAYS in differences:
        chance = "a probability that falls from call to call"
    text = f"with {chance} {fit.tried.words}, else {fit.greedy.words}"
    for difference, more in {
        words.PER_BATCH: "one coin for all rows",
        words.SHARED: "one random action for all rows",
        words.DEALT: "each action as often as the others in every call",
        words.EXACT_SHARE: "the same number of rows in every call",
        words.REUSED_SCORES: "but other shares in row 0",
    }.items():
        text += f"; {more}" if difference in differences else ""
    return text


def table(fit: Fit) -> tuple[str, ...]:
    """Return the probability of exploring by ε."""
    lines = [f"{'ε':>5}  you explore with"]
    for epsilon, (share, _) in fit.exploring.items():
        lines.append(f"{epsilon:5.2f}  {share:.3f}")
    return tuple(lines)


def noisy(samples: list[Sample]) -> Reading | None:
    """Say that the worst of the actions is never tried, and others are."""
    for sample in samples:
        ranks = (-sample.q_values).argsort(axis=1).argsort(axis=1)
        taken = sample.taken()[:, :, :-1]
        shares = [float(taken[:, ranks == rank].mean()) for rank in range(ACTIONS)]
        wrong = shares[0] < 1 if sample.epsilon == 0 else shares[-1] > 0
        if wrong or (sample.epsilon == 1 and shares[1] == 0):
            return None
    text = "at ε = 1 the worst action never, the second best sometimes"
    return Reading(text, ASKED, (words.NOISE,))


def measured(samples: list[Sample]) -> Reading | None:
    """Say how often the greedy action came, where that is certainly wrong."""
    for sample in samples:
        best = sample.q_values.argmax(axis=1)
        share, spread = mean_of((sample.actions == best).mean(axis=1))
        expected = 1 - sample.epsilon + sample.epsilon / ACTIONS
        if abs(share - expected) > OFF * spread:
            text = (
                f"at ε = {sample.epsilon} with {ACTIONS} actions the greedy action "
                f"came in {100 * share:.1f} % of the cases, where "
                f"{100 * expected:.1f} % are expected"
            )
            return Reading(text, ASKED, ())
    return None
