"""Compute the targets of a squared loss from the loss and its gradient.

The questions have tables for networks (`cases.on_table`): the parameter in cell (s, a)
is Q(s, a). Row i of the batch has the state s_i, the action a_i and the target y_i. All
B rows have different states. If the loss is c times the mean of (Q(s_i,a_i) - y_i)²,
the gradient in the cell (s_i, a_i) is 2 c/B (Q(s_i,a_i) - y_i), and it is 0 in all
other cells. So the loss and the gradient determine the factor c and each target y_i,
however the code is written.
"""

import numpy as np

from grader.contract import compare
from grader.contract.case import Answers, Case
from grader.contract.outcomes import Raised, Wrong

SMALL = 1e-3  # a gradient below this share of the largest one is a rounding error


def targets_of(case: Case, answers: Answers) -> np.ndarray | None:
    """Return the targets [B] of a loss that is a multiple of the mean square error.

    For any other loss the returned numbers have no meaning. The caller has to compare
    them with the right targets.

    Args:
        case: a batch on tables, see `cases.on_table`.
        answers: the candidate or the reference.

    Returns:
        None if there is no valid answer, if the loss is 0 or not finite, or if the
        gradient is 0 in all cells (s_i, a_i) of the batch, or not 0 in another cell.
    """
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
    own = case.args["action"], np.arange(size)
    rest = np.abs(grads)
    rest[own] = 0
    if loss == 0 or rest.max() > SMALL * np.abs(grads).max():
        return None
    # The two formulas in the module's docstring give: loss = B/(4c) Σ gradient².
    factor = size * float((grads[own] ** 2).sum()) / (4 * float(loss))
    return None if factor == 0 else table[own] - size * grads[own] / (2 * factor)
