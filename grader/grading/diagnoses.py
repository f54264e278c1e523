"""Put the name of a known mistake, or a measured fact, on the checks that failed."""

import contextlib

from grader.diagnosis.diagnose import diagnose
from grader.grading.passes import Pass


def diagnose_exercise(done: Pass, name: str) -> None:
    """Diagnose each part that has failed a check of an exercise.

    Nothing is asked where a check got no answer: the part would hang or die again.

    Args:
        done: the pass in which the checks have run; their hints are changed.
        name: of the exercise.
    """
    graded = done.graded
    if graded.problem or graded.student.eager:
        return
    if any(exercise == name for exercise, _ in done.unanswered):
        return
    for part, checks in done.failed.get(name, {}).items():
        if part not in graded.known.right:
            continue
        graded.budget.exercise, graded.budget.part = name, part
        # It only explains a verdict: where it fails, the verdict stands without it.
        with contextlib.suppress(Exception):
            found = diagnose(
                part,
                graded.student,
                graded.reference,
                graded.known,
                done.fixed.get(part, ()),
            )
            if found:
                for check in checks:
                    check.diagnosis, check.hint = found.id, found.hint
