"""Helpers for the checks of several exercises.

`unchanged` checks that a part leaves its arguments unchanged. `factor_between` returns
the factor by which a loss differs from the right one. `loss_of` returns a loss without
its gradient.
"""

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

SMALL = 1e-4  # a loss nearer to 0 can be a rounding error


def unchanged(
    student: Student, case: Case, kinds: tuple[str, ...] = tuple(CHANGED)
) -> None:
    """Check that a call neither changes nor deletes its arguments.

    If the call raises an exception for arrays of one kind, this kind is not judged.

    Args:
        student: the hand-in.
        case: the question, with the arguments of the call.
        kinds: the kinds of arrays, "numpy", "jax" or both; one call is made for each.

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


def loss_of(student: Student, case: Case) -> np.ndarray:
    """Return the hand-in's loss, even if its gradient cannot be computed.

    If a question for loss and gradient raises an exception, only the loss is asked for.
    """
    try:
        return student.answer(case).array("loss")
    except Raised:
        only_loss = case.replace(spec={"gradient": False})
        return student.answer(only_loss).array("loss")


def factor_between(loss: np.ndarray, expected: np.ndarray) -> float:
    """Return the factor by which the hand-in's loss differs from the right loss.

    If a loss is a multiple of the right loss, its gradient is the same multiple of the
    right gradient. A check of the gradient accepts this multiple, because another check
    judges the loss.

    Args:
        loss: the hand-in's loss.
        expected: the right loss.

    Returns:
        loss / expected, below 0 if the hand-in's loss has the wrong sign; 1.0 if the
        shapes differ, or if the size of one of the losses is at most `SMALL`, so that
        it can be a rounding error.
    """
    if loss.shape != expected.shape:
        return 1.0
    if not min(np.abs(loss).min(), np.abs(expected).min()) > SMALL:
        return 1.0
    return float(loss / expected)
