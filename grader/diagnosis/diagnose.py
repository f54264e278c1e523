"""Say what a wrong part computes, and name its mistakes.

Most parts have a reader in `READERS`, which searches for a formula or pattern that fits
all answers of the part. If the reader finds none and `MEMORY` has a case for the part,
this case is asked twice, before and after a new import of the hand-in. If the two
answers differ, the diagnosis says this; else there is no diagnosis.

The answers of a part without a reader are compared with the fingerprints of known
mistakes. If no fingerprint fits, there is no diagnosis.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grader.contract import fixed_cases
from grader.contract.case import Case, Student, flat
from grader.contract.outcomes import NotImplementedYet, Stopped
from grader.diagnosis import fingerprints
from grader.diagnosis.formulas.losses import mc_loss, td_loss
from grader.diagnosis.formulas.table import td0
from grader.diagnosis.patterns import buffer, exploration, returns, sync, update
from grader.diagnosis.reading import Reading
from grader.oracle.known import Known, Mistake

Reader = Callable[[Student, np.random.Generator], Reading | None]
READERS: dict[str, Reader] = {
    "update_Q_TD0": td0.read,
    "discounted_returns": returns.read,
    "mc_loss": mc_loss.read,
    "epsilon_greedy": exploration.read,
    "ReplayBuffer": buffer.read,
    "td_loss": td_loss.read,
    "td_update": update.read,
    "sync_target": sync.read,
}

# The case that `remembers` asks twice, by part. A part is listed if its reader does not
# test whether answers depend on earlier calls.
MEMORY = {
    "update_Q_TD0": fixed_cases.TD0_EPISODE.fixed[0],
    "discounted_returns": fixed_cases.RETURNS_LONG.fixed[0],
    "mc_loss": fixed_cases.MC_EPISODE.fixed[0].replace(spec={"stand_in": True}),
    "td_loss": fixed_cases.TD_MIXED.fixed[0],
}
REMEMBERS = (
    "Imported anew and asked the same question, your code gives another answer: it "
    "keeps something from one call to the next, or draws from a generator that is no "
    "argument."
)


@dataclass(frozen=True)
class Diagnosis:
    """What a student is told about a wrong part.

    Attributes:
        names: names of the mistakes, joined by " and ". Two names are joined by " or "
            if the part has one of two known mistakes. None if no mistake has a name.
        hint: one line for each mistake; None if there is no hint.
        reading: the lines that show what the part computes and what is asked; None if
            no formula or pattern is shown.
    """

    names: str | None
    hint: str | None
    reading: str | None = None


def diagnose(
    part: str,
    student: Student,
    known: Known,
    rng: np.random.Generator,
    fixed: tuple[Case, ...] = (),
) -> Diagnosis | None:
    """Return the diagnosis of a part that has failed a check.

    Args:
        part: name of the part.
        student: the hand-in.
        known: recorded fingerprints of the solution and of known mistakes.
        rng: source of the reader's questions.
        fixed: fixed cases of the part. They are the questions to a part that has
            neither a reader nor an entry in `fingerprints.PROBES`.

    Returns:
        None if no formula, pattern or known mistake fits the answers, and no answer was
        seen to change after a new import of the hand-in. None also if the part is a
        stub, or if the hand-in's process has ended or has no time left.

    Raises:
        Raised: the hand-in's code has raised an exception that the reader does not
            explain.
        Wrong: an answer lacks an array, list or number that the reader needs.
        Waiting: the part calls another part that is a stub.
    """
    try:
        if part in READERS:
            found = READERS[part](student, rng)
            if found:
                return of_reading(found)
            return Diagnosis(None, REMEMBERS) if remembers(part, student) else None
        fits = fingerprints.fitting(part, student, known, fixed)
        return of_mistakes(fits) if fits else None
    except (NotImplementedYet, Stopped):
        return None  # the checks report these outcomes


def remembers(part: str, student: Student) -> bool:
    """Tell whether a part answers a case differently after a new import of the hand-in.

    Args:
        part: name of the part.
        student: the hand-in.

    Returns:
        False if the answers before and after the import are equal, or if the table
        `MEMORY` has no case for the part.
    """
    if part not in MEMORY:
        return False
    before = flat(student.answer(MEMORY[part]))
    after = flat(student.afresh().answer(MEMORY[part]))
    return [name for name, _ in before] != [name for name, _ in after] or not all(
        np.array_equal(a, b, equal_nan=True)
        for (_, a), (_, b) in zip(before, after, strict=True)
    )


def of_reading(found: Reading) -> Diagnosis:
    """Turn a reading into a diagnosis: names, hints, and lines that students see."""
    lines = [*found.table]
    if found.computes:
        computes = beside("Your code computes", found.computes)
        lines = [*computes, *beside("What is asked", found.asked), *lines]
    names = " and ".join(difference.name for difference in found.differences)
    hints = "\n".join(difference.hint for difference in found.differences)
    return Diagnosis(names or None, hints or None, "\n".join(lines) or None)


def beside(label: str, text: str) -> list[str]:
    """Return the lines of a text, with a label before the first line.

    The label is padded with blanks to 20 characters, and a blank follows. All other
    lines begin with 21 blanks.
    """
    first, *more = text.splitlines()
    return [f"{label:<20} {first}", *(f"{'':<20} {line}" for line in more)]


def of_mistakes(fits: list[Mistake]) -> Diagnosis:
    """Return the diagnosis that names the known mistakes whose fingerprints fit.

    Args:
        fits: one or two known mistakes. Two mean that the part has one of them.
    """
    hints = [mistake.hint for mistake in fits]
    if len(hints) == 2:
        hints = [f"Either: {hints[0]}", f"Or: {hints[1]}"]
    return Diagnosis(" or ".join(mistake.id for mistake in fits), "\n".join(hints))
