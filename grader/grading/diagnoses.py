"""Diagnose wrong parts, and add each diagnosis to the results of failed checks."""

import contextlib

import numpy as np

from grader.contract.seeds import derive
from grader.diagnosis.diagnose import diagnose
from grader.grading.passes import Pass


def diagnose_exercise(done: Pass, name: str) -> None:
    """Diagnose each part of an exercise that has failed a check.

    There is no diagnosis if a check of the exercise got no answer, because the part
    would hang or die again. There is also none if the hand-in was not read or imported,
    or runs in a debugger.

    Args:
        done: the pass in which the checks have run. The diagnosis is written into the
            results of the failed checks.
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
        rng = np.random.default_rng(derive(graded.seed, f"diagnosis {part}"))
        fixed = done.fixed.get(part, ())
        # A diagnosis only explains an outcome; the outcome stays if diagnosing fails.
        with contextlib.suppress(Exception):
            found = diagnose(part, graded.student, graded.known, rng, fixed)
            if found:
                for check in checks:
                    check.diagnosis, check.hint = found.names, found.hint
                    check.reading = found.reading
