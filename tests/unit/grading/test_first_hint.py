"""Exercise 9 repeats the first hint of an exercise that lost points."""

import pytest

from grader.contract.outcomes import Outcome
from grader.grading.fixtures import first_hint
from grader.report.model import Check, Exercise


def check(hint: str | None) -> Check:
    """Return a failed check with a hint, or without one."""
    return Check(
        name="any",
        description="",
        outcome=Outcome.FAILED,
        score=0.0,
        max_score=1.0,
        message="",
        hint=hint,
        duration=0.0,
    )


@pytest.mark.parametrize(
    ("hints", "first"),
    [
        ([], ""),
        ([None, "Two coins. One is asked."], "Two coins."),
        (["γ is 0.7 (slides: TD).\nThe mask is missing."], "γ is 0.7 (slides: TD)."),
        (["No end", "Another."], "No end"),
    ],
)
def test_the_first_sentence_of_the_first_hint(hints, first):
    """`first_hint` returns the first sentence of the first hint; "" without a hint."""
    exercise = Exercise("td_loss")
    exercise.checks += [check(hint) for hint in hints]
    assert first_hint(exercise) == first
