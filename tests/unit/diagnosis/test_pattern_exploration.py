"""The mistakes of an `epsilon_greedy` are found from simulated actions alone."""

import numpy as np
import pytest

from grader.contract.case import Answer
from grader.contract.outcomes import Wrong
from grader.diagnosis.patterns import exploration


class Simulated:
    """A hand-in whose actions are drawn by a NumPy function.

    Args:
        choose: the function of a generator, the number C of calls, the values [N, A]
            and ε; it returns actions [C, N].
    """

    def __init__(self, choose) -> None:
        self.choose = choose

    def export(self, case):
        """Return something, because this hand-in works under `jax.jit`."""
        return "program"

    def afresh(self):
        """Return this hand-in, because it keeps nothing between questions."""
        return self

    def actions(self, case, keys):
        """Return the actions for all keys [C, N]; the first key seeds the generator."""
        rng = np.random.default_rng(int(keys[0, 0]))
        q_values, epsilon = case.args["q_values"], float(case.args["epsilon"])
        return self.choose(rng, len(keys), q_values, epsilon)

    def answer(self, case):
        """Return the actions for the key of the case [N]."""
        return Answer({"actions": self.actions(case, case.args["key"][None])[0]})

    called = answer

    def answer_keys(self, case, keys, name):
        """Return the actions for all keys [C, N]."""
        return self.actions(case, keys)


def chooses(
    coin=lambda rng, shape, e: rng.random(shape) < e,
    tried=lambda rng, shape, q: rng.integers(0, q.shape[1], shape),
    greedy=lambda q: q.argmax(axis=1),
):
    """Return the function `choose` of a `Simulated`, made of three parts.

    Args:
        coin: decides where an action is random.
        tried: draws the random actions.
        greedy: picks the greedy actions.
    """

    def choose(rng, calls, q, epsilon):
        shape = calls, len(q)
        return np.where(coin(rng, shape, epsilon), tried(rng, shape, q), greedy(q))

    return choose


def names_of(choose, seed=0):
    """Return the names of the mistakes in a reading, or None if there is no reading."""
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
    """Right work has no reading."""
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
    """A mistake in one of the three parts is named; so are two mistakes."""
    assert names_of(chooses(**parts)) == names


def test_measured_numbers_are_told():
    """The reading shows the measured number of an ε that is at least 0.1."""
    student = Simulated(
        chooses(coin=lambda rng, shape, e: rng.random(shape) < max(e, 0.1))
    )
    found = exploration.read(student, np.random.default_rng(1))
    assert "at least about 0.1" in found.computes


def test_patterns_that_fit_nothing_get_no_name():
    """Random actions of an unknown pattern get no name; their shares are shown."""

    def odd(rng, shape, q):
        return rng.choice(4, shape, p=[0.4, 0.1, 0.1, 0.4]) % q.shape[1]

    found = exploration.read(Simulated(chooses(tried=odd)), np.random.default_rng(2))
    assert found.differences == ()
    assert "at ε = 1 the actions come with the shares [0.4" in found.computes


def test_shapes_are_told():
    """Actions of a wrong shape get a name; fractions as actions raise `Wrong`."""

    def square(rng, calls, q, epsilon):
        return np.zeros((calls, len(q), len(q)), int)

    assert names_of(square) == ["actions-column"]
    with pytest.raises(Wrong, match="whole numbers"):
        names_of(lambda rng, calls, q, e: np.full((calls, len(q)), 0.5))
