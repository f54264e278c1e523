"""Exercise 4: ε-greedy actions.

A row holds the values of all actions in one state, and gets one action. A row explores
if this action is not its greedy one.

Frequencies are judged by χ² statistics. By chance, a statistic exceeds its limit with
probability 1e-10. Each item of the list names a check, the probability p that a right
hand-in fails this check, and deviations of wrong hand-ins. The check finds these
deviations with probability 0.999. The numbers in brackets hold for a hand-in that
cannot be exported. Such a hand-in is called, with 256 keys only.

- greedy (p < 1e-7): at ε = 0, a row explores with probability 2.3e-4 (3.7e-3).
- uniform (p < 1e-7): the frequency of one action is wrong by 7 % (30 %) over all rows.
  Or, in one row, the frequency of one action is wrong by 29 % (with 256 keys, only if
  it is 0 or 2.2 times the right frequency).
- mixture (p < 1e-7): where ε = 0.37 is right, ε is wrong by 0.024 (0.1). Or, where
  ε = 0.0134 is right, ε is wrong by 0.0058 (0.026). Or, in one row, the greedy action
  takes a probability of 0.046 from another action (with 256 keys, this is not found).
- rows_are_independent (p < 1e-7): the number of rows that explore in one call has a
  variance below 0.8 or above 1.25 times that of independent rows (0.4, 2.3). A
  correlation of -0.013 or 0.017 in every pair of 16 rows has this effect (-0.04,
  0.09).

The deviations were computed in this way. Suppose that the frequencies g are right, and
that N draws have the frequencies f. Then the χ² statistic has a noncentral χ²
distribution with the noncentrality N Σ (f - g)²/g. The list has those deviations for
which this distribution is above the limit with probability 0.999. Simulation confirmed
the numbers; where events are rare, it gave slightly larger ones, which are listed.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from grader.checks.common import unchanged
from grader.checks.frequencies import odd_row, odd_scatter, uneven
from grader.contract import compare
from grader.contract.case import Answer, Case, Student
from grader.contract.cases import distinct, exploration
from grader.contract.outcomes import Wrong

NUM_ACTIONS, ROWS, KEYS = 4, 16, 4096
# Two values of ε. A hand-in that explores if a random whole number from 0 to 9 is small
# cannot explore with exactly these probabilities.
EPSILON, SMALL = 0.37, 0.0134
SIZES = (ROWS, NUM_ACTIONS), (8, 2)
MIXTURES = [(*size, epsilon) for size in SIZES for epsilon in (EPSILON, SMALL)]
# A right hand-in may explore if a random number u <= ε. At ε = 0 a row then explores if
# u is exactly 0, with probability 2^-23. The probability that three or more of 65536
# rows take an action that is not greedy is only 3e-8, so two are allowed.
MAX_HEADS = 2


@pytest.mark.points(2)
def test_greedy(student, rng):
    """ε = 0: each row's action is its argmax.

    Twelve arrays of values are asked; a wrong answer gets a second try with another
    key. Then one array is asked with many keys, and at most `MAX_HEADS` of all actions
    may differ from the argmax.
    """
    for rows, num_actions in ((1, 3), (8, 2), (ROWS, NUM_ACTIONS)):
        for _ in range(4):
            q_values = distinct(rng, rows, num_actions) - 20.0
            actions = answer(student.answer, new_key(rng), q_values, 0.0)
            best = q_values.argmax(axis=1)
            if (actions != best).any():  # once may be chance, see `MAX_HEADS`
                actions = answer(student.answer, new_key(rng), q_values, 0.0)
            compare.require(
                compare.problem("actions at epsilon = 0", actions, best, exact=True),
                f"q_values = {compare.numbers(q_values)}",
            )
    q_values = distinct(rng, ROWS, NUM_ACTIONS)
    actions = actions_for_keys(student, rng, q_values, 0.0)
    others = int((actions != q_values.argmax(axis=1)).sum())
    if others > MAX_HEADS:
        raise Wrong(
            f"at epsilon = 0, {others} of {actions.size} actions are not the argmax"
        )


@pytest.mark.points(1)
def test_ties(student, rng):
    """ε = 0 with ties and whole numbers: any of the best, no other."""
    for rows, num_actions in ((1, 3), (8, 2), (ROWS, NUM_ACTIONS)):
        for q_values in hard_values(rng, rows, num_actions):
            actions = answer(student.answer, new_key(rng), q_values, 0.0)
            if not_best(q_values, actions).any():  # once may be chance, see `MAX_HEADS`
                actions = answer(student.answer, new_key(rng), q_values, 0.0)
            if (bad := not_best(q_values, actions)).any():
                row = int(bad.argmax())
                values = compare.numbers(q_values[row].astype(np.float64))
                raise Wrong(
                    f"at epsilon = 0, q_values = {values}: obtained action "
                    f"{actions[row]}, expected {best_of(q_values[row])}"
                )


@pytest.mark.points(0.5)
def test_example(student):
    """The examples in the docstring; no argument is changed."""
    q_values = np.array([[1, 3, 2], [0, -2, -1]], np.float32)
    key = np.zeros(2, np.uint32)
    actions = answer(student.called, key, q_values, 0.0)
    if (actions != [1, 0]).any():  # once may be chance, see `MAX_HEADS`
        actions = answer(student.called, np.ones(2, np.uint32), q_values, 0.0)
    compare.require(
        compare.problem("actions at epsilon = 0", actions, np.array([1, 0]), exact=True)
    )
    seen = np.unique(
        answer(student.called, key, np.zeros((99, 3), np.float32), 1.0)
    ).tolist()
    if seen != [0, 1, 2]:
        raise Wrong(
            f"at epsilon = 1, 99 rows of three zeros: obtained the actions {seen}, "
            "expected each of 0, 1, 2 somewhere"
        )
    unchanged(student, exploration(key, q_values, 0.0))


@pytest.mark.points(2)
def test_uniform(student, rng):
    """ε = 1: every one of the A actions is as likely as the others."""
    for rows, num_actions in SIZES:
        # All rows have the same greedy action. So if the hand-in prefers the greedy
        # action, this adds up over the rows.
        q_values = np.sort(distinct(rng, rows, num_actions), axis=1)
        actions = actions_for_keys(student, rng, q_values, 1.0)
        taken = one_hot(actions, num_actions)
        if uneven(taken.sum(axis=1), np.full(num_actions, rows / num_actions)):
            raise Wrong(
                f"at epsilon = 1, of {actions.size} actions each of the {num_actions} "
                f"is expected about {actions.size / num_actions:.0f} times, obtained "
                f"{taken.sum(axis=(0, 1)).tolist()} (the greedy one is "
                f"{num_actions - 1})"
            )
        by_row = taken.sum(axis=0)
        each = np.full(by_row.shape, len(actions) / num_actions)
        if (row := odd_row(by_row, each)) >= 0:
            raise Wrong(
                f"at epsilon = 1, {len(actions)} calls: row {row} got the actions "
                f"{by_row[row].tolist()} times: every action is as likely in every row"
            )


@pytest.mark.points(1.5)
def test_mixture(student, rng):
    """0 < ε < 1: greedy with probability 1 - ε + ε/A, others ε/A each."""
    for rows, num_actions, epsilon in MIXTURES:
        q_values = distinct(rng, rows, num_actions)
        best = q_values.argmax(axis=1)
        actions = actions_for_keys(student, rng, q_values, epsilon)
        share = 1 - epsilon + epsilon / num_actions
        greedy = (actions == best).sum(axis=1)
        split = np.stack([greedy, rows - greedy], axis=1)
        if uneven(split, np.array([share, 1 - share]) * rows):
            obtained = greedy.sum() / actions.size
            raise Wrong(
                f"at epsilon = {epsilon} with {num_actions} actions the greedy action "
                f"is expected in {100 * share:.2f} % of the cases and came in "
                f"{100 * obtained:.2f} % of {actions.size}"
            )
        if epsilon == EPSILON:  # at SMALL, too few rows explore to judge each action
            require_shares(actions, best, epsilon, num_actions)


def hard_values(
    rng: np.random.Generator, rows: int, num_actions: int
) -> Iterator[np.ndarray]:
    """Yield arrays of values [N,A] for which common mistakes miss the best action."""
    shape = rows, num_actions
    numbers = np.tile(np.arange(num_actions), (rows, 1))
    # Each row holds 0 to A - 1 in random order: a value may be mistaken for an action.
    yield rng.permuted(numbers, axis=1).astype(np.float32)
    yield rng.permuted(numbers - num_actions, axis=1).astype(np.float32)
    # With A > 2, two values in each row are equal: first the two best, then the two
    # worst.
    pairs = np.minimum(numbers, num_actions - 2)
    yield rng.permuted(pairs, axis=1).astype(np.float32)
    yield rng.permuted(-pairs, axis=1).astype(np.float32)
    yield rng.integers(-1, 2, shape).astype(np.float32)
    yield np.full(shape, rng.integers(-2, 3), np.float32)
    # float32 keeps these differences, a 16-bit float loses them.
    yield (500 + 0.05 * rng.permuted(numbers, axis=1)).astype(np.float32)
    # Small differences count, too: only equal values are ties.
    yield (1e-3 * rng.permuted(numbers, axis=1)).astype(np.float32)


def not_best(q_values: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Return a mask [N] of rows of q_values [N,A] whose action is not a best one."""
    return q_values[np.arange(len(actions)), actions] < q_values.max(axis=1)


def best_of(values: np.ndarray) -> str:
    """Return the best actions for a row's values [A] as text: "2", or "1 or 3"."""
    return " or ".join(map(str, np.flatnonzero(values == values.max())))


def require_shares(
    actions: np.ndarray, best: np.ndarray, epsilon: float, num_actions: int
) -> None:
    """Check that each action came about as often as ε-greedy actions should.

    The counts are first added up over all rows that have the same greedy action, and
    the sums are judged. Then the counts of each single row are judged.

    Args:
        actions: the actions of K calls [K,N].
        best: the greedy action of each row [N].
        epsilon: ε.
        num_actions: number A of actions.

    Raises:
        Wrong: an action's frequency deviates from the right one by more than chance
            allows.
    """
    shares = np.full((len(best), num_actions), epsilon / num_actions)
    shares[np.arange(len(best)), best] += 1 - epsilon
    taken = one_hot(actions, num_actions)
    for action in np.unique(best):
        rows = best == action
        each, expected = taken[:, rows].sum(axis=1), shares[rows].sum(axis=0)
        if uneven(each, expected):
            counts, wanted = each.sum(axis=0), expected * len(actions)
            raise Wrong(
                f"at epsilon = {epsilon}, where action {action} is the greedy one: "
                f"of {counts.sum()} actions expected about "
                f"{np.round(wanted).astype(int).tolist()} of each, obtained "
                f"{counts.tolist()}"
            )
    by_row, expected = taken.sum(axis=0), shares * len(actions)
    if (row := odd_row(by_row, expected)) >= 0:
        raise Wrong(
            f"at epsilon = {epsilon}, {len(actions)} calls: in row {row} expected "
            f"about {np.round(expected[row]).astype(int).tolist()} of each action, "
            f"obtained {by_row[row].tolist()} (action {best[row]} is the greedy one)"
        )


@pytest.mark.points(1)
def test_rows_are_independent(student, rng):
    """Each row tosses its own coin and draws its own action."""
    for rows, num_actions in SIZES:
        q_values = distinct(rng, rows, num_actions)
        explored = actions_for_keys(student, rng, q_values, EPSILON) != q_values.argmax(
            axis=1
        )
        if found := odd_scatter(explored):
            raise Wrong(
                f"at epsilon = {EPSILON} with {num_actions} actions the number of rows "
                f"that explore in one call varies {found} than by chance: "
                f"{explored.sum(axis=1)[:6].tolist()} of {rows} in the first calls. "
                "Does each row toss its own coin?"
            )
        actions = actions_for_keys(student, rng, q_values, 1.0)
        for action in range(num_actions):
            if found := odd_scatter(actions == action):
                times = (actions == action).sum(axis=1)
                raise Wrong(
                    f"at epsilon = 1 the number of rows that take action {action} in "
                    f"one call varies {found} than by chance: {times[:6].tolist()} of "
                    f"{rows} in the first calls. Does each row draw its own action?"
                )


@pytest.mark.points(1)
@pytest.mark.after("greedy", "uniform", "mixture")
def test_keys(student, rng):
    """The same key gives the same actions, another key others.

    It is enough if one of many keys gives other actions at ε = 1. The same key is asked
    at ε = 1, and by calls at ε = 0 with equal values, because ties may be broken at
    random.
    """
    q_values = distinct(rng, ROWS, NUM_ACTIONS)
    key = new_key(rng)
    first = answer(student.answer, key, q_values, 1.0)
    tied = exploration(key, 0 * q_values, 0.0)
    ties = [student.called(tied).array("actions") for _ in range(2)]
    again = answer(student.answer, key, q_values, 1.0)
    if not (np.array_equal(first, again) and np.array_equal(*ties)):
        raise Wrong(
            "the same key gave different actions: is there other randomness, or is "
            "something kept from one call to the next?"
        )
    if (actions_for_keys(student, rng, q_values, 1.0) != first).any():
        return
    if np.array_equal(first, q_values.argmax(axis=1)):
        raise Wrong(
            "at epsilon = 1 every row took its greedy action, whatever the key: "
            "nothing in it is random"
        )
    if (first == first[0]).all():
        raise Wrong(
            f"at epsilon = 1 every row took action {first[0]}, whatever the key: "
            "nothing in it is random"
        )
    raise Wrong("different keys gave the same actions: is the key used?")


@pytest.mark.points(1)
@pytest.mark.after("greedy", "uniform", "mixture")
def test_works_under_jit(student, rng):
    """It works under `jax.jit`, with ε traced like the arrays."""
    student.export(exploration(new_key(rng), distinct(rng, 8, 2), EPSILON))


def answer(
    ask: Callable[[Case], Answer], key: np.ndarray, q_values: np.ndarray, epsilon: float
) -> np.ndarray:
    """Return the hand-in's actions [N] for one key.

    Args:
        ask: the method of `Student` that asks a case: `answer` or `called`.
        key: the two numbers of the key, uint32 [2].
        q_values: the values [N,A].
        epsilon: ε.

    Raises:
        Wrong: the shape is wrong, or an action is not a whole number from 0 to A - 1.
    """
    actions = ask(exploration(key, q_values, epsilon)).array("actions")
    return valid(actions, q_values.shape[:1], q_values)


def actions_for_keys(
    student: Student, rng: np.random.Generator, q_values: np.ndarray, epsilon: float
) -> np.ndarray:
    """Return the hand-in's actions for K random keys [K,N].

    K is `KEYS`, or fewer if the part cannot be exported and has to be called.

    Args:
        student: the hand-in.
        rng: generator of the keys.
        q_values: the values [N,A], the same for all keys.
        epsilon: ε.

    Raises:
        Wrong: the shape is wrong, or an action is not a whole number from 0 to A - 1.
    """
    keys = rng.integers(0, 2**32, (KEYS, 2), dtype=np.uint32)
    case = exploration(keys[0], q_values, epsilon)
    actions = student.answer_keys(case, keys, "actions")
    valid(actions[0, ...], q_values.shape[:1], q_values)  # all have one shape
    return valid(actions, actions.shape, q_values)


def valid(
    actions: np.ndarray, shape: tuple[int, ...], q_values: np.ndarray
) -> np.ndarray:
    """Check the hand-in's actions and return them as int64.

    Args:
        actions: the actions as the hand-in returned them.
        shape: the required shape.
        q_values: the values [N,A]; only the number A of actions is used.

    Raises:
        Wrong: the shape is wrong, or an entry is not a whole number from 0 to A - 1.
    """
    problem = compare.shape_problem("epsilon_greedy", actions, shape)
    rows, num_actions = q_values.shape
    compare.require(problem, f"asked with N = {rows}, A = {num_actions}")
    bad = ~np.isin(actions, np.arange(num_actions))
    if bad.any():
        raise Wrong(
            f"epsilon_greedy chose {actions[bad][0]}, expected an action from 0 to "
            f"{num_actions - 1}"
        )
    return actions.astype(np.int64)


def new_key(rng: np.random.Generator) -> np.ndarray:
    """Draw the two numbers of a JAX key, uint32 [2]."""
    return rng.integers(0, 2**32, 2, dtype=np.uint32)


def one_hot(actions: np.ndarray, num_actions: int) -> np.ndarray:
    """Return booleans [K,N,A]: the entry [k,n,a] says whether actions[k,n] is a."""
    return actions[:, :, None] == np.arange(num_actions)
