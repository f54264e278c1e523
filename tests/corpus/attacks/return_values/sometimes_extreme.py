"""Answers calls rightly but for every fifth, with the ends of every type's numbers.

Rows: 18, 20, 62
Grade: all
On: solution
Asserts: S R T
Says: obtained
"""

from grader.inside import protocol

VALUES = [np.array(x, t) for x in (np.nan, np.inf, 6e4) for t in ("f2", "f4", "f8")]
VALUES += [np.iinfo(t).min for t in ("i1", "i4", "i8")] + [np.uint64(2**64 - 1)]
COUNT = []
encode = protocol.encode


def extreme(tree):
    if isinstance(tree, dict):
        return {k: v if k == "program" else extreme(v) for k, v in tree.items()}
    if isinstance(tree, list):
        return [extreme(leaf) for leaf in tree]
    if isinstance(tree, np.ndarray):
        return np.full(tree.shape, np.asarray(VALUES[len(COUNT) % len(VALUES)]))
    return tree


def often_right(message):
    COUNT.append(1)
    if len(COUNT) % 5 or "answer" not in message:
        return encode(message)
    return encode({"nonce": message["nonce"], "answer": extreme(message["answer"])})


protocol.encode = often_right
