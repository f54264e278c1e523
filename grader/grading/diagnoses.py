"""Put what can be said of a wrong part on the checks that the part has failed."""

import contextlib

import numpy as np

from grader.contract.seeds import derive
from grader.diagnosis.diagnose import diagnose
from grader.grading.passes import Pass


def diagnose_exercise(done: Pass, name: str) -> None:
    """Diagnose each part that has failed a check of an exercise.

    Nothing is asked if a check got no answer, because the part would hang or die again.

    Args:
        done: the pass in which the checks have run; its checks are changed.
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
        # A diagnosis only explains a verdict, so the verdict stands if it fails.
        with contextlib.suppress(Exception):
            found = diagnose(part, graded.student, graded.known, rng, fixed)
            if found:
                for check in checks:
                    check.diagnosis, check.hint = found.names, found.hint
                    check.reading = found.reading
