"""The choices for the terms of a loss, such as the prediction and the error.

A choice is what code, right or wrong, may compute for a term. The first choice of each
term is right code.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from grader.diagnosis.formulas.grammar import Choice, Formula
from grader.diagnosis.formulas.losses.reduction import REDUCTION, WEIGHT
from grader.diagnosis.formulas.rows import Rows

REVIEW = "(slides: Deep Learning Review)"
DEEP_Q = "(slides: Deep Q Learning)"
TARGET = "(slides: Target Networks)"
ALL_AT_ONCE = "(slides: Deep Q Networks)"
REPLAY = "(slides: Experience Replay)"
TD_ONLY: dict[str, str | None] = {"mc": None}
# A pair: the predictions, and the factor of each prediction's target. A factor is 1, or
# 0 if the code compares the prediction with 0 and not with the target.
Predicted = tuple[np.ndarray, "np.ndarray | float"]


def taken(values: np.ndarray, rows: Rows, shift: int = 0) -> np.ndarray:
    """Return the values [..., 1, B] of the actions that were taken.

    Args:
        values: the values of all actions [..., B, A].
        rows: the rows, with the actions.
        shift: 0 for the value of each action a as in right code; -1 for the value of
            action a - 1 instead, where the last action's value stands for that of -1.
    """
    return values[..., np.arange(rows.size), rows.a + shift][..., None, :]


def every_action(rows: Rows) -> np.ndarray:
    """Return Q(s, ·; theta_Q) as an array [..., A, B], with one row for each action."""
    return np.swapaxes(rows.q_s, -1, -2)


def clamped(rows: Rows) -> np.ndarray:
    """Return the values that code reads if it swaps row number i and action a_i.

    These are Q(s_{a_i}, i; theta_Q) for all rows i [..., 1, B]. As in JAX, the last
    index replaces one that is too large; the value read in this case has no gradient.
    """
    row = np.minimum(rows.a, rows.size - 1)
    column = np.minimum(np.arange(rows.size), rows.width - 1)
    inside = (row == rows.a) & (column == np.arange(rows.size))
    values = np.where(inside, rows.q_s[..., row, column], rows.held_s[row, column])
    return values[..., None, :]


def flat_take(rows: Rows) -> np.ndarray:
    """Return the values [..., 1, B] of all rows' actions in the first row's state."""
    return rows.q_s[..., 0, :][..., rows.a][..., None, :]


def two_actions(rows: Rows) -> np.ndarray:
    """Return an array [..., 1, B]: Q(s, 1) in rows with action 1, Q(s, 0) elsewhere."""
    actions = (rows.a == 1).astype(int)
    return rows.q_s[..., np.arange(rows.size), actions][..., None, :]


def one_hot(rows: Rows) -> np.ndarray:
    """Return an array [A, B]: 1 for the action taken in a row, 0 for all others."""
    return (np.arange(rows.width)[:, None] == rows.a).astype(float)


BY = (
    Choice("θ_Q", lambda x: x),
    Choice(
        "θ_T",
        lambda x: replace(x, q_s=x.t_s, q_n=x.t_n),
        "predicts-with-target",
        "You predict with θ_T, whose gradient nobody takes. The prediction Q(s, a) is "
        f"what is trained, with θ_Q {TARGET}.",
        TD_ONLY,
    ),
    Choice(
        "θ_Q, held fixed",
        lambda x: replace(x, q_s=x.held_s, q_n=x.held_n),
        "pred-stopped",
        "The gradient is cut off at the prediction. Only the label is to be held "
        f"constant; Q(s, a, θ_Q) learns {TARGET}.",
    ),
)
PREDICT = (
    Choice("Q(s,a; θ_Q)", lambda x: (taken(x.q_s, x), 1.0)),
    Choice(
        "max_a Q(s,a; θ_Q)",
        lambda x: (x.q_s.max(axis=-1)[..., None, :], 1.0),
        "predicts-best",
        "You predict with the best action in s. What is to be corrected is the value "
        f"of the action that was taken, Q(s, a); max is for s' {DEEP_Q}.",
        {"mc": "mc-max-for-taken"},
    ),
    Choice(
        "Q(s,·; θ_Q)",
        lambda x: (every_action(x), 1.0),
        "all-actions",
        "All A values of s are pulled to the target, also those of actions that were "
        f"not taken. Only Q(s, a) of the action taken may be trained {DEEP_Q}.",
    ),
    Choice(
        "Q(s_i,a_j; θ_Q)",
        lambda x: (x.q_s[..., :, x.a], 1.0),
        "all-columns",
        "Your prediction is [B, B]: each state with the actions of all rows, as the "
        "index [:, a] gives. It should pair row i's state with row i's action: shape "
        f"[B] {ALL_AT_ONCE}.",
        {"mc": "mc-columns"},
    ),
    Choice(
        "Q(s,·; θ_Q) with y for a and 0 for the others",
        lambda x: (every_action(x), one_hot(x)),
        "others-to-zero",
        "Your loss also pulls the values of the actions not taken, to 0. Nothing is "
        f"known of them: only Q(s, a) may be in the loss {DEEP_Q}.",
    ),
    Choice(
        "Q(s_a,i; θ_Q)",
        lambda x: (clamped(x), 1.0),
        "indices-swapped",
        "Your two indices are swapped: the values have a row for each state and a "
        f"column for each action. JAX clamps what is out of range {ALL_AT_ONCE}.",
    ),
    Choice(
        "Q(s_0,a_i; θ_Q)",
        lambda x: (flat_take(x), 1.0),
        "take-flat",
        "All your predictions are read from the first row, as by `take` without an "
        "axis, which counts through the flattened array. Row i has its own a_i "
        f"{ALL_AT_ONCE}.",
    ),
    Choice(
        "Q(s,a−1; θ_Q)",
        lambda x: (taken(x.q_s, x, -1), 1.0),
        "oob-action",
        "You shift the action by one, as if actions were counted from 1. They go from "
        f"0 to A - 1: column a is action a {ALL_AT_ONCE}.",
    ),
    Choice(
        "Q(s, 1 if a = 1 else 0; θ_Q)",
        lambda x: (two_actions(x), 1.0),
        "two-actions",
        "Your prediction knows two actions only, CartPole's: all others read as action "
        f"0. The network says how many there are {ALL_AT_ONCE}.",
    ),
    Choice(
        "Q(s,first action; θ_Q)",
        lambda x: (x.q_s[..., 0][..., None, :], 1.0),
        "first-action-predicted",
        "You predict with the first action, whichever was taken. Row i has its own a_i "
        f"{ALL_AT_ONCE}.",
    ),
    Choice(
        "mean_a Q(s,a; θ_Q)",
        lambda x: (x.q_s.mean(axis=-1)[..., None, :], 1.0),
        "predicts-mean",
        "You predict with the mean over the actions in s. What is to be corrected is "
        f"the value of the action that was taken, Q(s, a) {DEEP_Q}.",
    ),
    Choice(
        "Σ_a Q(s,a; θ_Q)",
        lambda x: (x.q_s.sum(axis=-1)[..., None, :], 1.0),
        "predicts-sum",
        "You predict with the sum over the actions in s. What is to be corrected is "
        f"the value of the action that was taken, Q(s, a) {DEEP_Q}.",
    ),
    Choice(
        "min_a Q(s,a; θ_Q)",
        lambda x: (x.q_s.min(axis=-1)[..., None, :], 1.0),
        "predicts-worst",
        "You predict with the worst action in s. What is to be corrected is the value "
        f"of the action that was taken, Q(s, a) {DEEP_Q}.",
    ),
    Choice(
        "argmax_a Q(s,a; θ_Q)",
        lambda x: (x.q_s.argmax(axis=-1)[..., None, :].astype(float), 1.0),
        "predicts-argmax",
        "You predict with the number of the best action. The prediction is the value "
        f"of the action that was taken, Q(s, a) {DEEP_Q}.",
    ),
    Choice(
        "Q(s′,a; θ_Q)",
        lambda x: (taken(x.q_n, x), 1.0),
        "predicts-next",
        "You predict in the next state. The prediction is Q(s, a), of the state in "
        f"which the action was taken {DEEP_Q}.",
        TD_ONLY,
    ),
    Choice(
        "max_a Q(s′,a; θ_Q)",
        lambda x: (x.q_n.max(axis=-1)[..., None, :], 1.0),
        "predicts-best-next",
        "You predict with the best action in the next state. The prediction is "
        f"Q(s, a), of the action that was taken in s {DEEP_Q}.",
        TD_ONLY,
    ),
)


def column(p: np.ndarray) -> np.ndarray:
    """Return predictions [..., 1, B] as a column [..., B, 1].

    Predictions of any other shape become NaN, so that the formula fits no answer.
    """
    return np.swapaxes(p, -1, -2) if p.shape[-2] == 1 else np.nan * p


# How code changes the predictions [..., 1, B] before it subtracts the targets.
PAIRING = (
    Choice("{p}", lambda p: p),
    Choice(
        "{p}[:, None]",
        column,
        "B1-B",
        "Your loss compares every prediction with every target, as [B, 1] minus [B] "
        "does, which is [B, B]. Both need shape [B], so that row i meets row i "
        f"{REVIEW}.",
        {"mc": "mc-broadcast"},
    ),
    Choice(
        "Σ {p}",
        lambda p: p.sum(axis=(-2, -1), keepdims=True),
        "sum-no-axis",
        "Your prediction is one number, summed over the batch as well. Each "
        "transition has its own: a sum over one-hot runs along the actions alone "
        f"{ALL_AT_ONCE}.",
    ),
    Choice(
        "mean {p}",
        lambda p: p.mean(axis=(-2, -1), keepdims=True),
        "mean-no-axis",
        "Your prediction is one number, the mean over the batch. Each transition has "
        f"its own Q(s_i, a_i) {ALL_AT_ONCE}.",
    ),
)


def huber(size: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return Huber's loss, a function of the errors that is linear beyond ±size."""

    def loss(e: np.ndarray) -> np.ndarray:
        inside = np.minimum(np.abs(e), size)
        return inside * (np.abs(e) - inside / 2)

    return loss


HUBER = (
    "Your loss is Huber's, linear where errors are large. The plain square is asked "
    f"for, whatever its size {REVIEW}."
)
CUT = (
    "You clip the error, so larger ones have no gradient at all. The loss is the "
    f"square of the error as it is {REVIEW}."
)
ERROR = (
    Choice("({e})²", lambda e: e**2),
    Choice(
        "|{e}|",
        np.abs,
        "mae",
        "Your loss takes the absolute errors. Q learning is regression with the square "
        f"error {REVIEW}.",
    ),
    Choice("Huber({e})", huber(1.0), "huber", HUBER),
    Choice("clip({e}, −1, 1)²", lambda e: np.clip(e, -1, 1) ** 2, "error-clipped", CUT),
    Choice(
        "({e})",
        lambda e: e,
        "signed",
        "You do not square the errors. In a mean, errors of opposite signs cancel, and "
        f"its minimum is minus infinity. Square each error first {REVIEW}.",
    ),
    Choice(
        "log cosh({e})",
        lambda e: np.logaddexp(e, -e) - np.log(2),
        "log-cosh",
        "Your loss is log cosh: linear where errors are large. The plain square is "
        f"asked for, whatever its size {REVIEW}.",
    ),
    Choice(
        "|{e}|³",
        lambda e: np.abs(e) ** 3,
        "cubed",
        "Your loss cubes the errors, or weights the square of each by its own size. "
        f"The square of the error is asked for {REVIEW}.",
    ),
    Choice(
        "({e})⁴",
        lambda e: e**4,
        "squared-twice",
        "Your loss takes the fourth power of the errors, as if they were squared "
        f"twice. The square of the error is asked for {REVIEW}.",
    ),
    Choice(
        "√|{e}|",
        lambda e: np.sqrt(np.abs(e)),
        "root-of-error",
        f"Your loss takes roots of the errors. The square is asked for {REVIEW}.",
    ),
    Choice(
        "max(0, {e})²",
        lambda e: np.maximum(e, 0) ** 2,
        "positive-errors-only",
        "Only predictions above their targets count in your loss. The square of every "
        f"error counts, whatever its sign {REVIEW}.",
    ),
    Choice(
        "min(0, {e})²",
        lambda e: np.minimum(e, 0) ** 2,
        "negative-errors-only",
        "Only predictions below their targets count in your loss. The square of every "
        f"error counts, whatever its sign {REVIEW}.",
    ),
    Choice(
        "log(1 + ({e})²)",
        lambda e: np.log1p(e**2),
        "log-square",
        "Your loss takes a logarithm of the squares. The mean of the squares "
        f"themselves is asked for {REVIEW}.",
    ),
)

LOSS_SLOTS = {
    "by": BY,
    "predict": PREDICT,
    "pairing": PAIRING,
    "error": ERROR,
    "weight": WEIGHT,
    "reduction": REDUCTION,
}


def loss_of(
    rows: Rows, formula: Formula, y: np.ndarray, unmoved: np.ndarray | None = None
) -> np.ndarray:
    """Return the loss of a batch, computed by a formula.

    The result is one number, or an array [...] if `rows` or `y` have leading axes, as
    for several networks.

    Args:
        rows: the rows of the batch.
        formula: the formula; it needs choices for `LOSS_SLOTS`.
        y: the targets [..., 1, B], or [..., B, B] for all pairs of rows.
        unmoved: the errors before the parameters of the network were moved, if `rows`
            has the values after the move. The formula's factor "weight" is computed
            from them. None to compute it from the errors of `rows`.
    """
    f = weighted_losses(rows, formula, errors(rows, formula, y), unmoved)
    return formula["reduction"].compute(rows, f)


def weighted_losses(
    rows: Rows, formula: Formula, e: np.ndarray, unmoved: np.ndarray | None = None
) -> np.ndarray:
    """Return the weighted losses [..., I, B] of a batch, before the reduction.

    I is 1 in right code; see `errors` for other values.

    Args:
        rows: the rows of the batch.
        formula: the formula; it needs choices for `LOSS_SLOTS`.
        e: the errors of `rows`, from `errors` [..., I, B].
        unmoved: the errors before the parameters of the network were moved, if `rows`
            has the values after the move. The formula's factor "weight" is computed
            from them. None to compute it from `e`.
    """
    weight = formula["weight"].compute(rows, e if unmoved is None else unmoved)
    return weight * formula["error"].compute(e)


def errors(rows: Rows, formula: Formula, y: np.ndarray) -> np.ndarray:
    """Return the errors [..., I, B], which are predictions minus targets.

    I is 1 in right code. It is A if the code predicts with the values of all actions,
    and B if the code combines all pairs of rows. All errors are NaN if the shapes of
    predictions and targets do not fit.

    Args:
        rows: the rows of the batch.
        formula: the formula; it needs choices for `LOSS_SLOTS`.
        y: the targets [..., 1, B], or [..., B, B] for all pairs of rows.
    """
    p, keep = formula["predict"].compute(formula["by"].compute(rows))
    p = formula["pairing"].compute(p)
    wide = np.broadcast_shapes(p.shape[-2:], np.shape(keep))[0]
    if wide != 1 and y.shape[-2] not in (1, wide):
        y = np.full_like(y[..., :1, :], np.nan)  # the code raises an error
    return p - keep * y
