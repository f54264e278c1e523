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
        targets: y [B]; None where no square has such a factor, or the gradient is the
            same for all transitions.
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
        # Pulled alike everywhere, the mean may have been taken before the square.
        alike = size > 1 and np.ptp(own) <= limit
        factors = [1, 0.5, 2, size, size / 2]
        if np.isclose(np.abs(factor), factors, rtol=1e-3).any() and not alike:
            targets = table[actions, steps] - size * own / (2 * factor)
    return ReadOff(factor, targets, flat, later, others)
