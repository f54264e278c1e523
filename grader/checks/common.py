"""What checks of several exercises do alike."""

from grader.escape import plain
from grader.outcomes import Raised, Wrong
from grader.session import Case, Student


def unchanged(student: Student, case: Case) -> None:
    """NumPy arguments, which could be changed, are not.

    Raises:
        Wrong: one is.
    """
    try:
        names = student.changed(case)
    except Raised:
        return  # the contract's arguments are JAX arrays, which nothing can change
    if names:
        raise Wrong(f"changed in place: {plain(', '.join(map(str, names)), 80)}")
