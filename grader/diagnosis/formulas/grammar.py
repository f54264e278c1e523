"""Formulas with one choice for each slot, and how they differ from right code.

A slot is a term of a formula, such as the reward or the mask.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from grader.diagnosis.reading import Difference


@dataclass(frozen=True)
class Choice:
    """One thing that code may compute for a slot, which is a term of a formula.

    Attributes:
        words: the text of the choice in the formula.
        compute: the function that computes the slot's value; its arguments depend on
            the slot.
        name: the mistake's name without the part's prefix; "" for right code, and for a
            choice that is no mistake by itself.
        hint: the sentences that explain the mistake to the student; "" for right code.
        names: full names of the mistake in some parts, such as {"mc": "mc-columns"}. A
            key is the part's prefix, see `PREFIX`. In all other parts the full name is
            the prefix, a "-" and `name`. None in place of a full name means that
            formulas of this part have the choice only as a piece of a `Joint`.
    """

    words: str
    compute: Callable[..., Any]
    name: str = ""
    hint: str = ""
    names: Mapping[str, str | None] | None = None


@dataclass(frozen=True)
class Joint:
    """One mistake that changes the choices of several slots.

    Attributes:
        name: the mistake's name without the part's prefix.
        hint: the sentences that explain the mistake to the student.
        slots: for each slot that changes, the text `words` of its new choice.
        names: full names of the mistake in some parts, as in `Choice`.
    """

    name: str
    hint: str
    slots: Mapping[str, str]
    names: Mapping[str, str | None] | None = None


PREFIX = {"td_loss": "td", "update_Q_TD0": "tab", "mc_loss": "mc"}


def difference_of(item: "Choice | Joint", part: str) -> Difference | None:
    """Return a mistake's full name in a part, and its hint.

    Args:
        item: the choice or joint that is the mistake.
        part: name of the part.

    Returns:
        None if the choice is right code, or if the item has no name in this part.
    """
    prefix = PREFIX[part]
    name = (item.names or {}).get(prefix, item.name and f"{prefix}-{item.name}")
    return Difference(name, item.hint) if name else None


@dataclass(frozen=True)
class Formula:
    """What a part computes: one choice for each slot, which is a term of the formula.

    Attributes:
        choices: the choices, by name of the slot.
        differences: all differences of the formula from right code.
    """

    choices: Mapping[str, Choice]
    differences: tuple[Difference, ...] = ()

    def __getitem__(self, slot: str) -> Choice:
        return self.choices[slot]

    def changed(self, difference: Difference | None, **choices: Choice) -> "Formula":
        """Return a copy of the formula with some choices replaced.

        Args:
            difference: the difference from right code that the new choices add; None to
                add none.
            choices: the new choices, by name of the slot.
        """
        more = (difference,) if difference else ()
        return Formula({**self.choices, **choices}, (*self.differences, *more))


class Grammar:
    """The slots of a formula, or some of them, and all mistakes in these slots.

    A slot is a term of the formula.

    Args:
        part: name of the part that the formulas are for.
        slots: the choices of each slot, by name of the slot; the right choice is first.
        joints: the mistakes that change several slots.

    Attributes:
        column: the index of each slot, by name.
        differences: all M mistakes, each with its name and hint.
        edits: the index of the choice that each mistake puts into each slot [M, slots];
            -1 if the mistake does not change the slot.
        combinations: the method `_combinations`, with its results cached.
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
            if difference := difference_of(joint, part):
                self.differences.append(difference)
                edits.append({s: self.index(s, w) for s, w in joint.slots.items()})
        for slot, choices in slots.items():
            for i, choice in enumerate(choices):
                difference = difference_of(choice, part) if i else None
                if difference:
                    self.differences.append(difference)
                    edits.append({slot: i})
        self.edits = np.full((len(edits), len(slots)), -1)
        for row, edit in zip(self.edits, edits, strict=True):
            for slot, i in edit.items():
                row[self.column[slot]] = i
        self.combinations = cache(self._combinations)

    def index(self, slot: str, words: str) -> int:
        """Return the index of a slot's choice whose text is `words`.

        Raises:
            ValueError: the slot has no such choice.
        """
        return [choice.words for choice in self.slots[slot]].index(words)

    def _combinations(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return all N formulas that have `count` differences from right code.

        Returns:
            For each formula, the index of the choice in each slot [N, slots], and the
            indices of the formula's differences in `differences` [N, count].
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
        """Return a formula that is given by indices, as from `combinations`.

        Args:
            numbers: the index of the formula's choice in each slot [slots].
            which: the indices of the formula's differences in `differences` [count].
        """
        choices = {
            slot: self.slots[slot][int(numbers[i])] for slot, i in self.column.items()
        }
        return Formula(choices, tuple(self.differences[int(i)] for i in which))
