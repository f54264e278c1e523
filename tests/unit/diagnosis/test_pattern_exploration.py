"""The reader finds the mistakes of an `epsilon_greedy` from its actions alone."""

import numpy as np
import pytest

from grader.contract.case import Answer
from grader.contract.outcomes import Raised, Wrong
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


class Untraced(Simulated):
    """A fake hand-in that cannot be exported, so each action needs a call of its own.

    Args:
        choose: see `Simulated`.
        message: message of the exception that the export raises.
    """

    def __init__(self, choose, message="TypeError: no export") -> None:
        super().__init__(choose)
        self.message = message

    def export(self, case):
        """Raise the exception of the export."""
        raise Raised(self.message)

    def answer_keys(self, case, keys, name):
        """Return the actions [256,N] for the first 256 keys, as for a called part.

        The other keys are not used.
        """
        return self.actions(case, keys[:256])


def reading_of(student, seed=0):
    """Return the reading of a fake hand-in, with a seed for the reader's questions."""
    return exploration.read(student, np.random.default_rng(seed))


def by_count(count):
    """Return a function `coin` for `chooses` that decides how many rows explore.

    Args:
        count: function of ε N and of random numbers [C,1] between 0 and 1, one for each
            call. It returns how many rows explore, rounded up.
    """

    def coin(rng, shape, e):
        rows = rng.permuted(np.tile(np.arange(shape[1]), (shape[0], 1)), axis=1)
        return rows < count(e * shape[1], rng.random((shape[0], 1)))

    return coin


BOOLEAN = "epsilon_greedy: TracerBoolConversionError: Attempted boolean conversion"
INVERTED = {"coin": lambda rng, shape, e: rng.random(shape) < 1 - e}
NEVER = {"coin": lambda rng, shape, e: np.zeros(shape, bool)}
ALWAYS = {"coin": lambda rng, shape, e: np.ones(shape, bool)}
TENTHS = {"coin": lambda rng, shape, e: rng.integers(0, 10, shape) < np.float32(10 * e)}
HUNDREDTHS = {
    "coin": lambda rng, shape, e: rng.integers(0, 100, shape) < np.float32(100 * e)
}
TENTHS_BELOW = {"coin": lambda rng, shape, e: rng.integers(0, 10, shape) < int(10 * e)}
HUNDREDTHS_BELOW = {
    "coin": lambda rng, shape, e: rng.integers(1, 101, shape) <= np.float32(100 * e)
}
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
        (HUNDREDTHS, ["coin-of-hundred"]),
        ({**TENTHS_BELOW, **TO_END}, ["coin-of-ten", "random-includes-end"]),
        (NEVER, ["never-random"]),
        (ALWAYS, ["never-greedy"]),
        ({**ALWAYS, **BUT_LAST}, ["never-greedy", "random-excludes-last"]),
    ],
)
def test_one_mistake_or_two(parts, names):
    """Wrong random decisions, wrong random actions and wrong greedy actions are named.

    If a part makes two of these mistakes, both are named.
    """
    assert names_of(chooses(**parts)) == names


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("coin", "name", "becomes"),
    [
        (TENTHS, "coin-of-ten", "0.05 becomes 0.1."),
        (TENTHS_BELOW, "coin-of-ten", "0.05 becomes 0."),
        (HUNDREDTHS, "coin-of-hundred", "0.015 becomes 0.02."),
        (HUNDREDTHS_BELOW, "coin-of-hundred", "0.015 becomes 0.01."),
    ],
)
def test_a_coin_with_few_sides_rounds(coin, name, becomes, seed):
    """The hint on a coin of ten or a hundred sides says what becomes of a small ε."""
    (difference,) = reading_of(Simulated(chooses(**coin)), seed).differences
    assert difference.name == name
    assert becomes in difference.hint


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("parts", "names"), [(LEAST, ["argmin"]), (OF_SIZE, ["argmax-of-size"])]
)
def test_a_wrong_greedy_action_alone_is_no_exploring(parts, names, seed):
    """A hand-in in which nothing is random is not said to explore."""
    assert names_of(chooses(**parts, **NEVER), seed) == [*names, "never-random"]


def without_key(rule):
    """Return a function `choose` for `Simulated` whose actions depend on no key.

    Args:
        rule: function of the values [N,A] and ε that returns the actions [N].
    """
    return lambda rng, calls, q, e: np.broadcast_to(rule(q, e), (calls, len(q)))


def own_key(q, epsilon):
    """Return right actions [N] for the values [N,A], drawn with a fixed seed."""
    return chooses()(np.random.default_rng(7), 1, q, epsilon)[0]


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        (own_key, ["fixed-key"]),
        (lambda q, e: np.zeros(len(q), int), ["always-one-action"]),
        (lambda q, e: np.full(len(q), 7), ["always-one-action"]),
        (lambda q, e: np.full(len(q), q.argmax()), ["argmax-flat", "never-random"]),
        (
            lambda q, e: np.full(len(q), q[0].argmax()),
            ["argmax-of-first-row", "never-random"],
        ),
        (lambda q, e: np.arange(len(q)) % q.shape[1], ["without-chance"]),
        (lambda q, e: own_key(q, 1.0), ["without-chance"]),
    ],
)
@pytest.mark.parametrize(
    ("fake", "seed"), [(Simulated, 0), (Untraced, 1), (Untraced, 19)]
)
def test_actions_without_a_key(rule, names, fake, seed):
    """A key of its own is claimed only if ε changes the actions.

    If only one array of values is asked, the first row's best action looks like a
    constant. With seed 19 the largest of the drawn values is in the first row.
    """
    found = reading_of(fake(without_key(rule)), seed)
    assert [one.name for one in found.differences] == names


def best_of_row(q):
    """Return the best action of each row [N]."""
    return q.argmax(axis=1)


def best_of_all(q):
    """Return the place of the largest of all values for each row [N]."""
    return np.full(len(q), q.argmax())


@pytest.mark.parametrize(
    "rule",
    [
        lambda q: np.zeros(len(q), int),
        lambda q: np.full(len(q), 2),
        lambda q: q.argmin(axis=1),
        lambda q: np.abs(q).argmax(axis=1),
    ],
)
@pytest.mark.parametrize("fake", [Simulated, Untraced])
@pytest.mark.parametrize("greedy", [best_of_row, best_of_all])
def test_no_key_of_its_own_without_a_coin(rule, fake, greedy):
    """No key is claimed if all rows explore by one rule whenever ε is above ½."""
    choose = without_key(lambda q, e: rule(q) if e > 0.5 else greedy(q))
    found = {one.name for one in reading_of(fake(choose)).differences}
    assert not found & {"fixed-key", "never-random", "first-row-otherwise"}


def test_a_generator_that_is_traced_once():
    """If jit draws the actions only once, plain calls tell that there is chance."""

    class Numpy(Simulated):
        def called(self, case):
            rng = np.random.default_rng()
            return Answer({"actions": rng.integers(0, 4, len(case.args["q_values"]))})

    rule = without_key(lambda q, e: own_key(q, 1.0))
    assert [one.name for one in reading_of(Numpy(rule)).differences] == ["numpy-random"]


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


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("if epsilon == 0:", ["python-if"]),
        ("if jax.random.uniform(key) < epsilon:", ["python-if"]),
        ("elif epsilon > 0:", ["python-if"]),
        ("a = jnp.argmax(q) if explore else 0", ["python-if"]),
        ("while epsilon > 0:  # if it explores", None),
        ("explore = coin < epsilon and A > 2", None),
    ],
)
@pytest.mark.parametrize("function", ["epsilon_greedy", "<lambda>"])
def test_a_python_if_that_is_not_traced(function, line, names):
    """If a Python `if` stops the trace, the hint does not claim that it asks a coin.

    Other lines that ask for a traced value get no reading; the exception says enough.
    """
    message = f"{BOOLEAN}\ndqn.py, line 9, in {function}: {line}\nno Python `if`"
    found = reading_of(Untraced(chooses(), message))
    assert (found and [one.name for one in found.differences]) == names
    for one in found.differences if found else ():
        assert "that is known only when the jitted code runs" in one.hint
        assert "value of a coin" not in one.hint


def test_chance_that_is_not_the_keys():
    """Two answers to one key do not tell where the chance comes from.

    So the hint names NumPy's generator as well as a key that is kept.
    """
    rng = np.random.default_rng(3)
    choose = chooses()
    own = Untraced(lambda _, *arguments: choose(rng, *arguments), BOOLEAN)
    (difference,) = reading_of(own).differences
    assert difference.name == "random-not-by-key"
    assert "NumPy's generator or on a key in a global variable" in difference.hint


@pytest.mark.parametrize(
    ("coin", "names"),
    [
        (by_count(lambda n, u: n), ["coin-exact-share"]),
        (by_count(lambda n, u: np.round(n)), ["eps-other", "coin-exact-share"]),
        (by_count(lambda n, u: np.floor(n)), ["eps-other", "coin-exact-share"]),
        (by_count(lambda n, u: n - u), ["coin-exact-share"]),  # 5 or 6 for n = 5.92
        # Each row tosses a coin of 16 sides, and 16 rows are asked.
        (lambda rng, shape, e: rng.integers(0, 16, shape) < 16 * e, ["eps-other"]),
    ],
)
def test_rows_that_share_out_the_exploring(coin, names):
    """If the rows of a call share out the exploring, the hint says only this.

    It claims nothing about a single row, which was not asked, nor that the number of
    exploring rows never varies.
    """
    found = reading_of(Simulated(chooses(coin=coin)))
    assert [one.name for one in found.differences] == names
    assert all("single row" not in one.hint for one in found.differences)
    told = [one.hint for one in found.differences if one.name == "coin-exact-share"]
    assert all(hint.startswith("Nearly the same number of rows") for hint in told)


@pytest.mark.parametrize("seed", [20, 25, 32])
def test_a_fair_draw_in_few_calls_is_not_blamed(seed):
    """If only 256 calls were made, chance does not make a right frequency wrong.

    The fake's mistake is at ε = 0; at ε = 1 it draws all actions equally. With these
    seeds, an action's frequency is more than two standard deviations off.
    """

    def half_worst(q):
        return np.where(np.arange(len(q)) % 2, q.argmin(axis=1), q.argmax(axis=1))

    found = reading_of(Untraced(chooses(greedy=half_worst)), seed)
    assert found.computes.startswith("at ε = 0 with 4 actions the greedy action came")


def offset(rng, shape, q):
    """Return actions [C,N] that differ from the best by one number in each call."""
    return (q.argmax(axis=1) + rng.integers(1, 4, (shape[0], 1))) % q.shape[1]


def dealt(rng, shape, q, spare=0):
    """Return actions [C,N] of which each call has the same number of each.

    Args:
        rng: the generator.
        shape: [C,N].
        q: the values; not used.
        spare: how many actions of each call are dealt, but not used.
    """
    numbers = np.tile(np.arange(shape[1] + spare), (shape[0], 1))
    return rng.permuted(numbers, axis=1)[:, : shape[1]] % 4


@pytest.mark.parametrize(
    ("tried", "names"),
    [
        (offset, ["random-not-greedy", "rows-dependent"]),
        (dealt, ["random-dealt"]),
        (lambda rng, shape, q: dealt(rng, shape, q, 4), ["rows-dependent"]),
        (lambda rng, shape, q: q.argmin(axis=1), ["random-worst"]),
    ],
)
def test_actions_are_dealt_only_in_equal_numbers(tried, names):
    """Dependent rows are said to be dealt only if all actions are equally frequent."""
    assert names_of(chooses(tried=tried)) == names


def with_first_row(rule):
    """Return a function `choose` for `Simulated` in which row 0 has a rule of its own.

    Args:
        rule: function (generator, right actions of row 0 [C], values [A], ε) that
            returns the actions of row 0 [C].
    """

    def choose(rng, calls, q, epsilon):
        actions = chooses()(rng, calls, q, epsilon)
        actions[:, 0] = rule(rng, actions[:, 0], q[0], epsilon)
        return actions

    return choose


def of_one_key(rng, right, q, epsilon):
    """Return actions [C] whose coin is also the score of action 0."""
    scores = rng.random((len(right), len(q)))
    return np.where(scores[:, 0] < epsilon, scores.argmax(axis=1), q.argmax())


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (of_one_key, "key-reused-scores"),
        (lambda rng, right, q, e: q.argmax(), "first-row-never-random"),
        (lambda rng, right, q, e: 0, "first-row-never-random"),
        (
            lambda rng, right, q, e: rng.integers(0, len(q), len(right)),
            "first-row-otherwise",
        ),
    ],
)
def test_the_first_row_alone(rule, name, seed):
    """One key for coin and action is claimed only if the first row shows it."""
    assert names_of(with_first_row(rule), seed) == [name]


@pytest.mark.parametrize("seed", [0, 3, 7, 8])
def test_who_always_explores_shows_no_greedy_action(seed):
    """Actions drawn by the softmax of Q, whatever ε is, say nothing of an arg max.

    With these seeds, the action of the lowest value comes more rarely than expected.
    """

    def softmax(rng, shape, q):
        return (q + rng.gumbel(size=(shape[0], *q.shape))).argmax(axis=2)

    names = names_of(chooses(**ALWAYS, tried=softmax), seed)
    assert names == ["never-greedy", "random-softmax"]


@pytest.mark.parametrize(
    ("actions", "names", "computes"),
    [
        (lambda q: np.array(0), ["one-action"], "actions of shape () for 16 rows"),
        (lambda q: q.argmax(axis=0), ["argmax-axis-0"], "at ε = 0: argmax_s Q(s,a)"),
        (lambda q: np.zeros(4, int), [], "actions of shape (4,) for 16 rows"),
    ],
)
def test_too_few_actions(actions, names, computes):
    """The cause of a wrong shape is told only if it was measured."""

    def choose(rng, calls, q, epsilon):
        return np.broadcast_to(actions(q), (calls, *actions(q).shape))

    found = reading_of(Simulated(choose))
    assert [one.name for one in found.differences] == names
    assert found.computes.startswith(computes)


@pytest.mark.parametrize("greedy", [np.argmax, lambda q: q.argmax(axis=1)])
def test_numbers_below_the_actions_are_no_action_a(greedy):
    """Numbers from -1 to A-1 are not read as numbers from 0 to A."""

    def below(rng, shape, q):
        return rng.integers(-1, q.shape[1], shape)

    found = reading_of(Simulated(chooses(tried=below, greedy=greedy)))
    assert found is None or "random-includes-end" not in {
        one.name for one in found.differences
    }
    over = names_of(chooses(**TO_END, greedy=greedy))
    assert over is not None
    assert "random-includes-end" in over
