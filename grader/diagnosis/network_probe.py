"""Questions to `q_network`: shapes, bounds, and what the values depend on."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from grader.contract import cases
from grader.contract.case import Case, Student
from grader.contract.compare import same_arrays

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
            partial(lambda q, s: extent(q(10.0, s)), q_values, states),
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
    student: Student, sizes: tuple[int, int], scale: float, states: np.ndarray
) -> np.ndarray:
    """Return the hand-in's values Q(s, ·) [B,A] with random parameters.

    Args:
        student: the hand-in.
        sizes: the pair (D, A): entries of a state, and number of actions.
        scale: standard deviation of the random parameters; 0 to use the network's own
            initial parameters instead.
        states: states [B,D].
    """
    theta = fresh_parameters(student, sizes, 1)
    if scale:
        draw = np.random.default_rng(4).normal
        theta = [(scale * draw(size=x.shape)).astype(x.dtype) for x in theta]
    spec = {"net": "own", "state_dim": sizes[0], "num_actions": sizes[1]}
    question = Case("forward", spec, {"theta": theta, "state": states})
    return student.answer(question).array("q_values")


def extent(q_values: np.ndarray) -> list[bool]:
    """Return whether values Q(s, ·) [B,A] have each of seven properties.

    In order, the properties are: all ≥ 0; all ≤ 0; all within ±1; all within ±1000; sum
    1 over the actions; sum 0 over the actions; equal for all states.
    """
    return [
        bool((q_values >= 0).all()),
        bool((q_values <= 0).all()),
        *(bool((np.abs(q_values) <= 1.001 * bound).all()) for bound in (1, 1000)),
        bool((np.abs(q_values.sum(axis=-1) - 1) < 1e-3).all()),
        bool((np.abs(q_values.sum(axis=-1)) < 1e-4 * np.abs(q_values).max()).all()),
        bool((q_values == q_values[0]).all()),
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
    zero = q_values(0.5, 0 * states)
    once, twice = (q_values(0.5, k * states) - zero for k in (1, 2))
    straight = np.abs(twice - 2 * once).max() <= 1e-3 * np.abs(once).max()
    seen = []
    for i in range(states.shape[1]):
        moved = states.copy()
        moved[:, i] += 2
        seen.append(bool((q_values(0.5, moved) != q_values(0.5, states)).any()))
    return [bool(straight), *seen]
