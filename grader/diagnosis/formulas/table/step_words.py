"""Writes a table's update as text, and makes the table of an episode's steps."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from grader.diagnosis.formulas.combine import target_of
from grader.diagnosis.formulas.grammar import Formula
from grader.diagnosis.formulas.losses.words import (
    in_steps,
    of_episode,
    short,
    target_words,
    vector,
)
from grader.diagnosis.formulas.table.episode import Episode, rows_of
from grader.diagnosis.formulas.table.step_size import Size
from grader.diagnosis.reading import Difference, Reading, headed, in_columns

EXTRA = ("revisits", "order", "read", "flow", "store", "shift", "result")
ALPHA = Size(1.0, "α")
# How far numbers are apart, as a share of the largest one: clearly, or by rounding.
CLEAR, ROUNDING = 0.05, 1e-3
# How the step size grows as a share of α, by its growth: those of `td0.SIZES`.
BY_ALPHA = {"α": "", "": "1/α", "α/T": "1/T"}
# Hints for an episode and a table, for mistakes that have another hint in a loss.
HINTS = {
    "term-on-truncation": "You take every last step for terminal and never look at d, "
    "which says whether it is. Where the time limit cut the episode, the future "
    "counts (slides: Admin).",
    "tab-mask-any": "When the episode ends in a terminal state, none of your steps has "
    "a future. Each step has a flag of its own, d_t: the steps before the last go on "
    "(slides: Admin, ¬d).",
    "tab-s-for-next": "Your target evaluates s, the state the action was taken in "
    "(later slides print s_i there). The future begins in s', the next state (slides: "
    "Admin).",
    "tab-next-from-states": "You shift the states to get the next ones, so the last "
    "step gets another state for its s'. The next states are an argument: s'_t "
    "(slides: Admin).",
    "tab-reward-normalised": "You shift and scale the rewards by their mean and "
    "deviation. Then each r depends on the others of the episode; the target needs it "
    "as it is (slides: Admin).",
    "tab-reward-centred": "You subtract the mean from the rewards. Then each r depends "
    "on the others of the episode; the target needs it as it is (slides: Admin).",
    "tab-target-clipped": "You clip the target. Nothing is to be clipped: the target "
    "is r + ¬d γ max Q, however large (slides: Admin).",
    "tab-target-positive": "Your target is never negative, but values may be. Nothing "
    "is to be clipped: the target is r + ¬d γ max Q (slides: Admin).",
    "tab-mixed-values": "Your target mixes two values of s'. Q learning takes one: the "
    "best action's (slides: Admin).",
}
SECTIONS = "(?:Deep Q Learning|Deep Q Networks|Experience Replay|Target Networks)"
# What is said of a batch and of networks, as patterns, and what holds for a table.
REWORDED = (
    ("; θ_[QT]", ""),
    (r"\brow below\b", "next step"),
    (r"\brow above\b", "step before"),
    (r"\brow(s?)\b", r"step\1"),
    (f"; {SECTIONS}", ""),
    (f"slides: {SECTIONS}", "slides: Admin"),
)


def in_table(text: str) -> str:
    """Rewrite a text on batches and networks for an episode and a table."""
    text = in_steps(text)
    for words, others in REWORDED:
        text = re.sub(words, others, text)
    return text


def of_table(difference: Difference) -> Difference:
    """Return a mistake with the hint that holds for a table, see `HINTS`."""
    return replace(difference, hint=HINTS.get(difference.name, difference.hint))


def step_words(formula: Formula, size: Size) -> str:
    """Return how the cells move, as text, such as "Q(s,a) moves by −α (Q(s,a) − y)"."""
    if not size.constant:
        return "no cell moves"
    q = formula["predict"].words
    before, e = f"{size.words} ", f"({q} − y)" if q != "0" else "(−y)"
    if not formula["bracket"].words.startswith("α"):
        y, r = target_words(formula), formula["reward"].words
        future = y.removeprefix(f"{r} + ") if y.startswith(f"{r} + ") else f"y − {r}"
        e = formula["bracket"].words.format(q=q, y="y", r=r, f=future)
        if formula["error"].words == "{η}":
            share = Size(-size.constant, BY_ALPHA[size.growth]).words
            before = {"1": "", "−1": "−"}.get(share, f"{share} ")
        else:
            e = f"(−{e}/α)"
    error = formula["error"].words.format(η=e)
    move = f"{before}{formula['weight'].words}{error}"
    extra = [formula[slot].words for slot in EXTRA]
    text = f"{formula['cell'].words} moves by {move}"
    return ", ".join([text, *(words for words in extra if words)])


def reading(
    formula: Formula, size: Size, right: Formula, samples: Sequence[Episode]
) -> Reading | None:
    """Return the reading of the code's update, or None if the update is right.

    Args:
        formula: the code's formula.
        size: the code's step size as a function of α and T.
        right: the right formula.
        samples: the questions with the hand-in's answers; one is shown in the table.
    """
    differences = (*map(of_table, formula.differences), *size.differences())
    if not differences:
        return None
    pairs = [
        (f"y = {target_words(formula)}", f"y = {target_words(right)}"),
        (step_words(formula, size), step_words(right, ALPHA)),
    ]
    apart = [(own, asked) for own, asked in pairs if own != asked]
    computes, asked = ("\n".join(side) for side in zip(*apart, strict=True))
    table = table_of(formula, size, right, telling(formula, size, right, samples))
    return of_episode(Reading(computes, asked, differences, table), in_table)


Compared = tuple[str, np.ndarray, np.ndarray]


def compared(formula: Formula, size: Size, right: Formula, sample: Episode) -> Compared:
    """Return what a table compares: "y" or "new Q", the code's numbers, the right ones.

    It compares the targets of the steps. If the code's formula of the target is right,
    it compares the new values of the steps' cells. The right ones are those of the
    order in which the code goes: all steps at once, or one after the other.

    Args:
        formula: the code's formula.
        size: the code's step size.
        right: the right formula.
        sample: the question with the hand-in's answer.
    """
    if target_words(formula) != target_words(right):
        viewed = rows_of(sample.case, sample.before, formula)
        own = target_of(viewed, formula).reshape(-1)
        return "y", own, target_of(sample.rows, right).reshape(-1)
    cells = sample.case.args["states"], sample.case.args["actions"]
    own_size = size.at(sample.alpha, sample.steps)
    both = (False, True)
    orders = [one for one in both if sample.fits_in_order(formula, own_size, one)]
    tables = [sample.table(right, sample.alpha, online=one) for one in orders or both]
    asked = min(tables, key=lambda table: np.abs(sample.after - table).max())
    return "new Q", sample.after[cells], asked[cells]


def old_values(sample: Episode) -> np.ndarray:
    """Return Q(s,a) of each step [T], from the table that was passed in."""
    return sample.rows.q_s[np.arange(sample.steps), sample.rows.a]


def telling(
    formula: Formula, size: Size, right: Formula, samples: Sequence[Episode]
) -> Episode:
    """Return an episode whose table shows clearly what is wrong.

    It is the first one with a clear difference; one without revisits, if there is any.
    If there is none, it is the one with the largest difference.

    Args:
        formula: the code's formula.
        size: the code's step size.
        right: the right formula.
        samples: the questions with the hand-in's answers.
    """

    def apart(sample: Episode) -> float:
        name, own, asked = compared(formula, size, right, sample)
        if share(own, asked) < ROUNDING:
            return 0.0
        if name == "y":
            # On the way, the code may have read a newer Q than `compared` does.
            return 0.0 if sample.revisits else share(own, asked)
        old = old_values(sample)
        return share(own - old, asked - old)

    ordered = sorted(samples, key=lambda sample: sample.revisits)
    clear = (sample for sample in ordered if apart(sample) > CLEAR)
    return next(clear, None) or max(ordered, key=apart)


def share(own: np.ndarray, asked: np.ndarray) -> float:
    """Return the largest difference of two arrays, as a share of the largest number."""
    return float(np.abs(own - asked).max() / (np.abs([own, asked]).max() + 1e-9))


def table_of(
    formula: Formula, size: Size, right: Formula, sample: Episode
) -> tuple[str, ...]:
    """Return the lines of a table that shows the episode's steps.

    The last two columns compare the code's numbers with the right ones, see `compared`.

    Args:
        formula: the code's formula.
        size: the code's step size.
        right: the right formula.
        sample: the question with the hand-in's answer.

    Returns:
        () if the last two columns are equal, up to rounding.
    """
    args, rows = sample.case.args, sample.rows
    name, own, asked = compared(formula, size, right, sample)
    if share(own, asked) < ROUNDING:
        return ()
    columns = [
        ["s", *map(str, args["states"])],
        ["a", *map(str, args["actions"])],
        ["r", *map(short, args["rewards"])],
        ["s′", *map(str, args["next_states"])],
        ["d", *map(str, args["terminateds"].astype(int))],
        ["Q(s′,·)", *map(vector, rows.q_n)],
    ]
    if name == "new Q":
        columns.append(["Q(s,a)", *map(short, old_values(sample))])
    columns.append([f"your {name}", *map(short, own)])
    columns.append([f"right {name}", *map(short, asked)])
    settings = f"α = {short(sample.alpha)}, γ = {short(rows.gamma)}"
    table = in_columns([*zip(*columns, strict=True)], str.rjust)
    return headed(f"another episode, {settings}", table)
