"""Check what the hand-in's buffer and sync answer from the worker.

Each sampled row must be one that was stored and is still within capacity, and all of
them must be drawn equally often; each synced tree must be one of the two given.
"""

from typing import Any

import numpy as np

FIELDS = ("state", "action", "reward", "terminated", "next_state")


class Foul(Exception):
    """The hand-in answered something that learning cannot go on with."""


class StoredRows:
    """Every transition that the hand-in's buffer was given, and how often it drew them.

    Args:
        capacity: of the buffer.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.numbers: dict[bytes, int] = {}  # the latest transition with these bytes
        self.count = 0
        self.draws = Draws()

    def add(self, columns: list[np.ndarray]) -> None:
        """Note transitions that the buffer is given.

        Args:
            columns: the five fields, [N,...] each.
        """
        for row in row_bytes(columns):
            self.numbers[row] = self.count
            self.count += 1

    def check(self, columns: list[np.ndarray]) -> None:
        """Check transitions that the buffer has drawn.

        Args:
            columns: the five fields, [n,...] each.

        Raises:
            Foul: one is not in the buffer, or some are drawn more often than others.
        """
        oldest = max(self.count - self.capacity, 0)
        drawn = np.array([self.numbers.get(row, -1) for row in row_bytes(columns)])
        if drawn.min() < oldest:
            raise Foul("sample returned a transition that is not in the buffer")
        if self.draws.uneven(drawn - oldest, self.count - oldest):
            raise Foul("sample draws some of the stored transitions more often")


class Draws:
    """Counts pairs of equal draws, to notice a buffer that prefers some transitions.

    If transition i is drawn with a probability of (1 + x_i) / N, pairs of equal draws
    are 1 + mean(x²) times as frequent: after 100 blocks an x of 0.15 is detected.
    """

    def __init__(self) -> None:
        self.met = self.expected = 0.0

    def uneven(self, drawn: np.ndarray, stored: int) -> bool:
        """Return whether a preference is beyond chance (6 standard deviations) by now.

        Args:
            drawn: [n] the numbers, from 0, of the transitions that were drawn.
            stored: N, the number of transitions in the buffer.
        """
        times = np.bincount(drawn, minlength=stored).astype(np.float64)
        self.met += (times * (times - 1)).sum() / 2
        self.expected += len(drawn) * (len(drawn) - 1) / 2 / stored
        return self.met - self.expected > 6 * self.expected**0.5


def checked_batches(
    answer: dict[str, Any], shape: tuple[int, int]
) -> dict[str, np.ndarray]:
    """Return the five fields in the shapes and dtypes that the update program takes.

    Args:
        answer: of the worker.
        shape: [n,B].

    Raises:
        Foul: a field is missing or of another shape, or actions are no integers.
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
    """Return whether an answer is this tree, bit for bit."""
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
    """Return each transition as bytes, by which a sampled row is recognised."""
    flat = [c.reshape(len(c), -1).astype(np.float32) for c in columns]
    table = np.concatenate(flat, axis=1)
    # -0.0 and 0.0 are one value.
    return [row.tobytes() for row in table + np.float32(0)]
