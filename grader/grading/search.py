"""Search with hypothesis for the smallest case that the hand-in answers wrongly."""

from collections.abc import Callable

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity

from grader.contract.case import Case
from grader.contract.cases import Cases
from grader.contract.outcomes import Raised, Stopped, Wrong

MAX_EXAMPLES = 15  # cases drawn for one check
MAX_SHRINKS = 300  # cases tried after the first wrong answer
# The same if the part has no program: each call takes much longer.
MAX_CALLED_EXAMPLES = 5
MAX_CALLED_SHRINKS = 30


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
    *,
    called: bool,
) -> None:
    """Draw cases until a check's body fails, then look for a smaller case that fails.

    The numbers of cases are limited, not the time, so the same seed gives the same
    counterexample on every machine, unless the part has used up its time.

    Args:
        cases: the check's cases; only their strategy is used.
        body: the check's body, which raises `Wrong` or `Raised` if the hand-in's answer
            to a case is wrong.
        seed: the seed of the draws.
        phases: the phases of hypothesis: drawing alone, or drawing and shrinking.
        called: whether the part is called. Fewer cases are then tried.

    Raises:
        Wrong, Raised: the body failed. The exception is the one that the body raised
            for the smallest failing case.
        Stopped: the hand-in gave no answer before a wrong answer was found.
    """
    most = MAX_CALLED_EXAMPLES if called else MAX_EXAMPLES
    shrinks = MAX_CALLED_SHRINKS if called else MAX_SHRINKS
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
        if tries > shrinks:
            raise EnoughShrinking
        try:
            body(case)
        except (Wrong, Raised) as reason:
            smallest = reason
            raise

    try:
        run()
    except (EnoughShrinking, Stopped):
        if smallest is None:
            raise
        raise smallest from None
