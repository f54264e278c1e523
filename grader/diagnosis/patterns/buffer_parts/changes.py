"""Tables of what can be wrong with the values of a field in drawn rows.

Three tables describe a wrong value. `WHERE` selects the wrong rows. In these rows, the
value comes from another transition (`OTHERS`), or a formula changes it (`CHANGES`). To
add a mistake, add an entry to a table.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from grader.contract.compare import number
from grader.diagnosis.patterns.buffer_parts.questions import (
    BLANK,
    CAPACITY,
    STORED,
    Rows,
)

FEW = 30  # number of batches in a quick test, which rejects most explanations


@dataclass(frozen=True)
class Batches:
    """Many batches from one buffer, and the transition to which each row belongs.

    Attributes:
        fields: values in n batches of B rows: for each field an array [n,B] or [n,B,D].
        ids: an array [n,B]: for each row the number of its transition, counted from 0
            in the order of adds; BLANK for a row from a place that was never filled, or
            for a row that is to be ignored.
        rows: all transitions: for each field an array with one entry per transition.
        newest: number of the newest transition.
        oldest: number of the oldest transition that a right buffer still holds.
    """

    fields: Rows
    ids: np.ndarray
    rows: Rows
    newest: int
    oldest: int

    def few(self) -> "Batches":
        """Return a copy with the first `FEW` batches only."""
        fields = {name: value[:FEW] for name, value in self.fields.items()}
        return replace(self, fields=fields, ids=self.ids[:FEW])

    def stored(self, name: str, ids: np.ndarray) -> np.ndarray:
        """Return the values of one field that were added to the buffer, in float64.

        Args:
            name: name of the field.
            ids: numbers of the transitions whose values are returned [n,B].

        Returns:
            Values [n,B], or [n,B,D] for a state. The number BLANK gives 0. A number
            that belongs to no transition gives NaN.
        """
        values = self.rows[name].astype(np.float64)[np.clip(ids, 0, STORED - 1)]
        values[(ids < 0) | (ids >= STORED)] = np.nan
        values[ids == BLANK] = 0
        return values


# ---------------------------------------------------------------- rows

Mask = Callable[[Batches], np.ndarray]
WHERE: dict[str, Mask] = {
    "": lambda b: b.ids >= 0,
    "where d is true": lambda b: b.stored("terminated", b.ids) == 1,
    "where d is false": lambda b: b.stored("terminated", b.ids) == 0,
    "in the newest transition": lambda b: b.ids == b.newest,
    "in the oldest transition": lambda b: b.ids == b.oldest,
    "in all but the newest": lambda b: (b.ids >= 0) & (b.ids != b.newest),
    "in all but the oldest": lambda b: (b.ids >= 0) & (b.ids != b.oldest),
    "where r is negative": lambda b: b.stored("reward", b.ids) < 0,
    "where r is positive": lambda b: b.stored("reward", b.ids) > 0,
}

# ---------------------------------------------------------------- other transitions


def following(b: Batches) -> np.ndarray:
    """Return for each row the transition that was added after the row's transition.

    After the newest transition comes the oldest one.

    Args:
        b: batches, with the transition of each row.

    Returns:
        An array [n,B] of numbers of transitions.
    """
    return np.where(b.ids == b.newest, b.oldest, b.ids + 1)


def preceding(b: Batches) -> np.ndarray:
    """Return for each row the transition that was added before the row's transition.

    Before the oldest transition comes the newest one.

    Args:
        b: batches, with the transition of each row.

    Returns:
        An array [n,B] of numbers of transitions.
    """
    return np.where(b.ids == b.oldest, b.newest, b.ids - 1)


def place_after(b: Batches) -> np.ndarray:
    """Return for each row the transition stored one place after the row's transition.

    The storage is a ring: after the last place comes place 0.

    Args:
        b: batches, with the transition of each row.

    Returns:
        An array [n,B] of numbers of transitions. If the row's transition is in place p,
        the entry is the transition in place p + 1, or BLANK if this place is empty.
    """
    blank = b.newest - b.oldest + 1 < CAPACITY
    return np.where((b.ids == b.newest) & blank, BLANK, following(b))


OTHERS: dict[str, Callable[[Batches], np.ndarray]] = {
    "the transition stored after the sampled one": following,
    "the transition stored after the sampled one, 0 where there is none": place_after,
    "the transition stored before the sampled one": preceding,
    "the newest transition": lambda b: np.full(b.ids.shape, b.newest),
    "the oldest transition": lambda b: np.full(b.ids.shape, b.oldest),
    "the next row of the batch": lambda b: np.roll(b.ids, -1, axis=1),
    "the row before in the batch": lambda b: np.roll(b.ids, 1, axis=1),
    "the batch's first row": lambda b: b.ids[:, :1] + 0 * b.ids,
    "the batch's last row": lambda b: b.ids[:, -1:] + 0 * b.ids,
}

# ---------------------------------------------------------------- changes of values


@dataclass(frozen=True)
class Change:
    """One way in which code changes the values of a field.

    Attributes:
        kind: short name of the change; it becomes part of the mistake's name.
        text: formula of the changed value, with {x} for the right value and {c} for a
            constant.
        hint: verb phrase for the student about the values, such as "are always {c}";
            {c} is a constant.
        value: function of two arrays of one shape: the right values x, and the
            hand-in's values y. It returns x after the change. If the change has a
            constant, the function estimates it from x and y.
    """

    kind: str
    text: str
    hint: str
    value: Callable[..., np.ndarray]

    @property
    def over_batch(self) -> bool:
        """Whether the hand-in's values may deviate more than usual from `value`.

        True for changes that normalise within a batch, and for the kind "squashed":
        their results have larger rounding errors.
        """
        return "normalised" in self.kind or self.kind == "squashed"


def over_batch(x: np.ndarray, what: str, ddof: int = 0) -> np.ndarray:
    """Return a statistic over the rows of each batch, such as the mean.

    Args:
        x: values of n batches of B rows [n,B,...].
        what: "std", or the name of a NumPy function such as "mean" or "max".
        ddof: for "std" only: the squared deviations are divided by B − ddof.

    Returns:
        The statistic [n,1,...]. A "std" is enlarged by 1e-8. If B ≤ ddof, an array of
        NaN in the shape of x.
    """
    if x.shape[1] <= ddof:
        return np.full_like(x, np.nan)
    if what == "std":
        return x.std(axis=1, keepdims=True, ddof=ddof) + 1e-8
    return getattr(np, what)(x, axis=1, keepdims=True)


def factor(x: np.ndarray, y: np.ndarray) -> float:
    """Estimate c in y = c x: return y / x at the entry with the largest |x|.

    The result is NaN if c is 0.

    Args:
        x: right values of a field.
        y: the hand-in's values of this field, in the same shape.
    """
    at = np.nanargmax(np.abs(x))
    return float(y.ravel()[at] / x.ravel()[at]) or np.nan


def shift(x: np.ndarray, y: np.ndarray) -> float:
    """Estimate c in y = x + c: return the median of y - x.

    Args:
        x: right values of a field.
        y: the hand-in's values of this field, in the same shape.
    """
    return float(np.nanmedian(y - x))


def rounded(value: float) -> float:
    """Return a number rounded to four significant digits; NaN if it is not finite."""
    return float(f"{value:.4g}") if np.isfinite(value) else np.nan


def limit(x: np.ndarray, y: np.ndarray) -> float:
    """Estimate c in y = clip(x, −c, c): return the largest |y|.

    The result is NaN if all y are 0.

    Args:
        x: right values of a field; not used.
        y: the hand-in's values of this field.
    """
    return float(np.nanmax(np.abs(y))) or np.nan


def within_batch(x: np.ndarray, y: np.ndarray, ddof: int = 0) -> np.ndarray:
    """Return x normalised within each batch to mean 0 and standard deviation 1.

    Args:
        x: right values of a field, in n batches of B rows [n,B,...].
        y: the hand-in's values; not used.
        ddof: for the standard deviation, the squared deviations are divided by B −
            ddof.
    """
    return (x - over_batch(x, "mean")) / over_batch(x, "std", ddof)


WHOLE = "lose what stands after the decimal point, as in an array of whole numbers"
CHANGES: list[Change] = [
    Change("whole", "trunc({x})", WHOLE, lambda x, y: np.trunc(x)),
    Change(
        "whole", "round({x})", "are rounded to whole numbers", lambda x, y: x.round()
    ),
    Change("whole", "floor({x})", WHOLE, lambda x, y: np.floor(x)),
    Change(
        "half",
        "{x} in float16",
        "lose digits, as in float16, which keeps three",
        lambda x, y: x.astype(np.float16).astype(np.float64),
    ),
    Change("negated", "−{x}", "have the opposite sign", lambda x, y: -x),
    Change("size", "|{x}|", "lose their sign", lambda x, y: np.abs(x)),
    Change("sign", "sign({x})", "are replaced by their sign", lambda x, y: np.sign(x)),
    Change(
        "clipped",
        "clip({x}, −{c}, {c})",
        "are clipped to between −{c} and {c}",
        lambda x, y: np.clip(x, -limit(x, y), limit(x, y)),
    ),
    Change(
        "clipped",
        "clip({x}, 0, {c})",
        "are clipped to between 0 and {c}",
        lambda x, y: np.clip(x, 0, limit(x, y)),
    ),
    Change("clipped", "max({x}, 0)", "are cut below 0", lambda x, y: np.maximum(x, 0)),
    Change("clipped", "min({x}, 1)", "are cut above 1", lambda x, y: np.minimum(x, 1)),
    Change("clipped", "min({x}, 0)", "are cut above 0", lambda x, y: np.minimum(x, 0)),
    Change(
        "clipped", "max({x}, −1)", "are cut below −1", lambda x, y: np.maximum(x, -1)
    ),
    Change("squashed", "tanh({x})", "are squashed by tanh", lambda x, y: np.tanh(x)),
    Change(
        "squashed",
        "sign({x}) log(1 + |{x}|)",
        "are squashed by a logarithm",
        lambda x, y: np.sign(x) * np.log1p(np.abs(x)),
    ),
    Change(
        "squashed",
        "sign({x}) √|{x}|",
        "are squashed by a root",
        lambda x, y: np.sign(x) * np.sqrt(np.abs(x)),
    ),
    Change(
        "normalised",
        "({x} − mean) / std, over the batch",
        "are normalised to mean 0 within each batch",
        within_batch,
    ),
    Change(
        "normalised",
        "({x} − mean) / std (with B − 1), over the batch",
        "are normalised to mean 0 within each batch",
        lambda x, y: within_batch(x, y, 1),
    ),
    Change(
        "normalised",
        "{x} − the batch's mean",
        "are moved to mean 0 within each batch",
        lambda x, y: x - over_batch(x, "mean"),
    ),
    Change(
        "normalised",
        "{x} / the batch's std",
        "are divided by the deviation within each batch",
        lambda x, y: x / over_batch(x, "std"),
    ),
    Change(
        "normalised",
        "{x} / the batch's largest size",
        "are divided by the largest size within each batch",
        lambda x, y: x / over_batch(np.abs(x), "max"),
    ),
    Change("not", "¬{x}", "are the opposite of what was stored", lambda x, y: 1.0 - x),
    Change("missing", "0", "are 0", lambda x, y: np.zeros_like(x)),
    Change("missing", "NaN", "are NaN", lambda x, y: np.full_like(x, np.nan)),
    Change(
        "constant",
        "{c}",
        "are always {c}",
        lambda x, y: np.full_like(x, float(y.ravel()[0])),
    ),
    Change(
        "bool",
        "[{x} ≠ 0]",
        "become 1, or 0 where they are 0, as in an array of bools",
        lambda x, y: (x != 0).astype(np.float64),
    ),
    Change(
        "scaled",
        "{c} {x}",
        "are {c} times what was stored",
        lambda x, y: factor(x, y) * x,
    ),
    Change(
        "shifted",
        "{x} + {c}",
        "are {c} more than what was stored",
        lambda x, y: x + shift(x, y),
    ),
]
CHANGES.append(
    Change(
        "clipped+whole",
        "trunc(clip({x}, −1, 1))",
        "are clipped to between −1 and 1, and then " + WHOLE,
        lambda x, y: np.trunc(np.clip(x, -1, 1)),
    )
)
# Two changes, one after the other: the second one normalises within the batch.
CHANGES += [
    Change(
        f"{first.kind}+normalised",
        f"{first.text}, then {then.text}".replace("{c}", "1"),
        f"{first.hint}, and then {then.hint}".replace("{c}", "1"),
        lambda x, y, first=first, then=then: then.value(first.value(x, 0 * x + 1), y),
    )
    for first, then in itertools.product(
        [c for c in CHANGES if c.kind in ("whole", "half", "clipped", "sign")],
        [c for c in CHANGES if c.kind == "normalised"],
    )
]
CONSTANT: dict[str, Callable[..., float]] = {
    "clipped": limit,
    "constant": lambda x, y: float(y.ravel()[0]),
    "scaled": factor,
    "shifted": shift,
}


def constant_of(change: Change, x: np.ndarray, y: np.ndarray) -> str:
    """Return the constant {c} of a change as text; "" for a change without a constant.

    Args:
        change: the change.
        x: right values of the field.
        y: the hand-in's values of the field, in the same shape. The constant is
            estimated from x and y.
    """
    if "{c}" not in change.text + change.hint:
        return ""
    return number(rounded(CONSTANT[change.kind](x, y)))
