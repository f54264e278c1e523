"""What checks of several exercises do alike."""

from grader.contract.case import Case, Student
from grader.contract.outcomes import Raised, Wrong
from grader.escape import plain

# NumPy arrays can be changed, JAX arrays deleted: `jax.jit` does that to what it is
# told to donate.
CHANGED = {
    "numpy": "changed in place: {}",
    "jax": "deleted by the call: {}: whoever calls may still need them (donated?)",
}


def unchanged(
    student: Student, case: Case, kinds: tuple[str, ...] = tuple(CHANGED)
) -> None:
    """Arguments are neither changed nor deleted.

    Raises:
        Wrong: one is.
    """
    for kind in kinds:
        try:
            names = student.changed(case, kind)
        except Raised:
            continue  # of NumPy: the contract's arguments are JAX arrays
        if names:
            listed = plain(", ".join(map(str, names)), 80)
            raise Wrong(CHANGED[kind].format(listed))
