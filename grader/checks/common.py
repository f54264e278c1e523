"""What checks of several exercises share: unchanged arguments, frequencies."""

import numpy as np

from grader.contract.case import Case, Student
from grader.contract.outcomes import Raised, Wrong
from grader.escape import plain

TAIL = 1e-10  # the probability that chance alone exceeds a limit on frequencies
# NumPy arrays can be changed, JAX arrays deleted: `jax.jit` deletes what it is told to
# donate.
CHANGED = {
    "numpy": "changed in place: {}",
    "jax": "deleted by the call: {}: whoever calls may still need them (donated?)",
}


def unchanged(
    student: Student, case: Case, kinds: tuple[str, ...] = tuple(CHANGED)
) -> None:
    """Check that arguments are neither changed nor deleted.

    Args:
        student: is called.
        case: the call.
        kinds: of arrays that are tried, see `CHANGED`.

    Raises:
        Wrong: an argument is changed or deleted.
    """
    for kind in kinds:
        try:
            names = student.changed(case, kind)
        except Raised:
            continue  # with NumPy arrays: the contract's are JAX arrays
        if names:
            listed = plain(", ".join(map(str, names)), 80)
            raise Wrong(CHANGED[kind].format(listed))


def statistic(counts: np.ndarray, expected: np.ndarray | float) -> float:
    """Return Pearson's χ² statistic."""
    return float(((counts - expected) ** 2 / expected).sum())


def too_far(counts: np.ndarray, expected: np.ndarray) -> bool:
    """Return whether counts deviate more than chance allows."""
    return statistic(counts, expected) > chi2_limit(len(counts) - 1)


def uneven(counts: np.ndarray, expected: np.ndarray) -> bool:
    """Return whether the sums of the counts of K calls deviate more than chance allows.

    If the draws of one call depend on each other, the counts of a call scatter more
    than those of independent draws, and so do their sums. That is not unevenness, and
    has a check of its own. So the limit rises by the same factor; it never falls.

    Args:
        counts: how often each of n things came in each call [K,n].
        expected: how often each is expected in one call [n].
    """
    degrees = len(expected) - 1
    total = statistic(counts.sum(axis=0), len(counts) * expected)
    own = counts.mean(axis=0)
    came = own > 0
    scatter = ((counts - own)[:, came] ** 2 / own[came]).sum(axis=1).mean()
    excess = scatter / max(1, came.sum() - 1)
    return total > chi2_limit(degrees) * max(1.0, excess)


def chi2_limit(degrees: int, tail: float = TAIL) -> float:
    """Return the χ² value that chance exceeds with a probability.

    Args:
        degrees: of freedom.
        tail: the probability.
    """
    from scipy import special  # 0.2 s, and most exercises do without

    return float(special.chdtri(degrees, tail))
