"""Compare the parameters that `sync_target` returns with θ_Q and θ_T."""

import re
from dataclasses import dataclass

import numpy as np

from grader.contract.compare import same_arrays
from grader.contract.outcomes import Raised, Wrong
from grader.diagnosis.patterns.arrays import bfloat, flat, half

TREE_FIRST = re.compile(r"\b(tree\.map|tree_map|tree_multimap)\(\s*theta_[QT]\b")


@dataclass(frozen=True)
class Content:
    """What one answer of `sync_target` consists of.

    Attributes:
        words: description in symbols or words, such as "0.9 θ_Q + 0.1 θ_T" or "zeros".
        shares: the factors (α, β) if the answer is α θ_Q + β θ_T; None for zeros and
            for any other answer.
        raised: whether the answer is an exception of the hand-in.
    """

    words: str
    shares: tuple[float, float] | None = None
    raised: bool = False


COPY, KEPT = Content("θ_Q", (1.0, 0.0)), Content("θ_T", (0.0, 1.0))
NOTHING, BOTH = Content("nothing (None)"), Content("more than one tree")
DIVIDED = Content("a division by zero", raised=True)
OTHER = Content("other numbers")


def content_of(
    leaves: list[np.ndarray], theta_Q: list[np.ndarray], theta_T: list[np.ndarray]
) -> Content:
    """Describe an answer by comparing its arrays with those of θ_Q and θ_T.

    Args:
        leaves: arrays that `sync_target` has returned.
        theta_Q: arrays of the argument theta_Q.
        theta_T: arrays of the argument theta_T.

    Returns:
        The content; `OTHER` if the numbers are not recognised.
    """
    fits = len(leaves) == len(theta_Q) and all(
        leaf.shape == q.shape and leaf.dtype.kind in "iuf" and np.isfinite(leaf).all()
        for leaf, q in zip(leaves, theta_Q, strict=True)
    )
    if not fits:
        return Content("arrays of another shape or type, or not finite")
    triples = list(zip(leaves, theta_Q, theta_T, strict=True))
    of_Q = [np.array_equal(leaf, q) for leaf, q, _ in triples]
    of_T = [np.array_equal(leaf, t) for leaf, _, t in triples]
    if all(of_Q) or all(of_T):
        return COPY if all(of_Q) else KEPT
    if all(a or b for a, b in zip(of_Q, of_T, strict=True)):
        matrices = [leaf.ndim > 1 for leaf in leaves]
        if of_Q == matrices:
            return Content("weights of θ_Q, biases of θ_T")
        arrays = ", ".join(str(i) for i, q in enumerate(of_Q) if q)
        return Content(f"arrays {arrays} of θ_Q, the others of θ_T")
    if any(
        same_arrays(leaves, [short(q) for q in theta_Q]) for short in (half, bfloat)
    ):
        return Content("θ_Q rounded to 16 bits")
    return mixture(*map(flat, (leaves, theta_Q, theta_T)))


def mixture(values: np.ndarray, q: np.ndarray, t: np.ndarray) -> Content:
    """Return the content "α θ_Q + β θ_T" if one pair of factors α, β fits all numbers.

    Args:
        values: all numbers of the answer [P]; they are not exactly those of θ_Q or θ_T.
        q: all numbers of θ_Q [P].
        t: all numbers of θ_T [P].

    Returns:
        The content, with the words "zeros" if both factors are 0. `OTHER` if no factors
        fit, or if the answer is nearly θ_Q or θ_T.
    """
    both = np.stack([q, t], axis=1)
    shares = np.linalg.lstsq(both, values, rcond=None)[0]
    size = max(1.0, float(np.abs(shares).max()))
    if np.abs(both @ shares - values).max() > 3e-6 * size:
        return OTHER
    a, b = (round(float(share), 5) + 0.0 for share in shares)
    if (a, b) in ((1, 0), (0, 1)):  # nearly a copy, but not the same numbers
        return OTHER
    terms = [f"{x:.6g} {name}" for x, name in ((a, "θ_Q"), (b, "θ_T")) if x]
    return Content(" + ".join(terms) or "zeros", (a, b) if a or b else None)


def refusal(error: Raised | Wrong) -> Content:
    """Return the `Content` of an answer that is an exception or was refused.

    Args:
        error: the exception that the hand-in raised, or the reason why its answer was
            refused.
    """
    message, raised = str(error), isinstance(error, Raised)
    if "ZeroDivisionError" in message:
        return DIVIDED
    if "theta_T is None" in message:
        return NOTHING
    if found := re.search(r"it has (\d+) arrays, expected (\d+)", message):
        got, wanted = map(int, found.groups())
        if got > wanted and got % wanted == 0:
            return BOTH
    if "no attribute 'copy'" in message:
        return Content("an AttributeError for .copy()", raised=True)
    if TREE_FIRST.search(message):
        return Content("an error in tree.map", raised=True)
    if found := re.search(r"not the kind of tree that came in: (it has .*)", message):
        return Content(f"another kind of tree ({found[1]})")
    return Content(message.splitlines()[0][:120], raised=raised)


def is_mixture(content: Content) -> bool:
    """Tell whether a content is α θ_Q + β θ_T with α > 0, β > 0 and α + β = 1."""
    share, rest = content.shares or (0.0, 0.0)
    return abs(share + rest - 1) < 1e-4 and share > 0 and rest > 0


def likeness(content: Content) -> tuple[float, str]:
    """Return a key that sorts contents from those like θ_T to those like θ_Q.

    For the content α θ_Q + β θ_T the key is (α − β, ""), so -1 for θ_T and 1 for θ_Q.
    Any other content has (0.5, `content.words`), which comes shortly before θ_Q.
    """
    if content.shares:
        return content.shares[0] - content.shares[1], ""
    return 0.5, content.words
