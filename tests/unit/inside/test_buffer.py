"""Tests for scripts on a replay buffer: a slow buffer draws fewer batches."""

from types import ModuleType

import pytest

from grader.contract.cases import transitions
from grader.inside.buffer import replay_buffer
from tests.support.supplied import imported

NEVER = 1e9  # seconds


@pytest.fixture(scope="module")
def solution() -> ModuleType:
    """Return the module of the solution."""
    return imported("dqn", "solution")


def drawn(solution, operation) -> int:
    """Return how many batches an operation draws from a buffer of three transitions."""
    spec = {"capacity": 8, "script": [["add", 0, 3], operation]}
    (sample,) = replay_buffer(solution, spec, transitions(0, 3))["samples"]
    (number,) = {len(column) for column in sample.values()}
    return number


def test_a_slow_buffer_draws_fewer_batches(solution):
    """After the given time at least `fewest` batches are drawn, before it all."""
    assert drawn(solution, ["samples", 9, 2]) == 9
    assert drawn(solution, ["samples", 9, 2, 5, NEVER]) == 9
    assert drawn(solution, ["samples", 9, 2, 5, 0.0]) == 5
