"""Disguise CartPole: permute observations, change their signs, and swap the actions."""

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
    """CartPole in a variant: observations and actions are disguised.

    Args:
        envs: CartPole as a vector environment.
        variant: a variant of `VARIANTS`: the order [4] of the four numbers of an
            observation, their signs [4], and whether the two actions are swapped.
    """

    def __init__(self, envs: Any, variant: tuple) -> None:
        super().__init__(envs)
        order, signs, self.swap = variant
        self.order, self.signs = list(order), np.array(signs, np.float32)

    def reset(self, **options: Any) -> Any:
        """Reset the environments; return the disguised observations [N,4] and info."""
        states, info = self.env.reset(**options)
        return self.disguised(states), info

    def step(self, actions: Any) -> Any:
        """Take a step in each environment; observations in the result are disguised.

        Args:
            actions: the agent's actions [N], which are swapped in some variants.

        Returns:
            The five values of gymnasium's `step`.
        """
        states, *rest = self.env.step(1 - actions if self.swap else actions)
        return self.disguised(states), *rest

    def disguised(self, states: np.ndarray) -> np.ndarray:
        """Return CartPole's states [N,4] in the form that the agent sees."""
        return (states[:, self.order] * self.signs).astype(np.float32)


def spelled(variant: tuple) -> str:
    """Return a variant as text, as "+2-0+1+3~"; the "~" means swapped actions."""
    order, signs, swap = variant
    pairs = zip(signs, order, strict=True)
    return "".join(f"{'-+'[sign > 0]}{i}" for sign, i in pairs) + "~" * swap
