"""Diagnose wrong parts, and add each diagnosis to the results of failed checks."""

import numpy as np

from grader.contract.outcomes import BY_HAND_IN
from grader.contract.seeds import derive
from grader.diagnosis.diagnose import diagnose
from grader.grading.passes import Pass


def diagnose_exercise(done: Pass, name: str) -> None:
    """Diagnose the wrong parts of an exercise, and add the diagnoses to the results.

    A part is wrong if at least one of its checks has the outcome failed or error.
    Nothing is diagnosed if a check of the exercise got no answer, because the part
    would hang or die again. Nothing is diagnosed either if the hand-in was not read or
    not imported, or if it runs in a debugger (`INPROCESS=1`).

    Args:
        done: the pass in which the checks have run. A part's diagnosis is written into
            the results of the checks that the part failed.
        name: name of the exercise.
    """
    graded = done.graded
    if graded.problem or graded.student.eager:
        return
    if any(exercise == name for exercise, _ in done.unanswered):
        return
    for part, checks in done.failed.get(name, {}).items():
        graded.budget.exercise, graded.budget.part = name, part
        limits = graded.budget.limits
        # Even a part that has used up its time is diagnosed.
        graded.budget.spent[part] = limits.part_seconds - limits.diagnosis_seconds
        rng = questions_of(part, graded.seed)
        fixed = done.fixed.get(part, ())
        # A diagnosis only explains an outcome; the outcome stays if diagnosing fails.
        try:
            found = diagnose(part, graded.student, graded.known, rng, fixed)
        except BY_HAND_IN:
            found = None  # the part gave the reader no usable answer
        except Exception as fault:
            found = None
            graded.keep_fault(part, fault)
        if found:
            for check in checks:
                check.diagnosis, check.hint = found.names, found.hint
                check.reading = found.reading


def questions_of(part: str, seed: str) -> np.random.Generator:
    """Return a new source of a reader's questions; it is the same one in a whole run.

    Args:
        part: name of the part that is asked.
        seed: the seed of the run.
    """
    return np.random.default_rng(derive(seed, f"diagnosis {part}"))
