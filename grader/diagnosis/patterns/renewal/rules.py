"""Right and wrong rules that say at which steps `sync_target` replaces θ_T.

Such a replacement is called a renewal.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from grader.diagnosis.patterns.renewal import words
from grader.diagnosis.reading import Difference

# Constants that people write in place of the period.
ROUND = (50, 64, 100, 128, 150, 200, 250, 256, 300, 400, 500, 512, 600, 1000, 1024)
ROUND_STEPS = (*ROUND, 2000, 3000, 4000, 5000, 10_000, 20_000)
RAISES = -1  # result of a rule that divides by zero

Pairs = list[tuple[int, int]]  # (step, period)


@dataclass(frozen=True)
class Rule:
    """A rule that says at which calls of `sync_target` θ_T is replaced (renewed).

    Attributes:
        words: the condition as a formula.
        difference: a tuple with the mistake; () for the right rule.
        holds: function of the pairs (step, period) of all calls, in order. It returns
            one number for each pair: 1 if θ_T is renewed, 0 if it is kept, and `RAISES`
            for a division by zero.
    """

    words: str
    difference: tuple[Difference, ...]
    holds: Callable[[Pairs], list[int]]


def each(condition: words.Condition) -> Callable[[Pairs], list[int]]:
    """Return a function for `Rule.holds` that applies one condition to each pair.

    The function returns one number for each pair (step, period): 1 if the condition
    holds, else 0; `RAISES` for a division by zero.

    Args:
        condition: function of step and period; true if θ_T is replaced.
    """

    def of_pair(step: int, period: int) -> int:
        try:
            return int(condition(step, period))
        except ZeroDivisionError:
            return RAISES

    return lambda pairs: [of_pair(*pair) for pair in pairs]


def since_last(pairs: Pairs) -> list[int]:
    """Apply the wrong rule "a period has passed since the last replacement of θ_T".

    By this rule, the first call replaces θ_T. After that, a call replaces θ_T if its
    step is at least one period larger than the step of the last replacement.

    Args:
        pairs: the pairs (step, period) of all calls, in order.

    Returns:
        For each pair 1 if θ_T is replaced, else 0; see `Rule.holds`.
    """
    last: int | None = None
    found = []
    for step, period in pairs:
        renews = last is None or step - last >= period
        last = step if renews else last
        found.append(int(renews))
    return found


def counting(start: int) -> Callable[[Pairs], list[int]]:
    """Return a function for `Rule.holds` that counts calls and ignores the step.

    By this rule, θ_T is replaced if the number of the call is a multiple of period.

    Args:
        start: number of the first call.
    """
    return lambda pairs: [int((start + i) % p == 0) for i, (_, p) in enumerate(pairs)]


def rules() -> Iterator[Rule]:
    """Yield the rules that contain no constant such as 100, the simplest rule first.

    A rule says at which calls `sync_target` replaces θ_T.
    """
    yield Rule("step is a multiple of period", (), each(lambda s, p: s % p == 0))
    for formula, difference, condition in words.CONDITIONS:
        yield Rule(formula, (difference,), each(condition))
    since = "a period has passed since the last copy"
    yield Rule(since, (words.SINCE_LAST,), since_last)
    for start in range(3):
        calls = "the number of calls is a multiple of period"
        yield Rule(calls, (words.COUNTS_CALLS,), counting(start))


def numbered() -> Iterator[list[Rule]]:
    """Yield lists of rules with a constant, such as "step is a multiple of 100".

    A rule says at which calls `sync_target` replaces θ_T. The rules of one list differ
    only in the constant.
    """
    numbers = sorted({*range(2, 65), *ROUND_STEPS})
    for kind in zip(*map(words.with_number, numbers), strict=True):
        yield [Rule(formula, (d,), each(condition)) for formula, d, condition in kind]
