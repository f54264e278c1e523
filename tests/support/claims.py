"""Read hand-ins of ours in this process, and check every claim of a reading.

A claim is true if the part does the same on numbers that the reader has not seen: a
formula has to give the part's new answers, a pattern has to be read again.
"""

import random
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from grader.contract.outcomes import NotImplementedYet, Raised, Stopped, Wrong
from grader.diagnosis.diagnose import READERS
from grader.diagnosis.formulas.losses import mc_loss, sample, search, td_loss
from grader.diagnosis.formulas.table import episode, td0
from grader.diagnosis.reading import Reading
from tests.corpus.mutants.definition import Mutant
from tests.corpus.pairs import pairs_of
from tests.support.here import Here

FORMULAS: dict[str, Any] = {
    "td_loss": td_loss,
    "update_Q_TD0": td0,
    "mc_loss": mc_loss,
}
SEED, OTHER_SEED = 0, 1000


@dataclass(frozen=True)
class Claim:
    """What is read of a part.

    Attributes:
        names: the names of the mistakes.
        computes: the formula or the pattern; "" if nothing is read.
        true: False if the part does not do the same on new numbers.
    """

    names: frozenset[str]
    computes: str
    true: bool


def claim_of(source: str, part: str) -> Claim:
    """Return what is read of a part of a hand-in, and whether that is true."""
    student = Here(source)
    reading = read(student, part, SEED)
    if reading is None:
        return Claim(frozenset(), "", True)
    names = frozenset(difference.name for difference in reading.differences)
    check = fits_new_numbers if part in FORMULAS else is_read_again
    return Claim(names, reading.computes, check(student, part, reading))


def read(student: Here, part: str, seed: int) -> Reading | None:
    """Return the reading of a part; None if the part fails or nothing fits."""
    try:
        return READERS[part](student, np.random.default_rng(seed))
    except (Raised, Wrong, Stopped, NotImplementedYet):
        return None


def fits_new_numbers(student: Here, part: str, reading: Reading) -> bool:
    """Tell whether the formula gives the part's answers to new questions."""
    reader, rng = FORMULAS[part], np.random.default_rng(OTHER_SEED)
    found = reader.find(student, np.random.default_rng(SEED))[0]
    if reader is td0:
        asked = [episode.ask(case, student) for case in reader.QUESTIONS(rng)]
        return bool(td0.confirmed(found.formula, found.size, asked))
    cases = reader.QUESTIONS(rng) + reader.OTHERS(rng)
    samples = [one for case in cases if (one := sample.ask_or_none(case, student))]
    again = search.fit(reader.LANGUAGE, found.formula, samples)
    return again is not None and again.scale == found.scale


def is_read_again(student: Here, part: str, reading: Reading) -> bool:
    """Tell whether new questions lead to the same names."""
    again = read(student.afresh(), part, OTHER_SEED)
    return again is not None and again.differences == reading.differences


def answers(source: str, part: str) -> list[np.ndarray]:
    """Return a part's answers to the questions of one reading; [] if it fails."""
    student = Here(source)
    given: list[np.ndarray] = []
    original = student.answer

    def noted(case: Any) -> Any:
        answer = original(case)
        given.extend(np.ravel(leaf) for leaf in jax.tree.leaves(dict(answer)))
        return answer

    student.answer = noted  # type: ignore[method-assign]
    reader = FORMULAS[part]
    try:
        for case in reader.QUESTIONS(np.random.default_rng(OTHER_SEED)):
            student.answer(case)
    except (Raised, Wrong):
        return []
    return given


def drawn_pairs(part: str, number: int, seed: int) -> list[tuple[Mutant, Mutant, str]]:
    """Return pairs of a part's mistakes, drawn at random, with their sources."""
    pairs = pairs_of(part)
    random.Random(seed).shuffle(pairs)
    return pairs[:number]
