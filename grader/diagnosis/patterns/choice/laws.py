"""Tables of what `epsilon_greedy` may do, right and wrong.

`GREEDY` has rules for the greedy action, `TRIED` has distributions of the actions when
exploring, and `laws` yields formulas for the probability of exploring. To add one of
them, add a line there. Arrays have axes for N rows (states) and A actions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from grader.diagnosis.patterns.arrays import bfloat, half
from grader.diagnosis.patterns.choice import words
from grader.diagnosis.reading import Difference

Differences = tuple[Difference, ...]


@dataclass(frozen=True)
class Greedy:
    """A rule for the greedy action, right or wrong.

    Attributes:
        words: the rule in words.
        differences: the mistakes; () for the right rule.
        allowed: function of the values [N,A] of N states and A actions. It returns a
            mask [N,A] of the actions that the rule may choose. In a row with no action
            in the mask, the rule chooses a number that is no action.
    """

    words: str
    differences: Differences
    allowed: Callable[[np.ndarray], np.ndarray]


def best(q: np.ndarray) -> np.ndarray:
    """Return a mask [N,A] of the actions with the largest value of their row."""
    return q == q.max(axis=1, keepdims=True)


def only(actions: np.ndarray, num_actions: int) -> np.ndarray:
    """Return a mask [N,A] with one action in each row.

    Args:
        actions: number of the action for each row [N]; a number that is no action gives
            a row of False.
        num_actions: number A of actions.
    """
    return actions[:, None] == np.arange(num_actions)


def first(marked: np.ndarray) -> np.ndarray:
    """Return a mask [N,A] of the first marked action in each row.

    Args:
        marked: mask [N,A]. In a row without a marked action, the result marks action 0.
    """
    return only(marked.argmax(axis=1), marked.shape[1])


def by_index(q: np.ndarray) -> np.ndarray:
    """Return a mask [N,A] of the actions whose value equals the best action's number.

    This rule is a mistake: it compares values with the arg max instead of the maximum.
    In a row without such an action, the result marks the best action.
    """
    ties = q == q.argmax(axis=1)[:, None]
    return np.where(ties.any(axis=1, keepdims=True), ties, first(best(q)))


def near(q: np.ndarray) -> np.ndarray:
    """Return a mask [N,A] of actions whose value is within 1 % of the row's largest."""
    most = q.max(axis=1, keepdims=True)
    return np.abs(q - most) <= 1e-8 + 0.01 * np.abs(most)


def second(q: np.ndarray) -> np.ndarray:
    """Return a mask [N,A] of the action with the second largest value in each row."""
    return only(np.argsort(q, axis=1, kind="stable")[:, -2], q.shape[1])


GREEDY = [
    Greedy("argmax_a Q(s,a)", (), best),
    Greedy("argmin_a Q(s,a)", (words.ARGMIN,), lambda q: first(best(-q))),
    Greedy("argmax_a |Q(s,a)|", (words.OF_SIZE,), lambda q: first(best(np.abs(q)))),
    Greedy(
        "argmin_a |Q(s,a)|",
        (words.ARGMIN, words.OF_SIZE),
        lambda q: first(best(-np.abs(q))),
    ),
    Greedy(
        "the arg max over all rows",
        (words.FLAT,),
        lambda q: only(np.full(len(q), q.argmax()), q.shape[1]),
    ),
    Greedy(
        "the first row's argmax_a Q(s,a)",
        (words.FIRST_ROW,),
        lambda q: only(np.full(len(q), q[0].argmax()), q.shape[1]),
    ),
    Greedy("the second best action", (words.SECOND,), second),
    Greedy(
        "an action whose value is the number of the best one",
        (words.BY_INDEX,),
        by_index,
    ),
    Greedy(
        "the sum of the numbers of the best actions",
        (words.SUMMED,),
        lambda q: only((best(q) * np.arange(q.shape[1])).sum(axis=1), q.shape[1]),
    ),
    Greedy(
        "the best action, or 0 where several are best",
        (words.TO_NOTHING,),
        lambda q: first(best(q) & (best(q).sum(axis=1, keepdims=True) == 1)),
    ),
    Greedy(
        "the arg max of whole numbers of Q",
        (words.WHOLE,),
        lambda q: first(best(np.trunc(q))),
    ),
    Greedy(
        "the arg max of whole numbers below Q",
        (words.WHOLE,),
        lambda q: first(best(np.floor(q))),
    ),
    Greedy(
        "the arg max of Q rounded to whole numbers",
        (words.WHOLE,),
        lambda q: first(best(np.round(q))),
    ),
    Greedy(
        "the arg max of Q in bfloat16", (words.SHORT,), lambda q: first(best(bfloat(q)))
    ),
    Greedy(
        "the arg max of Q in float16", (words.SHORT,), lambda q: first(best(half(q)))
    ),
    Greedy(
        "the first within 1 % of the best", (words.CLOSE,), lambda q: first(near(q))
    ),
]


@dataclass(frozen=True)
class Tried:
    """A distribution of the actions when exploring, right or wrong.

    Attributes:
        words: the distribution in words.
        differences: the mistakes; () for the right distribution.
        shares: function of the values [N,A], the greedy actions [N] and ε. It returns
            the probability of each action in each row [N,A+1]. The last column is the
            probability of a number that is no action.
    """

    words: str
    differences: Differences
    shares: Callable[[np.ndarray, np.ndarray, float], np.ndarray]


def padded(shares: np.ndarray, beyond: float = 0.0) -> np.ndarray:
    """Add to probabilities a last column, for numbers that are no actions.

    Args:
        shares: probabilities of the A actions in N rows [N,A].
        beyond: value of the new column.

    Returns:
        The probabilities with the new column [N,A+1].
    """
    return np.concatenate([shares, np.full((len(shares), 1), beyond)], axis=1)


def uniform(q: np.ndarray, greedy: np.ndarray, epsilon: float) -> np.ndarray:
    """Return an array [N,A+1]: the probability 1/A for each of A actions in N rows.

    The last column, for numbers that are no actions, is 0. Of the arguments, only the
    shape [N,A] of q is used.
    """
    return padded(np.full(q.shape, 1 / q.shape[1]))


def with_end(q: np.ndarray, greedy: np.ndarray, epsilon: float) -> np.ndarray:
    """Return an array [N,A+1]: the probability 1/(A+1) for each number from 0 to A.

    The number A is no action. Of the arguments, only the shape [N,A] of q is used.
    """
    return padded(np.full(q.shape, 1 / (q.shape[1] + 1)), 1 / (q.shape[1] + 1))


def rounded(q: np.ndarray, greedy: np.ndarray, epsilon: float) -> np.ndarray:
    """Return the probabilities [N,A+1] of actions that are rounded random numbers.

    The action is (A − 1) u, rounded to a whole number, with u uniform in [0, 1). So the
    first and the last action are half as likely as the others. The last column, for
    numbers that are no actions, is 0. Of the arguments, only the shape [N,A] of q is
    used.
    """
    shares = np.full(q.shape, 1.0)
    shares[:, [0, -1]] = 0.5
    return padded(shares / shares.sum(axis=1, keepdims=True))


def not_greedy(q: np.ndarray, greedy: np.ndarray, epsilon: float) -> np.ndarray:
    """Return equal probabilities [N,A+1] for all actions, but 0 for the greedy ones.

    `greedy` [N] has the greedy action of each row. The last column, for numbers that
    are no actions, is 0.
    """
    return padded((1 - only(greedy, q.shape[1])) / (q.shape[1] - 1))


def softmax(q: np.ndarray, greedy: np.ndarray, epsilon: float) -> np.ndarray:
    """Return as probabilities [N,A+1] the softmax of each row of the values q [N,A].

    The last column, for numbers that are no actions, is 0.
    """
    shares = np.exp(q - q.max(axis=1, keepdims=True).astype(float))
    return padded(shares / shares.sum(axis=1, keepdims=True))


def low_half(q: np.ndarray, greedy: np.ndarray, epsilon: float) -> np.ndarray:
    """Return the probabilities [N,A+1] when exploring reuses the coin's number u.

    The code draws u between 0 and 1, and explores if u is below ε: it then takes the
    action floor(A u) with the same u. As u is small, actions with large numbers are too
    rare. The last column, for numbers that are no actions, is 0.
    """
    A = q.shape[1]
    edges = np.clip(np.arange(A + 1) / A, 0, max(epsilon, 1e-9))
    return padded(np.tile(np.diff(edges) / edges[-1], (len(q), 1)))


def worst(q: np.ndarray, greedy: np.ndarray, epsilon: float) -> np.ndarray:
    """Return the probabilities [N,A+1] if the action of the lowest value is taken.

    Each row has a 1 at the action with the lowest of the values q [N,A]. The last
    column, for numbers that are no actions, is 0.
    """
    return padded(only(q.argmin(axis=1), q.shape[1]).astype(float))


def always(action: int) -> Callable[..., np.ndarray]:
    """Return a function for `Tried.shares` by which one action has the probability 1.

    Args:
        action: number of the action; -1 for the last one.
    """

    def shares(q: np.ndarray, greedy: np.ndarray, epsilon: float) -> np.ndarray:
        return padded(only(np.full(len(q), action % q.shape[1]), q.shape[1]) * 1.0)

    return shares


def all_but(action: int) -> Callable[..., np.ndarray]:
    """Return a function for `Tried.shares`: all actions except one are equally likely.

    Args:
        action: number of the action that is never taken; -1 for the last one.
    """

    def shares(q: np.ndarray, greedy: np.ndarray, epsilon: float) -> np.ndarray:
        return not_greedy(q, np.full(len(q), action % q.shape[1]), epsilon)

    return shares


TRIED = [
    Tried("any action", (), uniform),
    Tried("any action but the greedy one", (words.NOT_GREEDY,), not_greedy),
    Tried("any action but the last", (words.EXCLUDES_LAST,), all_but(-1)),
    Tried("any action but 0", (words.EXCLUDES_FIRST,), all_but(0)),
    Tried("any action from 0 to A", (words.INCLUDES_END,), with_end),
    Tried("action 0", (words.CONSTANT,), always(0)),
    Tried("action 1", (words.CONSTANT,), always(1)),
    Tried("the last action", (words.CONSTANT,), always(-1)),
    Tried("an action rounded from a fraction", (words.ROUNDED,), rounded),
    Tried("an action by the softmax of Q", (words.SOFTMAX,), softmax),
    Tried("the coin's own number times A", (words.REUSED_INSIDE,), low_half),
    Tried("the action of the lowest value", (words.TRIES_WORST,), worst),
]


@dataclass(frozen=True)
class Law:
    """A formula by which the probability of exploring depends on ε.

    Attributes:
        words: the formula.
        differences: the mistakes; () for the right formula, which is ε.
        of: function of ε; returns the probability of exploring.
    """

    words: str
    differences: Differences
    of: Callable[[float], float]


def laws(least: float, most: float) -> Iterator[Law]:
    """Yield formulas for the probability of exploring, the right one first.

    Args:
        least: estimated probability of exploring at ε = 0.
        most: estimated probability of exploring at ε = 1.
    """
    yield from [*SIMPLE, *coins(), *measured_laws(least, most)]
    opposite = measured_laws(1 - least, 1 - most)
    yield from map(inverted, [*SIMPLE[4:], *coins(), *opposite])
    yield from map(of_rest, measured_laws(most, least))


def of_rest(law: Law) -> Law:
    """Return the given law with 1 - ε in place of ε."""
    differences = (words.INVERTED, *law.differences)
    text = law.words.replace("ε", "(1 - ε)")
    return Law(text, differences, lambda e: law.of(1 - e))


def inverted(law: Law) -> Law:
    """Return a law whose probability of exploring is 1 minus that of the given law."""
    differences = (words.INVERTED, *law.differences)
    return Law(f"1 - ({law.words})", differences, lambda e: 1 - law.of(e))


SIMPLE = [
    Law("ε", (), lambda e: e),
    Law("1 - ε", (words.INVERTED,), lambda e: 1 - e),
    Law("0", (words.NEVER,), lambda e: 0.0),
    Law("1", (words.ALWAYS,), lambda e: 1.0),
    Law("0 below ε = 1", (words.TRUNCATED,), lambda e: float(int(e))),
    Law("ε in steps of a tenth", (words.TENTHS,), lambda e: steps(e, 10) / 10),
    Law("ε in steps of 1/100", (words.HUNDREDTHS,), lambda e: steps(e, 100) / 100),
    Law(
        "ε in steps of a tenth, rounded down",
        (words.TENTHS_BELOW,),
        lambda e: steps(e, 10, np.floor) / 10,
    ),
    Law(
        "ε in steps of 1/100, rounded down",
        (words.HUNDREDTHS_BELOW,),
        lambda e: steps(e, 100, np.floor) / 100,
    ),
    Law("ε / A", (words.BY_ACTIONS,), lambda e: e / 4),
    Law("ε²", (words.OTHER_EPSILON,), lambda e: e * e),
    Law("√ε", (words.OTHER_EPSILON,), lambda e: e**0.5),
    # The questions have 16 rows.
    Law("ε in steps of 1/16", (words.EXACT_SHARE,), lambda e: steps(e, 16) / 16),
]


def steps(epsilon: float, count: int, whole: Callable = np.ceil) -> float:
    """Return count · ε, computed in float32 and made a whole number by `whole`."""
    return float(whole(np.float32(epsilon) * np.float32(count)))


def one_side_more(count: int, epsilon: float) -> float:
    """Return the probability of exploring by a coin that has one side too many.

    The coin shows the numbers from 0 to count, each with the probability 1 / (count +
    1). The hand-in explores if the number is below count · ε.

    Args:
        count: the number by which the hand-in multiplies ε.
        epsilon: ε.
    """
    return steps(epsilon, count) / (count + 1)


def coins() -> Iterator[Law]:
    """Yield the laws of `one_side_more`, for coins with 11, 21, 51 and 101 sides."""
    for sides in (10, 20, 50, 100):
        yield Law(
            f"ε in steps of 1/{sides}, of a coin with {sides + 1} sides",
            (words.ONE_TOO_MANY,),
            partial(one_side_more, sides),
        )


def measured_laws(least: float, most: float) -> Iterator[Law]:
    """Yield laws with an estimated constant, such as "ε, but at least about 0.1".

    Args:
        least: estimated probability of exploring at ε = 0.
        most: estimated probability of exploring at ε = 1.
    """
    if 0.001 < least < 0.5:
        text = f"ε, but at least about {least:.2g}"
        yield Law(text, (words.FLOOR,), lambda e: max(e, least))
    if 0.5 < most < 0.999:
        text = f"ε, but at most about {most:.2g}"
        yield Law(text, (words.CAP,), lambda e: min(e, most))
    if 0.001 < most < 0.999:
        text = f"about {most:.2g} ε"
        yield Law(text, (words.OTHER_EPSILON,), lambda e: most * e)
    text = f"about {least:.2g} whatever ε is"
    yield Law(text, (words.OTHER_EPSILON,), lambda e: least)
