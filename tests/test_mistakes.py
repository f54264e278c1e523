"""A planted mistake costs points where it is, and nowhere else."""

from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from handins import PARTS, HandIn, in_words, lost, submit_collected
from mistakes import MISTAKES, NOT_LEARNING, Mistake

from grader.outcomes import Outcome


@pytest.fixture(scope="module")
def graded(request: pytest.FixtureRequest) -> Iterator[dict[HandIn, Future]]:
    """What comes of every mistake that is to be tested, in the background."""
    futures = submit_collected(request.session, request.module)
    yield futures
    for future in futures.values():
        future.cancel()


def parameters(mistakes: list[Mistake], *exercises: str) -> list:
    return [
        pytest.param(
            mistake.exercise,
            mistake.hand_in
            if not exercises
            else HandIn(mistake.name, mistake.source, exercises),
            id=mistake.name,
        )
        for mistake in mistakes
    ]


@pytest.mark.parametrize(("exercise", "hand_in"), parameters(MISTAKES))
def test_mistake_costs_once(exercise: str, hand_in: HandIn, graded: dict) -> None:
    """It loses points in its own exercise and in none that is built on it."""
    results = graded[hand_in].result()
    assert set(results) == set(hand_in.exercises)
    assert lost(results[exercise])
    assert all(check.message for check in lost(results[exercise]))
    for name, result in results.items():
        outcomes = {check.outcome for check in result.checks}
        assert Outcome.GRADER_ERROR not in outcomes
        if name != exercise:
            assert not lost(result), f"{name}: {in_words(lost(result))}"


def test_mistakes_of_every_kind() -> None:
    """Every exercise has at least three mistakes planted, each with its own name."""
    names = [mistake.name for mistake in MISTAKES]
    assert len(set(names)) == len(names)
    for exercise in PARTS:
        assert sum(mistake.exercise == exercise for mistake in MISTAKES) >= 3


@pytest.mark.parametrize(("exercise", "hand_in"), parameters(NOT_LEARNING, "learning"))
def test_does_not_learn(exercise: str, hand_in: HandIn, graded: dict) -> None:
    """A mistake that keeps the agent from learning costs points of exercise 9."""
    result = graded[hand_in].result()["learning"]
    assert lost(result)
    assert Outcome.GRADER_ERROR not in {check.outcome for check in result.checks}
