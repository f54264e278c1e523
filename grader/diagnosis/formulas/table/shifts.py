"""The choices of what the target reads at another step, by an index or by `append`.

A step t reads what belongs to step t + 1. `roll` goes in a circle; the choices here
differ from it at the last step. JAX clamps an index that is too large, so the last step
then reads its own entry. The names and hints are those of `roll`.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from grader.diagnosis.formulas.grammar import Choice
from grader.diagnosis.formulas.reward import REWARD
from grader.diagnosis.formulas.rows import Rows
from grader.diagnosis.formulas.value import REDUCE, STATE, picked

BELOW = "of the row below"
AGAIN, ZERO = "(the last again)", "(0 at the end)"


def like(choices: tuple[Choice, ...], words: str, *others: tuple) -> tuple[Choice, ...]:
    """Return copies of the choice with some text, with other texts and functions."""
    rolled = next(choice for choice in choices if choice.words == words)
    return tuple(replace(rolled, words=w, compute=compute) for w, compute in others)


def up(values: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the values [..., T, A] of the following steps, with an end [..., 1, A]."""
    return np.concatenate([values[..., 1:, :], end], axis=-2)


def then(end: Callable[[Rows], int]) -> Callable[[Rows], np.ndarray]:
    """Return a function of the rows: the actions that follow [T], with another end."""
    return lambda x: np.append(x.a[1:], end(x))


def sarsa_then_best(x: Rows, v: np.ndarray) -> np.ndarray:
    """Return the value of the action that follows; at the last step the largest one."""
    value = picked(then(lambda x: 0))(x, v)
    value[..., -1] = v[..., -1:, :].max(axis=-1)
    return value


# No choice has s of the row below with a value of 0 at the end: these values are those
# of s′ with the mask 0 in the last row.
SHIFTS = {
    "reward": like(
        REWARD,
        f"r {BELOW}",
        (f"r {BELOW} {AGAIN}", lambda x: np.append(x.r[1:], x.r[-1])),
        (f"r {BELOW} {ZERO}", lambda x: np.append(x.r[1:], 0.0)),
    ),
    "state": (
        *like(
            STATE,
            f"s {BELOW} (in a circle)",
            (f"s {BELOW} {AGAIN}", lambda x, v: up(v[0], v[0][..., -1:, :])),
            (f"s {BELOW} (state 0 at the end)", lambda x, v: up(v[0], v[2])),
        ),
        *like(
            STATE,
            f"s′ {BELOW}",
            (f"s′ {BELOW} {AGAIN}", lambda x, v: up(v[1], v[1][..., -1:, :])),
            (f"s′ {BELOW} {ZERO}", lambda x, v: up(v[1], 0 * v[2])),
        ),
    ),
    "reduce": like(
        REDUCE,
        "<a_{i+1}>",
        (f"<a_{{i+1}}> {AGAIN}", picked(then(lambda x: x.a[-1]))),
        ("<a_{i+1}> (action 0 at the end)", picked(then(lambda x: 0))),
        ("<a_{i+1}> (max_a <a> at the end)", sarsa_then_best),
    ),
}
