"""Questions to `q_network`: shapes, bounds, and what the values depend on."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from grader.contract import cases
from grader.contract.case import Case, Student
from grader.contract.compare import same_arrays

DRAWS = 12  # lists of random parameters in one question
# For each question, its name and a function that asks the question and returns numbers.
Questions = Iterator[tuple[str, Callable[[], Any]]]


def network(student: Student) -> Questions:
    """Yield the questions to `q_network`, for two networks of different sizes.

    The sizes are the number of entries of a state and the number of actions.

    Yields:
        The question's name, and a function without arguments. The function asks the
        question and returns numbers or truth values.
    """
    rng = np.random.default_rng(3)
    for sizes in ((3, 5), (4, 2)):
        states = rng.normal(size=(8, sizes[0])).astype(np.float32)
        fresh = partial(fresh_parameters, student, sizes)
        q_values = partial(values_at, student, sizes)
        name = f"{sizes[0]} {sizes[1]}"
        yield f"shape {name}", partial(lambda q, s: q(0.0, s).shape, q_values, states)
        yield (
            f"kinds {name}",
            partial(lambda f: {x.dtype.kind for x in f(1)} == {"f"}, fresh),
        )
        yield (
            f"keys {name}",
            partial(lambda f: [same_arrays(f(1), f(k)) for k in (1, 2)], fresh),
        )
        yield (
            f"zeros {name}",
            partial(lambda f: not any(x.any() for x in f(1)), fresh),
        )
        yield (
            f"range {name}",
            partial(extent, q_values, states),
        )
        yield f"bend {name}", partial(bend, q_values, states)


def fresh_parameters(
    student: Student, sizes: tuple[int, int], seed: int
) -> list[np.ndarray]:
    """Return the initial parameters that the hand-in's network gets from a key.

    Args:
        student: the hand-in.
        sizes: the pair (D, A): entries of a state, and number of actions.
        seed: seed of the key.
    """
    return student.answer(cases.fresh_network(seed, *sizes)).leaves("theta")


def values_at(
    student: Student,
    sizes: tuple[int, int],
    scale: float,
    states: np.ndarray,
    seed: int = 4,
) -> np.ndarray:
    """Return the hand-in's values Q(s, ·) [B,A] with random parameters.

    Args:
        student: the hand-in.
        sizes: the pair (D, A): entries of a state, and number of actions.
        scale: standard deviation of the random parameters; 0 to use the network's own
            initial parameters instead.
        states: states [B,D].
        seed: seed of the random parameters.
    """
    theta = fresh_parameters(student, sizes, 1)
    if scale:
        draw = np.random.default_rng(seed).normal
        theta = [(scale * draw(size=x.shape)).astype(x.dtype) for x in theta]
    spec = {"net": "own", "state_dim": sizes[0], "num_actions": sizes[1]}
    question = Case("forward", spec, {"theta": theta, "state": states})
    return student.answer(question).array("q_values")


def extent(q_values: Callable, states: np.ndarray) -> list[bool]:
    """Return whether a network's values Q(s, ·) have each of nine properties.

    In order, the properties are: all ≥ 0; all ≤ 0; all within ±1; no larger with larger
    parameters; sum 1 over the actions; sum 0 over the actions; equal for all states;
    equal for all actions; sum ≥ 0 over the actions. Each has to hold with several lists
    of random parameters, because with one list the values may have one sign by chance.

    Args:
        q_values: function (scale, states [B,D], seed) -> values Q(s, ·) [B,A] of a
            network with random parameters; `scale` is their standard deviation.
        states: states [B,D].
    """
    found, other = (
        np.stack([q_values(scale, states, seed) for seed in range(4, 4 + DRAWS)])
        for scale in (10.0, 1000.0)
    )
    largest = np.abs(found).max()
    return [
        bool((found >= 0).all()),
        bool((found <= 0).all()),
        bool(largest <= 1.001),
        bool(np.isfinite(largest) and np.abs(other).max() <= 1.001 * largest),
        bool((np.abs(found.sum(axis=-1) - 1) < 1e-3).all()),
        bool((np.abs(found.sum(axis=-1)) < 1e-4 * largest).all()),
        bool((found == found[:, :1]).all()),
        bool((found == found[..., :1]).all()),
        bool((found.sum(axis=-1) >= -1e-4 * largest).all()),
    ]


def bend(q_values: Callable, states: np.ndarray) -> list[bool]:
    """Return whether Q is linear in the state, and on which entries Q depends.

    Args:
        q_values: function (scale, states [B,D]) -> values Q(s, ·) [B,A] of a network
            with random parameters; `scale` is their standard deviation.
        states: states [B,D].

    Returns:
        1 + D truth values: whether Q is linear in the state, and for each of the D
        entries of a state whether Q depends on this entry.
    """
    # One step u from two unrelated states: layers of ReLU without biases answer s and
    # 2 s like a straight line.
    u = states[::-1]
    one, other = (
        q_values(0.5, s + u) - q_values(0.5, s)
        for s in (states, np.roll(states, 1, axis=0))
    )
    largest = max(np.abs(one).max(), np.abs(other).max())
    straight = np.isfinite(largest) and np.abs(one - other).max() <= 1e-3 * largest
    seen = []
    for i in range(states.shape[1]):
        moved = states.copy()
        moved[:, i] += 2
        seen.append(bool((q_values(0.5, moved) != q_values(0.5, states)).any()))
    return [bool(straight), *seen]
