"""The choices of the weight of a row in a loss, and of the reduction.

The reduction turns the losses of all rows into one number; right code takes their mean.
"""

from collections.abc import Callable

import numpy as np

from grader.diagnosis.formulas.grammar import Choice, Joint
from grader.diagnosis.formulas.mask import MASK
from grader.diagnosis.formulas.rows import Rows

REVIEW = "(slides: Deep Learning Review)"
DEEP_Q = "(slides: Deep Q Learning)"
TARGET = "(slides: Target Networks)"
TD_ONLY: dict[str, str | None] = {"mc": None}

# The choices of a row's weight, which is a function of the rows x and the errors e. To
# compute a gradient, the parameters are moved a little. The weights are still computed
# from the errors before the move, because the code takes them as constants.
WEIGHT = (
    Choice("", lambda x, e: 1.0),
    *(
        Choice(
            f"{mask.words} ",
            lambda x, e, mask=mask: mask.compute(x),
            "mask-on-error",
            f"Your loss multiplies the square of each row by {mask.words}. All B count "
            "in full: at an end the target is r alone, and Q has to learn it. ¬d "
            f"belongs inside the target {TARGET}.",
            TD_ONLY,
        )
        for mask in MASK
        if mask.words
    ),
    Choice(
        "γ^i ",
        lambda x, e: x.gamma ** np.arange(x.size),
        "double-discount",
        "You weight row i's error by γ^i, a habit from policy gradients. All errors "
        f"count alike {DEEP_Q}.",
    ),
    Choice(
        "γ ",
        lambda x, e: x.gamma,
        "gamma-on-error",
        "Your loss is multiplied by γ. The discount has its place inside the target "
        f"{DEEP_Q}.",
    ),
    Choice(
        "γ² ",
        lambda x, e: x.gamma**2,
        "gamma-on-error",
        "Your error is multiplied by γ. The discount has its place inside the target "
        f"{DEEP_Q}.",
    ),
    Choice(
        "|e| ",
        lambda x, e: np.abs(e),
        "weighted-by-error",
        "Each square is weighted by its own error, held fixed, as in a kind of "
        f"prioritised replay. Here all rows count alike {REVIEW}.",
    ),
    Choice(
        "|e| / max |e| ",
        lambda x, e: np.abs(e) / np.abs(e).max(axis=(-2, -1), keepdims=True),
        "weighted-by-error",
        "Each square is weighted by its own error, held fixed, as in a kind of "
        f"prioritised replay. Here all rows count alike {REVIEW}.",
    ),
    Choice(
        "|e| / Σ |e| ",
        lambda x, e: np.abs(e) / np.abs(e).sum(axis=(-2, -1), keepdims=True),
        "weighted-by-error",
        "Each square is weighted by its own error, held fixed, as in a kind of "
        f"prioritised replay. Here all rows count alike {REVIEW}.",
    ),
    Choice(
        "1/|e| ",
        lambda x, e: 1 / np.maximum(np.abs(e), 1e-6),
        "weighted-by-error",
        "Each square is divided by its own error, held fixed. Here all rows count "
        f"alike {REVIEW}.",
    ),
)


def masked_mean(mask: Choice) -> Callable[[Rows, np.ndarray], np.ndarray]:
    """Return a reduction: the weighted mean of the losses, with a mask as the weights.

    The returned function takes the rows x and the losses f. Its result is NaN if all
    weights are 0.

    Args:
        mask: a choice of the mask; its function computes the weights [B] from the rows.
    """

    def weighted_mean(x: Rows, f: np.ndarray) -> np.ndarray:
        kept = np.broadcast_to(mask.compute(x), np.broadcast_shapes(f.shape, x.d.shape))
        with np.errstate(invalid="ignore", divide="ignore"):
            return (f * kept).sum(axis=(-2, -1)) / kept.sum(axis=(-2, -1))

    return weighted_mean


def mean(x: Rows, f: np.ndarray) -> np.ndarray:
    """Return the mean of the losses f over their last two axes.

    Args:
        x: the rows; not used.
        f: the losses before the reduction [..., I, B]. I is 1 in right code; see
            `loss.errors` for other values.
    """
    return f.mean(axis=(-2, -1))


REDUCTION = (
    Choice("mean {f}", mean),
    Choice(
        "√ mean {f}",
        lambda x, f: np.sqrt(np.maximum(mean(x, f), 0)),
        "rmse",
        "A root stands around your mean. The mean of the squares is asked for, "
        f"without a root {REVIEW}.",
    ),
    Choice("(mean {f})²", lambda x, f: mean(x, f) ** 2),
    Choice("|mean {f}|", lambda x, f: np.abs(mean(x, f))),
    *(
        Choice(
            f"Σ {mask.words} {{f}} / Σ {mask.words}",
            masked_mean(mask),
            "row-left-out" if "row" in mask.words else "ends-left-out",
            f"Your mean runs over the rows by {mask.words} (where that sums to 0 it "
            "gives 0/0). All B count; at an end only the future in the target is "
            f"missing {TARGET}.",
            TD_ONLY,
        )
        for mask in MASK
        if mask.words
    ),
    Choice(
        "max_i {f}",
        lambda x, f: f.max(axis=(-2, -1)),
        "largest-only",
        f"Only the largest error counts. The loss is the mean over all {REVIEW}.",
    ),
    Choice(
        "median_i {f}",
        lambda x, f: np.median(f, axis=(-2, -1)),
        "median-loss",
        "You take the median over the transitions. The loss is the mean over all "
        f"{REVIEW}.",
    ),
    Choice(
        "{f} of row 0",
        lambda x, f: f[..., 0].mean(axis=-1),
        "first-row-only",
        "Only the first transition counts in your loss, as from a `return` inside a "
        f"loop. It is the mean over all {REVIEW}.",
    ),
    Choice(
        "{f} of the last row",
        lambda x, f: f[..., -1].mean(axis=-1),
        "last-row-only",
        "Only the last transition counts in your loss, as when the loss is computed "
        f"after a loop, from the loop's variables. It is the mean over all {REVIEW}.",
    ),
    Choice(
        "variance of {f}",
        lambda x, f: f.var(axis=(-2, -1)),
        "variance",
        "You take a variance over the transitions. The loss is the mean over all "
        f"{REVIEW}.",
    ),
)
SQUARE_OF_MEAN = (
    "You average first and then square, so errors of opposite signs cancel. Each "
    f"transition's own error is squared {REVIEW}."
)
LOSS_JOINTS = (
    Joint(
        "square-of-mean",
        SQUARE_OF_MEAN,
        {"error": "({e})", "reduction": "(mean {f})²"},
    ),
    Joint(
        "absolute-of-mean",
        "You average first and then drop the sign, so errors of opposite signs cancel. "
        f"Each transition's own error is squared {REVIEW}.",
        {"error": "({e})", "reduction": "|mean {f}|"},
    ),
)
