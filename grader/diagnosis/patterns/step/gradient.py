"""Find the formula of the gradient that `td_update` follows.

A formula has a kind of gradient (`Kind`), a discount, and a change of the gradient,
such as clipping. To add a kind, add a line to `KINDS`. To add a change, add a function
to `CHANGES`, with the arguments and the result of `times`. A draw is a question. A
gradient is a vector [P] of all its numbers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from grader.diagnosis.patterns.step import words
from grader.diagnosis.patterns.step.computed import (
    Draw,
    Vector,
    close,
    loss_and_gradients,
)
from grader.diagnosis.reading import Difference

Differences = tuple[Difference, ...]
DISCOUNTS = (0.99, 0.95, 0.9, 0.98, 0.995, 0.999, 1.0, 0.5, 0.0)
FIRST, SECOND, BOTH = ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0))


@dataclass(frozen=True)
class Kind:
    """A kind of gradient of the stand-in loss L(x, y), right or wrong.

    Right code takes ∂L/∂x at x = θ_Q, y = θ_T.

    Attributes:
        words: the gradient as a formula.
        differences: the mistakes; () for the right gradient.
        places: two letters for the arguments x and y: "Q" for θ_Q, "T" for θ_T.
        of: the weights (a, b) of ∂L/∂x and ∂L/∂y in the gradient; (1, 0) if right.
        rows: number of transitions to use, counted from the first one; None for all.
    """

    words: str
    differences: Differences
    places: str
    of: tuple[float, float] = FIRST
    rows: int | None = None

    def loss(self, draw: Draw, gamma: float) -> float:
        """Return the stand-in's loss for a draw (question) and a γ.

        It is computed with θ_Q, θ_T or both, as `places` says.
        """
        return self.all_of(draw, gamma)[0]

    def gradient(self, draw: Draw, gamma: float) -> Vector:
        """Return the gradient [P] of this kind for a draw (question) and a γ."""
        _, first, second = self.all_of(draw, gamma)
        return self.of[0] * first + self.of[1] * second

    def all_of(self, draw: Draw, gamma: float) -> tuple[float, Vector, Vector]:
        """Return the stand-in's loss L(x, y), and its gradients ∂L/∂x and ∂L/∂y [P].

        They are for a draw (question) and a γ. Each of x and y is θ_Q or θ_T, as
        `places` says.
        """
        theta = {"Q": draw.theta_Q, "T": draw.theta_T}
        first, second = (theta[place] for place in self.places)
        return loss_and_gradients(draw, first, second, gamma, self.rows)


# All kinds of gradients; the right one is first.
KINDS = [
    Kind("∇L(θ_Q, θ_T)", (), "QT"),
    Kind("∇L(θ_Q, θ_Q) by its first argument", (words.TARGET_IS_ONLINE,), "QQ"),
    Kind("∇L(θ_T, θ_Q) by its first argument", (words.SWAPPED,), "TQ"),
    Kind("∇L(θ_Q, θ_T) by θ_T", (words.GRADIENT_OF_TARGET,), "QT", SECOND),
    Kind("∇L(θ_T, θ_Q) by θ_Q", (words.LABEL_TRAINED,), "TQ", SECOND),
    Kind("∇L(θ_T, θ_T) by its first argument", (words.PREDICTS_TARGET,), "TT"),
    Kind("∇L(θ_Q, θ_Q) by both arguments", (words.THROUGH_LABEL,), "QQ", BOTH),
    Kind("∇L(θ_Q, θ_T) by θ_Q plus that by θ_T", (words.BOTH_PLACES,), "QT", BOTH),
    Kind("∇L of transition 0 alone", (words.FIRST_ROW,), "QT", rows=1),
]


@dataclass(frozen=True)
class Gradient:
    """The formula of a gradient.

    Attributes:
        words: the gradient in symbols, without its factor.
        differences: the mistakes, except a wrong factor; () if there are none.
        factor: constant factor of the gradient; 1 in right code.
        decay: the multiple of θ_Q that is added to the gradient; 0 in right code.
        gamma: constant discount; None if the argument gamma is used.
        kind: the kind of gradient, see `Kind`.
        of: function of a question; returns the gradient [P] with factor and decay.
    """

    words: str
    differences: Differences
    factor: float
    decay: float
    gamma: float | None
    kind: Kind
    of: Callable[[Draw], Vector]


# A change of a gradient: the formula with {} for the gradient, the mistakes, the factor
# and the decay (see `Gradient`), and a function that makes the change.
Change = tuple[str, Differences, float, float, Callable[[Draw, Vector], Vector]]


def shares(plain: list[Vector], seen: list[Vector]) -> list[float]:
    """Return, for each draw, the factor that brings `plain` closest to `seen`.

    `plain` has a computed gradient [P] for each draw (question), `seen` the hand-in's.
    """
    return [
        float(s @ p) / max(float(p @ p), 1e-30)
        for p, s in zip(plain, seen, strict=True)
    ]


def noise_of(draw: Draw) -> float:
    """Return the absolute tolerance for a gradient that is computed from a move of θ_Q.

    The move is θ_Q after an update minus θ_Q before it. Both are float32 vectors, so
    the move has rounding errors.
    """
    return 3e-6 * float(np.abs(draw.theta_Q).max())


def near(draw: Draw, a: Vector, b: Vector) -> bool:
    """Tell whether two gradients a and b [P] are equal within rounding.

    The tolerance grows with the largest number in b and in the draw's θ_Q.
    """
    return close(a, b, noise=noise_of(draw))


def tidy(factor: float) -> float:
    """Return the nearest whole number if the factor is close to it, else the factor."""
    whole = float(round(factor)) or factor
    return whole if abs(whole - factor) < 2e-4 * abs(factor) else factor


def scaled(draws: list[Draw], plain: list[Vector], seen: list[Vector]) -> float | None:
    """Return c if the hand-in's gradients are c times the computed ones, else None.

    `plain` has a computed gradient [P] for each draw (question), `seen` the hand-in's.
    """
    factors = shares(plain, seen)
    factor = float(np.median(factors))
    if abs(factor) < 1e-9 or not np.isfinite(factor):
        return None
    factor = tidy(factor)
    fits = all(
        near(d, s, factor * p) for d, p, s in zip(draws, plain, seen, strict=True)
    )
    return factor if fits else None


def times(draws: list[Draw], plain: list[Vector], seen: list[Vector]) -> Change | None:
    """Return the change "times a constant" if it turns `plain` into `seen`, else None.

    `plain` has a computed gradient [P] for each draw (question), `seen` the hand-in's.
    A right hand-in has the constant 1.
    """
    factor = scaled(draws, plain, seen)
    if factor is None:
        return None
    return "{}", (), factor, 0.0, lambda draw, g: factor * g


def clipped(
    draws: list[Draw], plain: list[Vector], seen: list[Vector]
) -> Change | None:
    """Return the change "clip the entries" if it turns `plain` into `seen`, else None.

    `plain` has a computed gradient [P] for each draw (question), `seen` the hand-in's.
    The limit is estimated from the largest entry in `seen`.
    """
    most = max(float(np.abs(s).max()) for s in seen)
    inside = [np.abs(s) < 0.999 * most for s in seen]
    if all(i.all() or (~i).sum() < 2 for i in inside):
        return None
    one = np.concatenate([p[i] for p, i in zip(plain, inside, strict=True)])
    other = np.concatenate([x[i] for x, i in zip(seen, inside, strict=True)])
    if len(one) < 20:
        return None
    used = np.abs(one) > 1e-6 * np.abs(one).max()
    factor = tidy(float(np.median(other[used] / one[used]))) if used.any() else 0.0
    if factor == 0:
        return None
    limit = abs(most / factor)
    for d, p, s in zip(draws, plain, seen, strict=True):
        if not near(d, s, factor * np.clip(p, -limit, limit)):
            return None
    text = f"{{}} with entries beyond ±{limit:.4g} cut"

    def cut(draw: Draw, g: Vector) -> Vector:
        return factor * np.clip(g, -limit, limit)

    return text, (words.CLIPS_VALUES,), factor, 0.0, cut


def shortened(
    draws: list[Draw], plain: list[Vector], seen: list[Vector]
) -> Change | None:
    """Return the change of the norm that turns `plain` into `seen`, or None.

    `plain` has a computed gradient [P] for each draw (question), `seen` the hand-in's.
    Two changes are tried: the norm is clipped, or all gradients get the same norm.
    """
    factors = shares(plain, seen)
    fits = all(
        near(d, s, f * p)
        for d, p, s, f in zip(draws, plain, seen, factors, strict=True)
    )
    if not fits or min(factors) <= 0:
        return None
    lengths = [float(np.linalg.norm(s)) for s in seen]
    most = max(lengths)
    if most - min(lengths) < 1e-3 * most:
        text = f"{{}} brought to length {most:.4g}"

        def one_length(draw: Draw, g: Vector) -> Vector:
            return g * most / np.linalg.norm(g)

        return text, (words.NORMALISED,), 1.0, 0.0, one_length
    factor = tidy(max(factors))
    cut = [f < 0.999 * factor for f in factors]
    alike = all(
        abs(length - most) < 1e-3 * most if c else abs(f - factor) < 1e-3 * factor
        for length, c, f in zip(lengths, cut, factors, strict=True)
    )
    if not alike or sum(cut) < 2:
        return None
    limit = most / factor
    text = f"{{}} shortened to length {limit:.4g} where it is longer"

    def shorter(draw: Draw, g: Vector) -> Vector:
        return factor * g * min(1.0, limit / float(np.linalg.norm(g)))

    return text, (words.CLIPS_NORM,), factor, 0.0, shorter


def signs(draws: list[Draw], plain: list[Vector], seen: list[Vector]) -> Change | None:
    """Return the change "signs times a constant" if it turns `plain` into `seen`.

    `plain` has a computed gradient [P] for each draw (question), `seen` the hand-in's.
    The result is None if no constant fits.
    """
    factor = scaled(draws, [np.sign(p) for p in plain], seen)
    if factor is None:
        return None
    text = "the signs of {}"
    return text, (words.SIGNS,), factor, 0.0, lambda d, g: factor * np.sign(g)


def decayed(
    draws: list[Draw], plain: list[Vector], seen: list[Vector]
) -> Change | None:
    """Return the change "plus a multiple of θ_Q" if it turns `plain` into `seen`.

    `plain` has a computed gradient [P] for each draw (question), `seen` the hand-in's.
    The result is None if no multiple fits.
    """
    sizes = [1 / np.abs(s).max() for s in seen]
    left = np.concatenate(
        [
            size * np.stack([p, d.theta_Q], axis=1)
            for size, p, d in zip(sizes, plain, draws, strict=True)
        ]
    )
    right = np.concatenate([size * s for size, s in zip(sizes, seen, strict=True)])
    factor, decay = (float(x) for x in np.linalg.lstsq(left, right, rcond=None)[0])
    if abs(factor - 1) > 1e-3:
        return None
    for d, p, s in zip(draws, plain, seen, strict=True):
        if not near(d, s, factor * p + decay * d.theta_Q):
            return None
    text = f"{{}} {'+' if decay > 0 else '-'} {abs(decay):.3g} θ_Q"
    return text, (words.DECAY,), 1.0, decay, lambda d, g: g + decay * d.theta_Q


def by_array(
    draws: list[Draw], plain: list[Vector], seen: list[Vector]
) -> Change | None:
    """Return the change "0 in some arrays" if it turns `plain` into `seen`, else None.

    `plain` has a computed gradient [P] for each draw (question), `seen` the hand-in's.
    An array is one leaf of θ_Q, such as a layer's weights.
    """
    kept = []
    for d, p, s in zip(draws, plain, seen, strict=True):
        pairs = list(zip(d.leaves(p), d.leaves(s), strict=True))
        kept.append([bool(b.any()) for _, b in pairs])
        for a, b in pairs:
            if b.any() and not close(b, a):
                return None
    if any(k != kept[0] for k in kept) or all(kept[0]) or not any(kept[0]):
        return None
    missing = ", ".join(str(i) for i, k in enumerate(kept[0]) if not k)

    def some(draw: Draw, g: Vector) -> Vector:
        arrays = zip(draw.leaves(g), kept[0], strict=True)
        return np.concatenate([k * a.astype(np.float64).ravel() for a, k in arrays])

    return f"{{}} with zeros in arrays {missing}", (words.SOME_ARRAYS,), 1.0, 0.0, some


CHANGES = [times, clipped, shortened, signs, decayed, by_array]


def gradient_of(draws: list[Draw], seen: list[Vector]) -> Gradient | None:
    """Return the simplest formula that gives the hand-in's gradients `seen`, or None.

    `seen` has one gradient [P] for each draw (question). None means that no formula
    fits all draws. It also means that a gradient is not finite, or so small that it may
    be a rounding error.
    """
    for draw, one in zip(draws, seen, strict=True):
        if not np.isfinite(one).all() or np.abs(one).max() < 30 * noise_of(draw):
            return None
    return next(formulas(draws, seen), None)


def formulas(draws: list[Draw], seen: list[Vector]) -> Iterator[Gradient]:
    """Yield the formulas that give the hand-in's gradients `seen`, the simplest first.

    `seen` has one gradient [P] for each draw.
    """
    for kind in KINDS:
        yield from changed(kind, None, draws, seen)
    for kind in KINDS:
        for gamma in [*DISCOUNTS, *own_discount(kind, draws, seen)]:
            yield from changed(kind, gamma, draws, seen)


def changed(
    kind: Kind, gamma: float | None, draws: list[Draw], seen: list[Vector]
) -> Iterator[Gradient]:
    """Yield the formulas with this kind and discount that give the hand-in's gradients.

    `gamma` is a constant discount in place of the question's gamma; None for the
    question's. `seen` has the hand-in's gradient [P] for each draw (question).
    """
    of_draws = [changed_gradient(kind, gamma, lambda d, g: g, draw) for draw in draws]
    for change in CHANGES:
        if read := change(draws, of_draws, seen):
            outer, more, factor, decay, apply = read
            text, differences = kind.words, kind.differences
            if gamma is not None:
                text = f"{text} with γ = {gamma:.4g}"
                differences = (*differences, words.own_gamma(gamma))
            yield Gradient(
                outer.format(text),
                (*differences, *more),
                *(factor, decay, gamma, kind),
                partial(changed_gradient, kind, gamma, apply),
            )


def changed_gradient(
    kind: Kind,
    gamma: float | None,
    change: Callable[[Draw, Vector], Vector],
    draw: Draw,
) -> Vector:
    """Return the gradient [P] of a kind for a draw, after a change.

    Args:
        kind: the kind of gradient.
        gamma: constant discount in place of the argument gamma; None for the argument.
        change: function of the draw and the gradient [P]; returns the changed gradient.
        draw: the question, see `Draw`.
    """
    return change(draw, kind.gradient(draw, draw.gamma if gamma is None else gamma))


def own_discount(kind: Kind, draws: list[Draw], seen: list[Vector]) -> list[float]:
    """Return a list with an estimate of the hand-in's constant discount, or [].

    [] means that nothing can be estimated. The estimate may be wrong if the gradient is
    not linear in the discount. `seen` has the hand-in's gradient [P] for each draw.
    """
    sizes = [1 / np.abs(s).max() for s in seen]
    none = [size * kind.gradient(d, 0.0) for size, d in zip(sizes, draws, strict=True)]
    one = [size * kind.gradient(d, 1.0) for size, d in zip(sizes, draws, strict=True)]
    left = np.concatenate(
        [np.stack([a, b - a], axis=1) for a, b in zip(none, one, strict=True)]
    )
    right = np.concatenate([size * s for size, s in zip(sizes, seen, strict=True)])
    factor, slope = np.linalg.lstsq(left, right, rcond=None)[0]
    return [round(float(slope / factor), 4)] if abs(factor) > 1e-6 else []
