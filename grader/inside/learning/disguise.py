"""CartPole in disguise: its observations permuted and signed, its actions swapped."""

import itertools
from typing import Any

import gymnasium
import numpy as np

VARIANTS = [
    (order, signs, swap)
    for order in itertools.permutations(range(4))
    for signs in itertools.product((1, -1), repeat=4)
    for swap in (False, True)
]


class Disguise(gymnasium.vector.VectorWrapper):
    """CartPole in one variant.

    Args:
        envs: the vector environment.
        variant: of `VARIANTS`: order [4], signs [4], whether actions are swapped.
    """

    def __init__(self, envs: Any, variant: tuple) -> None:
        super().__init__(envs)
        order, signs, self.swap = variant
        self.order, self.signs = list(order), np.array(signs, np.float32)

    def reset(self, **options: Any) -> Any:
        """Reset as the environment does, disguised."""
        states, info = self.env.reset(**options)
        return self.disguised(states), info

    def step(self, actions: Any) -> Any:
        """Step as the environment does, disguised."""
        states, *rest = self.env.step(1 - actions if self.swap else actions)
        return self.disguised(states), *rest

    def disguised(self, states: np.ndarray) -> np.ndarray:
        """Return states [N,4] as the agent sees them."""
        return (states[:, self.order] * self.signs).astype(np.float32)


def spelled(variant: tuple) -> str:
    """Spell a variant: "+2-0+1+3", with "~" at the end if actions are swapped."""
    order, signs, swap = variant
    pairs = zip(signs, order, strict=True)
    return "".join(f"{'-+'[sign > 0]}{i}" for sign, i in pairs) + "~" * swap
