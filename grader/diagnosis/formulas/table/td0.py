"""Finds the formula that a wrong `update_Q_TD0` computes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from grader.contract.case import Student
from grader.diagnosis.formulas.bounds import at_bound, differ
from grader.diagnosis.formulas.combine import target_of, targets_of
from grader.diagnosis.formulas.constants import constant, of_target
from grader.diagnosis.formulas.grammar import Choice, Formula, Grammar, difference_of
from grader.diagnosis.formulas.losses.scale import constant_words, rounded
from grader.diagnosis.formulas.mask import tilde_of, with_tilde
from grader.diagnosis.formulas.table.episode import Episode, ask
from grader.diagnosis.formulas.table.questions import questions
from grader.diagnosis.formulas.table.shifts import SHIFTS
from grader.diagnosis.formulas.table.step import STEP_SLOTS
from grader.diagnosis.formulas.table.step_size import Size, fitted
from grader.diagnosis.formulas.table.step_words import reading
from grader.diagnosis.formulas.table.whole import WHOLE_SLOTS
from grader.diagnosis.formulas.target import JOINTS, TARGET_SLOTS
from grader.diagnosis.formulas.value import REDUCE, STATE
from grader.diagnosis.reading import Difference, Reading

PART = "update_Q_TD0"
NET = (Choice("Q({s},{a})", lambda x: (x.q_s, x.q_n, x.q_0)),)
IN_BATCH = {**TARGET_SLOTS, "net": NET, "state": STATE, "reduce": REDUCE}
IN_EPISODE = {slot: (*IN_BATCH[slot], *more) for slot, more in SHIFTS.items()}
TARGET = Grammar(PART, {**IN_BATCH, **IN_EPISODE}, JOINTS)
STEP = Grammar(PART, STEP_SLOTS)
WHOLE = Grammar(PART, WHOLE_SLOTS)
MOST, MOST_IN_STEP = 3, 2  # the most differences: in all, and in the choices of STEP
# A pair: a mistake (None for right code), and the choices that make it. The choices are
# in a dict, with the name of the slot (term) as key.
Change = tuple[Difference | None, dict[str, Choice]]


@dataclass(frozen=True)
class Found:
    """A formula and a step size that fit the answers to all questions."""

    formula: Formula
    size: Size


def joined(*halves: Formula) -> Formula:
    """Return one formula with all choices and all differences of several formulas.

    If several formulas have a choice for one slot (term), the last formula's choice is
    taken.
    """
    choices: dict[str, Choice] = {}
    for half in halves:
        choices.update(half.choices)
    return Formula(choices, tuple(d for half in halves for d in half.differences))


def formulas_of(grammar: Grammar, count: int) -> Iterator[Formula]:
    """Yield the formulas of a grammar that have `count` differences from right code."""
    for numbers, differences in zip(*grammar.combinations(count), strict=True):
        yield grammar.formula(numbers, differences)


RIGHT = joined(*(next(formulas_of(grammar, 0)) for grammar in (TARGET, STEP, WHOLE)))
QUESTIONS = questions
# The step sizes that are tried for a formula with a difference in a term of the grammar
# WHOLE. For such a formula, the step size cannot be computed from a single move.
SIZES = [*(Size(k, "α") for k in (-1.0, 2.0, 0.5)), Size(1.0, ""), Size(1.0, "α/T")]


# ---------------------------------------------------------------- the search


def answered_moves(sample: Episode, formula: Formula) -> np.ndarray:
    """Return an array [T]: by how much the hand-in changed the cell of each step.

    Args:
        sample: the question with the hand-in's answer.
        formula: the formula that says which cell belongs to a step. If a whole row of
            the table belongs to a step, the row's first cell is taken.
    """
    cells = sample.cells(formula, sample.rows)
    moves = (sample.after - sample.before)[cells]
    return moves if moves.ndim == 1 else moves[:, 0]


def sized(formula: Formula, samples: Sequence[Episode]) -> Found | None:
    """Return the formula with the step size by which it gives all answers.

    The step size is computed from the answers, as a constant times a known function of
    α and the number of steps.

    Returns:
        None if there is no such step size, if it is 0, or if the formula moves no cell.
    """
    sizes = []
    for sample in samples:
        if sample.revisits:
            continue
        base = sample.moves(formula, sample.before, 1.0)
        largest = np.abs(base).argmax()
        if not np.isfinite(base).all():
            return None
        if abs(base[largest]) < 1e-6:
            continue
        size = answered_moves(sample, formula)[largest] / base[largest]
        sizes.append((float(size), sample.alpha, sample.steps))
    size = fitted(sizes) if sizes and min(abs(s) for s, *_ in sizes) > 1e-6 else None
    return confirmed(formula, size, samples) if size else None


def confirmed(formula: Formula, size: Size, samples: Sequence[Episode]) -> Found | None:
    """Return the formula and step size if they give all answers; otherwise None.

    The shortest episodes come first: they refuse most formulas, and at little cost.
    """
    ordered = sorted(samples, key=lambda sample: sample.steps)
    fits = (s.fits(formula, size.at(s.alpha, s.steps)) for s in ordered)
    return Found(formula, size) if all(fits) else None


def candidates(
    samples: Sequence[Episode], in_target: int, in_step: int
) -> Iterator[Formula]:
    """Yield the formulas that fit two answers with some step size.

    An answer fits if the hand-in's moves are the formula's moves times one number.

    Args:
        samples: the questions with the hand-in's answers; the first two are used.
        in_target: the number of mistakes in the target (grammar `TARGET`).
        in_step: the number of mistakes in how cells move (grammar `STEP`).
    """
    numbers, differences = TARGET.combinations(in_target)
    targets = [targets_of_all(sample, numbers) for sample in samples[:2]]
    for half in formulas_of(STEP, in_step):
        whole = joined(RIGHT, half)
        kept = np.ones(len(targets[0]), bool)
        for sample, y in zip(samples[:2], targets, strict=True):
            moves = answered_moves(sample, whole)
            e = half["error"].compute(half["predict"].compute(sample.rows) - y)
            base = half["weight"].compute(sample.rows) * e
            size = (base * moves).sum(axis=1) / (base * base).sum(axis=1)
            apart = np.abs(moves - size[:, None] * base).max(axis=1)
            kept &= apart <= 3e-4 * np.abs(moves).max()
            kept &= np.abs(size) > 1e-6
        for i in np.flatnonzero(kept):
            yield joined(RIGHT, TARGET.formula(numbers[i], differences[i]), half)


def targets_of_all(sample: Episode, numbers: np.ndarray) -> np.ndarray:
    """Return the targets [N, T] of N formulas for the T steps of an episode.

    Args:
        sample: the question with the hand-in's answer.
        numbers: an array [N, slots]: for each formula and each slot (term), the index
            of the choice.
    """
    found = np.empty((len(numbers), sample.steps))
    for which, y in targets_of(sample.rows, TARGET, numbers):
        found[which] = y[:, 0]
    return found


def special(in_target: int, in_step: int) -> Iterator[Formula]:
    """Yield the formulas with one difference in a term of the grammar `WHOLE`.

    Such a term concerns the update as a whole, for example the order of the steps.

    Args:
        in_target: the number of further differences in the target (`TARGET`).
        in_step: the number of further differences in how cells move (`STEP`).
    """
    for whole in formulas_of(WHOLE, 1):
        for target in formulas_of(TARGET, in_target):
            for step_half in formulas_of(STEP, in_step):
                yield joined(RIGHT, target, step_half, whole)


def with_constants(samples: Sequence[Episode]) -> Iterator[Formula]:
    """Yield formulas with a constant that is in no list of choices.

    The constant is computed from a few answers; the others need not fit the formula.
    """
    several = [s for s in samples if s.steps > 2 and not s.revisits]
    cells = [s.rows.q_s[np.arange(s.steps), s.rows.a] for s in several]
    moves = [answered_moves(s, RIGHT) / s.alpha for s in several]
    targets = [q + move for q, move in zip(cells, moves, strict=True)]
    errors = np.abs(np.concatenate(moves))
    bound = rounded(float(errors.max()))
    # A bound of η, but none of the target, makes moves from different values equal.
    clips = differ(np.concatenate(cells)[at_bound(errors, bound)])
    for count in (0, 1):
        for target in formulas_of(TARGET, count):
            formula = joined(RIGHT, target)
            yield from of_target(
                target_of, PART, formula, [s.rows for s in several], targets
            )
            first = several[0]
            eta = first.moves(formula, first.before, 1.0)
            shares = answered_moves(first, RIGHT) / eta
            if falls := constant(shares[1:] / shares[:-1]):
                difference, choices = falling(falls)
                yield formula.changed(difference, **choices)
            if clips:
                difference, choices = clipped(bound)
                yield formula.changed(difference, **choices)


def falling(rate: float) -> Change:
    """Return the mistake "the move of step t is multiplied by rate^t", and its choice.

    The choice is in a dict, with the name of the slot (term) as key. t begins at 0.
    """
    choice = Choice(
        f"{constant_words(rate)}^t ",
        lambda x: rate ** np.arange(x.size),
        "step-falls",
        "Your step changes with t: the later the step, the more. Every step of the "
        "episode moves its cell by α η (slides: Admin).",
    )
    return difference_of(choice, PART), {"weight": choice}


def clipped(bound: float) -> Change:
    """Return the mistake "errors are clipped to ±bound", and its choice.

    The choice is in a dict, with the name of the slot (term) as key.
    """
    words = constant_words(bound)
    choice = Choice(
        f"clip({{η}}, −{words}, {words})",
        lambda e: np.clip(e, -bound, bound),
        "clips-eta",
        "Large errors are clipped. Nothing is to be clipped; the move is α η, however "
        "large η is (slides: Admin).",
    )
    return difference_of(choice, PART), {"error": choice}


def find(
    student: Student, rng: np.random.Generator
) -> tuple[Found, list[Episode]] | None:
    """Return the formula and step size of the hand-in's update, and the episodes.

    The episodes are all questions with the hand-in's answers. The formula is returned
    even if it is the right one.

    Returns:
        None if no formula fits, or if an answer is not a table of finite numbers in the
        right shape.

    Raises:
        Raised: the hand-in's code has raised an exception.
        Wrong: no array came back.
    """
    asked = questions(rng) + questions(rng)
    samples = [sample for case in asked if (sample := ask(case, student))]
    if len(samples) < len(asked):
        return None
    with np.errstate(all="ignore"):
        if still := confirmed(RIGHT, Size(0.0, ""), samples):
            return still, samples
        for level in range(MOST + 1):
            for found in with_differences(samples, level):
                return found, samples
    return None


def with_differences(samples: Sequence[Episode], level: int) -> Iterator[Found]:
    """Yield the formulas that fit all answers and have `level` mistakes.

    Args:
        samples: the questions with the hand-in's answers.
        level: the number of mistakes. In a formula with a mistake in a term of the
            grammar `WHOLE`, a wrong step size counts as one mistake. In all other
            formulas it does not count. Formulas with a computed constant are yielded
            for level 2 only.
    """
    for in_step in range(min(level, MOST_IN_STEP) + 1):
        for formula in candidates(samples, level - in_step, in_step):
            if found := sized(formula, samples):
                yield found
    for in_target, in_step in {1: [(0, 0)], 2: [(1, 0), (0, 1)]}.get(level, []):
        for formula in special(in_target, in_step):
            if found := confirmed(formula, Size(1.0, "α"), samples):
                yield found
    if level == 2:
        for formula in special(0, 0):
            for size in SIZES:
                if found := confirmed(formula, size, samples):
                    yield found
        for formula in with_constants(samples):
            if found := sized(formula, samples):
                yield found


TILDE = Choice(
    "~d",
    tilde_of,
    "",
    "You negate the flags with a bitwise operator, which is a logical not for bool "
    "only: of the integer 1 it makes -2, or 254. They may be 0/1 of any number type, "
    "so make numbers or bools of them first (slides: Admin, ¬d).",
    {"tab": "term-int-then-tilde"},
)


def read(student: Student, rng: np.random.Generator) -> Reading | None:
    """Return the reading of the hand-in's `update_Q_TD0`.

    Returns:
        None if the formula is right, or if no formula is found.

    Raises:
        Raised: the hand-in's code has raised an exception.
        Wrong: no array came back.
    """
    result = find(student, rng)
    if result is None:
        return None
    found, samples = result
    flags = samples[0].case.args["terminateds"].astype(np.uint8)
    case = samples[0].case.replace(args={"terminateds": flags})
    formula = with_tilde(
        found.formula,
        PART,
        TILDE,
        lambda: ask(case, student),
        lambda formula, answer: bool(confirmed(formula, found.size, [answer])),
    )
    return reading(formula, found.size, RIGHT, samples)
