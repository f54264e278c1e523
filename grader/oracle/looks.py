"""Check the form of the answers that the worker gives during learning.

A worker runs the hand-in, so its answers may be anything. Each function is a `Look`,
those with two arguments after `functools.partial` has fixed the first one.
"""

import numpy as np

from grader.contract import compare
from grader.contract.case import Args
from grader.contract.outcomes import Wrong


def batches(shapes: dict[str, tuple[int, ...]], answer: Args) -> None:
    """Check that an answer holds batches, with the right shape for each field.

    Args:
        shapes: the right shape [n,B,...] for each field.
        answer: the worker's answer, which may be anything.

    Raises:
        Wrong: a field is missing, has another shape, or is one too many.
    """
    for name, shape in shapes.items():
        if problem := compare.shape_problem(
            f"sample's {name}", answer.get(name), shape
        ):
            raise Wrong(problem)
    if len(answer) > len(shapes):
        raise Wrong("sample: more came back than a batch's fields")


def schedule(count: int, answer: Args) -> None:
    """Check that an answer tells for each of `count` updates what `sync_target` gave.

    Args:
        count: number of updates.
        answer: the worker's answer, which may be anything.

    Raises:
        Wrong: the answer has another form.
    """
    synced = answer.get("synced")
    kind = (synced.shape, synced.dtype) if isinstance(synced, np.ndarray) else None
    if len(answer) > 1 or kind != ((count,), np.int8):
        raise Wrong("sync_target returned neither theta_Q nor theta_T")


def nothing(answer: Args) -> None:
    """Check that an answer is empty.

    Raises:
        Wrong: the answer holds something.
    """
    if answer:
        raise Wrong("an answer came back where none was expected")
