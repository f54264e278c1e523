"""What a variant is, and the ways to write one down."""

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from tests.support.edits import EXERCISE_OF, edited, with_definitions
from tests.support.handins import PARTS, HandIn


@dataclass(frozen=True)
class Variant:
    """A right hand-in.

    Attributes:
        name: how it differs.
        exercises: that have to get full marks.
        source: of the hand-in.
        fresh: it changes JAX's settings.
    """

    name: str
    exercises: tuple[str, ...]
    source: str
    fresh: bool = False

    @property
    def id(self) -> str:
        """The name in one word, for `make prove`."""
        return "-".join(re.findall(r"\w+", self.name))

    @property
    def hand_in(self) -> HandIn:
        """What to grade of it."""
        return HandIn(self.name, self.source, self.exercises, self.fresh)

    @property
    def learning(self) -> HandIn:
        """The same hand-in, to be graded on exercise 9."""
        return HandIn(self.name, self.source, ("learning",), self.fresh)


def rewritten(part: str, name: str, code: str) -> Variant:
    """One part written anew, with what it needs."""
    exercise = EXERCISE_OF[part]
    return Variant(f"{exercise}: {name}", (exercise,), with_definitions(code))


def with_body(part: str, signature: str, name: str, body: str) -> Variant:
    """One function with another body."""
    code = indent(body.strip("\n"), "    ")
    return rewritten(part, name, f"def {part}({signature}):\n{code}\n")


def changed(part: str, name: str, *changes: tuple[str, str]) -> Variant:
    """One part in which some words of the solution's are others."""
    exercise = EXERCISE_OF[part]
    return Variant(f"{exercise}: {name}", (exercise,), edited(part, *changes))


def whole(path: Path) -> Variant:
    """A whole hand-in, which has to get full marks everywhere."""
    source = path.read_text()
    name = path.stem.replace("_", " ")
    return Variant(name, tuple(PARTS), source, fresh="jax.config" in source)
