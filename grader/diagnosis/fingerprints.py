"""Recognise a known mistake by a part's answers to a fixed list of questions.

The answers, in numbers, are the part's fingerprint. `make reference` records the
fingerprints of the known mistakes of all parts without a reader. A fingerprint depends
on what a part computes, and not on how the code is written.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from grader.contract.case import Case, Student
from grader.contract.outcomes import GraderError, NotImplementedYet, Raised, Wrong
from grader.diagnosis.network_probe import Questions, network
from grader.oracle.known import Fingerprint, Known, Mistake

NAN = 9e9  # replaces numbers that are not finite
MAX_NUMBERS = 64
MAX_NAMED = 2
# Tolerance relative to the largest number of an entry. Six digits are recorded. In
# right work, rounding can change the fifth digit.
RTOL = 3e-4


def flags(student: Student) -> Questions:
    """Yield the questions for `episode_terminateds`: two lengths of an episode."""
    for steps in (1, 4):
        case = Case("episode_terminateds", {"num_steps": steps}, {})
        yield f"flags {steps}", partial(output, student, case, "terminateds")


def plain(fixed: tuple[Case, ...], student: Student) -> Questions:
    """Yield the questions for a plain function: its fixed cases."""
    for i, case in enumerate(fixed):
        yield f"result {i}", partial(output, student, case, "result")


def output(student: Student, case: Case, name: str) -> np.ndarray:
    """Return one output of a part for a case."""
    return student.answer(case).array(name)


# Questions for parts without a reader. All other parts without a reader are asked the
# fixed cases of their check file.
PROBES: dict[str, Callable[[Student], Questions]] = {
    "episode_terminateds": flags,
    "q_network": network,
}


def fitting(
    part: str, student: Student, known: Known, fixed: tuple[Case, ...]
) -> list[Mistake]:
    """Return the known mistakes whose fingerprint equals the hand-in's.

    Args:
        part: name of the part.
        student: the hand-in.
        known: recorded fingerprints.
        fixed: fixed cases of the part.

    Returns:
        [] if more than two mistakes fit, or if the solution's fingerprint fits.
    """
    if part not in known.right:
        return []
    found = fingerprint(part, student, fixed)
    fits = [m for m in known.mistakes[part] if agree(found, m.fingerprint)]
    if agree(found, known.right[part]) or len(fits) > MAX_NAMED:
        return []
    return fits


def fingerprint(
    part: str, student: Student, fixed: tuple[Case, ...] = ()
) -> Fingerprint:
    """Return a part's answers to its questions, as numbers or as text.

    Args:
        part: name of the part.
        student: the hand-in.
        fixed: fixed cases of the part; not needed for a part in `PROBES`.

    Raises:
        NotImplementedYet: the part is still a stub.
        Stopped: the hand-in's process has ended, or its time is used up.
    """
    found: Fingerprint = {}
    for name, ask in PROBES.get(part, partial(plain, fixed))(student):
        try:
            found[name] = in_numbers(np.asarray(ask(), np.float64))
        except (NotImplementedYet, GraderError):
            raise
        except (Raised, Wrong) as reason:
            found[name] = str(reason).splitlines()[0][:120]
        # The worker can answer anything. A strange answer fits no known mistake.
        except Exception as strange:
            found[name] = f"strange: {type(strange).__name__}"
    return found


def in_numbers(answer: np.ndarray) -> list[float]:
    """Return the shape and up to 64 values of an answer, with six digits each.

    The shape of a vector is left out.
    """
    values = np.nan_to_num(answer.ravel(), nan=NAN, posinf=-NAN, neginf=-NAN)
    shape = [] if answer.ndim == 1 else [float(n) for n in answer.shape]
    return [*shape, *(float(f"{value:.6g}") for value in values[:MAX_NUMBERS])]


def agree(a: Fingerprint, b: Fingerprint, times: float = 1.0) -> bool:
    """Tell whether two fingerprints are equal within a multiple of the tolerance."""
    return a.keys() == b.keys() and all(
        entries_agree(a[name], b[name], times) for name in a
    )


def entries_agree(a: list[float] | str, b: list[float] | str, times: float) -> bool:
    """Tell whether two entries are equal within a multiple of the tolerance."""
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    if len(a) != len(b):
        return False
    tolerance = times * RTOL * max(max(map(abs, b), default=0.0), 1e-2)
    return bool((np.abs(np.subtract(a, b)) <= tolerance).all())
