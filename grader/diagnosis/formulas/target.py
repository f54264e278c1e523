"""The choices for the terms of the target y = r + ¬d γ v, except for v.

Here d is `terminated`, and v is the value of the next state s′. A choice has a text for
the formula and a function. A choice that is a mistake also has a name and a hint. The
first choice of each slot (term) is right code.
"""

import numpy as np

from grader.diagnosis.formulas.grammar import Choice, Joint
from grader.diagnosis.formulas.mask import MASK
from grader.diagnosis.formulas.reward import REWARD, normalised
from grader.diagnosis.formulas.rows import Rows

ADMIN = "(slides: Admin, homework 1)"
DEEP_Q = "(slides: Deep Q Learning)"
TARGET = "(slides: Target Networks)"


def by_row(rows: Rows) -> np.ndarray:
    """Return an array [B] with the number of each row: 0, 1, …, B - 1."""
    return np.arange(rows.size)


OWN_GAMMA = (
    "Your target takes a discount of its own, whatever γ it is given. Use the "
    f"argument: other tasks have another discount {DEEP_Q}."
)
DISCOUNT = (
    Choice("γ", lambda x: x.gamma),
    Choice(
        "",
        lambda x: 1.0,
        "gamma-missing",
        f"Your target does not discount the future: the factor γ is missing {DEEP_Q}.",
    ),
    Choice("0.99", lambda x: 0.99, "gamma-constant", OWN_GAMMA),
    Choice("0.9", lambda x: 0.9, "gamma-constant", OWN_GAMMA),
    Choice("0.95", lambda x: 0.95, "gamma-constant", OWN_GAMMA),
    Choice(
        "γ²",
        lambda x: x.gamma**2,
        "gamma-squared",
        "The future is discounted twice: s' is one step away, so its value gets one "
        f"factor γ {DEEP_Q}.",
    ),
    Choice(
        "(1 − γ)",
        lambda x: 1 - x.gamma,
        "one-minus-gamma",
        f"The future counts 1 − γ. Its value gets the factor γ {DEEP_Q}.",
    ),
    Choice(
        "γ^i",
        lambda x: x.gamma ** by_row(x),
        "gamma-t",
        "Your discount is γ to the power of the row number. That is Monte Carlo's "
        "sum; every TD target is one step long, whichever row it stands in "
        f"{DEEP_Q}.",
        {"tab": "tab-gamma-powers-from-0"},
    ),
    Choice(
        "γ^(i+1)",
        lambda x: x.gamma ** (1 + by_row(x)),
        "gamma-powers",
        "You discount by a power of γ that grows with the row, as in a return. TD(0) "
        "looks one step ahead from wherever it is: each future gets one factor γ "
        "(slides: Admin).",
    ),
    Choice(
        "γ^B",
        lambda x: x.gamma**x.size,
        "gamma-to-the-size",
        "Your discount is γ to the power of the number of rows. Every TD target is one "
        f"step long: one factor γ {DEEP_Q}.",
    ),
    Choice(
        "1/γ",
        lambda x: 1 / x.gamma,
        "gamma-divides",
        "You divide the future by γ: later is worth more then. Its value gets the "
        f"factor γ {DEEP_Q}.",
    ),
)

WHOLE = (
    "Your mask is a factor of the whole target, reward included. The last step's "
    f"reward is still earned: ¬d belongs to the future alone {ADMIN}."
)
JOIN = (
    Choice("{R} + {M} {D} {V}", lambda r, m, d, v: r + m * d * v),
    # The mask multiplies the future twice, and the reward once.
    Choice(
        "{M} ({R} + {M} {D} {V})",
        lambda r, m, d, v: m * (r + m * d * v),
        "mask-whole-target",
        WHOLE,
    ),
    Choice(
        "{M} ({R} + {D} {V})",
        lambda r, m, d, v: m * (r + d * v),
        "mask-whole-target",
        WHOLE,
    ),
    Choice(
        "{M} {R} + {D} {V}",
        lambda r, m, d, v: m * r + d * v,
        "mask-on-reward",
        "Your mask is a factor of the reward instead of the future. Every r is earned: "
        f"it is the value of s' that falls away at an end, ¬d goes with γ max {ADMIN}.",
    ),
    Choice(
        "{D} ({R} + {M} {V})",
        lambda r, m, d, v: d * (r + m * v),
        "gamma-on-target",
        "You discount the reward too. r is earned now and counts in full; γ belongs "
        f"to the value of s' alone {DEEP_Q}.",
        {"tab": "tab-gamma-on-reward"},
    ),
    Choice(
        "{D} {R} + {M} {V}",
        lambda r, m, d, v: d * r + m * v,
        "gamma-on-reward",
        "You discount the reward instead of the future. r is earned now and counts in "
        f"full; γ belongs to the value of s', one step later {DEEP_Q}.",
        {"tab": None},
    ),
    Choice(
        "{M} {D} ({R} + {V})",
        lambda r, m, d, v: m * d * (r + v),
        "future-on-target",
        "You discount and mask the whole target. r is earned now and counts in full, "
        f"also at an end: ¬d γ belongs to the value of s' alone {DEEP_Q}.",
    ),
    Choice(
        "{M} {D} {R} + {V}",
        lambda r, m, d, v: m * d * r + v,
        "future-on-reward",
        "You discount and mask the reward instead of the future: ¬d γ belongs to the "
        f"value of s' {DEEP_Q}.",
    ),
    Choice(
        "{R} − {M} {D} {V}",
        lambda r, m, d, v: r - m * d * v,
        "paren-lost",
        "The future has the wrong sign, as if a bracket were lost in Q - (r + …): the "
        f"target is the reward plus the discounted value of s' {DEEP_Q}.",
    ),
    Choice(
        "{R}",
        lambda r, m, d, v: r + 0 * m * d * v,
        "no-future",
        "Your target is the reward alone. What follows has to be in it: the "
        f"discounted value of s', where the episode goes on {DEEP_Q}.",
    ),
    Choice(
        "{R} · {M} {D} {V}",
        lambda r, m, d, v: r * m * d * v,
        "plus-is-times",
        f"Your target multiplies the reward and the future. It is their sum {DEEP_Q}.",
    ),
    Choice(
        "{R} + {D} − {M} {V}",
        lambda r, m, d, v: r + d - m * v,
        "times-is-minus",
        "Your target has γ minus the value where it should have γ times the value: "
        f"the future is one product, ¬d γ max {DEEP_Q}.",
    ),
    Choice(
        "{R} + {D} + {M} {V}",
        lambda r, m, d, v: r + d + m * v,
        "times-is-plus",
        "Your target adds γ to the value of s'. γ is a factor: the future is one "
        f"product, ¬d γ max {DEEP_Q}.",
    ),
    Choice(
        "{R} + {M} ({D} + {V})",
        lambda r, m, d, v: r + m * (d + v),
        "times-is-plus-masked",
        "Your target adds γ to the value of s'. γ is a factor: the future is one "
        f"product, ¬d γ max {DEEP_Q}.",
    ),
    Choice(
        "{R} + {M} + {D} {V}",
        lambda r, m, d, v: r + m + d * v,
        "mask-is-added",
        "Your target adds ¬d instead of multiplying by it, so terminal transitions "
        f"keep their future: the future is one product, ¬d γ max {DEEP_Q}.",
    ),
    Choice(
        "{R} + {M} {D} / {V}",
        lambda r, m, d, v: r + m * d / np.where(v == 0, np.inf, v),
        "divides-by-value",
        f"Your target divides by the value of s'. It is a factor {DEEP_Q}.",
    ),
    Choice(
        "({R} + {D}) {M} {V}",
        lambda r, m, d, v: (r + d) * m * v,
        "gamma-bracketed",
        "A bracket around r + γ makes both a factor of the value: r is a term of its "
        f"own {DEEP_Q}.",
    ),
    Choice(
        "({R} + {M} {D}) {V}",
        lambda r, m, d, v: (r + m * d) * v,
        "future-bracketed",
        "A bracket around r + ¬d γ makes r a factor of the value: r is a term of its "
        f"own {DEEP_Q}.",
    ),
)

CLIPPED = (
    "You clip the target. Against exploding values there is θ_T; the loss knows no "
    f"clipping, and returns may be larger {TARGET}."
)
AROUND = (
    "You clip the target to the neighbourhood of the prediction, so a large error "
    f"counts like a small one. The target is r + ¬d γ max Q, however far {TARGET}."
)
AFTER = (
    Choice("{y}", lambda x, y: y),
    Choice(
        "clip({y}, −100, 100)",
        lambda x, y: np.clip(y, -100, 100),
        "target-clipped",
        CLIPPED,
    ),
    Choice(
        "clip({y}, −1, 1)", lambda x, y: np.clip(y, -1, 1), "target-clipped", CLIPPED
    ),
    Choice(
        "clip({y}, −10, 10)",
        lambda x, y: np.clip(y, -10, 10),
        "target-clipped",
        CLIPPED,
    ),
    Choice(
        "max(0, {y})",
        lambda x, y: np.maximum(y, 0),
        "target-positive",
        "Your target is never negative. CartPole's returns are not, but in other tasks "
        f"they may be: the loss knows no clipping {TARGET}.",
    ),
    Choice(
        "({y}, without its decimals)",
        lambda x, y: np.trunc(y),
        "target-int",
        "Your targets lose what follows the decimal point, as if cast to integers. "
        f"Values are real numbers {DEEP_Q}.",
    ),
    Choice(
        "normalised({y})",
        lambda x, y: normalised(y),
        "target-normalised",
        "You shift and scale the targets to mean 0 and deviation 1 over the batch. Q "
        f"has to learn the returns themselves, not where they lie in a batch {TARGET}.",
    ),
    Choice(
        "mean over the batch of ({y})",
        lambda x, y: y.mean(axis=(-2, -1), keepdims=True) + 0 * y,
        "target-mean",
        "All rows get one target, the mean of the batch. Each transition has its own "
        f"y_i {TARGET}.",
    ),
    Choice(
        "clip({y}, Q(s,a) − 1, Q(s,a) + 1)",
        lambda x, y: np.clip(y, prediction(x) - 1, prediction(x) + 1),
        "target-near-prediction",
        AROUND,
        {"tab": "tab-clips-eta"},
    ),
    Choice(
        "−({y})",
        lambda x, y: -y,
        "target-negated",
        "Your target has the wrong sign. The error is the prediction minus the target: "
        f"Q(s,a) - (r + ¬d γ max Q) {TARGET}.",
    ),
)


def prediction(rows: Rows) -> np.ndarray:
    """Return the predictions Q(s_i, a_i; theta_Q) of all rows i, without a gradient.

    Returns:
        An array [1, B].
    """
    return rows.held_s[np.arange(rows.size), rows.a][None]


JOINTS = (
    Joint(
        "monte-carlo",
        "Your target is the return of the episode (Monte Carlo, exercise 2). TD(0) "
        "takes one reward and estimates the rest by the table: max Q(s', a) (slides: "
        "Admin).",
        {"reward": "G", "join": "{R}"},
    ),
)

TARGET_SLOTS = {
    "reward": REWARD,
    "mask": MASK,
    "discount": DISCOUNT,
    "join": JOIN,
    "after": AFTER,
}
