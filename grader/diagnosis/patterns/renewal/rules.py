"""Right and wrong rules that say at which steps `sync_target` renews θ_T.

To renew θ_T means to replace it by something new; right code copies θ_Q.
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
    """A rule that says at which steps θ_T is renewed (replaced by something new).

    Attributes:
        words: the condition as a formula.
        difference: a tuple with the mistake; () for the right rule.
        holds: function of all pairs (step, period), in the order of the calls. It
            returns one number for each pair: 1 if θ_T is renewed, 0 if not, and
            `RAISES` if the code divides by zero.
    """

    words: str
    difference: tuple[Difference, ...]
    holds: Callable[[Pairs], list[int]]


def each(condition: words.Condition) -> Callable[[Pairs], list[int]]:
    """Return the function `Rule.holds` of a rule that looks at each call alone.

    Args:
        condition: function of step and period; true if θ_T is renewed.
    """

    def of_pair(step: int, period: int) -> int:
        try:
            return int(condition(step, period))
        except ZeroDivisionError:
            return RAISES

    return lambda pairs: [of_pair(*pair) for pair in pairs]


def since_last(pairs: Pairs) -> list[int]:
    """Return for each call 1 if a period has passed since θ_T was last renewed, else 0.

    The first call gets 1. This is the function `Rule.holds` of one rule.

    Args:
        pairs: the pair (step, period) of each call, in order.
    """
    last: int | None = None
    found = []
    for step, period in pairs:
        renews = last is None or step - last >= period
        last = step if renews else last
        found.append(int(renews))
    return found


def counting(start: int) -> Callable[[Pairs], list[int]]:
    """Return the function `Rule.holds` of a rule that counts calls and ignores `step`.

    By this rule, θ_T is renewed if the number of the call is a multiple of period.

    Args:
        start: number of the first call.
    """
    return lambda pairs: [int((start + i) % p == 0) for i, (_, p) in enumerate(pairs)]


def rules() -> Iterator[Rule]:
    """Yield the rules that contain no constant such as 100, the right rule first."""
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

    The rules of one list differ only in the constant.
    """
    numbers = sorted({*range(2, 65), *ROUND_STEPS})
    for kind in zip(*map(words.with_number, numbers), strict=True):
        yield [Rule(formula, (d,), each(condition)) for formula, d, condition in kind]
