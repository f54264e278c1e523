"""The two sources of a case's numbers.

`Fixed` draws with a fixed seed, for the fixed cases; `make reference` records the right
answers to these cases. `Drawn` draws with hypothesis, which shrinks a case that fails.
"""

import math
import zlib
from collections.abc import Callable
from typing import Any, Protocol

import hypothesis.strategies as st
import numpy as np

QUARTERS = 16  # `Drawn` draws multiples of 1/4, up to 16/4 = 4


class Source(Protocol):
    """Interface of an object that supplies the numbers of a case."""

    def reals(self, *shape: int) -> np.ndarray:
        """Return an array of this shape with float32 numbers in [-4, 4]."""

    def whole(self, below: int, *shape: int) -> np.ndarray:
        """Return an array of this shape with int32 numbers in [0, below)."""

    def flags(self, *shape: int) -> np.ndarray:
        """Return an array of this shape with random booleans."""

    def pick(self, options: list[Any]) -> Any:
        """Return one of the options; hypothesis shrinks towards the first option."""

    def generator(self) -> np.random.Generator:
        """Return a NumPy generator, for large arrays such as a network's parameters."""


class Fixed:
    """A source of numbers that are the same in every run.

    Args:
        name: any text; the seed is computed from it.
    """

    def __init__(self, name: str) -> None:
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))

    def reals(self, *shape: int) -> np.ndarray:
        return np.round(self.rng.uniform(-4, 4, shape), 2).astype(np.float32)

    def whole(self, below: int, *shape: int) -> np.ndarray:
        return self.rng.integers(0, below, shape).astype(np.int32)

    def flags(self, *shape: int) -> np.ndarray:
        return self.rng.integers(0, 2, shape).astype(bool)

    def pick(self, options: list[Any]) -> Any:
        return options[self.rng.integers(len(options))]

    def generator(self) -> np.random.Generator:
        return self.rng


class Drawn:
    """A source of numbers that hypothesis draws, and shrinks when a check fails.

    Args:
        draw: the function `draw` that hypothesis passes to a composite strategy.
    """

    def __init__(self, draw: Callable) -> None:
        self.draw = draw

    def reals(self, *shape: int) -> np.ndarray:
        size = self.below(2 * QUARTERS + 1, shape)
        signed = np.where(size % 2, size // 2 + 1, -(size // 2))  # 0, 1, -1, 2, -2, ...
        return (signed / 4).astype(np.float32)

    def whole(self, below: int, *shape: int) -> np.ndarray:
        return self.below(below, shape)

    def flags(self, *shape: int) -> np.ndarray:
        return self.below(2, shape).astype(bool)

    def below(self, limit: int, shape: tuple[int, ...]) -> np.ndarray:
        """Return an array of this shape with int32 numbers in [0, limit).

        One draw of bytes gives all numbers. One draw for each number would take most of
        the time of a check.

        Args:
            limit: the numbers are below this limit, which is at most 256.
            shape: shape of the array.
        """
        size = math.prod(shape)
        drawn = self.draw(st.binary(min_size=size, max_size=size))
        return np.frombuffer(drawn, np.uint8).reshape(shape).astype(np.int32) % limit

    def pick(self, options: list[Any]) -> Any:
        return self.draw(st.sampled_from(options))

    def generator(self) -> np.random.Generator:
        return np.random.default_rng(self.draw(st.integers(0, 2**16)))
