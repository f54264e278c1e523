"""The choices of how an update moves a table's cells toward the targets.

A choice is what code, right or wrong, may compute for a term of the update, such as the
prediction. The first choice of each term is right code.
"""

import numpy as np

from grader.diagnosis.formulas.grammar import Choice
from grader.diagnosis.formulas.mask import MASK
from grader.diagnosis.formulas.rows import Rows

ADMIN = "(slides: Admin)"

PREDICT = (
    Choice("Q(s,a)", lambda x: x.q_s[np.arange(x.size), x.a]),
    Choice(
        "0",
        lambda x: 0 * x.r,
        "no-prediction",
        "Your move does not subtract the prediction Q(s,a): values grow without end. "
        f"η is the prediction minus the target {ADMIN}.",
    ),
    Choice(
        "max_a Q(s,a)",
        lambda x: x.q_s.max(axis=1),
        "predicts-best",
        "You predict with the best action in s. What is to be corrected is the value "
        f"of the action that was taken, Q(s,a) {ADMIN}.",
    ),
    Choice(
        "Q(s′,a)",
        lambda x: x.q_n[np.arange(x.size), x.a],
        "predicts-next",
        f"You predict in the next state. The prediction is Q(s,a) {ADMIN}.",
    ),
    Choice(
        "mean_a Q(s,a)",
        lambda x: x.q_s.mean(axis=1),
        "predicts-mean",
        "You predict with the mean over the actions in s. What is to be corrected is "
        f"the value of the action that was taken, Q(s,a) {ADMIN}.",
    ),
)
ERROR = (
    Choice("{η}", lambda e: e),
    Choice(
        "clip({η}, −1, 1)",
        lambda e: np.clip(e, -1, 1),
        "clips-eta",
        "Large errors are clipped: your cells never move by more than α. Nothing is "
        f"to be clipped; the move is α η, however large η is {ADMIN}.",
    ),
    Choice(
        "sign({η})",
        np.sign,
        "sign-of-eta",
        "Your cells move by one size, whatever the error. The move is α η, however "
        f"large η is {ADMIN}.",
    ),
    Choice(
        "{η}²",
        lambda e: e**2,
        "eta-squared",
        "You move by the square of the error, which has no sign. The move is α η "
        f"{ADMIN}.",
    ),
    Choice(
        "|{η}|",
        np.abs,
        "eta-absolute",
        f"You move by the error without its sign. The move is α η {ADMIN}.",
    ),
    Choice(
        "tanh({η})",
        np.tanh,
        "eta-squashed",
        f"You squash the error. The move is α η, however large η is {ADMIN}.",
    ),
)
SKIPPED = (
    "Your moves are multiplied by a mask made of the flags. Every step moves its cell: "
    f"at an end toward r alone, for its future is 0 {ADMIN}."
)


def first(x: Rows) -> np.ndarray:
    """Return an array [T]: 1 for the first step, 0 for all other steps."""
    return (np.arange(x.size) == 0).astype(float)


def last(x: Rows) -> np.ndarray:
    """Return an array [T]: 1 for the last step, 0 for all other steps."""
    return (np.arange(x.size) == x.size - 1).astype(float)


WEIGHT = (
    Choice("", lambda x: 1 + 0 * x.r),
    Choice(
        "¬d ",
        lambda x: 1 - x.d,
        "skips-terminal-step",
        "Nothing is learned from the step into the terminal state: you leave it out. "
        "It moves its cell like every other step, but toward r alone, for its future "
        f"is 0 {ADMIN}.",
    ),
    Choice(
        "(last step only) ",
        last,
        "only-last",
        "Only the last step's cell moves, as when the update stands after the loop, "
        "where the loop's variables hold the last step. Each of the T steps has to "
        "move its cell.",
    ),
    Choice(
        "(first step only) ",
        first,
        "only-first",
        "Only the first step's cell moves, as when a function returns inside its "
        "loop. Each of the T steps has to move its cell.",
    ),
    Choice(
        "(all but the last step) ",
        lambda x: 1 - last(x),
        "skips-last",
        "The last step moves nothing, also where the time limit cut the episode. Each "
        "of the T steps has to move its cell.",
    ),
    Choice(
        "(all but the first step) ",
        lambda x: 1 - first(x),
        "skips-first",
        "The first step moves nothing. Each of the T steps has to move its cell.",
    ),
    Choice(
        "(steps with r ≠ 0) ",
        lambda x: (x.r != 0).astype(float),
        "skips-zero-rewards",
        "Steps whose reward is 0 move nothing. They have a target too: that is how "
        f"the values of later states come back to earlier ones {ADMIN}.",
    ),
    Choice(
        "γ^t ",
        lambda x: x.gamma ** np.arange(x.size),
        "step-falls",
        f"Your step falls with t: every step of the episode moves by α η {ADMIN}.",
    ),
    Choice(
        "1/(t+1) ",
        lambda x: 1 / (1 + np.arange(x.size)),
        "step-falls",
        f"Your step falls with t: every step of the episode moves by α η {ADMIN}.",
    ),
    *(
        Choice(
            f"{mask.words} ", lambda x, m=mask: m.compute(x), "mask-on-step", SKIPPED
        )
        # Weights that forget the first or last step are above, with words of their own.
        for mask in MASK[2:]
        if "row, else" not in mask.words
    ),
)
# The cells that the steps move: for each step a row of the table [T] and a column [T].
# A slice in the place of the columns means that each step moves a whole row.
Cells = tuple[np.ndarray, "np.ndarray | slice"]
CELL = (
    Choice("Q(s,a)", lambda s, a, n, x: (s, a)),
    Choice(
        "Q(s,·)",
        lambda s, a, n, x: (s, slice(None)),
        "row-update",
        "You move all actions of a visited state. η_t says something about the action "
        f"taken only: of the state s_t, the one cell (s_t, a_t) moves {ADMIN}.",
    ),
    Choice(
        "Q(s′,a)",
        lambda s, a, n, x: (n, a),
        "writes-next-cell",
        "You change a cell of the next state s'. The cell that η_t predicts with and "
        f"moves is one and the same: (s_t, a_t) {ADMIN}.",
    ),
    Choice(
        "Q(s, argmax_a Q(s,a))",
        lambda s, a, n, x: (s, x.q_s.argmax(axis=1)),
        "writes-best-cell",
        "You move the best action's cell instead of the one that was taken: (s_t, "
        f"a_t) moves {ADMIN}.",
    ),
    Choice(
        "Q(s′, argmax_a Q(s′,a))",
        lambda s, a, n, x: (n, x.q_n.argmax(axis=1)),
        "writes-next-best-cell",
        "You move the next state's best cell instead of the one that was visited: "
        f"(s_t, a_t) moves {ADMIN}.",
    ),
)


def added(table: np.ndarray, cells: Cells, moves: np.ndarray) -> None:
    """Add each step's move to the step's cell; several moves of one cell add up.

    Args:
        table: the table, which is changed in place.
        cells: the indices of each step's cell, see `Episode.cells`.
        moves: the number that each step adds to its cell [T].
    """
    for t, move in enumerate(moves):
        table[cell(cells, t)] += move


def last_wins(table: np.ndarray, cells: Cells, moves: np.ndarray) -> None:
    """Add to each visited cell only the move of its last visit.

    Args:
        table: the table, which is changed in place.
        cells: the indices of each step's cell, see `Episode.cells`.
        moves: the number that each step adds to its cell [T].
    """
    before = table.copy()
    for t, move in enumerate(moves):
        table[cell(cells, t)] = before[cell(cells, t)] + move


def cell(cells: Cells, t: int) -> tuple:
    """Return the index of the cell that step t moves (t ≥ 0).

    If `cells` has a slice in place of the columns, it is the index of a whole row.
    """
    rows, columns = cells
    return rows[t], columns[t] if isinstance(columns, np.ndarray) else columns


def first_wins(table: np.ndarray, cells: Cells, moves: np.ndarray) -> None:
    """Add to each visited cell only the move of its first visit.

    Args:
        table: the table, which is changed in place.
        cells: the indices of each step's cell, see `Episode.cells`.
        moves: the number that each step adds to its cell [T].
    """
    back = slice(None, None, -1)
    columns = cells[1][back] if isinstance(cells[1], np.ndarray) else cells[1]
    last_wins(table, (cells[0][back], columns), moves[back])


def averaged(table: np.ndarray, cells: Cells, moves: np.ndarray) -> None:
    """Add to each visited cell the mean of the moves of all its visits.

    Args:
        table: the table, which is changed in place.
        cells: the indices of each step's cell, see `Episode.cells`.
        moves: the number that each step adds to its cell [T].
    """
    visits, total = np.zeros_like(table), np.zeros_like(table)
    added(visits, cells, np.ones(len(moves)))
    added(total, cells, moves)
    table += total / np.maximum(visits, 1)


REVISITS = (
    Choice("", added),
    Choice(
        "the last visit to a cell counts alone",
        last_wins,
        "dup-last-wins",
        "When an episode visits a cell twice, only your last move counts: writing "
        "values to a repeated index keeps one of them. The moves of one cell have to "
        "add up.",
    ),
    Choice(
        "the first visit to a cell counts alone",
        first_wins,
        "dup-first-wins",
        "When an episode visits a cell twice, only your first move counts. The moves "
        "of one cell have to add up.",
    ),
    Choice(
        "the moves of one cell are averaged",
        averaged,
        "dup-averaged",
        "When an episode visits a cell several times, you move it by the mean of its "
        "moves. Every visit counts in full: the moves of one cell add up.",
    ),
)
STEP_SLOTS: dict[str, tuple[Choice, ...]] = {
    "predict": PREDICT,
    "error": ERROR,
    "weight": WEIGHT,
    "cell": CELL,
    "revisits": REVISITS,
}
