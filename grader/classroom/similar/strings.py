"""Find strings that hold code or data, and functions that run a text as code."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeGuard

LONG = 400  # characters of a long string; messages are shorter
RUN_TEXT = {"exec", "eval", "compile"}
BUILTINS = {"builtins", "__builtins__"}


@dataclass(frozen=True)
class Strings:
    """Where a hand-in may hide code or data in strings.

    Attributes:
        running: the numbers of the lines that use `exec`, `eval` or `compile`.
        holding: the numbers of the lines in which long strings begin.
        texts: the strings, long or short, that may be code.
    """

    running: tuple[int, ...]
    holding: tuple[int, ...]
    texts: tuple[str | bytes, ...]


def strings_in(tree: ast.Module) -> Strings:
    """Return the strings of a syntax tree that may hold code or data.

    These are strings of more than `LONG` characters, and the arguments of `exec`,
    `eval` and `compile`. A long string that is not used, such as a docstring, is left
    out. But if the code uses `exec`, `eval` or `compile`, `texts` also contains the
    long strings that are not used, because the code may run them, as in
    `exec(__doc__)`.
    """
    nodes = [*ast.walk(tree)]
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    unused = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    calls = [n for n in nodes if isinstance(n, ast.Call) and runs_text(n.func, own)]
    running = [node.lineno for node in nodes if runs_text(node, own)]
    arguments = {id(argument) for call in calls for argument in call.args}
    holding, texts = set(), []
    for node, text in strings_among(nodes):
        used = id(node) not in unused
        if len(text) > LONG and used:
            holding.add(node.lineno)
        if id(node) in arguments or (len(text) > LONG and (used or running)):
            texts.append(text)
    return Strings(in_order(running), in_order(holding), tuple(texts))


def runs_text(node: ast.AST, own: set[str]) -> TypeGuard[ast.expr]:
    """Return whether a node names Python's `exec`, `eval` or `compile`.

    Such a node is the function's name, as in `eval` or `builtins.eval`, and not a call.

    Args:
        node: the node.
        own: the names of the functions that the hand-in defines. If the hand-in defines
            a function `eval` itself, the name `eval` does not mean Python's function.
    """
    match node:
        case ast.Name(id=name):
            return name in RUN_TEXT and name not in own
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            return module in BUILTINS and name in RUN_TEXT
    return False


def strings_among(
    nodes: Iterable[ast.AST],
) -> Iterator[tuple[ast.Constant, str | bytes]]:
    """Yield the nodes that are strings or bytes, with their values."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            yield node, node.value


def in_order(lines: Iterable[int]) -> tuple[int, ...]:
    """Return line numbers in ascending order, each one once."""
    return tuple(sorted({*lines}))
