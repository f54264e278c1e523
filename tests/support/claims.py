"""Read hand-ins of ours in this process, and check every claim of a reading.

A claim is true if the part does the same on numbers that the reader has not seen: a
formula has to give the part's new answers, and no other pattern may be read.
"""

import random
from dataclasses import dataclass
from typing import Any

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
    student = Here(source, eager=part in FORMULAS)
    reading = read(student, part, SEED)
    if reading is None:
        return Claim(frozenset(), "", True)
    names = frozenset(difference.name for difference in reading.differences)
    check = fits_new_numbers if part in FORMULAS else is_read_again
    return Claim(names, reading.computes, check(student, part, names))


def read(student: Here, part: str, seed: int) -> Reading | None:
    """Return the reading of a part; None if the part fails or nothing fits."""
    try:
        return READERS[part](student, np.random.default_rng(seed))
    except (Raised, Wrong, Stopped, NotImplementedYet):
        return None


def fits_new_numbers(student: Here, part: str, names: frozenset[str]) -> bool:
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


def is_read_again(student: Here, part: str, names: frozenset[str]) -> bool:
    """Tell whether new questions lead to no other names."""
    again = read(student.afresh(), part, OTHER_SEED)
    return again is None or {d.name for d in again.differences} == names


def drawn_pairs(number: int, seed: int) -> list[tuple[Mutant, Mutant, str]]:
    """Return pairs of mistakes with their sources, drawn at random from each part."""
    chosen = []
    for part in READERS:
        pairs = pairs_of(part)
        random.Random(seed).shuffle(pairs)
        chosen += pairs[:number]
    return chosen


def verdict(claim: Claim, first: Claim, second: Claim) -> str:
    """Return how a pair of mistakes is told, in one word.

    Args:
        claim: what is read of both mistakes in one hand-in.
        first: what is read of one of the mistakes alone.
        second: what is read of the other mistake alone.

    Returns:
        "both" names or "one"; "none"; "same", if the pair computes what one of its
        mistakes computes alone; "other", if other names describe the pair as well;
        "false", if the claim does not hold for new numbers.
    """
    if not claim.true:
        return "false"
    if claim.computes and claim.computes in (first.computes, second.computes):
        return "same"
    if claim.names - first.names - second.names:
        return "other"
    return ("none", "one", "both")[min(len(claim.names), 2)]
