"""Hypothesis' search for a case that the hand-in gets wrong."""

from collections.abc import Callable

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity

from grader.contract.case import Case
from grader.contract.cases import Cases
from grader.contract.outcomes import Raised, Wrong

MAX_EXAMPLES = 15
MAX_SHRINKS = 300


class EnoughShrinking(BaseException):
    """Ends hypothesis' search from inside; no Exception, or it would be shrunk."""


def search(
    cases: Cases, body: Callable[[Case], None], seed: int, phases: tuple[Phase, ...]
) -> None:
    """Let hypothesis look for a case on which the body fails, and shrink it.

    The number of tries is bounded by count and not by time, so that the same seed
    gives the same counterexample on every machine.

    Args:
        cases: by their strategy.
        body: of a check; raises an outcome where the answer is wrong.
        seed: of hypothesis' draws.
        phases: whether to draw, and whether to shrink.

    Raises:
        Wrong, Raised: of the smallest case found.
    """
    smallest: Exception | None = None
    tries = 0  # since the first failure

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=MAX_EXAMPLES,
        database=None,
        deadline=None,
        phases=phases,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @hypothesis.given(cases.strategy)
    def run(case: Case) -> None:
        nonlocal smallest, tries
        tries += smallest is not None
        if tries > MAX_SHRINKS:
            raise EnoughShrinking
        try:
            body(case)
        except (Wrong, Raised) as reason:
            smallest = reason
            raise

    try:
        run()
    except EnoughShrinking:
        assert smallest is not None
        raise smallest from None
