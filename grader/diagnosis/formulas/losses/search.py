"""Searches for the simplest formula of a loss that fits all answers of a hand-in.

A formula has a view (how code reads the rows), a target and a loss.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from grader.contract.case import Case, Student
from grader.diagnosis.formulas.combine import Group
from grader.diagnosis.formulas.constants import with_constants
from grader.diagnosis.formulas.grammar import Choice, Formula, Grammar, difference_of
from grader.diagnosis.formulas.losses.loss import loss_of
from grader.diagnosis.formulas.losses.sample import RTOL, Sample, Target, ask_or_none
from grader.diagnosis.formulas.losses.scale import Scale, fitted
from grader.diagnosis.formulas.rows import Rows

MOST = 3  # the most differences of a formula; a wrong factor does not count
MOST_IN_LOSS = 2  # the most differences in the choices of the loss
Many = Callable[[Rows, Grammar, np.ndarray], Iterable[Group]]


@dataclass(frozen=True)
class Language:
    """All formulas that the search tries for a part.

    Attributes:
        part: name of the part.
        target: the grammar of the target.
        loss: the grammar of all terms of the loss except the target.
        views: how code may read the rows, for example with s and s′ swapped; the right
            view is first.
        target_of: the function that takes rows and a formula, and computes the targets.
        targets_of: the function that computes the targets of many formulas, with the
            arguments and the result of `combine.targets_of`.
    """

    part: str
    target: Grammar
    loss: Grammar
    views: tuple[Choice, ...]
    target_of: Target
    targets_of: Many

    def formula(self, view: Choice, target: Formula, loss: Formula) -> Formula:
        """Join a view and two formulas of some terms into the formula of all terms.

        Args:
            view: how the hand-in's code reads the rows of a batch.
            target: the choices for the terms of the target.
            loss: the choices for all other terms of the loss.
        """
        difference = difference_of(view, self.part)
        return Formula(
            {"view": view, **target.choices, **loss.choices},
            (
                *((difference,) if difference else ()),
                *target.differences,
                *loss.differences,
            ),
        )

    @cached_property
    def right(self) -> Formula:
        """The formula of right code."""
        halves = (g.formula(g.combinations(0)[0][0], np.zeros(0)) for g in self.halves)
        return self.formula(self.views[0], *halves)

    @property
    def halves(self) -> tuple[Grammar, Grammar]:
        """The grammars of the target and of the loss."""
        return self.target, self.loss


@dataclass(frozen=True)
class Found:
    """A formula that fits all answers of the hand-in.

    Attributes:
        formula: the formula.
        scale: the factor: the hand-in's loss divided by the formula's loss.
    """

    formula: Formula
    scale: Scale


def factors_of(
    language: Language, formula: Formula, samples: Sequence[Sample]
) -> list[tuple[float, int, int]] | None:
    """Return the hand-in's losses, each divided by the formula's loss.

    Such a quotient is called a factor. A sample has no factor, and is left out, if the
    hand-in's loss and the formula's loss are both 0 or both not finite.

    Args:
        language: all formulas of the part.
        formula: the formula.
        samples: the questions, each with the hand-in's answer.

    Returns:
        For each sample with a factor a triple: the factor, the number B of rows and the
        number A of actions. None instead of the list if, for some sample, only the
        formula's loss is 0, only one of the two losses is finite, or the hand-in's
        gradient or array of losses does not fit the formula. None, too, if successive
        samples with the same B and A have different factors.
    """
    found: list[tuple[float, int, int]] = []
    telling = []
    for sample in samples:
        base = sample.predicted(formula, language.target_of)
        if np.isfinite(base) != np.isfinite(sample.loss):
            return None
        if np.isfinite(base) and abs(base) < 1e-9 and abs(sample.loss) > 1e-6:
            return None
        if not np.isfinite(base) or abs(base) < 1e-9:
            continue
        factor = sample.loss / base
        sizes = (sample.rows.size, sample.rows.width)
        alike = found and found[-1][1:] == sizes
        if alike and abs(factor - found[-1][0]) > RTOL * abs(factor):
            return None
        found.append((factor, *sizes))
        telling.append(sample)
    for sample, (factor, _, _) in zip(telling, found, strict=True):
        if not sample.rows_fit(formula, language.target_of, factor):
            return None
        if not sample.slope_fits(formula, language.target_of, factor):
            return None
    return found


def fit(
    language: Language, formula: Formula, samples: Sequence[Sample]
) -> Found | None:
    """Return a formula together with the factor of the loss, if both fit all samples.

    Args:
        language: all formulas of the part.
        formula: the formula.
        samples: the questions, each with the hand-in's answer.

    Returns:
        None if a sample does not fit, or if all losses are 0 or not finite. None, too,
        if the factors of the samples are not a constant times a known function of the
        number of rows and the number of actions.
    """
    factors = factors_of(language, formula, samples)
    scale = fitted(factors) if factors else None
    return Found(formula, scale) if scale else None


def find_among(
    language: Language,
    samples: Sequence[Sample],
    others: Callable[[], list[Case]],
    student: Student,
) -> Found | None:
    """Return the first formula that fits all answers, or None if none fits.

    Formulas with fewer differences from right code are tried first. They have at most
    `MOST` differences. A factor of the loss is no difference. Formulas with an unusual
    constant, which is computed from the answers, are tried just before those with
    `MOST` differences.

    Args:
        language: all formulas of the part.
        samples: at least three questions of the same size, each with the hand-in's
            answer.
        others: a function without arguments that makes questions of other sizes. The
            hand-in is asked these questions only after a formula fits the samples.
        student: the hand-in.
    """
    more: list[Sample | None] = []

    def confirmed(formula: Formula) -> Found | None:
        if not fit(language, formula, samples):
            return None
        if not more:
            more.extend(ask_or_none(case, student) for case in others())
        answered = [sample for sample in more if sample]
        return fit(language, formula, [*samples, *answered])

    with np.errstate(all="ignore"):
        for level in range(MOST + 1):
            if level == MOST:
                simple = simple_formulas(language)
                made = with_constants(
                    language.target_of, language.part, simple, samples
                )
                for formula in made:
                    if found := confirmed(formula):
                        return found
            fitting = sorted(level_of(language, samples, level), key=lambda c: c[0])
            for _, formula in fitting:
                if found := confirmed(formula):
                    return found
    return None


def simple_formulas(language: Language) -> list[Formula]:
    """Return the right formula, and all formulas with one mistake in target or loss."""
    found = []
    for in_target, in_loss in ((0, 0), (1, 0), (0, 1)):
        halves = [
            [half.formula(*one) for one in zip(*half.combinations(k), strict=True)]
            for half, k in zip(language.halves, (in_target, in_loss), strict=True)
        ]
        found += [
            language.formula(language.views[0], target, loss)
            for target in halves[0]
            for loss in halves[1]
        ]
    return found


def level_of(
    language: Language, samples: Sequence[Sample], level: int
) -> Iterator[tuple[bool, Formula]]:
    """Yield the formulas with `level` differences that fit the losses of two samples.

    In both samples, the hand-in's loss is the formula's loss times the same factor.
    Gradients are not compared. A wrong view counts as a difference. A formula with a
    wrong view has at most one other difference. At most `MOST_IN_LOSS` differences are
    in the terms of the loss outside the target.

    Args:
        language: all formulas of the part.
        samples: the questions with the hand-in's answers; the first two are used.
        level: the number of differences from right code.

    Yields:
        A pair: True if this factor is not 1, else False; and the formula.
    """
    for i, view in enumerate(language.views):
        rest = level - (i > 0)
        if rest < 0 or (i > 0 and rest > 1):
            continue
        for in_loss in range(min(rest, MOST_IN_LOSS) + 1):
            parts = language, samples, view, rest - in_loss, in_loss
            yield from fitting(*parts)


def fitting(
    language: Language,
    samples: Sequence[Sample],
    view: Choice,
    in_target: int,
    in_loss: int,
) -> Iterator[tuple[bool, Formula]]:
    """Yield the formulas that fit the losses of the first two samples.

    In both samples, the hand-in's loss is the formula's loss times the same factor.
    Gradients are not compared.

    Args:
        language: all formulas of the part.
        samples: the questions with the hand-in's answers; the first two are used.
        view: how the code reads the rows.
        in_target: the number of differences in the target.
        in_loss: the number of differences in all other terms of the loss.

    Yields:
        A pair: True if this factor is not 1, else False; and the formula.
    """
    numbers, differences = language.target.combinations(in_target)
    if not len(numbers):
        return
    rows = [view.compute(sample.rows) for sample in samples[:2]]
    losses = [sample.loss for sample in samples[:2]]
    targets = [list(language.targets_of(x, language.target, numbers)) for x in rows]
    for loss_numbers, loss_differences in zip(
        *language.loss.combinations(in_loss), strict=True
    ):
        half = language.loss.formula(loss_numbers, loss_differences)
        for groups in zip(*targets, strict=True):
            one, other = (
                loss / np.broadcast_to(loss_of(x, half, y), len(which))
                for loss, x, (which, y) in zip(losses, rows, groups, strict=True)
            )
            for i in np.flatnonzero(np.abs(one - other) <= 1e-4 * np.abs(one)):
                k = groups[0][0][i]
                target = language.target.formula(numbers[k], differences[k])
                formula = language.formula(view, target, half)
                yield bool(abs(one[i] - 1) > 1e-3), formula
