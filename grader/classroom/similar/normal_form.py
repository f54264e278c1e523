"""Bring source code into a form in which a disguised copy equals its original.

The form does not depend on comments, on the names that the student has chosen, on the
order of the code, or on code without an effect. The text may be hostile. Therefore the
length of the text is limited before parsing, and the size of the tree before comparing.
The text is never run.
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

# Characters of code; the solution has 5 000. The worst text of this length is one
# f-string of many parts: the parser takes three seconds.
LONGEST = 100_000
MOST_NODES = 50_000  # nodes of a tree; the solution's tree has 3 000
DEEPEST = 3  # levels of code in strings inside code in strings
# A string or a comment. Both are in one pattern, because a string may have a # and a
# comment may have a quote. A string without an end matches, too. Possessive quantifiers
# keep the search linear.
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
    """Raised if code cannot be compared; the message gives the reason."""


@dataclass(frozen=True)
class NormalForm:
    """The code of a hand-in in a form that a disguise does not change.

    Attributes:
        units: the hashes of the code's units. A unit is one statement or one expression
            of the code, see `tokens`. Hashes can be compared only inside one Python
            process.
        running: the numbers of the lines that use `exec`, `eval` or `compile`. These
            functions can run a text as code.
        holding: the numbers of the lines in which long strings begin. A long string can
            hold code or data.
    """

    units: frozenset[int]
    running: tuple[int, ...]
    holding: tuple[int, ...]


def normal_form(text: str, cells: Sequence[int] = ()) -> NormalForm:
    """Return the normal form of a hand-in's code, without the code of the starter.

    Code that the hand-in keeps in strings is included.

    Args:
        text: the hand-in's text as the worker runs it.
        cells: for a notebook, the number of each cell's first line, counted from 0; ()
            for a Python file.

    Raises:
        NotComparableError: the text is not Python, is too long, or is nested too
            deeply.
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
    """Remove statements without an effect from a tree; return the hashes of its units.

    A unit is one statement or one expression that is left in the tree, see `tokens`.

    Args:
        tree: the syntax tree; it is changed in place.
    """
    prune(tree, given_names())
    return frozenset(units_of(tree))


@cache
def given_units() -> frozenset[int]:
    """Return the hashes of the units of the starter's code.

    A unit is one statement or one expression, see `tokens`. Every hand-in contains the
    starter's units, so they say nothing about copying.
    """
    return live_units(ast.parse(STARTER.read_bytes()))


@cache
def given_names() -> frozenset[str]:
    """Return the names of the starter's functions, methods and classes."""
    nodes = ast.walk(ast.parse(STARTER.read_bytes()))
    return frozenset(node.name for node in nodes if isinstance(node, DEFINITION))


def parsed(text: str, cells: Sequence[int]) -> ast.Module:
    """Return the syntax tree of a hand-in's code.

    If a notebook as a whole is not Python, the tree contains only those cells that are
    Python.

    Args:
        text: the hand-in's text as the worker runs it.
        cells: for a notebook, the number of each cell's first line, counted from 0; ()
            for a Python file.

    Raises:
        NotComparableError: nothing in the text is Python, or there is too much code.
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
    """Return the number of characters of a text, without comments and plain strings.

    Plain strings are all strings but f-strings, which can contain code.
    """

    def shortened(found: re.Match[str]) -> str:
        return found[0] if found["formatted"] else ""

    return len(STRING_OR_COMMENT.sub(shortened, text))


def tree_of(text: str) -> ast.Module | None:
    """Return the tree of a text; None if the text is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd backslash in a string
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError):
            return None


def too_large(tree: ast.Module) -> bool:
    """Return whether a syntax tree has too many nodes to be compared."""
    return next(itertools.islice(ast.walk(tree), MOST_NODES, None), None) is not None


def trees_in(texts: Iterable[str | bytes]) -> Iterator[ast.Module]:
    """Yield the syntax tree of each text that is Python.

    A text whose tree is too large or nested too deeply is left out. The function stops
    when the texts so far have more than `LONGEST` characters of code together.
    """
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
