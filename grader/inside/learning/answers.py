"""Check the answers of the hand-in's buffer and sync, which run in the worker.

Each sampled transition must have been stored and not yet have left the buffer. All
transitions in the buffer must be drawn equally often. The tree from `sync_target` must
be theta_Q or theta_T.
"""

from typing import Any

import numpy as np

FIELDS = ("state", "action", "reward", "terminated", "next_state")


class Foul(Exception):
    """Raised if learning has to stop because of an answer of the hand-in."""


class StoredRows:
    """The transitions in the hand-in's buffer, and counts of the buffer's draws.

    Args:
        capacity: capacity of the buffer.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        # The number, from 0, of the latest transition with these bytes.
        self.numbers: dict[bytes, int] = {}
        self.count = 0
        self.draws = Draws()

    def add(self, columns: list[np.ndarray]) -> None:
        """Note transitions that are added to the buffer.

        Args:
            columns: the five fields of the transitions, [N,...] each.
        """
        for row in row_bytes(columns):
            self.numbers[row] = self.count
            self.count += 1

    def check(self, columns: list[np.ndarray]) -> None:
        """Check transitions that the buffer has drawn.

        Args:
            columns: the five fields of the transitions, [n,...] each.

        Raises:
            Foul: a drawn transition is not in the buffer, or some transitions are drawn
                more often than others.
        """
        oldest = max(self.count - self.capacity, 0)
        drawn = np.array([self.numbers.get(row, -1) for row in row_bytes(columns)])
        if drawn.min() < oldest:
            raise Foul("sample returned a transition that is not in the buffer")
        if self.draws.uneven(drawn - oldest, self.count - oldest):
            raise Foul("sample draws some of the stored transitions more often")


class Draws:
    """Counts that show whether the buffer draws some transitions more often.

    A pair of equal draws are two draws of the same transition. If transition i is drawn
    with probability (1 + x_i) / N, such pairs are 1 + mean(x²) times as frequent as in
    uniform draws. After 100 blocks, a preference of x = 0.15 is detected.

    Attributes:
        met: number of pairs of equal draws so far.
        expected: expected number of these pairs for uniform draws.
    """

    def __init__(self) -> None:
        self.met = self.expected = 0.0

    def uneven(self, drawn: np.ndarray, stored: int) -> bool:
        """Count further draws; return whether all draws so far show a preference.

        The draws show a preference if the number of pairs of equal draws is more than 6
        standard deviations above the expected number.

        Args:
            drawn: positions in the buffer of the drawn transitions, from 0, int [n].
            stored: N, the number of transitions in the buffer.
        """
        times = np.bincount(drawn, minlength=stored).astype(np.float64)
        self.met += (times * (times - 1)).sum() / 2
        self.expected += len(drawn) * (len(drawn) - 1) / 2 / stored
        return self.met - self.expected > 6 * self.expected**0.5


def checked_batches(
    answer: dict[str, Any], shape: tuple[int, int]
) -> dict[str, np.ndarray]:
    """Return sampled batches with the dtypes that the update program takes.

    Args:
        answer: the worker's answer, which should have the five fields [n,B,...].
        shape: (n, B): the number of batches and the batch size.

    Raises:
        Foul: a field is missing or has another shape, or actions are no integers.
    """
    batches: dict[str, np.ndarray] = {}
    for name in FIELDS:
        tail = (4,) if name in ("state", "next_state") else ()
        value = answer.get(name)
        if not isinstance(value, np.ndarray) or value.shape != (*shape, *tail):
            raise Foul(f"sample returned a `{name}` of the wrong shape")
        if name == "action" and value.dtype.kind not in "iu":
            raise Foul(f"sample returned actions of type {value.dtype}")
        dtype = {"action": np.int32, "terminated": np.bool_}.get(name, np.float32)
        batches[name] = value.astype(dtype)
    return batches


def same_bits(answer: Any, tree: list[np.ndarray]) -> bool:
    """Return whether an answer consists of the same bits as the leaves of a tree.

    Args:
        answer: untrusted answer, which should be a list of arrays.
        tree: leaves of the tree.
    """
    return (
        isinstance(answer, list)
        and len(answer) == len(tree)
        and all(
            isinstance(a, np.ndarray)
            and (a.shape, a.dtype) == (b.shape, b.dtype)
            and a.tobytes() == b.tobytes()
            for a, b in zip(answer, tree, strict=True)
        )
    )


def row_bytes(columns: list[np.ndarray]) -> list[bytes]:
    """Return for each transition bytes that are equal for equal transitions.

    Args:
        columns: the five fields of the transitions, [N,...] each.
    """
    flat = [c.reshape(len(c), -1).astype(np.float32) for c in columns]
    table = np.concatenate(flat, axis=1)
    # 0 is added because this turns -0.0 into 0.0, which has other bytes.
    return [row.tobytes() for row in table + np.float32(0)]
