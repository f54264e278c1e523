"""The factor by which a hand-in's loss differs from a formula's loss.

The factor may depend on the number B of rows and on the number A of actions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from grader.diagnosis.formulas.grammar import PREFIX
from grader.diagnosis.reading import Difference

REVIEW = "(slides: Deep Learning Review)"
# A growth is a function by which a factor may depend on the number B of rows and the
# number A of actions. Each entry is a growth as text and as a function.
GROWTHS: tuple[tuple[str, Callable[[float, float], float]], ...] = (
    ("", lambda b, a: 1.0),
    ("B", lambda b, a: b),
    ("1/A", lambda b, a: 1 / a),
    ("A", lambda b, a: a),
    ("B A", lambda b, a: b * a),
    ("B²", lambda b, a: b * b),
    ("√B", lambda b, a: b**0.5),
    ("1/B", lambda b, a: 1 / b),
    ("B/A", lambda b, a: b / a),
)
SUMS = ("B", "B A", "B²", "√B")
HINTS = {
    "sum": "Your loss grows with the number of transitions, as with a sum over them, "
    f"like the slides' Σ; the homework asks for the mean {REVIEW}.",
    "len-of-batch": "You divide by 5, whatever B is: the `len` of a Transition is the "
    f"number of its fields. The mean divides by B, the number of transitions {REVIEW}.",
    "fixed-divisor": "You divide the sum by a number that is not the number of "
    f"transitions. The mean divides by B, however many are passed in {REVIEW}.",
    "half": "A ½ stands before your loss, as in optax.l2_loss. None is asked for "
    f"{REVIEW}.",
    "negative": "A minus stands before your loss. Gradient descent minimises: the "
    "mean square itself is the loss, and to minimise its negative makes the errors "
    f"large {REVIEW}.",
    "divides-by-A": "Your loss is divided by A, the number of actions, as when the "
    "mean also counts zeros for the actions not taken. It runs over the B transitions "
    f"alone {REVIEW}.",
    "divides-twice": "Your loss is divided by the number of transitions, as when a "
    f"mean is divided by it once more {REVIEW}.",
    "factor": "A factor stands before your loss. The plain mean of the squares is "
    f"asked for {REVIEW}.",
}
NAMES = {"mc-negative": "mc-negated", "mc-divides-by-A": "mc-mean-over-actions"}
FRACTIONS = {Fraction(1, 2): "½", Fraction(1, 4): "¼", Fraction(3, 4): "¾"}


@dataclass(frozen=True)
class Scale:
    """A factor of a loss: a constant times a function of B (rows) and A (actions).

    Attributes:
        constant: the constant.
        growth: the function as text, as in `GROWTHS`; "" if the factor is the same for
            all B and A.
    """

    constant: float = 1.0
    growth: str = ""

    def at(self, size: float, width: float) -> float:
        """Return the factor for a batch of `size` rows and `width` actions."""
        return self.constant * dict(GROWTHS)[self.growth](size, width)

    def names(self, natural: str) -> list[str]:
        """Return the mistakes in this factor of a loss, as keys of `HINTS`.

        Args:
            natural: what a factor without mistakes is proportional to, as text: "B" for
                the number of rows, "A" for the number of actions, "B A" for B·A. ""
                means that a factor without mistakes depends on neither.

        Returns:
            A list such as ["sum"]; [] if the factor has no mistake.
        """
        size, names = abs(self.constant), []
        if self.constant < 0:
            names.append("negative")
        if self.growth == natural:
            names += named_constant(size)
        elif self.growth in SUMS:
            if np.isclose(size, 0.2, 1e-3) and self.growth == "B":
                names.append("len-of-batch")
            elif size < 0.4 and abs(1 / size - round(1 / size)) < 1e-3 / size:
                names.append("fixed-divisor")
            else:
                names += ["sum", *named_constant(size)]
        elif self.growth in ("1/A", "B/A") or natural == "A":
            names.append("divides-by-A")
            names += ["sum"] * (self.growth == "B/A") + named_constant(size)
        elif self.growth == "1/B":
            names += ["divides-twice", *named_constant(size)]
        else:
            names.append("factor")
        return names

    def differences(self, part: str, natural: str) -> tuple[Difference, ...]:
        """Return the mistakes in this factor of a loss, with names and hints.

        Args:
            part: name of the part, "td_loss" or "mc_loss".
            natural: what a factor without mistakes is proportional to, as text: "B" for
                the number of rows, "A" for the number of actions, "B A" for B·A. ""
                means that a factor without mistakes depends on neither.

        Returns:
            () if the factor has no mistake.
        """
        names = self.names(natural)
        if part == "mc_loss":  # it gets no Transition, whose `len` is 5
            names = [n.replace("len-of-batch", "fixed-divisor") for n in names]
        found = [(f"{PREFIX[part]}-{name}", name) for name in names]
        return tuple(Difference(NAMES.get(id, id), HINTS[name]) for id, name in found)

    def words(self, natural: str, mean: str) -> str:
        """Return the text of a loss with this factor before it: "½ mean (Q(s,a) − y)²".

        "B" before "mean" is written as the sum "Σ_i".

        Args:
            natural: what a factor without mistakes is proportional to: "B" (rows), "A"
                (actions), "B A" for B·A, or "" for neither. If this factor is
                proportional to the same, only its constant is written.
            mean: the text of the loss without the factor, such as
                "mean (Q(s,a) − y)²".
        """
        growth = self.growth if self.growth != natural else ""
        if growth == "B" and mean.startswith("mean"):
            mean, growth = "Σ_i" + mean.removeprefix("mean"), ""
        before = constant_words(self.constant)
        before = {"1": "", "−1": "−"}.get(before, f"{before} ")
        return f"{before}{growth + ' ' if growth else ''}{mean}"


def named_constant(size: float) -> list[str]:
    """Return the mistake in a constant factor of a loss, in a list of keys of `HINTS`.

    Args:
        size: the absolute value of the constant.

    Returns:
        ["half"] for ½, [] for 1, and ["factor"] for any other constant.
    """
    if np.isclose(size, 1, 1e-3):
        return []
    return ["half"] if np.isclose(size, 0.5, 1e-3) else ["factor"]


def fitted(factors: Sequence[tuple[float, int, int]]) -> Scale | None:
    """Return the `Scale` that gives the factors of all questions.

    A `Scale` is a constant times a function of B and A.

    Args:
        factors: for each question a triple: the factor of the loss, the number B of
            rows and the number A of actions.

    Returns:
        None if there is no such `Scale`.
    """
    for words, growth in GROWTHS:
        constants = np.array([factor / growth(b, a) for factor, b, a in factors])
        if np.abs(constants - constants[0]).max() <= 1e-4 * np.abs(constants).max():
            return Scale(rounded(float(np.median(constants))), words)
    return None


def rounded(value: float) -> float:
    """Return the simple fraction or short decimal that is nearly equal to a value.

    A simple fraction has a denominator up to 128. A short decimal has at most four
    significant digits.

    Returns:
        The value itself if there is no such number.
    """
    near = Fraction(value).limit_denominator(128)
    if near and abs(float(near) - value) <= 5e-5 * abs(value):
        return float(near)
    for digits in range(1, 5):
        short = float(f"{value:.{digits}g}")
        if abs(short - value) <= 5e-5 * abs(value):
            return short
    return value


def constant_words(value: float) -> str:
    """Return the text of a constant, as people write it: ½, 1/64, 0.99, −2."""
    sign, size = ("−" if value < 0 else ""), abs(value)
    near = Fraction(size).limit_denominator(128)
    if near and abs(float(near) - size) <= 1e-5 * size and near.denominator > 1:
        if near in FRACTIONS:
            return sign + FRACTIONS[near]
        if near.numerator == 1 and near.denominator not in (10, 20, 50, 100):
            return f"{sign}1/{near.denominator}"
    return f"{sign}{size:.4g}"
