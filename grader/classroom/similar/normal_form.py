"""Bring a source into a form in which comments, names, order and padding do not matter.

The text is hostile: its length is bounded before it is parsed, its tree before that is
compared, and it is never run.
"""

import ast
import contextlib
import itertools
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from grader.classroom.similar.live import DEFINITION, prune
from grader.classroom.similar.strings import strings_in
from grader.classroom.similar.tokens import units_of
from grader.contract.exercises import STARTER

# Characters of code; the solution has 5 000. For the worst text of this length, one
# f-string of many parts, the parser takes three seconds.
LONGEST = 100_000
MOST_NODES = 50_000  # of a tree; the solution's has 3 000
DEEPEST = 3  # strings of code in strings of code
# A string, or a comment: there may be a # in a string, or a quote in a comment. Nothing
# is tried twice: a string without an end counts, too.
STRING_OR_COMMENT = re.compile(
    r"""(?P<formatted>[rR]?[fF][rR]?)?
    (?:
        "{3} (?: [^"\\]++ | \\. | "(?!"") )*+ (?:"{3})?
      | '{3} (?: [^'\\]++ | \\. | '(?!'') )*+ (?:'{3})?
      | " (?: [^"\\\n]++ | \\. )*+ "?
      | ' (?: [^'\\\n]++ | \\. )*+ '?
    )
    | \#[^\n]*+\n?""",
    re.DOTALL | re.VERBOSE,
)


class NotComparableError(Exception):
    """A text whose code cannot be compared; the words say why."""


@dataclass(frozen=True)
class NormalForm:
    """The code of a hand-in without what a disguise can change.

    Attributes:
        units: the hash of each unit; hashes of one process can be compared.
        running: the lines at which a text is run or compiled as code.
        holding: the first lines of long strings.
    """

    units: frozenset[int]
    running: tuple[int, ...]
    holding: tuple[int, ...]


def normal_form(text: str, cells: Sequence[int] = ()) -> NormalForm:
    """Return the normal form of a source, the starter's units left out.

    Args:
        text: of the source, as it is run.
        cells: for a notebook, the number of each cell's first line, from 0.

    Raises:
        NotComparableError: the text is no Python, or too long or too deeply nested.
    """
    try:
        tree = parsed(text, cells)
        strings = strings_in(tree)
        units, texts = live_units(tree), strings.texts
        for _ in range(DEEPEST):
            trees = [*trees_in(texts)]
            texts = tuple(text for tree in trees for text in strings_in(tree).texts)
            units = units.union(*map(live_units, trees))
    except (RecursionError, MemoryError):
        raise NotComparableError("its code is nested too deeply") from None
    return NormalForm(units - given_units(), strings.running, strings.holding)


def live_units(tree: ast.Module) -> frozenset[int]:
    """Return the units of a tree's live code; the tree is changed."""
    prune(tree, given_names())
    return frozenset(units_of(tree))


@cache
def given_units() -> frozenset[int]:
    """Return the units of the starter, which every student got."""
    return live_units(ast.parse(STARTER.read_bytes()))


@cache
def given_names() -> frozenset[str]:
    """Return the names of the functions, methods and classes of the starter."""
    nodes = ast.walk(ast.parse(STARTER.read_bytes()))
    return frozenset(node.name for node in nodes if isinstance(node, DEFINITION))


def parsed(text: str, cells: Sequence[int]) -> ast.Module:
    """Return the tree of a source; of a notebook, of those cells that are Python.

    Raises:
        NotComparableError: nothing in the text is Python, or there is too much of it.
        RecursionError, MemoryError: the code is nested too deeply.
    """
    if length_of_code(text) > LONGEST:
        raise NotComparableError(f"it has more than {LONGEST // 1000} kB of code")
    tree = tree_of(text)
    if tree is None and cells:
        lines, tree = text.split("\n"), ast.Module([], [])
        for start, end in itertools.pairwise([*cells, len(lines)]):
            if cell := tree_of("\n".join(lines[start:end])):
                tree.body += ast.increment_lineno(cell, start).body
    if tree is None or not tree.body:
        raise NotComparableError("it cannot be read as Python")
    if too_large(tree):
        raise NotComparableError("it has too much code")
    return tree


def length_of_code(text: str) -> int:
    """Return the number of characters without comments and plain strings.

    Strings that are formatted count, because there is code in them.
    """

    def shortened(found: re.Match[str]) -> str:
        return found[0] if found["formatted"] else ""

    return len(STRING_OR_COMMENT.sub(shortened, text))


def tree_of(text: str) -> ast.Module | None:
    """Return the tree of a text, or None if the text is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd backslash in a string
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError):
            return None


def too_large(tree: ast.Module) -> bool:
    """Return whether a tree has too many nodes to be compared."""
    return next(itertools.islice(ast.walk(tree), MOST_NODES, None), None) is not None


def trees_in(texts: Iterable[str | bytes]) -> Iterator[ast.Module]:
    """Yield the trees of the strings that hold code, up to `LONGEST` in all."""
    length = 0
    for text in texts:
        decoded = text if isinstance(text, str) else text.decode("utf-8", "replace")
        length += length_of_code(decoded)
        if length > LONGEST:
            return
        with contextlib.suppress(RecursionError, MemoryError):
            tree = tree_of(decoded)
            if tree is not None and not too_large(tree):
                yield tree
