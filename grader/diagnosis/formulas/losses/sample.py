"""One question to a loss with the hand-in's answer, and whether a formula gives it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from grader.contract.case import Case, Student
from grader.contract.outcomes import Raised, Wrong
from grader.diagnosis.formulas.grammar import Formula
from grader.diagnosis.formulas.losses.loss import each_of, errors, loss_of
from grader.diagnosis.formulas.rows import STEP, Rows, nearby, rows_of

RTOL = 1e-4  # rounding in float32 is ten times less
MOST_NUMBERS = 4096  # of one answer
Target = Callable[[Rows, Formula], np.ndarray]


@dataclass(frozen=True)
class Sample:
    """A question and its answer.

    Attributes:
        case: the question.
        loss: the answer, or the sum of the answers if there is one for each row.
        slope: the gradient in all of theta_Q, flat.
        each: the answer for each row; None if it is one number.
    """

    case: Case
    loss: float
    slope: np.ndarray
    each: np.ndarray | None = None

    @cached_property
    def rows(self) -> Rows:
        """The numbers of the question."""
        return rows_of(self.case)

    @cached_property
    def moved(self) -> Rows:
        """The same with each parameter moved up and down."""
        return nearby(self.case, self.rows)

    def predicted(self, formula: Formula, target: Target) -> float:
        """Return the loss by a formula, without its factor."""
        rows = formula["view"].of(self.rows)
        return float(loss_of(rows, formula, target(rows, formula)))

    def rows_fit(self, formula: Formula, target: Target, factor: float) -> bool:
        """Tell whether the answers for each row, if there are any, are a formula's."""
        if self.each is None:
            return True
        rows = formula["view"].of(self.rows)
        of_rows = each_of(rows, formula, target(rows, formula))
        own = self.each.reshape(-1)
        return of_rows.size == own.size and close(
            own, factor / own.size * of_rows.reshape(-1)
        )

    def slope_fits(self, formula: Formula, target: Target, factor: float) -> bool:
        """Tell whether the whole gradient is a formula's, with this factor."""
        view = formula["view"].of
        unmoved, rows = view(self.rows), view(self.moved)
        e = errors(unmoved, formula, target(unmoved, formula))
        losses = loss_of(rows, formula, target(rows, formula), e)
        up, down = np.split(np.broadcast_to(losses, (2 * self.slope.size,)), 2)
        expected = factor * (up - down) / (2 * STEP)
        return close(self.slope, expected)


def close(obtained: np.ndarray, expected: np.ndarray) -> bool:
    """Tell whether two arrays agree within rounding."""
    if not np.isfinite(expected).all():
        return False
    scale = np.abs(expected).max(initial=0.0)
    limit = RTOL * np.abs(expected) + 0.2 * RTOL * scale + 1e-5
    return bool((np.abs(obtained - expected) <= limit).all())


def ask(case: Case, student: Student) -> Sample | None:
    """Return a question with its answer; None if the answer is no loss and gradient.

    They may be nan.

    Raises:
        Raised: the hand-in fails.
        Wrong: no arrays came back.
    """
    answer = student.answer(case)
    loss, leaves = answer.array("loss"), answer.leaves("grads")
    theta = case.args["theta_Q"]
    if loss.dtype.kind != "f" or len(leaves) != len(theta):
        return None
    if any(a.shape != b.shape for a, b in zip(leaves, theta, strict=True)):
        return None
    if any(leaf.dtype.kind != "f" for leaf in leaves):
        return None
    slope = np.concatenate([leaf.astype(np.float64).ravel() for leaf in leaves])
    each = None if loss.shape == () else loss.astype(np.float64)
    if each is not None and each.size > MOST_NUMBERS:
        return None
    return Sample(case, float(loss.astype(np.float64).sum()), slope, each)


def ask_or_none(case: Case, student: Student) -> Sample | None:
    """Return a question with its answer; None if the hand-in gives none."""
    try:
        return ask(case, student)
    except (Raised, Wrong):
        return None


def exchanged(rows: Rows, *pairs: tuple[str, str]) -> Rows:
    """Return the rows with columns in each other's place."""
    fields = vars(rows)
    changes = {a: fields[b] for a, b in pairs} | {b: fields[a] for a, b in pairs}
    return replace(rows, **changes)
