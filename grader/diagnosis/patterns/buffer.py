"""What a wrong `ReplayBuffer` does, read off its samples.

Everything is asked twice, with independent transitions and generators. What is said has
been found both times.
"""

import numpy as np

from grader.contract.case import Student
from grader.diagnosis.patterns.buffer_parts.asked import findings_of
from grader.diagnosis.patterns.buffer_parts.questions import Asker, Finding
from grader.diagnosis.reading import Reading

MOST = 3  # differences that are said


def read(student: Student, rng: np.random.Generator) -> Reading | None:
    """Read what the hand-in's `ReplayBuffer` does; None where it is right.

    Raises:
        Stopped: the hand-in's process came to an end.
    """
    return agreed(*(findings_of(Asker(student, rng)) for _ in range(2)))


def agreed(first: list[Finding], second: list[Finding]) -> Reading | None:
    """Return what two independent draws both say, counts of one draw aside."""
    also = {finding.name: finding.computes for finding in second}
    both = [
        f
        for f in first
        if f.name in also and (f.measured or f.computes == also[f.name])
    ]
    findings = list({f.name: f for f in both}.values())[:MOST]
    if not findings:
        return None
    asked = dict.fromkeys(finding.asked for finding in findings)
    return Reading(
        "; ".join(dict.fromkeys(finding.computes for finding in findings)),
        "; ".join(asked),
        tuple(finding.difference for finding in findings),
        tuple(line for finding in findings for line in finding.table),
    )
