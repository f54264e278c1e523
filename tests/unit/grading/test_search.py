"""The search for a small case with a wrong answer keeps what it has found."""

import numpy as np
import pytest
from hypothesis import Phase

from grader.contract.case import Case
from grader.contract.fixed_cases import TD0_EPISODE
from grader.contract.outcomes import UsedUp, Wrong
from grader.grading.search import MAX_CALLED_SHRINKS, search

PHASES = (Phase.generate, Phase.shrink)


def asked_until(last: int, *, called: bool) -> tuple[int, str]:
    """Search with answers that are all wrong, until no time is left.

    Args:
        last: the number of the first question that gets no answer.
        called: whether the part is called.

    Returns:
        The number of questions, and the message of the exception.
    """
    asked = 0

    def body(case: Case) -> None:
        nonlocal asked
        asked += 1
        if asked >= last:
            raise UsedUp("no time left")
        raise Wrong("wrong")

    with pytest.raises((UsedUp, Wrong)) as told:
        search(TD0_EPISODE, body, 1, PHASES, called=called)
    return asked, str(told.value)


def test_a_wrong_answer_is_not_lost():
    """If time runs out while smaller cases are tried, the answer stays wrong."""
    assert asked_until(3, called=False) == (3, "wrong")
    assert asked_until(1, called=False) == (1, "no time left")


def test_fewer_smaller_cases_are_tried_by_calls():
    """A part that is called is asked for fewer smaller cases after a wrong answer."""

    def tried(*, called: bool) -> int:
        asked = []

        def body(case: Case) -> None:
            asked.append(np.abs(case.args["Q"]).sum() > 3)
            if asked[-1]:
                raise Wrong("wrong")

        with pytest.raises(Wrong):
            search(TD0_EPISODE, body, 1, PHASES, called=called)
        return len(asked) - asked.index(True) - 1

    assert tried(called=True) == MAX_CALLED_SHRINKS
    assert tried(called=False) > MAX_CALLED_SHRINKS
