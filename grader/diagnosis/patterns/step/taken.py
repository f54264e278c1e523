"""Find the formula of a step of `td_update`, with start, added vector and factor.

A step adds a vector, such as the optimizer's updates, to the start, such as θ_Q. The
vector may have a factor. All parameters are one vector [P]; a draw is a question.
"""

from dataclasses import dataclass, replace

import numpy as np

from grader.diagnosis.patterns.step import words
from grader.diagnosis.patterns.step.computed import (
    SGD_RATE,
    AdamState,
    Draw,
    Vector,
    adam,
    close,
)
from grader.diagnosis.patterns.step.gradient import Gradient, gradient_of
from grader.diagnosis.reading import Difference

Note = tuple[Difference, str]  # a mistake, and what the hand-in does, in words
BASES = ("θ_Q", "θ_T", "0")


@dataclass(frozen=True)
class Seen:
    """One answer of `td_update`, with parameters as vectors [P].

    Attributes:
        theta: the returned θ_Q [P].
        state: Adam's state after the step; None for "sgd", which has no state.
        loss: the returned loss.
    """

    theta: Vector
    state: AdamState | None
    loss: float


@dataclass(frozen=True)
class Step:
    """The formula of a step: a start, to which a multiple of a vector is added.

    Attributes:
        base: the start: "θ_Q", "θ_T", or "0" for zeros.
        of: the added vector: "updates", "gradient" or "nothing".
        times: the factor of the added vector.
    """

    base: str
    of: str
    times: float = 0.0


@dataclass(frozen=True)
class ByAdam:
    """What the answers with Adam show about a step.

    Attributes:
        gradient: the formula of the gradient that was passed to the optimizer; None if
            unknown.
        fresh: True if the optimizer starts from a new state, and not from opt_state.
        kept: which state is returned: "" for the state after the optimizer's step,
            "given" for the unchanged opt_state, "fresh" for a new state.
        step: formula of the step; None if unknown.
    """

    gradient: Gradient | None
    fresh: bool
    kept: str
    step: Step | None


def base_vector(draw: Draw, base: str) -> Vector:
    """Return the vector [P] from which a step starts.

    Args:
        draw: the question, see `Draw`.
        base: "θ_Q", "θ_T", or "0" for zeros.
    """
    known = {"θ_Q": draw.theta_Q, "θ_T": draw.theta_T}
    return known.get(base, 0 * draw.theta_Q)


def moves_from(draws: list[Draw], seen: list[Seen], base: str) -> list[Vector]:
    """Return the moves of a step: the returned θ_Q minus the start of the step.

    Args:
        draws: the questions, see `Draw`.
        seen: answers, one for each draw.
        base: start of the step: "θ_Q", "θ_T", or "0" for zeros.

    Returns:
        A vector [P] for each draw.
    """
    pairs = zip(draws, seen, strict=True)
    return [one.theta - base_vector(draw, base) for draw, one in pairs]


def plain_step(
    draws: list[Draw], seen: list[Seen]
) -> tuple[str, Gradient | None] | None:
    """Return the start and the gradient of the hand-in's step with "sgd".

    Args:
        draws: the questions, see `Draw`.
        seen: the hand-in's answers with "sgd", one for each draw.

    Returns:
        A pair (start, gradient), or None if no pair fits all answers. `start` is "θ_Q",
        "θ_T" or "0" (all zeros). `gradient` is a formula; it is None if the hand-in
        makes no step and returns the start.
    """
    for base in BASES:
        moves = moves_from(draws, seen, base)
        if not any(move.any() for move in moves):
            return base, None
        gradient = gradient_of(draws, [-move / SGD_RATE for move in moves])
        # If the decay removes all of θ_Q in one step, the step starts from 0, not θ_Q.
        if gradient and abs(gradient.decay * SGD_RATE - 1) > 1e-3:
            return base, gradient
    return None


def by_adam(
    draws: list[Draw], seen: list[Seen], plain: Gradient | None
) -> ByAdam | None:
    """Return what the answers with Adam show about a step, or None.

    Args:
        draws: the questions, see `Draw`.
        seen: answers with Adam, one for each draw.
        plain: formula of the gradient that the answers with "sgd" show; None if
            unknown.

    Returns:
        None if the returned states are not those after one step of Adam, not the
        unchanged opt_state, and not new states.
    """
    states = [one.state for one in seen if one.state]
    if len(states) != len(draws):
        return None
    for fresh in (False, True):
        origins = [d.fresh() if fresh else d.state for d in draws]
        pairs = list(zip(origins, states, strict=True))
        if all(advanced(before, after) for before, after in pairs):
            grads = [seen_by_adam(before, after) for before, after in pairs]
            updates = [adam(s, g)[0] for s, g in zip(origins, grads, strict=True)]
            step = step_of(draws, seen, updates, grads)
            return ByAdam(gradient_of(draws, grads), fresh, "", step)
    for kept in ("given", "fresh"):
        came = [d.state if kept == "given" else d.fresh() for d in draws]
        if all(map(same_state, came, states)):
            return with_old_state(draws, seen, plain, kept)
    return None


def seen_by_adam(before: AdamState, after: AdamState) -> Vector:
    """Return the gradient [P] that leads Adam from one state to the next.

    Args:
        before: state before the step.
        after: state after the step.
    """
    return (after.mu - 0.9 * before.mu) / 0.1


def advanced(before: AdamState, after: AdamState) -> bool:
    """Tell whether one step of Adam leads from one state to the other.

    Args:
        before: state before the step.
        after: state after the step.
    """
    if after.count != before.count + 1:
        return False
    nu = 0.999 * before.nu + 0.001 * seen_by_adam(before, after) ** 2
    return close(after.nu, nu, noise=1e-6)


def same_state(a: AdamState, b: AdamState) -> bool:
    """Tell whether two states of Adam are equal, without a tolerance."""
    same = np.array_equal(a.mu, b.mu) and np.array_equal(a.nu, b.nu)
    return a.count == b.count and same


def step_of(
    draws: list[Draw],
    seen: list[Seen],
    updates: list[Vector],
    grads: list[Vector],
) -> Step | None:
    """Return the formula of the step that all answers show; None if none fits.

    Args:
        draws: the questions, see `Draw`.
        seen: answers, one for each draw.
        updates: Adam's updates, a vector [P] for each draw.
        grads: gradients, a vector [P] for each draw.
    """
    for base in BASES:
        moves = moves_from(draws, seen, base)
        if not any(move.any() for move in moves):
            return Step(base, "nothing")
        for of, vectors in (("updates", updates), ("gradient", grads)):
            times = multiple(moves, vectors, draws)
            if times is not None:
                return Step(base, of, times)
    return None


def multiple(moves: list[Vector], of: list[Vector], draws: list[Draw]) -> float | None:
    """Return the factor by which moves of θ_Q are a multiple of given vectors.

    Args:
        moves: moves of θ_Q, a vector [P] for each draw.
        of: the given vectors, a vector [P] for each draw.
        draws: the questions. The tolerance grows with the largest number in θ_Q.

    Returns:
        None if no single factor fits all draws.
    """
    if not all(v.any() for v in of):
        return None
    factors = [float(m @ v / (v @ v)) for m, v in zip(moves, of, strict=True)]
    factor = float(np.median(factors))
    rounded = float(round(factor))
    if rounded and abs(factor - rounded) < 1e-3:
        factor = rounded
    # A move can be so short that rounding θ_Q to float32 changes it visibly.
    fits = factor and all(
        close(m, factor * v, noise=3e-7 * float(np.abs(d.theta_Q).max()))
        for m, v, d in zip(moves, of, draws, strict=True)
    )
    return factor if fits else None


def with_old_state(
    draws: list[Draw], seen: list[Seen], plain: Gradient | None, kept: str
) -> ByAdam:
    """Return what the answers with Adam show about a step if they hold a wrong state.

    A wrong state does not show the gradient. So the gradient in the result is `plain`,
    perhaps with another constant factor. It is None if `plain` is None, or if the step
    adds nothing to the parameters.

    Args:
        draws: the questions, see `Draw`.
        seen: answers with Adam, one for each draw.
        plain: formula of the gradient that the answers with "sgd" show; None if
            unknown.
        kept: the returned state: "given" for the unchanged opt_state, "fresh" for a new
            state.
    """
    for base in BASES:
        if not any(move.any() for move in moves_from(draws, seen, base)):
            return ByAdam(None, False, kept, Step(base, "nothing"))
    if plain is None:
        return ByAdam(None, False, kept, None)
    # The answers with "sgd" show one factor, which may belong to the step, to the
    # gradient, or in parts to both.
    for share in (1.0, 2.0, -1.0, plain.factor):
        gradient = scaled_to(plain, plain.factor / share)
        grads = [gradient.of(draw) for draw in draws]
        for fresh in (False, True):
            origins = [d.fresh() if fresh else d.state for d in draws]
            updates = [adam(s, g)[0] for s, g in zip(origins, grads, strict=True)]
            step = step_of(draws, seen, updates, grads)
            if step and step.of == "updates" and np.isclose(step.times, share, 1e-3):
                return ByAdam(gradient, fresh, kept, step)
    gradient = scaled_to(plain, 1.0)
    grads = [gradient.of(draw) for draw in draws]
    step = step_of(draws, seen, [0 * g for g in grads], grads)
    if step and not np.isclose(step.times, -SGD_RATE * plain.factor, 1e-3):
        step = None  # it contradicts the step that the answers with "sgd" show
    return ByAdam(gradient, False, kept, step)


def scaled_to(gradient: Gradient, factor: float) -> Gradient:
    """Return a copy of a gradient's formula whose constant factor is `factor`."""
    ratio = factor / gradient.factor
    return replace(gradient, factor=factor, of=lambda draw: ratio * gradient.of(draw))


# ---------------------------------------------------------------- in words


def notes_of(found: ByAdam) -> list[Note]:
    """Return notes on the mistakes in the step and in the handling of opt_state.

    A note is a pair: the mistake, and words for what the hand-in does.

    Args:
        found: what the answers with Adam show.

    Returns:
        [] if there are no such mistakes.
    """
    notes: list[Note] = []
    step = found.step
    if found.kept == "given" and step and step.of == "gradient" and step.times != 1:
        return by_hand(step)
    if found.fresh:
        notes.append((words.REINIT, "Adam starts anew at each step"))
    if found.kept == "given":
        notes.append((words.OLD_STATE, "opt_state is returned as it was"))
    if found.kept == "fresh":
        notes.append((words.FRESH_STATE, "a new opt_state is returned"))
    return notes + (notes_of_step(step) if step else [])


def by_hand(step: Step) -> list[Note]:
    """Return notes on a step that does not use the optimizer.

    Such a step adds a multiple of the gradient, and opt_state is returned as it was. A
    note is a pair: the mistake, and words for what the hand-in does.

    Args:
        step: a step whose added vector is "gradient", with a factor other than 1.
    """
    where = "" if step.base == "0" else f" from {step.base}"
    text = f"whatever the optimizer, a step of {step.times:.4g} times the gradient"
    notes = [(words.BY_HAND, text + where)]
    if step.times > 0:
        notes.append((words.CLIMBS, "it climbs the loss"))
    if step.base == "θ_T":
        notes.append((words.FROM_TARGET, "the step starts from θ_T"))
    if step.base == "0":
        notes.append((words.RETURNS_UPDATES, "it is returned as θ_Q"))
    return notes


def notes_of_step(step: Step) -> list[Note]:
    """Return notes on the mistakes in a step; [] if none is known.

    A note is a pair: the mistake, and words for what the hand-in does.
    """
    if step.of == "nothing":
        known = {"θ_Q": words.RETURNS_OLD, "θ_T": words.RETURNS_TARGET}
        if step.base not in known:
            return []
        return [(known[step.base], f"{step.base} is returned as it was")]
    notes: list[Note] = []
    if step.base == "θ_T":
        notes.append((words.FROM_TARGET, "the step starts from θ_T"))
    if step.of == "gradient":
        return notes + of_gradient(step)
    if step.base == "0":
        notes.append((words.RETURNS_UPDATES, "the updates are returned as θ_Q"))
    if step.times != 1:
        multiples = {-1.0: words.SUBTRACTS, 2.0: words.APPLIED_TWICE}
        text = f"θ_Q moves by {step.times:.4g} times the optimizer's updates"
        if step.base == "0":
            text = f"they are {step.times:.4g} times the optimizer's"
        notes.append((multiples.get(step.times, words.SCALED_STEP), text))
    return notes


def of_gradient(step: Step) -> list[Note]:
    """Return a note, in a list, on a step that adds the gradient, not the updates.

    A note is a pair: the mistake, and words for what the hand-in does.

    Args:
        step: a step whose added vector is "gradient".
    """
    times = "" if step.times == 1 else f"{step.times:.4g} times "
    if step.base == "0":
        text = f"{times}the gradient is returned as θ_Q"
        return [(words.RETURNS_GRADIENT, text)]
    if step.times == 1:
        return [(words.ADDS_GRADIENT, f"the gradient is added to {step.base}")]
    text = f"{times}the gradient is added to {step.base}, whatever the optimizer"
    return [(words.GRADIENT_APPLIED, text)]
