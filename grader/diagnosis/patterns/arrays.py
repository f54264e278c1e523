"""Functions of arrays that several readers need."""

import numpy as np


def flat(leaves: list[np.ndarray]) -> np.ndarray:
    """Return all numbers of a list of arrays in one float64 vector [P]."""
    return np.concatenate([leaf.ravel() for leaf in leaves]).astype(np.float64)


def half(array: np.ndarray) -> np.ndarray:
    """Return float32 numbers, rounded to the precision of float16."""
    return array.astype(np.float16).astype(np.float32)


def bfloat(array: np.ndarray) -> np.ndarray:
    """Return float32 numbers, rounded to the precision of bfloat16.

    Each number becomes the nearest bfloat16; of two equally near ones the even one.
    """
    bits = array.astype(np.float32).view(np.uint32).astype(np.uint64)
    bits += 0x7FFF + ((bits >> 16) & 1)
    return (bits & 0xFFFF0000).astype(np.uint32).view(np.float32)
