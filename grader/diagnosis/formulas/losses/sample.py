"""One question to a loss with the hand-in's answer, to be compared with formulas."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from grader.contract.case import Case, Student
from grader.contract.outcomes import Raised, Wrong
from grader.diagnosis.formulas.grammar import Formula
from grader.diagnosis.formulas.losses.loss import errors, loss_of, weighted_losses
from grader.diagnosis.formulas.rows import STEP, Rows, nearby, rows_of

RTOL = 1e-4  # ten times the rounding errors in float32
MOST_NUMBERS = 4096  # the largest number of losses in one answer
Target = Callable[[Rows, Formula], np.ndarray]  # computes a formula's targets


@dataclass(frozen=True)
class Sample:
    """A question to a loss, with the hand-in's answer.

    Attributes:
        case: the question.
        loss: the loss; the sum of the losses if the hand-in returns an array of losses.
        slope: the gradient with respect to theta_Q, as one vector [P] of all P numbers.
        each: the array of losses; None if the hand-in returns one number.
    """

    case: Case
    loss: float
    slope: np.ndarray
    each: np.ndarray | None = None

    @cached_property
    def rows(self) -> Rows:
        """The question's transitions, with both networks' values."""
        return rows_of(self.case)

    @cached_property
    def moved(self) -> Rows:
        """The question's transitions, with the values of 2P networks near theta_Q.

        P is the number of parameters. In each network one parameter is moved a little;
        see `nearby`.
        """
        return nearby(self.case, self.rows)

    def predicted(self, formula: Formula, target: Target) -> float:
        """Return the loss that a formula gives for the question, without a `Scale`.

        A `Scale` is a factor by which the hand-in's loss can differ from this loss.

        Args:
            formula: the formula.
            target: the function that takes rows and a formula, and computes the
                targets.
        """
        rows = formula["view"].compute(self.rows)
        return float(loss_of(rows, formula, target(rows, formula)))

    def rows_fit(self, formula: Formula, target: Target, factor: float) -> bool:
        """Tell whether the hand-in's array of losses agrees with a formula.

        Args:
            formula: the formula.
            target: the function that takes rows and a formula, and computes the
                targets.
            factor: the sum of the hand-in's losses, divided by the formula's loss.

        Returns:
            True also if the hand-in returns one number instead of an array.
        """
        if self.each is None:
            return True
        rows = formula["view"].compute(self.rows)
        e = errors(rows, formula, target(rows, formula))
        of_rows = weighted_losses(rows, formula, e)
        own = self.each.reshape(-1)
        return of_rows.size == own.size and close(
            own, factor / own.size * of_rows.reshape(-1)
        )

    def slope_fits(self, formula: Formula, target: Target, factor: float) -> bool:
        """Tell whether the hand-in's gradient agrees with a formula's gradient.

        Args:
            formula: the formula.
            target: the function that takes rows and a formula, and computes the
                targets.
            factor: the number by which the formula's gradient is multiplied before the
                gradients are compared.
        """
        view = formula["view"].compute
        unmoved, rows = view(self.rows), view(self.moved)
        e = errors(unmoved, formula, target(unmoved, formula))
        losses = loss_of(rows, formula, target(rows, formula), e)
        up, down = np.split(np.broadcast_to(losses, (2 * self.slope.size,)), 2)
        expected = factor * (up - down) / (2 * STEP)
        return close(self.slope, expected)


def close(obtained: np.ndarray, expected: np.ndarray) -> bool:
    """Tell whether two arrays are equal within rounding, and `expected` is finite."""
    if not np.isfinite(expected).all():
        return False
    scale = np.abs(expected).max(initial=0.0)
    limit = RTOL * np.abs(expected) + 0.2 * RTOL * scale + 1e-5
    return bool((np.abs(obtained - expected) <= limit).all())


def ask(case: Case, student: Student) -> Sample | None:
    """Ask a question, and return it together with the hand-in's answer.

    The numbers of the answer can be NaN or infinite.

    Returns:
        None if the types or shapes of the answer are not those of losses and a
        gradient, or if the answer has more than `MOST_NUMBERS` losses.

    Raises:
        Raised: the hand-in's code has raised an exception.
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
    """Ask a question as `ask` does; return None where `ask` raises Raised or Wrong."""
    try:
        return ask(case, student)
    except (Raised, Wrong):
        return None


def exchanged(rows: Rows, *pairs: tuple[str, str]) -> Rows:
    """Return the rows with the arrays of some fields exchanged.

    Args:
        rows: the rows.
        pairs: for each exchange, the names of the two fields.
    """
    fields = vars(rows)
    changes = {a: fields[b] for a, b in pairs} | {b: fields[a] for a, b in pairs}
    return replace(rows, **changes)
