"""Cut a syntax tree into units that a disguise does not change.

A unit is one statement or one expression, written as a list of tokens. A token is the
kind of a syntax node (such as "Return"), a name, or a value. The names that the student
has chosen are replaced by numbers, in the order in which they first appear in the unit.
So neither the order of the code nor other code around a unit matters. Annotations and
the names of keyword arguments are left out. An imported name is replaced by its name in
the library, such as `numpy` for `np`.
"""

import ast
import builtins
from typing import Any

import numpy as np

SMALLEST, LARGEST = 5, 60  # tokens of a unit; less code is equal in all hand-ins
LEFT_OUT = {"ctx", "returns", "type_params"}
BUILTINS = {*dir(builtins)}
# Attributes with the same meaning on any object; others are the student's own names.
METHODS = {
    name
    for kind in (np.ndarray, np.random.Generator, list, dict, set, str)
    for name in dir(kind)
} | {"at", "set", "get", "multiply", "init", "update", "_replace"}


def units_of(tree: ast.Module) -> set[int]:
    """Cut a syntax tree into units, and return the hash of each unit.

    A unit is one statement or one expression of the tree, with `SMALLEST` to `LARGEST`
    tokens. A unit inside another unit counts, too. The hashes can be compared only
    inside one Python process.

    Raises:
        RecursionError: the tree is nested too deeply.
    """
    row = Row(tree)
    for statement in tree.body:
        row.write(statement)
    return row.units


class Row:
    """A writer that turns the nodes of a syntax tree into tokens.

    A name that the student has chosen becomes a number. Any other token is a text or a
    value, which is the same in a copy of the code.

    Args:
        tree: the tree whose nodes will be written.

    Attributes:
        tokens: the tokens written so far.
        units: the hashes of the units written so far. A unit is a statement or an
            expression with `SMALLEST` to `LARGEST` tokens.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.imported: dict[str, str] = {}  # name in the library, by imported name
        self.bound: set[str] = set()  # names bound in other ways than by an import
        self.selves: set[str] = set()  # names of methods' first argument
        for node in ast.walk(tree):
            self.note_names(node)
        self.numbers: dict[str, int] = {}
        self.tokens: list[Any] = []
        self.units: set[int] = set()

    def note_names(self, node: ast.AST) -> None:
        """Remember the names that a node binds.

        Imported names, the first arguments of methods, and names that are bound in
        other ways are kept in three collections.
        """
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                self.bound.add(name)
            case ast.FunctionDef(name=name):
                self.bound.add(name)
            case ast.ClassDef(name=name, body=body):
                self.bound.add(name)
                for method in body:
                    if isinstance(method, ast.FunctionDef) and method.args.args:
                        self.selves.add(method.args.args[0].arg)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                for alias in names:
                    name = alias.asname or alias.name.partition(".")[0]
                    self.imported[name] = alias.name.rpartition(".")[2]

    def write(self, node: ast.AST) -> None:
        """Append the tokens of a node, and of all nodes in it, to `tokens`.

        The hash of each unit among these nodes is added to `units`.
        """
        start = len(self.tokens)
        self.write_tokens(node)
        fits = SMALLEST <= len(self.tokens) - start <= LARGEST
        if fits and isinstance(node, ast.stmt | ast.expr):
            self.units.add(unit(self.tokens[start:]))

    def write_tokens(self, node: ast.AST) -> None:
        """Append the tokens of a node, and of all nodes in it, to `tokens`.

        The hash of each unit in the node is added to `units`, but not the node's own.
        """
        match node:
            case ast.Name(id=name):
                self.tokens.append(self.name(name))
            case ast.Attribute(value=value, attr=name):
                if self.is_imported(value):
                    self.tokens.append(name)
                else:
                    self.write(value)
                    self.tokens.append(self.attribute(value, name))
            case ast.Constant(value=value):
                self.tokens.append((type(value).__name__, value))
            case ast.arg(arg=name):
                self.tokens.append(self.number(name))
            case ast.keyword(value=value):
                self.write(value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.write_tokens(ast.Assign([target], value))
            case ast.Import() | ast.ImportFrom() | ast.Global() | ast.Nonlocal():
                pass
            case _:
                self.tokens.append(type(node).__name__)
                for field in node._fields:
                    if field not in LEFT_OUT:
                        self.write_parts(getattr(node, field, None))

    def write_parts(self, value: Any) -> None:
        """Append the tokens of the nodes in one field of a node.

        Args:
            value: the value of the field: a node or a list of nodes. For other values,
                nothing is appended.
        """
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST):
                self.write(part)

    def name(self, name: str) -> Any:
        """Return the token of a name.

        The token is a text for an imported name or a builtin, and a number for a name
        that the student has chosen.
        """
        if name in self.imported:
            return self.imported[name]
        own = name in self.bound or name not in BUILTINS
        return self.number(name) if own else name

    def attribute(self, value: ast.expr, name: str) -> Any:
        """Return the token of an attribute.

        The token is a text for the name of a common method, such as `append`. Every
        other attribute, and every attribute of `self`, gets a number.

        Args:
            value: the object that has the attribute.
            name: the name of the attribute.
        """
        of_self = isinstance(value, ast.Name) and value.id in self.selves
        own = of_self or name not in METHODS
        return self.number(f".{name}") if own else f".{name}"

    def number(self, name: str) -> int:
        """Return the number of a name that the student has chosen.

        A new name gets a new number.
        """
        return self.numbers.setdefault(name, len(self.numbers))

    def is_imported(self, node: ast.AST) -> bool:
        """Return whether a node is an imported name, or an attribute of one."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self.imported


def unit(tokens: list[Any]) -> int:
    """Return the hash of a unit.

    Args:
        tokens: the unit's tokens. In them, numbers stand for names that the student has
            chosen. Before hashing, these numbers are replaced by 0, 1, 2 and so on, in
            the order in which they first appear.
    """
    seen: dict[int, int] = {}
    return hash(
        tuple(
            seen.setdefault(token, len(seen)) if type(token) is int else token
            for token in tokens
        )
    )
