"""What a squared loss compares Q with, read off its gradient.

With tables for networks (`cases.on_table`) a loss c/B Σ (Q(s_i,a_i) - y_i)² has the
gradient 2 c/B (Q(s_i,a_i) - y_i) in cell (s_i, a_i) and nowhere else. So the loss and
its gradient tell the factor c and every target y_i, whatever the code looks like.
"""

from dataclasses import dataclass

import numpy as np

from grader.contract import compare
from grader.contract.case import Answers, Case
from grader.contract.outcomes import Raised, Wrong

SMALL = 1e-3  # of the largest entry: rounding, and no dependence


@dataclass(frozen=True)
class ReadOff:
    """What a loss does with one batch.

    Attributes:
        factor: c, 1 for the mean of squares; B for their sum.
        targets: y [B], if the loss is a multiple of the mean of squares; None where it
            cannot be.
        flat: the gradient is zero everywhere.
        next_states: it is not zero in cells of next states.
        other_actions: it is not zero in cells of actions that were not taken.
    """

    factor: float
    targets: np.ndarray | None
    flat: bool
    next_states: bool
    other_actions: bool


def read_off(case: Case, answers: Answers) -> ReadOff | None:
    """Read off what a loss does with a batch `on_table`; None if it is no scalar."""
    try:
        answer = answers.answer(case)
        loss, leaves = answer.array("loss"), answer.leaves("grads")
    except (Raised, Wrong):
        return None
    table = case.args["theta_Q"][0].astype(np.float64)
    if len(leaves) != 1 or compare.problem("", leaves[0], leaves[0]):
        return None
    grads = leaves[0].astype(np.float64)
    if loss.shape != () or grads.shape != table.shape or not np.isfinite(loss):
        return None
    size = len(case.args["action"])
    steps, actions = np.arange(size), case.args["action"]
    own = grads[actions, steps]
    rest = np.abs(grads)
    rest[actions, steps] = 0
    limit = SMALL * np.abs(grads).max()
    others = bool((rest[:, :size] > limit).any())
    later = bool((rest[:, size:] > limit).any())
    flat = limit < 1e-9
    targets, factor = None, float("nan")
    if not (flat or others or later) and loss != 0:
        # From the two equations above: L = B/(4c) Σ g².
        factor = size * float((own**2).sum()) / (4 * float(loss))
        targets = table[actions, steps] - size * own / (2 * factor)
    return ReadOff(factor, targets, flat, later, others)


def targets_of(case: Case, answers: Answers) -> np.ndarray | None:
    """Return the targets [B] of a multiple of the mean of squares, on tables.

    Of another loss the numbers mean nothing: compare them with the right targets.

    Returns:
        None if the loss is no scalar, or moves other cells than those of (s_i, a_i).
    """
    found = read_off(case, answers)
    return found.targets if found else None
