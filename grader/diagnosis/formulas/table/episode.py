"""One question to `update_Q_TD0` with the answer, to be compared with formulas."""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from grader.contract.case import Case, Student
from grader.diagnosis.formulas.combine import target_of
from grader.diagnosis.formulas.grammar import Formula
from grader.diagnosis.formulas.rows import STEP, Rows
from grader.diagnosis.formulas.table.step import Cells, cell

RTOL = 1e-4


def rows_of(case: Case, table: np.ndarray, formula: Formula | None = None) -> Rows:
    """Return the steps of an episode as transitions, with the values of a table.

    Args:
        case: the question.
        table: the table from which Q(s,·) and Q(s′,·) are read [..., S, A].
        formula: a formula whose slot "shift" says how the states' indices are changed
            before the table is read. None to leave them
            unchanged.
    """
    args = case.args
    states, later = (args[name].astype(np.int64) for name in ("states", "next_states"))
    if formula:
        states, later = (formula["shift"].compute(x) for x in (states, later))
    q_s, q_n = table[..., states, :], table[..., later, :]
    zero = table[..., :1, :]  # a state of zeros is state 0 here
    return Rows(
        *(q_s, q_n, q_s, q_n, q_s, q_n, zero, zero),
        a=args["actions"].astype(np.int64),
        r=args["rewards"].astype(np.float64),
        d=args["terminateds"].astype(np.float64),
        gamma=float(case.spec["gamma"]),
    )


@dataclass(frozen=True)
class Episode:
    """A question to `update_Q_TD0`, with the hand-in's answer.

    A question is an episode of T steps in a world with S states and A actions.

    Attributes:
        case: the question.
        after: the table that the hand-in returned [S, A].
    """

    case: Case
    after: np.ndarray

    @property
    def alpha(self) -> float:
        """The argument α of the question, which is the right step size."""
        return float(self.case.spec["alpha"])

    @property
    def steps(self) -> int:
        """The number T of steps of the episode."""
        return len(self.case.args["states"])

    @property
    def revisits(self) -> bool:
        """Whether several steps have the same state."""
        return len(np.unique(self.case.args["states"])) < self.steps

    @cached_property
    def before(self) -> np.ndarray:
        """The table that was passed to the hand-in [S, A]."""
        return self.case.args["Q"].astype(np.float64)

    @cached_property
    def rows(self) -> Rows:
        """The steps as transitions, with the values of the table `before`."""
        return rows_of(self.case, self.before)

    def cells(self, formula: Formula, rows: Rows) -> Cells:
        """Return which cell of the table each step changes, according to a formula.

        Args:
            formula: the formula.
            rows: the steps as rows, with values from the table that the steps read.

        Returns:
            The cells' row indices [T] and column indices [T] in the table. If steps
            change whole rows of the table, a slice is returned in place of the column
            indices.
        """
        args = self.case.args
        states, later = (
            formula["shift"].compute(args[name].astype(np.int64))
            for name in ("states", "next_states")
        )
        return formula["cell"].compute(states, rows.a, later, rows)

    def moves(
        self,
        formula: Formula,
        table: np.ndarray,
        size: float,
        of_targets: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return the number that each step adds to its cell, computed by a formula.

        Args:
            formula: the formula.
            table: the table that all steps read [S, A].
            size: the step size, which is α in right code.
            of_targets: the table that the targets read [S, A]; None for `table`.

        Returns:
            An array [T].
        """
        rows = rows_of(self.case, table, formula)
        read = rows
        if of_targets is not None and of_targets is not table:
            read = rows_of(self.case, of_targets, formula)
        y = target_of(read, formula).reshape(-1)
        q, r = (
            formula["predict"].compute(rows),
            formula["reward"].compute(rows) + 0 * rows.r,
        )
        e = formula["bracket"].compute(q, y, r, self.alpha)
        return -size * formula["weight"].compute(rows) * formula["error"].compute(e)

    def table(self, formula: Formula, size: float, *, online: bool) -> np.ndarray:
        """Return the table [S, A] after the episode, computed by a formula.

        Args:
            formula: the formula.
            size: the step size, which is α in right code.
            online: True if each step reads the table that the steps before it changed;
                False if all steps read the table that was passed in. Not used if the
                formula's choice for "order" or "read" is a mistake.
        """
        before = formula["store"].compute(self.before)
        after = before.copy()
        order = formula["order"].compute(self.steps)
        if order is None and (online or formula["read"].words):
            order = range(self.steps)
        if order is None:
            moves = self.moves(formula, before, size)
            cells = self.cells(formula, rows_of(self.case, before, formula))
            formula["revisits"].compute(after, cells, moves)
            after += self.flow(formula, size) if formula["flow"].compute() else 0
        for t in order or ():
            table, of_targets = formula["read"].compute(before, after)
            moves = self.moves(formula, table, size, of_targets)
            cells = self.cells(formula, rows_of(self.case, after, formula))
            after[cell(cells, t)] += moves[t]
            after = formula["store"].compute(after)
        args = self.case.args
        ends = args["next_states"][args["terminateds"].astype(bool)]
        return formula["result"].compute(before, formula["store"].compute(after), ends)

    def flow(self, formula: Formula, size: float) -> np.ndarray:
        """Return what differentiated targets add to each cell during the episode.

        Right code takes the targets as constants. Code that differentiates the targets,
        too, adds these numbers to those of right code.

        Args:
            formula: the formula of the prediction and the target.
            size: the step size, which is α in right code.

        Returns:
            The additional number for each cell [S, A].
        """
        rows = rows_of(self.case, self.before, formula)
        e = formula["predict"].compute(rows) - target_of(rows, formula).reshape(-1)
        move = np.zeros_like(self.before)
        # A target reads the values of the episode's states, and of state 0: that is the
        # state of zeros, and what code may append to shifted states.
        args = self.case.args
        read = np.unique([*args["states"], *args["next_states"], 0])
        for index in product(read, range(move.shape[1])):
            ends = []
            for step in (STEP, -STEP):
                table = self.before.copy()
                table[index] += step
                y = target_of(rows_of(self.case, table, formula), formula)
                ends.append(y.reshape(-1))
            move[index] = size * (e * (ends[0] - ends[1])).sum() / (2 * STEP)
        return move

    def fits(self, formula: Formula, size: float) -> bool:
        """Tell whether a formula computes the table that the hand-in returned.

        Both orders that right code may use are tried. Either all steps read the table
        that was passed in, or each step reads the table that the steps before it
        changed.

        Args:
            formula: the formula.
            size: the step size, which is α in right code.
        """
        orders = (False, True) if self.steps > 1 else (False,)
        return any(self.fits_in_order(formula, size, one) for one in orders)

    def fits_in_order(self, formula: Formula, size: float, online: bool) -> bool:
        """Tell whether a formula computes the returned table in one of the two orders.

        Args:
            formula: the formula.
            size: the step size, which is α in right code.
            online: the order, see `table`.
        """
        expected = self.table(formula, size, online=online)
        limit = RTOL * np.abs(expected) + 0.1 * RTOL * np.abs(self.after).max()
        # False for nan.
        return bool((np.abs(self.after - expected) <= limit).all())


def ask(case: Case, student: Student) -> Episode | None:
    """Ask a question, and return it together with the hand-in's answer.

    Returns:
        None if the answer is not a table of finite numbers in the right shape.

    Raises:
        Raised: the hand-in's code has raised an exception.
        Wrong: no array came back.
    """
    after = student.answer(case).array("Q")
    if after.shape != case.args["Q"].shape or after.dtype.kind not in "iuf":
        return None
    after = after.astype(np.float64)
    return Episode(case, after) if np.isfinite(after).all() else None
