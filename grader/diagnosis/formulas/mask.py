"""The choices of the mask, which is the factor ¬d in a right target.

The flag d of a transition is 1 if the transition is terminal, else 0. A choice has a
text for the formula and a function that computes the mask from the rows of a batch. A
choice that is a mistake also has a name and a hint. The first choice is right code.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from grader.contract.outcomes import Raised, Wrong
from grader.diagnosis.formulas.grammar import Choice, Formula, difference_of
from grader.diagnosis.formulas.rows import Rows

ADMIN = "(slides: Admin, homework 1)"
TARGET = "(slides: Target Networks)"


def at(rows: Rows, i: int) -> np.ndarray:
    """Return a mask [B] that is 0 in row i and 1 in all other rows."""
    mask = np.ones(rows.size)
    mask[i] = 0
    return mask


def flags_as_rows(rows: Rows) -> np.ndarray:
    """Return the mask [B] that code computes if it uses the flags d as row numbers.

    Such code puts 0 into the rows of the mask whose numbers are in d. If any flag is 0,
    row 0 of the mask is 0. If any flag is 1, row 1 is 0. All other rows are 1.
    """
    mask = np.ones(rows.size)
    numbers = rows.d.astype(int)
    mask[numbers[numbers < rows.size]] = 0
    return mask


MASK = (
    Choice("¬d", lambda x: 1 - x.d),
    Choice(
        "",
        lambda x: 1 + 0 * x.d,
        "no-mask",
        "Your target keeps bootstrapping after the end of an episode: the factor ¬d is "
        "missing, or never 0 (slides: Admin, homework 1; Target Networks).",
    ),
    Choice(
        "d",
        lambda x: x.d,
        "mask-inverted",
        "Your target has a future only where the episode ended. It is the other way "
        f"round: a terminal s' is worth nothing, every other counts {ADMIN}.",
    ),
    Choice(
        "(−d)",
        lambda x: -x.d,
        "minus-d",
        "Your target subtracts the future of terminal transitions and gives the others "
        f"none: ¬d is not minus d. It is 1 where the episode goes on, else 0 {ADMIN}.",
    ),
    Choice(
        "(−1 − d)",
        lambda x: -1 - x.d,
        "int-then-tilde",
        "Your ¬d is -1 for d = 0 and -2 for d = 1, as ~ gives it for integers: "
        f"futures come in with a minus. ¬d has to be 1 or 0 {ADMIN}.",
        {"tab": "term-int-then-tilde"},
    ),
    Choice(
        "(1 + d)",
        lambda x: 1 + x.d,
        "one-plus-d",
        "Your factor is 1 + d: the future of a terminal transition counts twice. ¬d is "
        f"1 − d: 1 where the episode goes on, else 0 {ADMIN}.",
    ),
    Choice(
        "¬any(d)",
        lambda x: 1 - x.d.max() + 0 * x.d,
        "one-end-ends-all",
        "One terminal transition takes the future from all rows. The rows have "
        f"nothing to do with each other: ¬d_i acts on row i alone {TARGET}.",
        {"tab": "tab-mask-any"},
    ),
    Choice(
        "¬all(d)",
        lambda x: 1 - x.d.min() + 0 * x.d,
        "all-ends-end-all",
        "Your future falls away only where all rows are terminal. Each row has a flag "
        f"of its own: ¬d_i acts on row i alone {TARGET}.",
    ),
    Choice(
        "mean(¬d)",
        lambda x: 1 - x.d.mean() + 0 * x.d,
        "mean-mask",
        "All rows get one mask, the share of rows that go on. Each row has a flag of "
        f"its own: ¬d_i acts on row i alone {TARGET}.",
    ),
    Choice(
        "(0 in the last row, else 1)",
        lambda x: at(x, -1),
        "last-row-ends",
        "You take the last row for the end of an episode and never look at d, which "
        "says which rows are terminal (slides: Admin; Experience Replay).",
        {"tab": "term-on-truncation"},
    ),
    Choice(
        "(0 in the first row, else 1)",
        lambda x: at(x, 0),
        "first-row-ends",
        "You take the first row for the end of an episode and never look at d, which "
        "says which rows are terminal (slides: Admin; Experience Replay).",
    ),
    Choice(
        "(0 in the rows numbered d, else 1)",
        flags_as_rows,
        "flags-as-row-numbers",
        "You use the flags as row numbers: `at[d]` or `x[d]` with integers 0 and 1 "
        "means the rows 0 and 1. A mask needs a bool or a factor for each row "
        f"{ADMIN}.",
    ),
    Choice(
        "¬d of the row below",
        lambda x: 1 - np.roll(x.d, -1),
        "mask-of-row-below",
        "You use the flag of the row below. Each row has a flag of its own: ¬d_i acts "
        f"on row i alone {TARGET}.",
    ),
    Choice(
        "¬d of the row above",
        lambda x: 1 - np.roll(x.d, 1),
        "mask-of-row-above",
        "You use the flag of the row above. Each row has a flag of its own: ¬d_i acts "
        f"on row i alone {TARGET}.",
    ),
)


def tilde_of(rows: Rows) -> np.ndarray:
    """Return the mask [B] that ~d gives for flags d of type uint8: 255 - d."""
    return 255 - rows.d


def with_tilde(
    formula: Formula,
    part: str,
    tilde: Choice,
    ask: Callable[[], Any],
    fits: Callable[[Formula, Any], bool],
) -> Formula:
    """Return the formula, with ~d in the place of ¬d if the code uses ~.

    The code uses ~ if its answer to flags of an integer type fits the formula with ~d,
    and does not fit the formula with ¬d. If not, the formula is returned unchanged.

    Args:
        formula: the formula that fits answers to questions with flags of type bool.
        part: name of the part.
        tilde: the choice of the mask with ~d, with the mistake's name in this part.
        ask: a function without arguments that asks the part with flags of an integer
            type. It returns the answer, or None if formulas cannot be compared with it.
        fits: a function that takes a formula and such an answer. It tells whether the
            formula fits the answer.
    """
    try:
        answer = ask()
    except (Raised, Wrong):
        return formula
    if answer is None or formula["mask"].words != "¬d":
        return formula
    other = formula.changed(difference_of(tilde, part), mask=tilde)
    return formula if fits(formula, answer) or not fits(other, answer) else other
