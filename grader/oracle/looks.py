"""Check the form of the answers that the worker gives during learning.

A worker runs the hand-in, so its answers may be anything. Each function is a `Look`,
those with two arguments after `functools.partial` has fixed the first one.
"""

import numpy as np

from grader.contract import compare
from grader.contract.case import Answer, Args
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


def one_tree(theta: list[np.ndarray], answer: Args) -> None:
    """Check that an answer holds parameters with the shapes and types of `theta`.

    Args:
        theta: the parameters θ_Q, a list of arrays.
        answer: the worker's answer, which may be anything.

    Raises:
        Wrong: the shapes or types are others, or the answer holds more.
    """
    leaves = Answer(answer).leaves("theta_T")
    kinds = [[(leaf.shape, leaf.dtype) for leaf in tree] for tree in (leaves, theta)]
    if kinds[0] != kinds[1] or len(answer) > 1:
        raise Wrong("sync_target returned neither theta_Q nor theta_T")


def nothing(answer: Args) -> None:
    """Check that an answer is empty.

    Raises:
        Wrong: the answer holds something.
    """
    if answer:
        raise Wrong("an answer came back where none was expected")
