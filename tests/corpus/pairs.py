"""Make hand-ins that have two known mistakes in one part."""

import ast
from itertools import combinations, pairwise

from tests.corpus.mutants import MUTANTS
from tests.corpus.mutants.definition import Mutant
from tests.support.edits import around


def pairs_of(part: str) -> list[tuple[Mutant, Mutant, str]]:
    """Return all pairs of a part's mutants whose changes do not overlap.

    Args:
        part: name of the part.

    Returns:
        For each pair, the two mutants and the source with both mistakes.
    """
    mutants = [m for m in MUTANTS if m.part == part and m.changes]
    found = []
    for first, second in combinations(mutants, 2):
        source = with_both(part, first, second)
        if source is not None:
            found.append((first, second, source))
    return found


def with_both(part: str, first: Mutant, second: Mutant) -> str | None:
    """Return the solution's text with the changes of two mutants of a part.

    Returns:
        The text; None if the changes overlap, or if the text is no Python.
    """
    before, text, after = around(part)
    places = sorted(
        (text.index(old), text.index(old) + len(old), new)
        for old, new in (*first.changes, *second.changes)
    )
    for (_, end, _), (start, _, _) in pairwise(places):
        if start < end:
            return None
    for start, end, new in reversed(places):
        text = text[:start] + new + text[end:]
    try:
        ast.parse(text := before + text + after)
    except SyntaxError:
        return None
    return text
