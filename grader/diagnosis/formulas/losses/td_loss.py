"""Finds the formula that a wrong `td_loss` computes."""

from dataclasses import replace

import numpy as np

from grader.contract.case import Case, Student
from grader.contract.outcomes import Raised, Wrong
from grader.diagnosis.formulas.combine import target_of, targets_of
from grader.diagnosis.formulas.grammar import Choice, Grammar, difference_of
from grader.diagnosis.formulas.losses import questions
from grader.diagnosis.formulas.losses.loss import LOSS_SLOTS
from grader.diagnosis.formulas.losses.reduction import LOSS_JOINTS
from grader.diagnosis.formulas.losses.sample import Sample, ask, exchanged
from grader.diagnosis.formulas.losses.search import Found, Language, find_among, fit
from grader.diagnosis.formulas.losses.words import reading
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
    """Return the formula of a `td_loss` and one sample, or None if no formula fits."""
    cases = questions.batches(rng)
    known = [sample for case in cases if (sample := ask(case, student))]
    if len(known) < len(cases) or not np.isfinite([s.loss for s in known[:3]]).all():
        return None
    found = find_among(LANGUAGE, known, lambda: questions.others(rng), student)
    return (found, known[0]) if found else None


def read(student: Student, rng: np.random.Generator) -> Reading | None:
    """Return the reading of a `td_loss`, or None if its formula is right or unknown."""
    result = find(student, rng)
    if result is None:
        return None
    found, sample = result
    flags = sample.case.args["terminated"].astype(np.uint8)
    found = on_integers(found, sample.case.replace(args={"terminated": flags}), student)
    return reading(LANGUAGE, found, sample)


TILDE = Choice(
    "~d",
    lambda x: 255 - x.d,
    "tilde",
    "Your ¬d is right for bool only: ~ flips every bit of an integer (~1 is -2, or "
    "254) and fails on floats. `terminated` may be 0/1 of any type "
    "(slides: Admin, homework 1).",
)


def on_integers(found: Found, case: Case, student: Student) -> Found:
    """Return the formula, with ~d in the place of ¬d if the code uses ~.

    The code uses ~ if its answer to flags of an integer type fits the formula with ~d,
    and does not fit the formula with ¬d.

    Args:
        found: the formula that fits answers to questions with flags of type bool.
        case: a question with flags of an integer type.
        student: the hand-in.
    """
    try:
        sample = ask(case, student)
    except (Raised, Wrong):
        return found
    if sample is None or found.formula["mask"].words != "¬d":
        return found
    tilde = found.formula.changed(difference_of(TILDE, PART), mask=TILDE)
    if fit(LANGUAGE, found.formula, [sample]) or not fit(LANGUAGE, tilde, [sample]):
        return found
    return replace(found, formula=tilde)
