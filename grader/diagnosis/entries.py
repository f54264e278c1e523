"""What a probe is made of: named questions whose answers can be put into numbers."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from grader.contract.case import Case, Student
from grader.contract.outcomes import Raised

# An entry for each answer to a question: numbers, or the words of what was raised. The
# name of one that is estimated from random draws starts with "~".
Entries = Iterator[tuple[str, Callable[[], Any]]]


def output(student: Student, case: Case, name: str) -> np.ndarray:
    """Return one output for a case."""
    return student.answer(case).array(name)


def changes(student: Student, case: Case, kind: str = "numpy") -> Entries:
    """Probe whether arguments that can be changed are."""

    def changed() -> list[int]:
        try:
            return [len(student.changed(case, kind))]
        except Raised:
            return [0]  # as the check forgives it

    yield {"numpy": "changed", "jax": "deleted"}[kind], changed


def traceable(student: Student, case: Case) -> np.ndarray:
    """Return zero where a case can be exported."""
    student.export(case)
    return np.zeros(1)


def equal(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    """Tell whether two lists of arrays are equal."""
    return len(a) == len(b) and all(map(np.array_equal, a, b))
