"""Search with hypothesis for the smallest case that the hand-in answers wrongly."""

from collections.abc import Callable

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity

from grader.contract.case import Case
from grader.contract.cases import Cases
from grader.contract.outcomes import Raised, Wrong

MAX_EXAMPLES = 15  # cases drawn for one check
MAX_CALLED = 5  # the same if the part cannot be exported: each call takes much longer
MAX_SHRINKS = 300  # cases tried after the first wrong answer


class EnoughShrinking(BaseException):
    """Raised in the function that hypothesis tests, to end the search.

    This class is no `Exception`: hypothesis would treat an `Exception` as one more
    failing case, and go on with the search.
    """


def search(
    cases: Cases,
    body: Callable[[Case], None],
    seed: int,
    phases: tuple[Phase, ...],
    most: int,
) -> None:
    """Draw cases until a check's body fails, then look for a smaller case that fails.

    There is no time limit, so the same seed gives the same counterexample on every
    machine. At most MAX_SHRINKS smaller cases are tried.

    Args:
        cases: the check's cases; only their strategy is used.
        body: the check's body, which raises `Wrong` or `Raised` if the hand-in's answer
            to a case is wrong.
        seed: the seed of the draws.
        phases: the phases of hypothesis: drawing alone, or drawing and shrinking.
        most: the largest number of cases to draw.

    Raises:
        Wrong, Raised: the body failed. The exception is the one that the body raised
            for the smallest failing case.
    """
    smallest: Exception | None = None
    tries = 0  # the number of cases since the first failure

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=most,
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
