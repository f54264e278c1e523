"""Helpers of several check files: unchanged arguments, factors of losses."""

import numpy as np

from grader.contract.case import Case, Student
from grader.contract.outcomes import Raised, Wrong
from grader.escape import plain

# A message for each kind of array. A call can change NumPy arrays. It cannot change JAX
# arrays, but can delete them: `jax.jit` deletes the arguments in `donate_argnums`.
CHANGED = {
    "numpy": "changed in place: {}",
    "jax": "deleted by the call: {}: whoever calls may still need them (donated?)",
}

SMALL = 1e-4  # a smaller loss is rounding


def unchanged(
    student: Student, case: Case, kinds: tuple[str, ...] = tuple(CHANGED)
) -> None:
    """Check that a call neither changes nor deletes its arguments.

    Args:
        student: the hand-in.
        case: the call, with its arguments.
        kinds: the kinds of arrays to try, keys of `CHANGED`.

    Raises:
        Wrong: the call changed or deleted an argument.
    """
    for kind in kinds:
        try:
            names = student.changed(case, kind)
        except Raised:
            continue  # allowed: the contract promises JAX arrays, not NumPy arrays
        if names:
            listed = plain(", ".join(map(str, names)), 80)
            raise Wrong(CHANGED[kind].format(listed))


def factor_between(loss: np.ndarray, expected: np.ndarray) -> float:
    """Return the positive factor by which a loss differs from the right loss.

    A loss that is a multiple of the right one has that multiple of its gradient, which
    pays by itself.

    Returns:
        1 if the losses have different shapes, or one of them is not positive.
    """
    if loss.shape != expected.shape or not min(loss.min(), expected.min()) > SMALL:
        return 1.0
    return float(loss / expected)
