"""The class `Mutant`, and functions that make a mutant."""

from dataclasses import dataclass, replace

from tests.support.edits import EXERCISE_OF, edited, with_definitions


@dataclass(frozen=True)
class Mutant:
    """A wrong hand-in: the solution with one misconception.

    Attributes:
        id: of the misconception, as it stands in a report's `diagnosis`.
        part: of the contract that is wrong, a function's or class' name.
        severity: F fails CartPole, D degrades, S silent, X raises.
        misconception: in a few words, for the table.
        hint: what a student reads when their work answers like this one: what is wrong
            and, in brackets, which slides teach it; never the corrected code.
        source: of the hand-in.
        border: it is wrong by hardly more than chance allows: it proves how little a
            check notices, and is too close to right work to be recognised by name.
        changes: the words of the part that are others, (old, new); () where the part
            is written anew.
    """

    id: str
    part: str
    severity: str
    misconception: str
    hint: str
    source: str
    border: bool = False
    changes: tuple[tuple[str, str], ...] = ()

    @property
    def exercise(self) -> str:
        """Name of the exercise that must lose points."""
        return EXERCISE_OF[self.part]


def changed(
    part: str,
    id: str,
    severity: str,
    misconception: str,
    hint: str,
    *changes: tuple[str, str],
) -> Mutant:
    """A mutant in which some words of the solution's part are others."""
    source = edited(part, *changes)
    return Mutant(id, part, severity, misconception, hint, source, changes=changes)


def rewritten(
    part: str, id: str, severity: str, misconception: str, hint: str, code: str
) -> Mutant:
    """Return a mutant: the solution with new code for one part.

    Args:
        part: name of the part.
        id: short name of the misconception.
        severity: a letter, see `Mutant`.
        misconception: a few words that name the misconception.
        hint: text for the student.
        code: definition of the part, and of functions that the part calls.
    """
    return Mutant(id, part, severity, misconception, hint, with_definitions(code))


def on_the_border(mutant: Mutant) -> Mutant:
    """Return a copy of the mutant with `border=True`."""
    return replace(mutant, border=True)
