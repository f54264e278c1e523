"""Find the reading of a part of our own hand-ins, and test whether the reading is true.

The reader of a part asks the part questions with random numbers. New questions, with
other random numbers, test its reading. A formula is true if it gives the new answers,
too. A pattern is true if the reader finds the same mistakes in the new answers, or no
reading.
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
    """The reading of a part, and whether it is true.

    Attributes:
        names: the names of the mistakes.
        computes: the formula or the pattern in words; "" if there is no reading.
        true: False if the reading does not hold for new random numbers. True without a
            reading.
    """

    names: frozenset[str]
    computes: str
    true: bool


def claim_of(source: str, part: str) -> Claim:
    """Find the reading of a part of a hand-in, and test whether the reading is true.

    Args:
        source: the text of `dqn.py`.
        part: the name of a part that has a reader.
    """
    student = Here(source, eager=part in FORMULAS)
    reading = read(student, part, SEED)
    if reading is None:
        return Claim(frozenset(), "", True)
    names = frozenset(difference.name for difference in reading.differences)
    check = fits_new_numbers if part in FORMULAS else is_read_again
    return Claim(names, reading.computes, check(student, part, names))


def read(student: Here, part: str, seed: int) -> Reading | None:
    """Return the reading of a part; None if the part raises or no reading fits.

    Args:
        student: the hand-in.
        part: the name of a part that has a reader.
        seed: the seed of the random numbers in the questions.
    """
    try:
        return READERS[part](student, np.random.default_rng(seed))
    except (Raised, Wrong, Stopped, NotImplementedYet):
        return None


def fits_new_numbers(student: Here, part: str, names: frozenset[str]) -> bool:
    """Return whether the formula of a part gives the part's answers to new questions.

    Args:
        student: the hand-in.
        part: "td_loss", "update_Q_TD0" or "mc_loss".
        names: not used; `is_read_again` has the same arguments.
    """
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
    """Return whether new questions lead to the same names of mistakes or to no reading.

    Args:
        student: the hand-in.
        part: the name of the part.
        names: the names of the mistakes in the first reading.
    """
    again = read(student.afresh(), part, OTHER_SEED)
    return again is None or {d.name for d in again.differences} == names


def drawn_pairs(number: int, seed: int) -> list[tuple[Mutant, Mutant, str]]:
    """Draw pairs of mistakes at random, for each part that has a reader.

    Args:
        number: how many pairs are drawn for each part at most.
        seed: the seed of the draw.

    Returns:
        A list with, for each pair, its two mutants and the text of a `dqn.py` that
        makes both mistakes.
    """
    chosen = []
    for part in READERS:
        pairs = pairs_of(part)
        random.Random(seed).shuffle(pairs)
        chosen += pairs[:number]
    return chosen


def verdict(claim: Claim, first: Claim, second: Claim) -> str:
    """Return one word on the reading of a hand-in with two mistakes.

    Args:
        claim: the reading of the hand-in with both mistakes.
        first: the reading of a hand-in with the first mistake only.
        second: the reading of a hand-in with the second mistake only.

    Returns:
        "false" if the reading is not true. "same" if the hand-in computes what one of
        the mistakes alone computes. "other" if the reading has a name that belongs to
        neither mistake. Otherwise "none", "one" or "both", by how many mistakes the
        reading names.
    """
    if not claim.true:
        return "false"
    if claim.computes and claim.computes in (first.computes, second.computes):
        return "same"
    if claim.names - first.names - second.names:
        return "other"
    return ("none", "one", "both")[min(len(claim.names), 2)]
