"""What a wrong part computes, read off its answers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One thing in which a part differs from right code.

    Attributes:
        name: of the mistake, as it stands in the report's `diagnosis`.
        hint: what is wrong, and in brackets the slides that teach it; never the
            corrected code.
    """

    name: str
    hint: str


@dataclass(frozen=True)
class Reading:
    """What a part computes, where its answers leave no doubt.

    Attributes:
        computes: the formula, or one sentence, in the lecture's symbols.
        asked: the same of right code.
        differences: between the two, the most basic one first.
        table: the lines of a small table of examples; () where there is none.
    """

    computes: str
    asked: str
    differences: tuple[Difference, ...]
    table: tuple[str, ...] = ()
