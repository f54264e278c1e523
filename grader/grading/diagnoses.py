"""Put the name of a known mistake, or a measured fact, on the checks that failed."""

import contextlib

from grader.contract.outcomes import UNANSWERED
from grader.diagnosis.diagnose import diagnose
from grader.grading.passes import Pass


def diagnose_exercise(done: Pass, name: str) -> None:
    """Diagnose each part that has failed a check of an exercise.

    Args:
        done: the pass in which the checks have run; their hints are changed.
        name: of the exercise.
    """
    graded = done.graded
    if graded.problem or graded.student.eager:
        return
    if any(c.outcome in UNANSWERED for c in done.exercises[name].checks):
        return
    for part, checks in done.failed.get(name, {}).items():
        if part not in graded.known.right:
            continue
        graded.budget.part = part
        # It only explains a verdict: where it fails, the verdict stands without it.
        with contextlib.suppress(Exception):
            found = diagnose(
                part,
                graded.student,
                graded.reference,
                graded.known,
                done.ladders.get(part, ()),
            )
            if found:
                for check in checks:
                    check.diagnosis, check.hint = found.id, found.hint
