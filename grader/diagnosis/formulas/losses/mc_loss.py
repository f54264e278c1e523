"""Finds the formula that a wrong `mc_loss` computes.

The questions replace the hand-in's `discounted_returns` by a stand-in, see
`contract/stand_in.py`. So the formula shows how the loss uses G, and not how the
hand-in computes G.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from grader.contract.case import Student
from grader.contract.stand_in import rewards_for, stand_in_returns
from grader.diagnosis.formulas.combine import Group
from grader.diagnosis.formulas.constants import returns_with
from grader.diagnosis.formulas.grammar import Choice, Formula, Grammar
from grader.diagnosis.formulas.losses import questions
from grader.diagnosis.formulas.losses.loss import LOSS_SLOTS
from grader.diagnosis.formulas.losses.own_returns import read_own_returns
from grader.diagnosis.formulas.losses.reduction import LOSS_JOINTS
from grader.diagnosis.formulas.losses.sample import Sample, ask
from grader.diagnosis.formulas.losses.search import Found, Language, find_among
from grader.diagnosis.formulas.losses.words import reading
from grader.diagnosis.formulas.reward import normalised, returns
from grader.diagnosis.formulas.rows import Rows
from grader.diagnosis.reading import Reading

DEEP_Q = "(slides: Deep Q Learning)"
PART = "mc_loss"
QUESTIONS, OTHERS = questions.episodes, questions.other_episodes


def stand_in(x: Rows) -> np.ndarray:
    """Return the stand-in's returns, an array [T]."""
    return stand_in_returns(x.r, x.gamma)


def next_value(x: Rows, *, held: bool) -> np.ndarray:
    """Return γ max_a Q(s_{i+1}, a) for each step i, and 0 for the last step.

    Args:
        x: the rows.
        held: True if the values are constants, without a gradient.

    Returns:
        An array [..., T].
    """
    best = (x.held_n if held else x.q_n).max(axis=-1)
    return x.gamma * best * (np.arange(x.size) < x.size - 1)


def value_at_end(x: Rows, *, held: bool) -> np.ndarray:
    """Return γ max_a Q(s_i, a) for the last step i, and 0 for all other steps.

    Args:
        x: the rows.
        held: True if the values are constants, without a gradient.

    Returns:
        An array [..., T].
    """
    best = (x.held_s if held else x.q_s).max(axis=-1)
    return x.gamma * best * (np.arange(x.size) == x.size - 1)


TD = (
    "Your loss bootstraps: its target is one reward and the network's own value of the "
    "next state (TD, exercise 6). Monte Carlo needs no estimate: compare with G_i "
    f"{DEEP_Q}."
)
BOOTSTRAPS = (
    "You add the network's estimate of what comes after the last step. The episode is "
    f"complete: nothing follows it, and G_i holds rewards only {DEEP_Q}."
)
DISCOUNTED = (
    "You discount the returns once more, by γ^i. γ is at work inside G_i already "
    f"{DEEP_Q}."
)
LABEL = (
    Choice("G", stand_in),
    Choice(
        "r",
        lambda x: x.r,
        "rewards-for-returns",
        "Your loss compares Q with the single rewards. Q(s, a) stands for all that is "
        f"still to come: compare it with the returns G_i {DEEP_Q}.",
    ),
    *map(returns_with, (0.99, 0.9, 0.95, 1.0, 0.5)),
    Choice(
        "(r + γ max_a Q(s_{i+1},a; θ_Q, held fixed))",
        lambda x: x.r + next_value(x, held=True),
        "td-target",
        TD,
    ),
    Choice(
        "(r + γ max_a Q(s_{i+1},a; θ_Q))",
        lambda x: x.r + next_value(x, held=False),
        "td-target",
        TD,
    ),
    # Such code adds the value to the last reward, and then calls the stand-in.
    Choice(
        "(G with r_T + γ max_a Q(s_T,a; θ_Q, held fixed) for the last r)",
        lambda x: stand_in_returns(x.r + value_at_end(x, held=True), x.gamma),
        "bootstraps",
        BOOTSTRAPS,
    ),
    Choice(
        "(G with r_T + γ max_a Q(s_T,a; θ_Q) for the last r)",
        lambda x: stand_in_returns(x.r + value_at_end(x, held=False), x.gamma),
        "bootstraps",
        BOOTSTRAPS,
    ),
    Choice(
        "(G + γ max_a Q(s_T,a; θ_Q, held fixed) at the last step)",
        lambda x: stand_in(x) + value_at_end(x, held=True),
        "bootstraps",
        BOOTSTRAPS,
    ),
    Choice(
        "(G + γ max_a Q(s_{i+1},a; θ_Q, held fixed))",
        lambda x: stand_in(x) + next_value(x, held=True),
        "bootstraps",
        "You add the network's estimate of the next state to the return. G_i holds all "
        f"later rewards already {DEEP_Q}.",
    ),
    Choice(
        "G_0",
        lambda x: stand_in(x)[0] + 0 * x.r,
        "G0-in-loss",
        "All steps are compared with the return of the whole episode, G_0. G_i belongs "
        f"to step i {DEEP_Q}.",
    ),
    Choice(
        "G_{T−1}",
        lambda x: stand_in(x)[-1] + 0 * x.r,
        "last-return-for-all",
        f"All steps are compared with the last return. G_i belongs to step i {DEEP_Q}.",
    ),
    Choice(
        "(G from the end to the start)",
        lambda x: stand_in(x)[::-1],
        "returns-reversed",
        "The returns are turned round once too often: entry i is the return of step i "
        f"{DEEP_Q}.",
    ),
    Choice(
        "G_{i+1}",
        lambda x: np.roll(stand_in(x), -1),
        "return-of-next",
        f"Each step is compared with the return of the next one {DEEP_Q}.",
    ),
    Choice(
        "(G + r)",
        lambda x: stand_in(x) + x.r,
        "reward-twice",
        f"You add the reward to the return, which holds it already {DEEP_Q}.",
    ),
    Choice(
        "(r + γ G)",
        lambda x: x.r + x.gamma * stand_in(x),
        "reward-twice",
        "You add the reward and discount the return once more. G_i is the sum of all "
        f"of them already {DEEP_Q}.",
    ),
    Choice("γ G", lambda x: x.gamma * stand_in(x), "discounts-returns", DISCOUNTED),
    Choice(
        "γ^i G",
        lambda x: x.gamma ** np.arange(x.size) * stand_in(x),
        "discounts-returns",
        DISCOUNTED,
    ),
    Choice(
        "(sum of G from step i on)",
        lambda x: stand_in(x)[::-1].cumsum()[::-1],
        "returns-summed",
        f"You sum up the returns once more. G_i is a sum already {DEEP_Q}.",
    ),
    Choice(
        "Σ r",
        lambda x: x.r.sum() + 0 * x.r,
        "sum-of-rewards",
        "All steps are compared with the sum of all rewards. G_i is the discounted sum "
        f"from step i on {DEEP_Q}.",
    ),
    Choice(
        "0",
        lambda x: 0 * x.r,
        "no-returns",
        f"The returns are missing in your loss {DEEP_Q}.",
    ),
)
CHANGED = "Q has to learn the returns themselves " + DEEP_Q
AFTER = (
    Choice("{y}", lambda x, y: y),
    Choice(
        "normalised({y})",
        lambda x, y: normalised(y),
        "returns-normalised",
        f"You normalise the returns, a habit from policy gradients. {CHANGED}.",
    ),
    Choice(
        "({y} − mean {y})",
        lambda x, y: y - y.mean(axis=(-2, -1), keepdims=True),
        "returns-centred",
        f"You subtract the mean of the returns. {CHANGED}.",
    ),
    Choice(
        "mean {y}",
        lambda x, y: y.mean(axis=(-2, -1), keepdims=True) + 0 * y,
        "returns-mean",
        "All steps are compared with the mean of the returns. G_i belongs to step i "
        f"{DEEP_Q}.",
    ),
    Choice(
        "−{y}",
        lambda x, y: -y,
        "returns-negated",
        f"The returns come in with the wrong sign: the error is Q(s,a) - G {DEEP_Q}.",
    ),
    Choice(
        "({y}, without its decimals)",
        lambda x, y: np.trunc(y),
        "returns-int",
        f"Your returns lose what follows the decimal point. {CHANGED}.",
    ),
    *(
        Choice(
            f"clip({{y}}, −{c}, {c})",
            lambda x, y, c=c: np.clip(y, -c, c),
            "returns-clipped",
            f"You clip the returns. {CHANGED}.",
        )
        for c in (1, 10, 100)
    ),
    Choice(
        "max(0, {y})",
        lambda x, y: np.maximum(y, 0),
        "returns-clipped",
        f"You cut negative returns to 0. {CHANGED}.",
    ),
)


def label_of(rows: Rows, formula: Formula) -> np.ndarray:
    """Return the labels [..., 1, T] with which a formula's loss compares predictions.

    In right code, the labels are the returns G.
    """
    label = formula["label"].compute(rows)[..., None, :]
    return formula["after"].compute(rows, label)


def labels_of(rows: Rows, grammar: Grammar, numbers: np.ndarray) -> Iterator[Group]:
    """Yield the labels of N formulas in one array.

    The labels are the numbers that a loss compares its predictions with.

    Args:
        rows: the rows of one question.
        grammar: the grammar of the formulas.
        numbers: an array [N, slots]: for each formula and each slot (term), the index
            of the choice.

    Yields:
        A single pair of two arrays: the indices 0, 1, …, N - 1 [N], and the labels of
        all formulas [N, 1, T].
    """
    found = [label_of(rows, grammar.formula(one, np.zeros(0, int))) for one in numbers]
    yield np.arange(len(found)), np.stack(found)


# The second view is for a hand-in that computes the right returns in `mc_loss` itself.
# In this view the rewards are such that the stand-in's returns are the right ones.
VIEWS = (
    Choice("", lambda x: x),
    Choice("", lambda x: replace(x, r=rewards_for(returns(x), x.gamma))),
)
LANGUAGE = Language(
    PART,
    Grammar(PART, {"label": LABEL, "after": AFTER}),
    Grammar(PART, LOSS_SLOTS, LOSS_JOINTS),
    VIEWS,
    label_of,
    labels_of,
)


def find(student: Student, rng: np.random.Generator) -> tuple[Found, Sample] | None:
    """Return the formula that the hand-in's `mc_loss` computes, and one sample.

    A sample is a question with the hand-in's answer. If the loss is right, the formula
    is the right one.

    Returns:
        None if no formula fits, if an answer has wrong types or shapes, or if a loss is
        not finite.

    Raises:
        Raised: the hand-in's code has raised an exception.
        Wrong: no arrays came back.
    """
    cases = questions.episodes(rng)
    known = [sample for case in cases if (sample := ask(case, student))]
    if len(known) < len(cases) or not np.isfinite([s.loss for s in known]).all():
        return None
    found = find_among(LANGUAGE, known, lambda: questions.other_episodes(rng), student)
    return (found, known[0]) if found else None


def read(student: Student, rng: np.random.Generator) -> Reading | None:
    """Return the reading of the hand-in's `mc_loss`.

    If no formula of the loss is found, it may be the reading of returns that the loss
    computes itself.

    Returns:
        None if the loss is right, or if no formula is found.

    Raises:
        Raised: the hand-in's code has raised an exception.
        Wrong: no arrays came back.
    """
    result = find(student, rng)
    return reading(LANGUAGE, *result) if result else read_own_returns(student, rng)
