"""Wrong answers get a name: by a known mistake's fingerprint, or else by a fact.

The fingerprints of the known wrong solutions (`tests/corpus/mutants/`) are recorded
with the reference. A part whose own fingerprint is one of these has that misconception.
Where two known ones fit, both are said; where none does, nothing is guessed:
`measurements.py` says what was measured.
"""

from dataclasses import dataclass

import numpy as np

from grader.contract.case import Answers, Case, Student
from grader.contract.outcomes import NotImplementedYet, Stopped
from grader.diagnosis import measurements, probes
from grader.oracle.known import Fingerprint, Known, Mistake

# Of the largest number of an entry: 6 digits are recorded, and correct work rounds
# the fifth.
RTOL = 3e-4
# Two shares of one probability, each estimated from 65 000 independent actions or 3 000
# sampled rows, differ by less with 4 standard deviations.
SHARE_TOL = {"epsilon_greedy": 0.012, "ReplayBuffer": 0.03}
MAX_NAMED = 2
KEPT = (
    "Measured: imported anew and asked the same questions, it gives other answers: "
    "something is kept from one call to the next, or drawn from a generator that is "
    "no argument."
)


@dataclass(frozen=True)
class Diagnosis:
    """What is said about a wrong part; `id` is None where it is only a fact."""

    id: str | None
    hint: str


def diagnose(
    part: str,
    student: Student,
    reference: Answers,
    known: Known,
    fixed: tuple[Case, ...] = (),
) -> Diagnosis | None:
    """Say what is wrong with a part, as far as it can be told.

    Args:
        part: that has failed a check.
        student: the hand-in.
        reference: the right answers on the fixed cases.
        known: the recorded fingerprints.
        fixed: the part's fixed cases, where `probes` has none.
    """
    try:
        found = probes.fingerprint(part, student, fixed)
        right = known.right[part]
        if agree(part, found, right) or only_untraceable(part, found, right):
            return None
        fits = fitting(part, found, known)
        kept = False
        if not fits:
            # It may remember what the checks have asked; the known ones were recorded
            # right after their import.
            student = student.afresh()
            at_first = probes.fingerprint(part, student, fixed)
            kept = not agree(part, found, at_first)
            fits = fitting(part, at_first, known) if kept else []
        if 1 <= len(fits) <= MAX_NAMED:
            return named(fits)
        fact = KEPT if kept else measurements.measured(part, student, reference)
        return Diagnosis(None, fact) if fact else None
    except (NotImplementedYet, Stopped):
        return None  # the checks have said so


def fitting(part: str, found: Fingerprint, known: Known) -> list[Mistake]:
    """Return the known mistakes of a part that have this fingerprint."""
    return [m for m in known.mistakes[part] if agree(part, found, m.fingerprint)]


def only_untraceable(part: str, found: Fingerprint, right: Fingerprint) -> bool:
    """Tell whether all is right but for an exception under `jax.jit`.

    Then no mistake is named: the exception says its line, and many mistakes raise it.

    Args:
        part: that was asked.
        found: its fingerprint.
        right: the fingerprint of the solution.
    """
    without = {name: right[name] for name in right if name.split()[-1] == "jit"}
    return agree(part, {**found, **without}, right)


def named(fits: list[Mistake]) -> Diagnosis:
    """Return the diagnosis where one mistake fits, or two."""
    name = " or ".join(mistake.id for mistake in fits)
    hints = [mistake.hint for mistake in fits]
    if len(hints) == 2:
        hints = [f"Either: {hints[0]}", f"Or: {hints[1]}"]
    return Diagnosis(name, "\n".join(hints))


def agree(part: str, a: Fingerprint, b: Fingerprint, times: float = 1.0) -> bool:
    """Tell whether two fingerprints of a part are one.

    Args:
        part: whose they are.
        a: the one.
        b: the other.
        times: the tolerance is multiplied by this; that of shares by 1.5 at most,
            which is 6 standard deviations.
    """
    share = min(times, 1.5) * SHARE_TOL.get(part, 0.0)
    return a.keys() == b.keys() and all(
        entries_agree(a[name], b[name], times, share if name[0] == "~" else None)
        for name in a
    )


def entries_agree(
    a: list[float] | str, b: list[float] | str, times: float, share: float | None
) -> bool:
    """Tell whether two entries are one; `share` is by how much, if they are shares."""
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    if len(a) != len(b):
        return False
    if share is None:
        share = times * RTOL * max(max(map(abs, b), default=0.0), 1e-2)
    return bool((np.abs(np.subtract(a, b)) <= share).all())
