"""Describe what a wrong `ReplayBuffer` does, from the batches that it draws.

All questions are asked in two rounds, with independent transitions and generators. A
difference from a right buffer is reported only if both rounds find it.
"""

import numpy as np

from grader.contract.case import Student
from grader.diagnosis.patterns.buffer_parts.asked import findings_of
from grader.diagnosis.patterns.buffer_parts.questions import Asker, Finding
from grader.diagnosis.reading import Reading

MOST = 3  # findings in one reading


def read(student: Student, rng: np.random.Generator) -> Reading | None:
    """Return the reading of the hand-in's `ReplayBuffer`; None if no mistake is found.

    Raises:
        Stopped: the hand-in's process has ended, or its time is used up.
    """
    return agreed(*(findings_of(Asker(student, rng)) for _ in range(2)))


def agreed(first: list[Finding], second: list[Finding]) -> Reading | None:
    """Return the reading of the findings that two rounds of questions share.

    A finding is one difference from a right buffer. Two findings are the same if their
    names and their texts `computes` are equal. If `measured` is True, equal names are
    enough, because the text has numbers that differ between the rounds. The reading has
    at most `MOST` findings.

    Args:
        first: findings of the first round.
        second: findings of the second round.

    Returns:
        None if the rounds share no finding.
    """
    computes = {finding.name: finding.computes for finding in second}
    both = [
        f
        for f in first
        if f.name in computes and (f.measured or f.computes == computes[f.name])
    ]
    findings = list({f.name: f for f in both}.values())[:MOST]
    if not findings:
        return None
    asked = dict.fromkeys(finding.asked for finding in findings)
    return Reading(
        "\n".join(dict.fromkeys(finding.computes for finding in findings)),
        "\n".join(asked),
        tuple(finding.difference for finding in findings),
        findings[0].table,
    )
