"""The step size of a table's update, as a function of α and an episode's length T."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from grader.diagnosis.formulas.losses.scale import constant_words, rounded
from grader.diagnosis.reading import Difference

ADMIN = "(slides: Admin)"
# A growth is a function by which a step size may depend on α and the number T of steps.
# Each entry is a growth as text and as a function.
GROWTHS: tuple[tuple[str, Callable[[float, float], float]], ...] = (
    ("α", lambda a, t: a),
    ("", lambda a, t: 1.0),
    ("α/T", lambda a, t: a / t),
    ("α²", lambda a, t: a * a),
    ("(1 − α)", lambda a, t: 1 - a),
    ("1/T", lambda a, t: 1 / t),
    ("α T", lambda a, t: a * t),
    ("√α", lambda a, t: a**0.5),
    ("1/α", lambda a, t: 1 / a),
)
DIFFERENCES = {
    "sign-flipped": "Your cells move away from their targets: the sign of the move "
    "does not fit your η. With η = prediction - target, Q moves by minus α η "
    f"{ADMIN}.",
    "double-step": "Your cells move twice as far as they should: a 2, as from "
    f"differentiating η², has come in. The move is α η {ADMIN}.",
    "step-factor": f"Your moves have a factor of their own. The move is α η {ADMIN}.",
    "overwrites-target": "You overwrite the cell with its target, as if α were 1. The "
    "cell moves only the share α of the way from its old value to the target "
    f"{ADMIN}.",
    "alpha-constant": "Your step size is a number of its own, whatever α is passed in. "
    f"The move is α η {ADMIN}.",
    "mean-over-steps": "Your moves are divided by the number of steps, as in a mean "
    "loss. Each step moves its cell by α η_t, however long the episode is "
    f"{ADMIN}.",
    "alpha-squared": f"α has come in twice. The move is α η {ADMIN}.",
    "one-minus-alpha": "Your cells move the share 1 - α of the way: old value and "
    f"target have changed places. They move the share α {ADMIN}.",
}


STILL = (
    "The table comes back as it was. JAX's `.at` changes no array: it returns a new "
    "one, which has to be kept (docs: jax.Array.at)."
)


@dataclass(frozen=True)
class Size:
    """A step size: a constant times a function of α and an episode's length T.

    Attributes:
        constant: the constant; 0 if no cell moves, negative if cells move away from
            their targets.
        growth: the function as text, as in `GROWTHS`; "" if the step size is the same
            for all α and T.
    """

    constant: float
    growth: str

    def at(self, alpha: float, steps: int) -> float:
        """Return the step size for an episode with this α and this number of steps."""
        return self.constant * dict(GROWTHS)[self.growth](alpha, steps)

    def differences(self) -> tuple[Difference, ...]:
        """Return the mistakes in the step size; () if the step size is α."""
        size, names = abs(self.constant), []
        if not size:
            return (Difference("tab-at-discarded", STILL),)
        one = bool(np.isclose(size, 1, 1e-3))
        if self.constant < 0:
            names.append("sign-flipped")
        if self.growth == "":
            names.append("overwrites-target" if one else "alpha-constant")
        else:
            known = {
                "α/T": "mean-over-steps",
                "α²": "alpha-squared",
                "(1 − α)": "one-minus-alpha",
            }
            if self.growth != "α":
                names.append(known.get(self.growth, "step-factor"))
            if np.isclose(size, 2, 1e-3):
                names.append("double-step")
            elif not one and "step-factor" not in names:
                names.append("step-factor")
        return tuple(Difference(f"tab-{name}", DIFFERENCES[name]) for name in names)

    @property
    def words(self) -> str:
        """Minus the step size, as text: "−α" for the step size α, "α" for −α."""
        sign = "" if self.constant < 0 else "−"
        size = constant_words(abs(self.constant))
        if size == "1":
            size = "" if self.growth else "1"
        return sign + " ".join(part for part in (size, self.growth) if part)


def fitted(sizes: Sequence[tuple[float, float, int]]) -> Size | None:
    """Return the `Size` that gives the step sizes of all episodes.

    A `Size` is a constant times a function of α and T.

    Args:
        sizes: for each episode its step size as a number, its α, and its number T of
            steps.

    Returns:
        None if there is no such `Size`.
    """
    for words, growth in GROWTHS:
        constants = np.array([size / growth(a, t) for size, a, t in sizes])
        if np.abs(constants - constants[0]).max() <= 2e-4 * np.abs(constants).max():
            return Size(rounded(float(np.median(constants))), words)
    return None
