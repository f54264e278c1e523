"""Compute the loss and the slopes of a formula for the batches of a training.

A slope is the derivative of the loss in one value Q(s, a; θ_Q) of a batch. With the
slopes, a network can be trained by the formula of a wrong `td_loss`.
"""

import functools
import math
from dataclasses import replace
from typing import Any

import numpy as np

from grader.diagnosis.formulas.combine import target_of
from grader.diagnosis.formulas.losses.loss import errors, loss_of, weighted_losses
from grader.diagnosis.formulas.losses.reduction import REDUCTION
from grader.diagnosis.formulas.losses.search import Found
from grader.diagnosis.formulas.rows import STEP, Rows

MOVED = ("q_s", "q_n", "q_0")  # the values by θ_Q
MEAN = REDUCTION[0]
CHECKED = 100  # calls from one check of `of_separate_rows` to the next
Arrays = dict[str, np.ndarray]


class Slopes:
    """Computes a formula's loss and slopes from the values of a batch.

    A slope is the derivative of the loss in one value Q(s, a; θ_Q) of the batch.

    Args:
        found: the formula, and the factor by which the loss is multiplied.
        gamma: the discount γ.
    """

    def __init__(self, found: Found, gamma: float) -> None:
        self.found, self.gamma = found, gamma
        # The axes with which `of_separate_rows` has given the exact slopes so far.
        self.axes: tuple[int, ...] = (-1, -2)
        self.calls = 0

    def __call__(self, numbers: dict[str, Any]) -> dict[str, Any]:
        """Return the loss and the slopes of a batch.

        Args:
            numbers: the batch: `action`, `reward`, `terminated` [B], and the values
                `q_s`, `q_n`, `t_s`, `t_n` [B,A], `q_0`, `t_0` [1,A]; see `Rows`.

        Returns:
            A dict: "loss" is the loss; "q_s", "q_n" [B,A] and "q_0" [1,A] are the
            slopes in the values that have the same name in `numbers`.
        """
        rows = self.rows_of(numbers)
        with np.errstate(all="ignore"):
            if self.axes and self.calls % CHECKED == 0:
                exact = self.of_single_values(rows)
                self.axes = tuple(a for a in self.axes if self.agrees(rows, a, exact))
            self.calls += 1
            found = (
                self.of_separate_rows(rows, self.axes[0])
                if self.axes
                else self.of_single_values(rows)
            )
        rounded = {name: found[name].astype(np.float32) for name in MOVED}
        return {**rounded, "loss": float(found["loss"])}

    def agrees(self, rows: Rows, axis: int, exact: Arrays) -> bool:
        """Tell whether `of_separate_rows` gives the exact slopes of a batch.

        Args:
            rows: the batch.
            axis: the argument `axis` of `of_separate_rows`.
            exact: the exact slopes, from `of_single_values`.
        """
        fast = self.of_separate_rows(rows, axis)
        return all(
            fast[name].shape == exact[name].shape
            and np.allclose(fast[name], exact[name], 1e-3, 1e-7, equal_nan=True)
            for name in MOVED
        )

    def rows_of(self, numbers: dict[str, Any]) -> Rows:
        """Return a batch's numbers as `Rows`.

        Args:
            numbers: the batch, with the same keys as for `__call__`.
        """
        values = {
            name: np.asarray(value).astype(np.float64)
            for name, value in numbers.items()
            if name not in ("action", "reward", "terminated")
        }
        return Rows(
            **values,
            held_s=values["q_s"],
            held_n=values["q_n"],
            a=np.asarray(numbers["action"]).astype(np.int64),
            r=np.asarray(numbers["reward"]).astype(np.float64),
            d=np.asarray(numbers["terminated"]).astype(np.float64),
            gamma=self.gamma,
        )

    def loss(self, rows: Rows, unmoved: Rows) -> np.ndarray:
        """Return the loss of a batch after its values by θ_Q have been moved a little.

        The weights of the rows are computed from the values before the move.

        Args:
            rows: the rows with the moved values. If these have leading axes [..., B,
                A], the result is an array of losses [...].
            unmoved: the rows with the values before the move.
        """
        formula = self.found.formula
        x, before = (formula["view"].compute(each) for each in (rows, unmoved))
        e = errors(before, formula, target_of(before, formula))
        loss = loss_of(x, formula, target_of(x, formula), e)
        return self.found.scale.at(rows.size, rows.width) * loss

    def of_single_values(self, rows: Rows) -> Arrays:
        """Return loss and slopes, by moving one value at a time.

        This is exact for all formulas, but slow.

        Returns:
            A dict: "loss", and the slopes by field of `Rows`.
        """
        slopes = {"loss": self.loss(rows, rows)}
        for name in MOVED:
            values = getattr(rows, name)
            steps = STEP * np.eye(values.size).reshape(-1, *values.shape)
            up, down = (
                np.broadcast_to(
                    self.loss(replace(rows, **{name: values + step}), rows),
                    values.size,
                )
                for step in (steps, -steps)
            )
            slopes[name] = ((up - down) / (2 * STEP)).reshape(values.shape)
        return slopes

    def of_separate_rows(self, rows: Rows, axis: int) -> Arrays:
        """Return loss and slopes, by moving one action's value in all rows at once.

        This is fast, but right only for some formulas: a loss at index i of the given
        axis has to depend on the values of row i alone.

        Args:
            rows: the batch.
            axis: an axis of the losses [I, B] before the reduction: -1 or -2. I is 1
                in right code; see `loss.errors` for other values.

        Returns:
            A dict: "loss", and the slopes by field of `Rows`.
        """
        formula = self.found.formula
        view, reduce = formula["view"].compute, formula["reduction"].compute
        before = view(rows)
        e = errors(before, formula, target_of(before, formula))
        f = weighted_losses(before, formula, e)
        factor = self.found.scale.at(rows.size, rows.width)
        other_axis = -3 - axis
        moved = {
            name: getattr(rows, name) + move for name, move in moves(rows.width).items()
        }
        # All moves at once: a formula takes many small operations, which cost the same
        # for one move as for all.
        after = view(replace(rows, **moved))
        of_moves = errors(after, formula, target_of(after, formula))
        losses = weighted_losses(after, formula, of_moves, e)
        shape = len(MOVED), rows.width, 2, *f.shape
        losses = np.broadcast_to(losses, (math.prod(shape[:3]), *f.shape))
        up, down = np.moveaxis(losses.reshape(shape), 2, 0)
        slopes = {"loss": factor * reduce(before, f)}
        for name, change in zip(MOVED, (up - down) / 2, strict=True):
            if formula["reduction"] is MEAN:  # in a mean, all changes add up
                difference = 2 * change.sum(axis=other_axis) / f.size
            else:
                places = np.expand_dims(np.eye(f.shape[axis]), axis=other_axis)
                difference = np.stack(
                    [
                        reduce(before, f + c * places) - reduce(before, f - c * places)
                        for c in change
                    ]
                )
            of_rows = (factor * difference / (2 * STEP)).T
            # All rows share the values `q_0` of a state of zeros.
            shared = of_rows.sum(axis=0, keepdims=True)
            slopes[name] = of_rows if len(getattr(rows, name)) == rows.size else shared
        return slopes


@functools.cache
def moves(width: int) -> Arrays:
    """Return small moves of the values, by field of `Rows` [moves, 1, A].

    Each move changes the values of one field and one action in all rows. The first and
    the second move are those of the first field and action, up and down, and so on.

    Args:
        width: the number A of actions.
    """
    n = len(MOVED)
    steps = STEP * np.stack([np.eye(width), -np.eye(width)], axis=1)  # [A, 2, A]
    by_field = np.zeros((n, n, width, 2, width))
    for i in range(n):
        by_field[i, i] = steps
    return {name: by_field[:, i].reshape(-1, 1, width) for i, name in enumerate(MOVED)}
