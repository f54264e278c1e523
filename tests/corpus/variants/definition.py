"""The class `Variant`, and functions that make a variant."""

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from grader.contract.exercises import UNITS
from tests.support.edits import EXERCISE_OF, edited, with_definitions
from tests.support.handins import HandIn


@dataclass(frozen=True)
class Variant:
    """A right hand-in in another style than the solution.

    Attributes:
        name: a few words that say what differs from the solution.
        exercises: names of the exercises that must get full points.
        source: text of the hand-in.
        fresh: True if the hand-in changes JAX's settings.
    """

    name: str
    exercises: tuple[str, ...]
    source: str
    fresh: bool = False

    @property
    def id(self) -> str:
        """The name with hyphens for blanks and punctuation, for `make prove IDS=…`."""
        return "-".join(re.findall(r"\w+", self.name))

    @property
    def hand_in(self) -> HandIn:
        """The hand-in in the form that `grade_warm` takes, with `exercises`."""
        return HandIn(self.name, self.source, self.exercises, self.fresh)

    @property
    def learning(self) -> HandIn:
        """The hand-in in the form that `grade_warm` takes, with exercise 9 only."""
        return HandIn(self.name, self.source, ("learning",), self.fresh)


def rewritten(part: str, name: str, code: str) -> Variant:
    """Return a variant: the solution with new code for one part.

    Args:
        part: name of the part.
        name: a few words that say what differs.
        code: definition of the part, and of functions that the part calls.
    """
    exercise = EXERCISE_OF[part]
    return Variant(f"{exercise}: {name}", (exercise,), with_definitions(code))


def with_body(part: str, signature: str, name: str, body: str) -> Variant:
    """Return a variant: the solution with a new body for one function.

    Args:
        part: name of the function.
        signature: the function's parameters, as text.
        name: a few words that say what differs.
        body: new body of the function, not indented.
    """
    code = indent(body.strip("\n"), "    ")
    return rewritten(part, name, f"def {part}({signature}):\n{code}\n")


def changed(part: str, name: str, *changes: tuple[str, str]) -> Variant:
    """Return a variant: the solution with changed text in one part.

    Args:
        part: name of the part.
        name: a few words that say what differs.
        changes: pairs of an old text and its new text, see `edited`.
    """
    exercise = EXERCISE_OF[part]
    return Variant(f"{exercise}: {name}", (exercise,), edited(part, *changes))


def whole(path: Path) -> Variant:
    """Read a variant from a whole `dqn.py`; exercises 1–8 must get full points."""
    source = path.read_text()
    name = path.stem.replace("_", " ")
    return Variant(name, tuple(UNITS), source, fresh="jax.config" in source)
