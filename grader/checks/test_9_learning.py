"""Exercise 9: the parts learn small MDPs with known Q*, a maze, and CartPole."""

import pytest

from grader.contract.learning import FULL, HALF
from grader.diagnosis.learning_messages import of_cartpole, of_maze, of_tables


@pytest.mark.points(4)
def test_tables(learned, above):
    """On a chain, a maze of six rooms and a ring, Q comes within 5 % of Q*.

    Value iteration gives Q*. A right hand-in's error is about 0.7^20 = 0.0008 of the
    largest |Q*|, because each of the 20 syncs multiplies the error by γ = 0.7.

    In 200 runs (600 MDPs) of `tests/system/test_chain.py` the error was at most 0.001
    of the largest |Q*|, a fiftieth of the allowed error. As none of 200 runs failed, a
    right hand-in fails with a probability below 0.015 (95 % confidence). The errors of
    these runs show that the probability is far smaller.
    """
    if failure := of_tables(learned, above):
        raise failure


@pytest.mark.points(3)
def test_maze(learned, above):
    """A maze of rooms that was drawn for this run: close to the shortest way.

    Compared with a random walk, the shortest way saves a number of steps. The agent's
    way has to save at least 90 % of this number.
    """
    if failure := of_maze(learned, above):
        raise failure


@pytest.mark.points(4)
def test_cartpole_half(learned, above):
    """CartPole-v1: mean return of at least 195 over 100 fresh episodes."""
    if failure := of_cartpole(HALF, learned, above):
        raise failure


@pytest.mark.points(4)
def test_cartpole_full(learned, above):
    """CartPole-v1: mean return of at least 450 over 100 fresh episodes."""
    if failure := of_cartpole(FULL, learned, above):
        raise failure
