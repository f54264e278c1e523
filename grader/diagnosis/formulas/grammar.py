"""How choices make formulas: slots, choices, and the differences from right code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from grader.diagnosis.reading import Difference


@dataclass(frozen=True)
class Choice:
    """One way to fill a slot of the formula.

    Attributes:
        words: as it stands in the formula.
        of: computes it.
        name: of the mistake, without the part's prefix; "" for right code, and for a
            choice that is a mistake only together with others.
        hint: what is wrong with it.
        names: of the mistake in one part, where it is another; None where the choice
            does not exist in that part.
    """

    words: str
    of: Callable[..., Any]
    name: str = ""
    hint: str = ""
    names: Mapping[str, str | None] | None = None


@dataclass(frozen=True)
class Joint:
    """One mistake that fills several slots, by the words of their choices."""

    name: str
    hint: str
    slots: Mapping[str, str]
    names: Mapping[str, str | None] | None = None


PREFIX = {"td_loss": "td", "update_Q_TD0": "tab", "mc_loss": "mc"}


def named(item: "Choice | Joint", part: str) -> Difference | None:
    """Return the difference that a choice makes in a part; None where it has none."""
    prefix = PREFIX[part]
    name = (item.names or {}).get(prefix, item.name and f"{prefix}-{item.name}")
    return Difference(name, item.hint) if name else None


@dataclass(frozen=True)
class Formula:
    """A choice for each slot, and how it differs from right code."""

    choices: Mapping[str, Choice]
    differences: tuple[Difference, ...] = ()

    def __getitem__(self, slot: str) -> Choice:
        return self.choices[slot]

    def changed(self, difference: Difference | None, **choices: Choice) -> "Formula":
        """Return the formula with other choices, and one more difference."""
        more = (difference,) if difference else ()
        return Formula({**self.choices, **choices}, (*self.differences, *more))


class Grammar:
    """The slots of one half of a formula, and all mistakes in them.

    Args:
        part: of the contract.
        slots: by name, their choices, the right one first.
        joints: mistakes that fill several slots.
    """

    def __init__(
        self,
        part: str,
        slots: Mapping[str, tuple[Choice, ...]],
        joints: tuple[Joint, ...] = (),
    ) -> None:
        self.part, self.slots = part, slots
        self.column = {slot: i for i, slot in enumerate(slots)}
        self.differences: list[Difference] = []
        edits: list[dict[str, int]] = []
        for joint in joints:
            if difference := named(joint, part):
                self.differences.append(difference)
                edits.append({s: self.index(s, w) for s, w in joint.slots.items()})
        for slot, choices in slots.items():
            for i, choice in enumerate(choices):
                difference = named(choice, part) if i else None
                if difference:
                    self.differences.append(difference)
                    edits.append({slot: i})
        self.edits = np.full((len(edits), len(slots)), -1)
        for row, edit in zip(self.edits, edits, strict=True):
            for slot, i in edit.items():
                row[self.column[slot]] = i
        self.combinations = cache(self._combinations)

    def index(self, slot: str, words: str) -> int:
        """Return the number of a choice by its words."""
        return [choice.words for choice in self.slots[slot]].index(words)

    def _combinations(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return all formulas with so many differences.

        Returns:
            The numbers of the choices [N, slots], and of the differences [N, count].
        """
        if count == 0:
            return np.zeros((1, len(self.slots)), int), np.empty((1, 0), int)
        fewer, before = self.combinations(count - 1)
        last = before[:, -1] if count > 1 else np.full(len(before), -1)
        first = np.repeat(np.arange(len(fewer)), len(self.edits))
        then = np.tile(np.arange(len(self.edits)), len(fewer))
        touched = fewer[first] > 0
        keep = (then > last[first]) & ~(touched & (self.edits[then] >= 0)).any(axis=1)
        first, then = first[keep], then[keep]
        edits = self.edits[then]
        formulas = np.where(edits >= 0, edits, fewer[first])
        return formulas, np.column_stack([before[first], then])

    def formula(self, numbers: np.ndarray, which: np.ndarray) -> Formula:
        """Return one of the combinations as a formula."""
        choices = {
            slot: self.slots[slot][int(numbers[i])] for slot, i in self.column.items()
        }
        return Formula(choices, tuple(self.differences[int(i)] for i in which))
