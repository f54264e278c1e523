"""Find formulas with an unusual constant, such as a reward that is multiplied by 0.37.

Such a constant is in no list of choices; it is computed from the hand-in's answers. If
a loss is a factor times the mean of squared errors, the loss and its gradient determine
every target y. If the formula of y has only one wrong constant, the targets determine
this constant. The caller has to check each formula on all answers.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from grader.contract.stand_in import stand_in_returns
from grader.diagnosis.formulas.bounds import bounded_rewards, bounded_targets
from grader.diagnosis.formulas.grammar import Choice, Formula, difference_of
from grader.diagnosis.formulas.losses.loss import (
    CUT,
    ERROR,
    HUBER,
    errors,
    huber,
)
from grader.diagnosis.formulas.losses.reduction import REDUCTION
from grader.diagnosis.formulas.losses.sample import Sample, Target
from grader.diagnosis.formulas.losses.scale import constant_words, rounded
from grader.diagnosis.formulas.rows import STEP, Rows
from grader.diagnosis.formulas.target import AFTER, DISCOUNT, OWN_GAMMA
from grader.diagnosis.formulas.value import REDUCE

DEEP_Q = "(slides: Deep Q Learning)"
Formulas = Iterator[Formula]


def with_constants(
    target_of: Target, part: str, formulas: Sequence[Formula], samples: Sequence[Sample]
) -> Formulas:
    """Yield formulas with one more difference: a constant computed from answers.

    A given formula can give several new formulas, or none.

    Args:
        target_of: the function that takes rows and a formula, and computes the targets.
        part: name of the part.
        formulas: the formulas that get one more difference.
        samples: the questions, each with the hand-in's answer.
    """
    slopes = [slopes_of_errors(sample) for sample in samples]
    targets = read_off(samples, slopes)
    for formula in formulas:
        known = [
            target_of(formula["view"].compute(s.rows), formula).reshape(-1)
            for s in samples
        ]
        if any(y.size != s.rows.size for y, s in zip(known, samples, strict=True)):
            continue
        if targets is not None and is_square(formula):
            rows = [s.rows for s in samples]
            yield from of_target(target_of, part, formula, rows, targets)
        if formula["error"] is ERROR[0]:
            yield from of_error(target_of, part, formula, samples, slopes)


def is_square(formula: Formula) -> bool:
    """Tell whether a formula's loss is a mean of squared errors, weighted or not."""
    return formula["error"] is ERROR[0] and formula["reduction"] is REDUCTION[0]


def slopes_of_errors(sample: Sample) -> np.ndarray | None:
    """Return the derivative of the hand-in's loss in each prediction Q(s_i, a_i).

    The derivatives are computed from the hand-in's gradient with respect to theta_Q.

    Returns:
        An array [B]. None if the hand-in's gradient is no linear combination of the
        predictions' gradients.
    """
    rows = np.arange(sample.rows.size)
    values = sample.moved.q_s[:, rows, sample.rows.a]
    up, down = np.split(values, 2)
    of_values = (up - down) / (2 * STEP)  # [P, B]
    found, *_ = np.linalg.lstsq(of_values, sample.slope, rcond=None)
    rest = np.abs(of_values @ found - sample.slope).max()
    return found if rest <= 1e-4 * np.abs(sample.slope).max() else None


def read_off(
    samples: Sequence[Sample],
    slopes: Sequence[np.ndarray | None],
) -> list[np.ndarray] | None:
    """Return the targets y in the hand-in's loss, computed from losses and slopes.

    The loss has to be a factor times the mean of squared errors. For any other loss the
    returned numbers have no meaning.

    Args:
        samples: the questions, each with the hand-in's answer.
        slopes: for each sample, the result of `slopes_of_errors`.

    Returns:
        For each sample its targets [B]. None instead of the list if a sample has no
        slopes, or if the factor of a sample's loss cannot be computed.
    """
    targets = []
    for sample, slope in zip(samples, slopes, strict=True):
        if slope is None or not sample.loss:
            return None
        factor = sample.rows.size * float((slope**2).sum()) / (4 * sample.loss)
        if not factor or not np.isfinite(factor):
            return None
        rows = sample.rows
        taken = rows.q_s[np.arange(rows.size), rows.a]
        targets.append(taken - rows.size * slope / (2 * factor))
    return targets


def constant(values: np.ndarray) -> float | None:
    """Return the number to which all values are equal within 0.1 %, or None.

    NaN and infinite values are left out. The number is the median of the remaining
    values, rounded to a simple fraction or a short decimal if one is nearly equal. The
    result is None if a value differs by more than 0.1 % from the median, or if fewer
    than three values remain.
    """
    values = values[np.isfinite(values)]
    if len(values) < 3:
        return None
    middle = float(np.median(values))
    apart = np.abs(values - middle).max()
    return rounded(middle) if apart <= 1e-3 * abs(middle) + 1e-5 else None


def of_target(
    target_of: Target,
    part: str,
    formula: Formula,
    samples: Sequence[Rows],
    targets: Sequence[np.ndarray],
) -> Formulas:
    """Yield copies of a formula, each with one computed constant in its target.

    The constant may change the reward, replace γ, also in the returns G, be the bound
    of a clipped y, or be the weight in a mean of two values of s′.

    Args:
        target_of: the function that takes rows and a formula, and computes the targets.
        part: name of the part.
        formula: the formula to change.
        samples: the rows of each question.
        targets: for each question an array [B], the targets of the hand-in's code.
    """

    def without(slot: str, value: Callable) -> np.ndarray:
        changed = formula.changed(None, **{slot: Choice("", value)})
        return np.concatenate([target_of(s, changed).reshape(-1) for s in samples])

    def made(slot: str, choice: Choice) -> Formula:
        return formula.changed(difference_of(choice, part), **{slot: choice})

    y = np.concatenate(list(targets))
    known = np.concatenate([target_of(s, formula).reshape(-1) for s in samples])
    future = without("reward", lambda x: 0 * x.r)
    if "reward" in formula.choices and formula["reward"].words == "r":
        zero, whole = future, without("reward", lambda x: x.r)
        d = np.concatenate([s.d for s in samples])
        r = np.concatenate([s.r for s in samples])
        per_r = (whole - zero) / r
        rewards = (y - zero) / np.where(per_r == 0, np.nan, per_r)
        if c := constant(rewards / r):
            yield made("reward", scaled_reward(c))
        if c := constant(rewards - r):
            yield made("reward", shifted_reward(c))
        if c := constant(rewards[d > 0]):
            yield made("reward", reward_at_ends(c))
        yield from (made("reward", c) for c in bounded_rewards(r, rewards, future))
    for slot, choice in constant_gammas(formula, without, y):
        yield made(slot, choice)
    if "reduce" in formula.choices and formula["reduce"] is REDUCE[0]:
        mixed = mixtures(target_of, formula, samples, y)
        yield from (made("reduce", choice) for choice in mixed)
    if "after" in formula.choices and formula["after"] is AFTER[0]:
        bounded = bounded_targets(known, y, future)
        yield from (made("after", choice) for choice in bounded)


def constant_gammas(
    formula: Formula, without: Callable[[str, Callable], np.ndarray], y: np.ndarray
) -> Iterator[tuple[str, Choice]]:
    """Yield (slot, choice) for each constant in the place of γ that fits the targets.

    Args:
        formula: the formula to change.
        without: function (slot, value) that returns the targets if `value` computes
            what stands in a slot.
        y: the targets of the hand-in's code.
    """
    if "discount" in formula.choices and formula["discount"] is DISCOUNT[0]:
        zero, whole = (without("discount", lambda x, k=k: float(k)) for k in (0, 1))
        slope = np.where(np.abs(whole - zero) < 1e-9, np.nan, whole - zero)
        if c := constant((y - zero) / slope):
            words = constant_words(c)
            yield "discount", Choice(words, lambda x: c, "gamma-constant", OWN_GAMMA)
    if "label" in formula.choices and formula["label"].words == "G":
        zero, whole = (without("label", returns_with(k).compute) for k in (0.0, 1.0))
        slope = whole - zero
        # Beside a much larger y, little more than its rounding errors would count.
        slope = np.where(np.abs(slope) < 0.01 * np.abs(y), np.nan, slope)
        if c := constant((y - zero) / slope):
            yield "label", returns_with(c)


def returns_with(gamma: float) -> Choice:
    """Return the choice for an `mc_loss` that asks for G with a γ of its own."""
    return Choice(
        f"(G with γ = {constant_words(gamma)})",
        lambda x: stand_in_returns(x.r, gamma),
        "gamma-not-passed",
        "Your loss does not change with its argument gamma. Pass on the γ that came in "
        f"{DEEP_Q}.",
    )


def scaled_reward(c: float) -> Choice:
    """Return the choice for code that multiplies the reward by c."""
    return Choice(
        f"{constant_words(c)} r",
        lambda x: c * x.r,
        "reward-scaled",
        f"You multiply the reward by a constant. The target needs r as it is {DEEP_Q}.",
    )


def shifted_reward(c: float) -> Choice:
    """Return the choice for code that adds c to the reward."""
    sign = "+" if c > 0 else "−"
    return Choice(
        f"(r {sign} {constant_words(abs(c))})",
        lambda x: x.r + c,
        "reward-shifted",
        f"You add a constant to the reward. The target needs r as it is {DEEP_Q}.",
    )


def reward_at_ends(c: float) -> Choice:
    """Return the choice for code that sets the reward of terminal transitions to c."""
    return Choice(
        f"(r, but {constant_words(c)} where d)",
        lambda x: np.where(x.d > 0, c, x.r),
        "end-reward-shaped",
        "You replace the reward of terminal transitions by one of your own. That "
        f"teaches another task: r comes from the environment, also at an end {DEEP_Q}.",
    )


MIXED = (
    "Your target mixes two values of s'. Q learning takes one: the best action's, by "
    "θ_T (slides: Deep Q Learning; Target Networks)."
)


def mixtures(
    target_of: Target, formula: Formula, samples: Sequence[Rows], y: np.ndarray
) -> Iterator[Choice]:
    """Yield the choices for a weighted mean of max_a Q(s′,a) and another value of s′.

    Each value of the table `OTHER_VALUES` is tried as the other value. The two weights,
    which add up to 1, are computed from the targets. A choice is yielded if both
    weights are above 0 and are the same for all targets.

    Args:
        target_of: the function that takes rows and a formula, and computes the targets.
        formula: the formula to change.
        samples: the rows of each question.
        y: the targets that the hand-in computes in all questions, as one vector.
    """

    def targets(value: Choice) -> np.ndarray:
        made = formula.changed(None, reduce=value)
        return np.concatenate([target_of(s, made).reshape(-1) for s in samples])

    best = REDUCE[0]
    of_best = targets(best)
    for words, compute in OTHER_VALUES:
        other = Choice(words, compute)
        of_other = targets(other)
        apart = of_best - of_other
        share = constant((y - of_other) / np.where(np.abs(apart) < 1e-9, np.nan, apart))
        if share is not None and 0 < share < 1:
            rest = rounded(1 - share)
            yield Choice(
                f"({constant_words(share)} {best.words} + "
                f"{constant_words(rest)} {words})",
                lambda x, v, other=other, w=share: (
                    w * best.compute(x, v) + (1 - w) * other.compute(x, v)
                ),
                "mixed-values",
                MIXED,
            )


OTHER_VALUES: tuple[tuple[str, Callable], ...] = (
    ("mean_a <a>", lambda x, v: v.mean(axis=-1)[..., None, :]),
    ("min_a <a>", lambda x, v: v.min(axis=-1)[..., None, :]),
    ("max_a Q(s′,a; θ_Q)", lambda x, v: x.q_n.max(axis=-1)[..., None, :]),
    (
        "max_a Q(s′,a; θ_Q, held fixed)",
        lambda x, v: x.held_n.max(axis=-1)[..., None, :],
    ),
    (
        "<a_i>",
        lambda x, v: v[..., np.arange(x.size), x.a][..., None, :],
    ),
)


def of_error(
    target_of: Target,
    part: str,
    formula: Formula,
    samples: Sequence[Sample],
    slopes: Sequence[np.ndarray | None],
) -> Formulas:
    """Yield copies of a formula in which large errors count less than their squares.

    One copy has Huber's loss, which is linear for errors beyond a bound. Another copy
    clips the errors to a bound before they are squared. The bounds are computed from
    the answers; a copy whose bound cannot be computed is left out.

    Args:
        target_of: the function that takes rows and a formula, and computes the targets.
        part: name of the part.
        formula: the formula to change.
        samples: the questions, each with the hand-in's answer.
        slopes: for each sample, the result of `slopes_of_errors`.
    """
    if any(slope is None for slope in slopes):
        return
    e, g = [], []
    for sample, slope in zip(samples, slopes, strict=True):
        rows = formula["view"].compute(sample.rows)
        of_rows = errors(rows, formula, target_of(rows, formula)).reshape(-1)
        if slope is None or of_rows.size != slope.size:
            return
        e.append(of_rows)
        g.append(slope)
    error, slope = np.concatenate(e), np.concatenate(g)
    small = np.abs(error).argmin()
    rate = slope[small] / error[small]
    if not rate or not np.isfinite(rate):
        return
    size = rounded(float(np.abs(slope / rate).max()))
    bends = [(f"Huber_{constant_words(size)}", huber(size), "huber", HUBER)]
    inside = np.abs(slope - rate * error) <= 1e-3 * np.abs(rate * error) + 1e-6
    kept = np.split(inside, np.cumsum([len(own) for own in e])[:-1])
    bent = next((k for k, rows in enumerate(kept) if not rows.all()), None)
    if bent is not None:
        own, small = e[bent], kept[bent]
        square = 2 * samples[bent].loss / rate - (own[small] ** 2).sum()
        if square > 0:
            size = rounded(float(np.sqrt(square / (~small).sum())))
            words = constant_words(size)
            bends.append((f"clip_{words}", clipped_square(size), "error-clipped", CUT))
    for words, compute, name, hint in bends:
        text = f"{words}({{e}})" + ("²" if name == "error-clipped" else "")
        choice = Choice(text, compute, name, hint)
        yield formula.changed(difference_of(choice, part), error=choice)


def clipped_square(size: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that clips errors to [-size, size] and squares them."""
    return lambda e: np.clip(e, -size, size) ** 2
