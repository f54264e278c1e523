"""Answers all calls in the right shapes, with the ends of every type's numbers.

Rows: 18, 20, 23
Grade: all
On: solution
Asserts: S R T
Says: obtained
"""

import sys

from grader.inside import protocol

VALUES = [np.finfo(t).max for t in ("f2", "f4", "f8")]
VALUES += [
    np.array(x, t) for x in (np.nan, -np.inf, 5e-324) for t in ("f2", "f4", "f8")
]
VALUES += [np.iinfo(t).min for t in ("i1", "i4", "i8")] + [np.uint64(2**64 - 1), True]
COUNT = []
encode = protocol.encode


def extreme(tree):
    if isinstance(tree, dict):
        return {k: v if k == "program" else extreme(v) for k, v in tree.items()}
    if isinstance(tree, list):
        return [extreme(leaf) for leaf in tree]
    if isinstance(tree, np.ndarray):
        COUNT.append(1)
        return np.full(tree.shape, np.asarray(VALUES[len(COUNT) % len(VALUES)]))
    return tree


protocol.encode = lambda message: encode(
    {
        key: extreme(value) if key == "answer" else value
        for key, value in message.items()
    }
)
