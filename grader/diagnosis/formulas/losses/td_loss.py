"""Finds the formula that a wrong `td_loss` computes."""

from dataclasses import replace

import numpy as np

from grader.contract.case import Student
from grader.diagnosis.formulas.combine import target_of, targets_of
from grader.diagnosis.formulas.grammar import Choice, Grammar
from grader.diagnosis.formulas.losses import questions
from grader.diagnosis.formulas.losses.loss import LOSS_SLOTS
from grader.diagnosis.formulas.losses.reduction import LOSS_JOINTS
from grader.diagnosis.formulas.losses.sample import Sample, ask, exchanged
from grader.diagnosis.formulas.losses.search import Found, Language, find_among, fit
from grader.diagnosis.formulas.losses.words import reading
from grader.diagnosis.formulas.mask import tilde_of, with_tilde
from grader.diagnosis.formulas.rows import Rows
from grader.diagnosis.formulas.target import JOINTS, TARGET_SLOTS
from grader.diagnosis.formulas.value import JOINTS as VALUE_JOINTS
from grader.diagnosis.formulas.value import VALUE_SLOTS
from grader.diagnosis.reading import Reading


def networks_swapped(rows: Rows) -> Rows:
    """Return the rows with the values by θ_Q and by θ_T exchanged."""
    return replace(
        exchanged(rows, ("q_s", "t_s"), ("q_n", "t_n"), ("q_0", "t_0")),
        held_s=rows.t_s,
        held_n=rows.t_n,
    )


VIEWS = (
    Choice("", lambda x: x),
    Choice(
        "θ_Q θ_T",
        networks_swapped,
        "theta-swapped",
        "You predict with θ_T and make the label with θ_Q. It is the prediction "
        "Q(s, a) that is trained, θ_Q; the label is the older copy's, θ_T (slides: "
        "Target Networks).",
    ),
    Choice(
        "s s′",
        lambda x: exchanged(x, ("q_s", "q_n"), ("t_s", "t_n"), ("held_s", "held_n")),
        "states-swapped",
        "s and s' are swapped: you predict in the next state and bootstrap from the "
        "state before. The order of the fields is s, a, r, d, s' (slides: Experience "
        "Replay).",
    ),
)
PART = "td_loss"
QUESTIONS, OTHERS = questions.batches, questions.others
LANGUAGE = Language(
    PART,
    Grammar(PART, {**TARGET_SLOTS, **VALUE_SLOTS}, (*JOINTS, *VALUE_JOINTS)),
    Grammar(PART, LOSS_SLOTS, LOSS_JOINTS),
    VIEWS,
    target_of,
    targets_of,
)


def find(student: Student, rng: np.random.Generator) -> tuple[Found, Sample] | None:
    """Return the formula that the hand-in's `td_loss` computes, and one sample.

    A sample is a question with the hand-in's answer. If the loss is right, the formula
    is the right one.

    Returns:
        None if no formula fits, if an answer has wrong types or shapes, or if one of
        the first three losses is not finite.

    Raises:
        Raised: the hand-in's code has raised an exception.
        Wrong: no arrays came back.
    """
    cases = questions.batches(rng)
    known = [sample for case in cases if (sample := ask(case, student))]
    if len(known) < len(cases) or not np.isfinite([s.loss for s in known[:3]]).all():
        return None
    found = find_among(LANGUAGE, known, lambda: questions.others(rng), student)
    return (found, known[0]) if found else None


TILDE = Choice(
    "~d",
    tilde_of,
    "tilde",
    "Your ¬d is right for bool only: ~ flips every bit of an integer (~1 is -2, or "
    "254) and fails on floats. `terminated` may be 0/1 of any type "
    "(slides: Admin, homework 1).",
)


def read(student: Student, rng: np.random.Generator) -> Reading | None:
    """Return the reading of the hand-in's `td_loss`.

    Returns:
        None if the loss is right, or if no formula is found.

    Raises:
        Raised: the hand-in's code has raised an exception.
        Wrong: no arrays came back.
    """
    result = find(student, rng)
    if result is None:
        return None
    found, sample = result
    flags = sample.case.args["terminated"].astype(np.uint8)
    case = sample.case.replace(args={"terminated": flags})
    formula = with_tilde(
        found.formula,
        PART,
        TILDE,
        lambda: ask(case, student),
        lambda formula, answer: bool(fit(LANGUAGE, formula, [answer])),
    )
    return reading(LANGUAGE, replace(found, formula=formula), sample)
