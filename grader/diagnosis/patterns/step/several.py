"""Explain a `td_update` that makes several optimizer steps in one call.

Possible steps are computed one after the other. The θ_Q after the last step is compared
with the θ_Q that the hand-in has returned.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from grader.diagnosis.patterns.step import words
from grader.diagnosis.patterns.step.computed import (
    BATCH_SIZE,
    SGD_RATE,
    Draw,
    Vector,
    close,
    loss_and_gradients,
)
from grader.diagnosis.patterns.step.gradient import (
    KINDS,
    Gradient,
    changed_gradient,
)
from grader.diagnosis.patterns.step.taken import (
    Note,
    Seen,
    Step,
    base_vector,
    notes_of_step,
)

MOST = 5  # largest number of steps in one call that is looked for
# Changes of a gradient: the formula with {} for the gradient, the mistakes, the factor
# and a function that makes the change.
CHANGES: list[tuple[str, tuple, float, Callable[[Draw, Vector], Vector]]] = [
    ("{}", (), 1.0, lambda d, g: g),
    ("{}", (), 1 / BATCH_SIZE, lambda d, g: g / BATCH_SIZE),
    (
        "{} with entries beyond ±100 cut",
        (words.CLIPS_VALUES,),
        1.0,
        lambda d, g: np.clip(g, -100, 100),
    ),
    (
        "{} shortened to length 10 where it is longer",
        (words.CLIPS_NORM,),
        1.0,
        lambda d, g: g * min(1.0, 10 / float(np.linalg.norm(g))),
    ),
]
STEPS = [
    Step("θ_Q", "updates", 1.0),
    Step("θ_Q", "updates", -1.0),
    Step("θ_Q", "updates", 2.0),
    Step("θ_T", "updates", 1.0),
    Step("0", "updates", 1.0),
    Step("θ_Q", "gradient", 1.0),
    Step("0", "gradient", 1.0),
    Step("θ_Q", "nothing"),
]


@dataclass(frozen=True)
class Several:
    """Several optimizer steps in one call.

    Attributes:
        gradient: formula of the gradient of the first step.
        notes: mistakes of the first step that are not in the gradient.
        middle: θ_Q before the last step, one vector [P] for each question.
    """

    gradient: Gradient
    notes: list[Note]
    middle: list[Vector]


def gradients() -> Iterator[Gradient]:
    """Yield formulas of gradients to try for the first step, the simplest first."""
    for gamma in (None, 0.99):
        for text, differences, factor, change in CHANGES:
            for kind in KINDS:
                own = () if gamma is None else (words.own_gamma(gamma),)
                yield Gradient(
                    text.format(kind.words),
                    (*kind.differences, *own, *differences),
                    *(factor, 0.0, gamma, kind),
                    partial(changed_gradient, kind, gamma, change),
                )


def right(draw: Draw) -> Vector:
    """Return the right gradient [P] for a draw (question)."""
    return loss_and_gradients(draw, draw.theta_Q, draw.theta_T, draw.gamma)[1]


def several_steps(draws: list[Draw], seen: list[Seen], count: int) -> Several | None:
    """Return the steps that lead to the answers with "sgd"; None if none are found.

    Two cases are tried: all steps are alike, or all but the last are alike and the last
    is right.

    Args:
        draws: the questions, see `Draw`.
        seen: answers with "sgd", one for each draw.
        count: number of steps, at least 2.
    """
    for gradient in gradients():
        for step in STEPS:
            for last in (gradient.of, right):
                of_last = step if last is gradient.of else STEPS[0]
                rows = [(gradient.of, step)] * (count - 1) + [(last, of_last)]
                ends = [walked(draws[0], rows)]
                if not arrives(draws[0], seen[0], ends[0][-1]):
                    continue
                ends += [walked(draw, rows) for draw in draws[1:]]
                fits = all(
                    arrives(d, one, end[-1])
                    for d, one, end in zip(draws, seen, ends, strict=True)
                )
                if fits:
                    middle = [end[-2] for end in ends]
                    return Several(gradient, notes_of_step(step), middle)
    return None


Rows = list[tuple[Callable[[Draw], Vector], Step]]


def walked(draw: Draw, rows: Rows) -> list[Vector]:
    """Compute θ_Q [P] after each of several steps with "sgd", and return them all.

    Args:
        draw: the question, which has θ_Q before the first step.
        rows: a pair for each step: the function that computes the gradient [P] from a
            draw, and the `Step`, which says how θ_Q is changed by this gradient.
    """
    ends = []
    for gradient, step in rows:
        grads = gradient(draw)
        factor = {"updates": -SGD_RATE, "gradient": 1.0, "nothing": 0.0}[step.of]
        end = base_vector(draw, step.base) + step.times * (factor * grads)
        draw = replace(draw, theta_Q=end)
        ends.append(end)
    return ends


def arrives(draw: Draw, one: Seen, end: Vector) -> bool:
    """Tell whether the returned θ_Q equals a computed θ_Q within rounding.

    The tolerance is relative to the largest entry of the computed move of θ_Q.

    Args:
        draw: the question, which has θ_Q before the steps.
        one: the hand-in's answer, which has the returned θ_Q.
        end: computed θ_Q after the steps [P].
    """
    if not np.isfinite(end).all():
        return False
    noise = 1e-6 * float(np.abs(draw.theta_Q).max())
    return close(one.theta - draw.theta_Q, end - draw.theta_Q, noise=noise)
