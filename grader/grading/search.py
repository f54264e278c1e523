"""Search with hypothesis for the smallest case that the hand-in answers wrongly."""

from collections.abc import Callable

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity

from grader.contract.case import Case
from grader.contract.cases import Cases
from grader.contract.outcomes import Raised, Wrong

MAX_EXAMPLES = 15  # cases drawn for one check
MAX_SHRINKS = 300  # cases tried after the first wrong answer


class EnoughShrinking(BaseException):
    """Ends hypothesis' search from inside the body.

    A BaseException, because hypothesis would take an Exception for another failure of
    the body and shrink it.
    """


def search(
    cases: Cases, body: Callable[[Case], None], seed: int, phases: tuple[Phase, ...]
) -> None:
    """Draw cases until the body fails on one, then look for a smaller one.

    A number of tries ends the search, and not a time, so that one seed gives the same
    counterexample on every machine.

    Args:
        cases: the cases, of which the strategy is used.
        body: the body of a check, which raises `Wrong` or `Raised` if the hand-in
            fails on a case.
        seed: the seed of the draws.
        phases: hypothesis' phases: whether to draw, and whether to shrink.

    Raises:
        Wrong, Raised: the body failed; the exception is that of the smallest case.
    """
    smallest: Exception | None = None
    tries = 0  # the number of cases since the first failure

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
