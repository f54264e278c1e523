"""Recognise a known mistake by a part's answers to a fixed list of questions.

The answers, as numbers, are the part's fingerprint. `make reference` records the
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
# The tolerance, relative to the largest number in the answer to one question. Recorded
# numbers have six digits. Rounding in right code can change the fifth digit.
RTOL = 3e-4


def flags(student: Student) -> Questions:
    """Yield two questions to `episode_terminateds`: episodes of 1 step and of 4 steps.

    Yields:
        The question's name, and a function without arguments. The function asks the
        question and returns the answer as an array.
    """
    for steps in (1, 4):
        case = Case("episode_terminateds", {"num_steps": steps}, {})
        yield f"flags {steps}", partial(output, student, case, "terminateds")


def plain(fixed: tuple[Case, ...], student: Student) -> Questions:
    """Yield the fixed cases as questions to a part that returns an array "result".

    Yields:
        The question's name, and a function without arguments. The function asks the
        question and returns the answer as an array.
    """
    for i, case in enumerate(fixed):
        yield f"result {i}", partial(output, student, case, "result")


def output(student: Student, case: Case, name: str) -> np.ndarray:
    """Ask the hand-in a case, and return the array with this name from the answer.

    Raises:
        Raised: the hand-in's code has raised an exception.
        Wrong: the answer has no array with this name.
    """
    return student.answer(case).array(name)


# By part, the function that yields the questions. A part without a reader that is not
# listed here is asked the fixed cases of its check file.
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
        known: recorded fingerprints of the solution and of known mistakes.
        fixed: fixed cases of the part.

    Returns:
        At most two mistakes. [] if more than two fit, if the solution's fingerprint
        fits, or if no fingerprints are recorded for the part.

    Raises:
        NotImplementedYet: the part is still a stub.
        Stopped: the hand-in's process has ended, or its time is used up.
        GraderError: the grader itself fails.
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
    """Ask a part all questions, and return each answer by the question's name.

    An answer is a list of numbers. It is a text instead if the hand-in fails: the first
    line of the exception's message. If the answer cannot be turned into numbers, or if
    the part waits for a stub, the text is "strange: " and the name of the exception.

    Args:
        part: name of the part.
        student: the hand-in.
        fixed: fixed cases of the part; not used for a part in the table `PROBES`, which
            has questions of its own.

    Raises:
        NotImplementedYet: the part is still a stub.
        Stopped: the hand-in's process has ended, or its time is used up.
        GraderError: the grader itself fails.
    """
    found: Fingerprint = {}
    for name, ask in PROBES.get(part, partial(plain, fixed))(student):
        try:
            with np.errstate(all="ignore"):  # an answer may be infinite
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
    """Return the shape and the first 64 values of an answer as one list.

    The shape comes first; it is left out if the answer is a vector. The values are
    rounded to six significant digits. NaN becomes 9e9, and infinity of either sign
    becomes -9e9.
    """
    values = np.nan_to_num(answer.ravel(), nan=NAN, posinf=-NAN, neginf=-NAN)
    shape = [] if answer.ndim == 1 else [float(n) for n in answer.shape]
    return [*shape, *(float(f"{value:.6g}") for value in values[:MAX_NUMBERS])]


def agree(a: Fingerprint, b: Fingerprint, times: float = 1.0) -> bool:
    """Tell whether two fingerprints are equal within a tolerance.

    They are equal if they have the same questions, and if `entries_agree` is true for
    the two answers to each question.

    Args:
        a: a fingerprint.
        b: another fingerprint, from which the tolerances are computed.
        times: number by which the relative tolerance `RTOL` is multiplied.
    """
    return a.keys() == b.keys() and all(
        entries_agree(a[name], b[name], times) for name in a
    )


def entries_agree(a: list[float] | str, b: list[float] | str, times: float) -> bool:
    """Tell whether two answers to one question are equal within a tolerance.

    An answer is a list of numbers, or a text such as the message of an exception. Texts
    have to be identical.

    Args:
        a: an answer.
        b: another answer. The tolerance is relative to the largest absolute number in
            it, or to 0.01 if that is larger.
        times: number by which the relative tolerance `RTOL` is multiplied.
    """
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    if len(a) != len(b):
        return False
    tolerance = times * RTOL * max(max(map(abs, b), default=0.0), 1e-2)
    return bool((np.abs(np.subtract(a, b)) <= tolerance).all())
