"""Check the form of the answers that the worker gives during learning.

A worker runs the hand-in, so its answers may be anything. Each function here is a
`Look` (see `contract/case.py`): it gets an answer before the answer's numbers are read.
`batches` and `schedule` take one more argument before the answer. Callers set it by
`functools.partial`.
"""

import numpy as np

from grader.contract import compare
from grader.contract.case import Args
from grader.contract.outcomes import Wrong


def batches(shapes: dict[str, tuple[int, ...]], answer: Args) -> None:
    """Check that an answer has an array of the right shape for each field of a batch.

    Args:
        shapes: for each field by name, the right shape [n,B,...]: n batches of B rows.
        answer: the worker's answer, which may be anything.

    Raises:
        Wrong: a field is missing or has another shape, or the answer has more fields.
    """
    for name, shape in shapes.items():
        if problem := compare.shape_problem(
            f"sample's {name}", answer.get(name), shape
        ):
            raise Wrong(problem)
    if len(answer) > len(shapes):
        raise Wrong("sample: more came back than a batch's fields")


def schedule(count: int, answer: Args) -> None:
    """Check that an answer has the array `synced`, int8 [count], and nothing else.

    The array has one number for each update: 1 if `sync_target` has returned θ_Q, 0 if
    it has returned θ_T, -1 otherwise. This function does not check the numbers.

    Args:
        count: number of updates.
        answer: the worker's answer, which may be anything.

    Raises:
        Wrong: `synced` is missing or has another shape or type, or is not alone.
    """
    synced = answer.get("synced")
    kind = (synced.shape, synced.dtype) if isinstance(synced, np.ndarray) else None
    if len(answer) > 1 or kind != ((count,), np.int8):
        raise Wrong("sync_target returned neither theta_Q nor theta_T")


def nothing(answer: Args) -> None:
    """Check that an answer is an empty dict.

    Raises:
        Wrong: the answer has an entry.
    """
    if answer:
        raise Wrong("an answer came back where none was expected")
