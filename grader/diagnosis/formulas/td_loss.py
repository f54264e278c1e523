"""Reads which formula a wrong `td_loss` computes."""

from dataclasses import replace

import numpy as np

from grader.contract.case import Student
from grader.diagnosis.formulas import questions
from grader.diagnosis.formulas.combine import target_of, targets_of
from grader.diagnosis.formulas.grammar import Choice, Formula, Grammar
from grader.diagnosis.formulas.loss import LOSS_JOINTS, LOSS_SLOTS
from grader.diagnosis.formulas.rows import Rows
from grader.diagnosis.formulas.sample import Sample, ask, exchanged
from grader.diagnosis.formulas.search import Found, Language, fit, search
from grader.diagnosis.formulas.target import JOINTS, TARGET_SLOTS
from grader.diagnosis.formulas.value import JOINTS as VALUE_JOINTS
from grader.diagnosis.formulas.value import VALUE_SLOTS
from grader.diagnosis.formulas.words import reading
from grader.diagnosis.reading import Reading


def networks_swapped(rows: Rows) -> Rows:
    """Return the rows with θ_Q and θ_T in each other's place."""
    return replace(
        exchanged(rows, ("q_s", "t_s"), ("q_n", "t_n")), held_s=rows.t_s, held_n=rows.t_n
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
LANGUAGE = Language(
    PART,
    Grammar(PART, {**TARGET_SLOTS, **VALUE_SLOTS}, (*JOINTS, *VALUE_JOINTS)),
    Grammar(PART, LOSS_SLOTS, LOSS_JOINTS),
    VIEWS,
    target_of,
    targets_of,
)


def read(student: Student, rng: np.random.Generator) -> Reading | None:
    """Return which formula a `td_loss` computes; None if it is right or unknown."""
    samples = [ask(case, student) for case in questions.batches(rng)]
    known = [sample for sample in samples if sample and np.isfinite(sample.loss)]
    if len(known) < len(samples):
        return None
    more: list[Sample | None] = []

    def confirm(formula: Formula) -> Found | None:
        if not fit(LANGUAGE, formula, known):
            return None
        if not more:
            asked = questions.singles(rng) + questions.on_networks(rng)
            more.extend(ask(case, student) for case in asked)
        others = [sample for sample in more if sample]
        return fit(LANGUAGE, formula, known + others) if len(others) == len(more) else None

    found = search(LANGUAGE, known, confirm)
    return reading(LANGUAGE, found, known[0]) if found else None
