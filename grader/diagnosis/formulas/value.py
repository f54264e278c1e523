"""The choices of the value of s′: the network, the state, and the reducer.

The reducer turns the values of all actions into one number; in right code it takes
their maximum. In the text of a network, {s} and {a} stand for the state and the action.
In the text of a reducer, <a> stands for the network's value of action a.
"""

import re
from collections.abc import Callable

import numpy as np

from grader.diagnosis.formulas.grammar import Choice, Formula, Joint
from grader.diagnosis.formulas.rows import Rows

DEEP_Q = "(slides: Deep Q Learning)"
TARGET = "(slides: Target Networks)"
ALL_AT_ONCE = "(slides: Deep Q Networks)"
REPLAY = "(slides: Experience Replay)"
ADMIN = "(slides: Admin, homework 1)"
LOSS_ONLY: dict[str, str | None] = {"tab": None}
# The values of s [..., B, A], of s′ [..., B, A], and of a state of zeros [..., 1, A].
Values = tuple[np.ndarray, np.ndarray, np.ndarray]

BOTH = (
    "Your target asks both networks. The label is the older copy's alone: the largest "
    f"value of θ_T in s' {TARGET}."
)


def both(join: Callable, *, held: bool) -> Callable[[Rows], Values]:
    """Return a function of the rows that combines the values of θ_Q and of θ_T.

    The function returns the combined values of s, s′ and a state of zeros.

    Args:
        join: a function of two arrays of values, such as `np.minimum`.
        held: True if the values of θ_Q are constants, without a gradient.
    """
    return lambda x: tuple(
        map(
            join,
            held_values(x) if held else (x.q_s, x.q_n, x.q_0),
            (x.t_s, x.t_n, x.t_0),
        )
    )


def held_values(x: Rows) -> Values:
    """Return θ_Q's values of s, s′ and a state of zeros, without a gradient.

    Returns:
        Arrays [B, A], [B, A] and [1, A].
    """
    return x.held_s, x.held_n, x.q_0.reshape(-1, x.width)[-1:]


def average(q: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return the mean of two arrays, entry by entry."""
    return (q + t) / 2


Q_AND_T = "Q({s},{a}; θ_Q), Q({s},{a}; θ_T)"
NET = (
    Choice("Q({s},{a}; θ_T)", lambda x: (x.t_s, x.t_n, x.t_0)),
    Choice(
        "Q({s},{a}; θ_Q)",
        lambda x: (x.q_s, x.q_n, x.q_0),
        "target-by-online",
        "Your target is computed with θ_Q, and the gradient goes through the label. "
        f"The label takes the older parameters, θ_T {TARGET}.",
        LOSS_ONLY,
    ),
    Choice(
        "Q({s},{a}; θ_Q, held fixed)",
        held_values,
        "target-by-online-stopped",
        "Your target is computed with θ_Q, its gradient stopped. The label must stand "
        f"still between syncs, so it takes θ_T {TARGET}.",
        LOSS_ONLY,
    ),
    *(
        Choice(
            f"{name}({Q_AND_T}{words})",
            both(join, held=held),
            "target-by-both",
            BOTH,
            LOSS_ONLY,
        )
        for held, words in ((False, ""), (True, ", held fixed"))
        for name, join in (("mean", average), ("min", np.minimum), ("max", np.maximum))
    ),
)

STATE = (
    Choice("s′", lambda x, v: v[1]),
    Choice(
        "s",
        lambda x, v: v[0],
        "s-for-next",
        "Your target evaluates s, the state the action was taken in (the slides print "
        f"s_i there). The future begins in s', the next state {TARGET}.",
    ),
    Choice(
        "s of the row below",
        lambda x, v: np.concatenate([v[0][..., 1:, :], v[1][..., -1:, :]], axis=-2),
        "next-row",
        "You read s_{i+1} as the state in the batch's next row. Rows are drawn at "
        f"random: the next state of a transition is in its own row {REPLAY}.",
        {"tab": None, "mc": None},
    ),
    Choice(
        "s of the row below (in a circle)",
        lambda x, v: np.roll(v[0], -1, axis=-2),
        "next-from-states",
        "You shift the states to get the next ones, so the last row's s' becomes the "
        "first state. The next state of a transition is in its own row: s'_t is an "
        f"argument {REPLAY}.",
    ),
    *(
        Choice(
            f"s′ of {row}",
            lambda x, v, moved=moved: moved(v[1]),
            "next-of-" + row.removeprefix("the ").replace(" ", "-"),
            f"You use the next state of {row}. Each row has its own s' {REPLAY}.",
        )
        for row, moved in (
            ("the row below", lambda v: np.roll(v, -1, axis=-2)),
            ("the row above", lambda v: np.roll(v, 1, axis=-2)),
            ("row 0", lambda v: v[..., :1, :] + 0 * v),
        )
    ),
    Choice("(0 where d, else s′)", lambda x, v: np.where(x.d[:, None] > 0, v[2], v[1])),
)


def each(reduce: Callable[[np.ndarray], np.ndarray]) -> Callable:
    """Return the reducer that applies `reduce` to the values of all actions.

    The function `reduce` takes values [..., B, A] and returns numbers [..., B]. The
    reducer takes rows and values [..., B, A], and returns numbers [..., 1, B].
    """
    return lambda x, v: reduce(v)[..., None, :]


def picked(actions: Callable[[Rows], np.ndarray]) -> Callable:
    """Return the reducer that takes the value of one action in each row.

    The argument `actions` is a function of the rows. It returns an action per row [B].
    """
    return lambda x, v: v[..., np.arange(x.size), actions(x)][..., None, :]


def softmax_mean(v: np.ndarray) -> np.ndarray:
    """Return the mean of each row of v [..., B, A], weighted by softmax(v)."""
    weights = np.exp(v - v.max(axis=-1, keepdims=True))
    return (weights * v).sum(axis=-1) / weights.sum(axis=-1)


def log_sum(v: np.ndarray) -> np.ndarray:
    """Return log Σ_a exp(v_a) for the values v [..., B, A] of all actions."""
    most = v.max(axis=-1)
    return most + np.log(np.exp(v - most[..., None]).sum(axis=-1))


def largest(v: np.ndarray) -> np.ndarray:
    """Return the entry of largest absolute value in each row of v [..., B, A]."""
    return np.take_along_axis(v, np.abs(v).argmax(axis=-1)[..., None], axis=-1)[..., 0]


def second(v: np.ndarray) -> np.ndarray:
    """Return the second largest entry of each row of v [..., B, A]."""
    return np.sort(v, axis=-1)[..., -2]


PAIRS = "max_a <a>, [B, 1] against [B],"
REDUCE = (
    Choice("max_a <a>", each(lambda v: v.max(axis=-1))),
    Choice(
        "argmax_a <a>",
        each(lambda v: v.argmax(axis=-1).astype(float)),
        "argmax",
        "Your target contains the best action's index. Despite the slides' arg max "
        f"it needs the best action's value: max {TARGET}.",
    ),
    Choice(
        "min_a <a>",
        each(lambda v: v.min(axis=-1)),
        "min",
        "Your target assumes the worst action in s'. The policy will take the best "
        f"one there: max over a {DEEP_Q}.",
        {"tab": "tab-min-for-max"},
    ),
    Choice(
        "mean_a <a>",
        each(lambda v: v.mean(axis=-1)),
        "mean-action",
        "Your target averages over the actions in s'. That values a random policy; "
        f"Q learning takes the best action's value, max over a {DEEP_Q}.",
        {"tab": "tab-mean-for-max"},
    ),
    Choice(
        "Σ_a <a>",
        each(lambda v: v.sum(axis=-1)),
        "sum-action",
        "Your target adds up the values of all actions in s'. Only one is taken "
        f"there, the best: max over a {DEEP_Q}.",
        {"tab": "tab-sum-for-max"},
    ),
    Choice(
        "<a_i>",
        picked(lambda x: x.a),
        "max-own-action",
        "Your target takes in s' the action that was taken in s. In s' the action is "
        f"still free: max over all a {DEEP_Q}.",
    ),
    Choice(
        "<a_{i+1}>",
        picked(lambda x: np.roll(x.a, -1)),
        "sarsa",
        "Your target uses the action of the following row (in an episode that is "
        "SARSA). Q learning is off-policy: it takes the best action in s', a max over "
        "all a, whatever was done (slides: Admin).",
    ),
    Choice(
        "max(0, max_a <a>)",
        each(lambda v: np.maximum(v.max(axis=-1), 0)),
        "max-from-zero",
        "Where all values of s' are negative your max is 0, as if it began there. The "
        f"largest of negative values is negative {DEEP_Q}.",
    ),
    Choice(
        "max_{i,a} <a>",
        each(lambda v: v.max(axis=(-2, -1), keepdims=True)[..., 0] + 0 * v[..., 0]),
        "global-max",
        "All your targets share one max, taken over rows and actions. Each s'_i has "
        f"its own: the max runs over the actions alone {ALL_AT_ONCE}.",
    ),
    Choice(
        PAIRS,
        lambda x, v: v.max(axis=-1)[..., :, None],
        "keepdims",
        "All pairs of rows are formed, as when the max keeps its axis: then [B, 1] "
        "meets ¬d and r of shape [B]. Look at the shapes: every term is [B] "
        f"{ALL_AT_ONCE}.",
        LOSS_ONLY,  # `update_Q_TD0` would raise an error
    ),
    Choice(
        "max_a |<a>|",
        each(lambda v: np.abs(v).max(axis=-1)),
        "max-absolute",
        "Your target takes the largest size of a value, without its sign. The largest "
        f"of negative values is negative {DEEP_Q}.",
    ),
    Choice(
        "(the <a> of largest size)",
        each(largest),
        "max-by-size",
        "Your target takes the value of the largest size, which may be the most "
        f"negative one: max over a means the largest value {DEEP_Q}.",
    ),
    Choice(
        "median_a <a>",
        each(lambda v: np.median(v, axis=-1)),
        "median-action",
        "Your target takes the median over the actions in s'. The policy will take the "
        f"best one there: max over a {DEEP_Q}.",
    ),
    Choice(
        "(second largest <a>)",
        each(second),
        "second-best",
        "Your target takes the second best action in s', as by a sort and a wrong "
        f"index: max over a {DEEP_Q}.",
    ),
    Choice(
        "<first action>",
        each(lambda v: v[..., 0]),
        "first-action",
        "Your target takes the first action in s', whatever its value. The policy will "
        f"take the best one there: max over a {DEEP_Q}.",
    ),
    Choice(
        "<last action>",
        each(lambda v: v[..., -1]),
        "last-action",
        "Your target takes the last action in s', whatever its value. The policy will "
        f"take the best one there: max over a {DEEP_Q}.",
    ),
    Choice(
        "Σ_a softmax · <a>",
        each(softmax_mean),
        "softmax-mean",
        "Your target weights the values of s' by their softmax. Q learning takes the "
        f"best action's value alone: max over a {DEEP_Q}.",
    ),
    Choice(
        "log Σ_a exp <a>",
        each(log_sum),
        "soft-max-value",
        "Your target takes a soft maximum, log Σ exp. Q learning takes the best "
        f"action's value alone: max over a {DEEP_Q}.",
    ),
    Choice(
        "<argmax_b Q(s′,b; θ_Q)>",
        picked(lambda x: x.held_n.argmax(axis=-1)),
        "double",
        "θ_Q picks the action in s' and θ_T values it: that is Double DQN, another "
        f"algorithm. Here θ_T does both: its own max {TARGET}.",
        LOSS_ONLY,
    ),
    Choice("<argmax_b Q(s′,b; θ_T)>", picked(lambda x: x.t_n.argmax(axis=-1))),
    Choice(
        "<argmax_b Q(s,b; θ_T)>",
        picked(lambda x: x.t_s.argmax(axis=-1)),
        "best-of-s",
        "Your target takes in s' the action that is best in s. In s' the action is "
        f"free again: max over a of the values of s' {DEEP_Q}.",
    ),
    Choice(
        "<argmax_b Q(s,b; θ_Q)>",
        picked(lambda x: x.held_s.argmax(axis=-1)),
        "best-of-s",
        "Your target takes in s' the action that is best in s, by θ_Q. In s' the "
        f"action is free again: max over a of the values of s' by θ_T {DEEP_Q}.",
        LOSS_ONLY,
    ),
)

BEST_OF_BOTH = tuple(
    Choice(
        f"{name}(max_a Q(s′,a; θ_Q), max_a Q(s′,a; θ_T){words})",
        lambda x, v, join=join, held=held: join(
            (x.held_n if held else x.q_n).max(axis=-1), x.t_n.max(axis=-1)
        )[..., None, :],
        "target-by-both",
        BOTH,
        LOSS_ONLY,
    )
    for held, words in ((False, ""), (True, ", held fixed"))
    for name, join in (("min", np.minimum), ("max", np.maximum), ("mean", average))
)
REVERSED = (
    "θ_T picks the action in s' and θ_Q values it: Double DQN the other way round. "
    f"Here θ_T does both: its own max {TARGET}."
)
ZERO = "(0 where d, else s′)"
JOINTS = (
    Joint(
        "zero-next-state",
        "For terminal transitions you put zeros in s' and still ask the network. Q of "
        f"a zero state is some number: the value, not the state, must be 0 {ADMIN}.",
        {"state": ZERO, "mask": ""},
        LOSS_ONLY,
    ),
    Joint(
        "double-reversed",
        REVERSED,
        {"net": "Q({s},{a}; θ_Q)", "reduce": "<argmax_b Q(s′,b; θ_T)>"},
        LOSS_ONLY,
    ),
    Joint(
        "double-reversed",
        REVERSED,
        {"net": "Q({s},{a}; θ_Q, held fixed)", "reduce": "<argmax_b Q(s′,b; θ_T)>"},
        LOSS_ONLY,
    ),
)
VALUE_SLOTS = {"net": NET, "state": STATE, "reduce": (*REDUCE, *BEST_OF_BOTH)}


def value_of(rows: Rows, formula: Formula) -> np.ndarray:
    """Return a formula's values of s′.

    Returns:
        An array [..., 1, B]; [..., B, 1] if the formula wrongly forms all pairs of rows
        (the reducer `PAIRS`).
    """
    values = formula["net"].compute(rows)
    return formula["reduce"].compute(rows, formula["state"].compute(rows, values))


def value_words(formula: Formula) -> str:
    """Return a formula's text for the value of s′, such as "max_a Q(s′,a; θ_T)"."""
    net, state = formula["net"].words, formula["state"].words

    def valued(match: re.Match[str]) -> str:
        return net.format(s=state, a=match[1])

    return re.sub(r"<([^<>]*)>", valued, formula["reduce"].words)
