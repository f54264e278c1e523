"""The class `Mutant`, and functions that make a mutant."""

from dataclasses import dataclass, replace

from tests.support.edits import EXERCISE_OF, edited, with_definitions


@dataclass(frozen=True)
class Mutant:
    """A wrong hand-in: the solution with one misconception.

    Attributes:
        id: short name of the misconception; the report shows it as `diagnosis`.
        part: name of the wrong function or class.
        severity: the effect on learning CartPole. "F": fails. "D": learns more slowly
            or less often. "S": no difference. "X": raises an exception.
        misconception: a few words that name the misconception, for tables.
        hint: text for a student with this mistake: what is wrong and, in brackets,
            which slides teach it. It may show a single right expression, but never the
            corrected part as a whole.
        source: text of the hand-in.
        border: True if the mistake is only just large enough for a check to notice.
            Such a mutant is too close to right work to be recognised by name.
        changes: pairs of an old text and its new text; () where the part is rewritten.
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
    """Return a mutant: the solution with changed text in one part.

    Args:
        part: name of the part.
        id: short name of the misconception.
        severity: a letter, see `Mutant`.
        misconception: a few words that name the misconception.
        hint: text for the student.
        changes: pairs of an old text and its new text, see `edited`.
    """
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
