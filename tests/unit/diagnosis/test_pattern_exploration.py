"""The reader finds the mistakes of an `epsilon_greedy` from its actions alone."""

import numpy as np
import pytest

from grader.contract.case import Answer
from grader.contract.outcomes import Wrong
from grader.diagnosis.patterns import exploration


class Simulated:
    """A fake hand-in whose actions are drawn with NumPy.

    Args:
        choose: function (generator, C, values [N,A], ε) that returns the actions [C,N]
            of C calls of `epsilon_greedy` with the same arguments.
    """

    def __init__(self, choose) -> None:
        self.choose = choose

    def export(self, case):
        """Return the name of a program, as if the part were exported."""
        return "program"

    def afresh(self):
        """Return this hand-in, because the answers do not depend on earlier calls."""
        return self

    def actions(self, case, keys):
        """Return the actions [C,N] of C calls, one for each key.

        The NumPy generator is seeded with the first key. So the same keys give the same
        actions.
        """
        rng = np.random.default_rng(int(keys[0, 0]))
        q_values, epsilon = case.args["q_values"], float(case.args["epsilon"])
        return self.choose(rng, len(keys), q_values, epsilon)

    def answer(self, case):
        """Return the actions [N] for the key of the case."""
        return Answer({"actions": self.actions(case, case.args["key"][None])[0]})

    called = answer

    def answer_keys(self, case, keys, name):
        """Return the actions [C,N] of C calls, with these keys, not the case's key."""
        return self.actions(case, keys)


def chooses(
    coin=lambda rng, shape, e: rng.random(shape) < e,
    tried=lambda rng, shape, q: rng.integers(0, q.shape[1], shape),
    greedy=lambda q: q.argmax(axis=1),
):
    """Return a function `choose` for `Simulated`, composed of three functions.

    Args:
        coin: function (generator, shape [C,N], ε) that returns where the action is
            random.
        tried: function (generator, shape [C,N], values [N,A]) that returns random
            actions.
        greedy: function of the values [N,A] that returns the greedy actions [N].
    """

    def choose(rng, calls, q, epsilon):
        shape = calls, len(q)
        return np.where(coin(rng, shape, epsilon), tried(rng, shape, q), greedy(q))

    return choose


def names_of(choose, seed=0):
    """Return the names of the mistakes that the reader finds; None without a reading.

    Args:
        choose: function for `Simulated`.
        seed: seed of the reader's questions.
    """
    found = exploration.read(Simulated(choose), np.random.default_rng(seed))
    return found and [one.name for one in found.differences]


INVERTED = {"coin": lambda rng, shape, e: rng.random(shape) < 1 - e}
TENTHS = {"coin": lambda rng, shape, e: rng.integers(0, 10, shape) < np.float32(10 * e)}
PER_CALL = {"coin": lambda rng, shape, e: rng.random((shape[0], 1)) < e}
BUT_LAST = {"tried": lambda rng, shape, q: rng.integers(0, q.shape[1] - 1, shape)}
TO_END = {"tried": lambda rng, shape, q: rng.integers(0, q.shape[1] + 1, shape)}
SHARED = {"tried": lambda rng, shape, q: rng.integers(0, q.shape[1], (shape[0], 1))}
LEAST = {"greedy": lambda q: q.argmin(axis=1)}
OF_SIZE = {"greedy": lambda q: np.abs(q).argmax(axis=1)}
WHOLE = {"greedy": lambda q: np.trunc(q).argmax(axis=1)}


@pytest.mark.parametrize("seed", range(3))
def test_right_work_gets_no_reading(seed):
    """For a right `epsilon_greedy` there is no reading."""
    assert names_of(chooses(), seed) is None


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        (INVERTED, ["eps-inverted"]),
        (TENTHS, ["coin-of-ten"]),
        (PER_CALL, ["coin-per-batch"]),
        (BUT_LAST, ["random-excludes-last"]),
        (TO_END, ["random-includes-end"]),
        (SHARED, ["random-shared"]),
        (LEAST, ["argmin"]),
        (OF_SIZE, ["argmax-of-size"]),
        (WHOLE, ["argmax-of-whole-numbers"]),
        ({**INVERTED, **BUT_LAST}, ["eps-inverted", "random-excludes-last"]),
        ({**INVERTED, **WHOLE}, ["argmax-of-whole-numbers", "eps-inverted"]),
        ({**LEAST, **PER_CALL}, ["argmin", "coin-per-batch"]),
        ({**TENTHS, **TO_END}, ["coin-of-ten", "random-includes-end"]),
    ],
)
def test_one_mistake_or_two(parts, names):
    """Wrong random decisions, wrong random actions and wrong greedy actions are named.

    If a part makes two of these mistakes, both are named.
    """
    assert names_of(chooses(**parts)) == names


@pytest.mark.parametrize(
    ("parts", "by_row"),
    [
        (LEAST, False),
        (INVERTED, False),
        (BUT_LAST, False),
        (PER_CALL, True),
        (SHARED, True),
        ({**LEAST, **PER_CALL}, True),
    ],
)
def test_rows_are_asked_for_where_they_are_the_mistake(parts, by_row):
    """What is asked names the rows only if the rows of a call are not independent."""
    found = exploration.read(Simulated(chooses(**parts)), np.random.default_rng(0))
    assert ("for each row by itself" in found.asked) == by_row


def test_measured_numbers_are_told():
    """If ε never falls below 0.1, the reading shows the measured limit, about 0.1."""
    student = Simulated(
        chooses(coin=lambda rng, shape, e: rng.random(shape) < max(e, 0.1))
    )
    found = exploration.read(student, np.random.default_rng(1))
    assert "at least about 0.1" in found.computes


def test_patterns_that_fit_nothing_get_no_name():
    """If random actions follow no known pattern, the mistake has no name.

    The reading then shows how often each action is drawn.
    """

    def odd(rng, shape, q):
        return rng.choice(4, shape, p=[0.4, 0.1, 0.1, 0.4]) % q.shape[1]

    found = exploration.read(Simulated(chooses(tried=odd)), np.random.default_rng(2))
    assert found.differences == ()
    assert "at ε = 1 the actions come with the shares [0.4" in found.computes


def test_shapes_are_told():
    """If the actions have a wrong shape, this mistake is named.

    If the actions are not whole numbers, the reader raises `Wrong`.
    """

    def square(rng, calls, q, epsilon):
        return np.zeros((calls, len(q), len(q)), int)

    assert names_of(square) == ["actions-column"]
    with pytest.raises(Wrong, match="whole numbers"):
        names_of(lambda rng, calls, q, e: np.full((calls, len(q)), 0.5))
