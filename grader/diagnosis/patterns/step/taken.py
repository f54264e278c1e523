"""From where a step starts, and which multiple of what is added there."""

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

Note = tuple[Difference, str]  # and the words for it
BASES = ("θ_Q", "θ_T", "0")


@dataclass(frozen=True)
class Seen:
    """One answer, flat; `state` is none where the optimizer has none."""

    theta: Vector
    state: AdamState | None
    loss: float


@dataclass(frozen=True)
class Step:
    """What comes back in the place of theta_Q: base + times · (what `of` says).

    Attributes:
        base: "θ_Q", "θ_T" or "0".
        of: "updates", "gradient" or "nothing".
        times: the multiple.
    """

    base: str
    of: str
    times: float = 0.0


@dataclass(frozen=True)
class ByAdam:
    """What Adam's answers tell.

    Attributes:
        gradient: that the optimizer saw, if it is known.
        fresh: it starts from a new state.
        kept: the state comes back as it went in, or as a new one ("given", "fresh"),
            and not as the optimizer hands it back ("").
        step: that was taken, if it is known.
    """

    gradient: Gradient | None
    fresh: bool
    kept: str
    step: Step | None


def at(draw: Draw, base: str) -> Vector:
    """Return what a step can be added to."""
    known = {"θ_Q": draw.theta_Q, "θ_T": draw.theta_T}
    return known.get(base, 0 * draw.theta_Q)


def moves_from(draws: list[Draw], seen: list[Seen], base: str) -> list[Vector]:
    """Return by how much each answer is away from a base."""
    return [one.theta - at(d, base) for d, one in zip(draws, seen, strict=True)]


def plain_step(
    draws: list[Draw], seen: list[Seen]
) -> tuple[str, Gradient | None] | None:
    """Read the base and the gradient of a step of plain descent; no gradient: stays."""
    for base in BASES:
        moves = moves_from(draws, seen, base)
        if not any(move.any() for move in moves):
            return base, None
        gradient = gradient_of(draws, [-move / SGD_RATE for move in moves])
        # A decay that takes all of theta_Q away in one step is none: the base is 0.
        if gradient and abs(gradient.decay * SGD_RATE - 1) > 1e-3:
            return base, gradient
    return None


def by_adam(
    draws: list[Draw], seen: list[Seen], plain: Gradient | None
) -> ByAdam | None:
    """Read Adam's answers; None where they fit no single step.

    Args:
        draws: the questions.
        seen: the answers.
        plain: the gradient by which plain descent moves, if it is known.
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
    """Return the gradient that takes Adam from one state to the next."""
    return (after.mu - 0.9 * before.mu) / 0.1


def advanced(before: AdamState, after: AdamState) -> bool:
    """Tell whether a state is one step of Adam after another."""
    if after.count != before.count + 1:
        return False
    nu = 0.999 * before.nu + 0.001 * seen_by_adam(before, after) ** 2
    return close(after.nu, nu, noise=1e-6)


def same_state(a: AdamState, b: AdamState) -> bool:
    """Tell whether two states hold the same numbers."""
    same = np.array_equal(a.mu, b.mu) and np.array_equal(a.nu, b.nu)
    return a.count == b.count and same


def step_of(
    draws: list[Draw],
    seen: list[Seen],
    updates: list[Vector],
    grads: list[Vector],
) -> Step | None:
    """Read which multiple of Adam's updates, or of the gradient, is added to what."""
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
    """Return the number of times by which every move is a vector, if there is one."""
    if not all(v.any() for v in of):
        return None
    factors = [float(m @ v / (v @ v)) for m, v in zip(moves, of, strict=True)]
    factor = float(np.median(factors))
    rounded = float(round(factor))
    if rounded and abs(factor - rounded) < 1e-3:
        factor = rounded
    # Rounding of theta in float32 shows in so short a step.
    fits = factor and all(
        close(m, factor * v, noise=3e-7 * float(np.abs(d.theta_Q).max()))
        for m, v, d in zip(moves, of, draws, strict=True)
    )
    return factor if fits else None


def with_old_state(
    draws: list[Draw], seen: list[Seen], plain: Gradient | None, kept: str
) -> ByAdam:
    """Read the step of one that does not return the optimizer's own state."""
    for base in BASES:
        if not any(move.any() for move in moves_from(draws, seen, base)):
            return ByAdam(None, False, kept, Step(base, "nothing"))
    if plain is None:
        return ByAdam(None, False, kept, None)
    # Of the factor by which plain descent moves, what the step and not the gradient
    # carries.
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
        step = None  # plain descent moves otherwise
    return ByAdam(gradient, False, kept, step)


def scaled_to(gradient: Gradient, factor: float) -> Gradient:
    """Return a gradient with another factor."""
    ratio = factor / gradient.factor
    return replace(gradient, factor=factor, of=lambda draw: ratio * gradient.of(draw))


# ---------------------------------------------------------------- in words


def notes_of(found: ByAdam) -> list[Note]:
    """Return the differences of the optimizer's state and of the step."""
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
    """Return the differences of gradient descent that needs no optimizer."""
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
    """Return the differences of a step to the right one."""
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
    """Return the differences where the gradient itself is applied, or returned."""
    times = "" if step.times == 1 else f"{step.times:.4g} times "
    if step.base == "0":
        text = f"{times}the gradient is returned as θ_Q"
        return [(words.RETURNS_GRADIENT, text)]
    if step.times == 1:
        return [(words.ADDS_GRADIENT, f"the gradient is added to {step.base}")]
    text = f"{times}the gradient is added to {step.base}, whatever the optimizer"
    return [(words.GRADIENT_APPLIED, text)]
