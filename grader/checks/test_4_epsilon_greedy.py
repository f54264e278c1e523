"""Exercise 4: ε-greedy actions.

The frequencies are judged by a χ² statistic against a threshold that correct work
exceeds with probability below 1e-9 (each check asks a handful, so below 1e-8 a check).
"""

import numpy as np
import pytest

from grader import compare
from grader.cases import distinct, exploration
from grader.outcomes import Wrong
from grader.session import Student

NUM_ACTIONS, ROWS, KEYS = 4, 16, 4096
EPSILON = 0.4
Z_TAIL = 6.0  # standard deviations: one-sided probability 1e-9


@pytest.mark.points(3)
def test_greedy(student, rng):
    """ε = 0: each row's action is its argmax."""
    for rows, num_actions in ((1, 3), (8, 2), (ROWS, NUM_ACTIONS)):
        for _ in range(4):
            q_values = distinct(rng, rows, num_actions) - 20.0
            actions = answer(student, new_key(rng), q_values, 0.0)
            best = q_values.argmax(axis=1)
            compare.require(
                compare.problem("actions at epsilon = 0", actions, best, exact=True),
                f"q_values = {compare.numbers(q_values)}",
            )


@pytest.mark.points(2)
def test_uniform(student, rng):
    """ε = 1: every one of the A actions is as likely as the others."""
    # One greedy action for all rows: greed that is left over shows.
    q_values = np.sort(distinct(rng, ROWS, NUM_ACTIONS), axis=1)
    actions = many(student, rng, q_values, 1.0)
    counts = np.bincount(actions.ravel(), minlength=NUM_ACTIONS)
    even = np.full(NUM_ACTIONS, actions.size / NUM_ACTIONS)
    if too_far(counts, even):
        raise Wrong(
            f"at epsilon = 1, of {actions.size} actions each of the {NUM_ACTIONS} is "
            f"expected about {even[0]:.0f} times, obtained {counts.tolist()} (the "
            f"greedy one is {NUM_ACTIONS - 1})"
        )
    by_row = (actions[:, :, None] == np.arange(NUM_ACTIONS)).sum(axis=0)
    expected = len(actions) / NUM_ACTIONS
    if statistic(by_row, expected) > chi2_limit(ROWS * (NUM_ACTIONS - 1)):
        raise Wrong(
            f"at epsilon = 1, {len(actions)} calls: row 0 got the actions "
            f"{by_row[0].tolist()} times, row 1 {by_row[1].tolist()}: every action is "
            "as likely in every row"
        )


@pytest.mark.points(2)
def test_mixture(student, rng):
    """0 < ε < 1: greedy with probability 1 - ε + ε/A, others ε/A each."""
    q_values = distinct(rng, ROWS, NUM_ACTIONS)
    actions = many(student, rng, q_values, EPSILON)
    best = q_values.argmax(axis=1)
    share = 1 - EPSILON + EPSILON / NUM_ACTIONS
    greedy = (actions == best).sum()
    if too_far(
        np.array([greedy, actions.size - greedy]),
        np.array([share, 1 - share]) * actions.size,
    ):
        raise Wrong(
            f"at epsilon = {EPSILON} with {NUM_ACTIONS} actions the greedy one is "
            f"expected with probability {share:.3f}, obtained "
            f"{greedy / actions.size:.3f} of {actions.size}"
        )
    for action in np.unique(best):
        chosen = actions[:, best == action]
        counts = np.bincount(chosen.ravel(), minlength=NUM_ACTIONS)
        shares = np.full(NUM_ACTIONS, EPSILON / NUM_ACTIONS)
        shares[action] += 1 - EPSILON
        if too_far(counts, shares * chosen.size):
            raise Wrong(
                f"at epsilon = {EPSILON}, where action {action} is the greedy one: "
                f"of {chosen.size} actions expected about "
                f"{np.round(shares * chosen.size).astype(int).tolist()} of each, "
                f"obtained {counts.tolist()}"
            )


@pytest.mark.points(1)
@pytest.mark.after("uniform", "mixture")
def test_rows_are_independent(student, rng):
    """Each row tosses its own coin and draws its own action."""
    q_values = distinct(rng, ROWS, NUM_ACTIONS)
    explored = many(student, rng, q_values, EPSILON) != q_values.argmax(axis=1)
    share = EPSILON * (1 - 1 / NUM_ACTIONS)
    per_call = explored.sum(axis=1)
    variance = ROWS * share * (1 - share)
    scatter = float((((per_call - ROWS * share) ** 2) / variance).sum())
    if found := odd_scatter(scatter, len(per_call)):
        raise Wrong(
            f"at epsilon = {EPSILON} the number of rows that explore in one call "
            f"varies {found} than chance, like {per_call[:6].tolist()} of {ROWS}: "
            "does each row toss its own coin?"
        )
    actions = many(student, rng, q_values, 1.0)
    each = (actions[:, :, None] == np.arange(NUM_ACTIONS)).sum(axis=1)
    even = ROWS / NUM_ACTIONS
    scatter = float(((each - even) ** 2 / even).sum())
    if found := odd_scatter(scatter, len(actions) * (NUM_ACTIONS - 1)):
        raise Wrong(
            f"at epsilon = 1 the actions of one call's rows vary {found} than chance, "
            f"like {actions[0].tolist()}: does each row draw its own action?"
        )


@pytest.mark.points(1)
@pytest.mark.after("greedy", "uniform", "mixture")
def test_keys(student, rng):
    """The same key gives the same actions, another key others."""
    q_values = distinct(rng, ROWS, NUM_ACTIONS)
    key, other = new_key(rng), new_key(rng)
    first = answer(student, key, q_values, 1.0)
    if not np.array_equal(first, answer(student, key, q_values, 1.0)):
        raise Wrong("the same key gave different actions: is there other randomness?")
    if np.array_equal(first, answer(student, other, q_values, 1.0)):
        raise Wrong("two different keys gave the same actions: is the key used?")


@pytest.mark.points(1)
@pytest.mark.after("greedy", "uniform", "mixture")
def test_works_under_jit(student, rng):
    """It works under `jax.jit`, with ε traced like the arrays."""
    student.export(exploration(new_key(rng), distinct(rng, 8, 2), EPSILON))


def answer(
    student: Student, key: np.ndarray, q_values: np.ndarray, epsilon: float
) -> np.ndarray:
    """The actions for a key: whole numbers [N] in range, or the check fails."""
    case = exploration(key, q_values, epsilon)
    return valid(student.answer(case).array("actions"), q_values.shape[:1], q_values)


def many(
    student: Student, rng: np.random.Generator, q_values: np.ndarray, epsilon: float
) -> np.ndarray:
    """The actions for many keys [K,N]."""
    keys = rng.integers(0, 2**32, (KEYS, 2), dtype=np.uint32)
    case = exploration(keys[0], q_values, epsilon)
    actions = student.answer_keys(case, keys, "actions")
    return valid(actions, (*actions.shape[:1], len(q_values)), q_values)


def valid(
    actions: np.ndarray, shape: tuple[int, ...], q_values: np.ndarray
) -> np.ndarray:
    """The actions as integers.

    Raises:
        Wrong: they are of the wrong shape, no whole numbers or out of range.
    """
    compare.require(compare.shape_problem("epsilon_greedy", actions, shape))
    num_actions = q_values.shape[1]
    bad = ~np.isin(actions, np.arange(num_actions))
    if bad.any():
        raise Wrong(
            f"epsilon_greedy chose {actions[bad][0]}, expected an action from 0 to "
            f"{num_actions - 1}"
        )
    return actions.astype(np.int64)


def new_key(rng: np.random.Generator) -> np.ndarray:
    """The data of a fresh PRNG key."""
    return rng.integers(0, 2**32, 2, dtype=np.uint32)


def statistic(counts: np.ndarray, expected: np.ndarray | float) -> float:
    """Pearson's χ² statistic."""
    return float(((counts - expected) ** 2 / expected).sum())


def too_far(counts: np.ndarray, expected: np.ndarray) -> bool:
    """Whether counts deviate more than chance allows."""
    return statistic(counts, expected) > chi2_limit(len(counts) - 1)


def odd_scatter(scatter: float, degrees: int) -> str:
    """Whether a χ² is too large or too small for chance: "more", "less" or ""."""
    if scatter > chi2_limit(degrees):
        return "more"
    return "less" if scatter < chi2_limit(degrees, -Z_TAIL) else ""


def chi2_limit(degrees: int, z: float = Z_TAIL) -> float:
    """The χ² quantile at z standard deviations (Wilson-Hilferty)."""
    spread = 2 / (9 * degrees)
    return float(degrees * (1 - spread + z * spread**0.5) ** 3)
