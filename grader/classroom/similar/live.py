"""Remove statements without an effect from a syntax tree.

The tree is only compared and never run. So a wrong removal does no harm, as long as the
same statement is removed from every hand-in.
"""

import ast
from collections.abc import Iterable, Iterator, Set

ROUNDS = 5  # each round can make more code unused for the next round
BLOCKS = ("body", "orelse", "finalbody")
LEAVE = ast.Return | ast.Raise | ast.Break | ast.Continue
DEFINITION = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
# A call of these functions has no effect if its result is not used.
HARMLESS = {
    *("abs", "all", "any", "bool", "dict", "float", "hash", "id", "int", "isinstance"),
    *("len", "list", "max", "min", "print", "range", "repr", "round", "set", "sorted"),
    *("str", "sum", "tuple", "type", "zip"),
}


def prune(tree: ast.Module, needed: Set[str]) -> None:
    """Remove statements without an effect from a tree.

    Args:
        tree: the tree; it is changed in place.
        needed: names that count as used, even if nothing in the tree reads them.
    """
    for _ in range(ROUNDS):
        before = count(tree.body)
        tree.body = pruned(tree.body, needed | reads(tree), local=False)
        if count(tree.body) == before:
            return


def count(body: Iterable[ast.stmt]) -> int:
    """Return the number of statements in a block and in its inner blocks."""
    return sum(
        1 + sum(count(getattr(statement, block, [])) for block in BLOCKS)
        for statement in body
    )


def reads(tree: ast.AST) -> set[str]:
    """Return the names that a piece of code reads, and all names of attributes in it.

    Names that are declared `global` or `nonlocal` count as read.
    """
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
    return found


def pruned(body: list[ast.stmt], needed: Set[str], *, local: bool) -> list[ast.stmt]:
    """Return the statements of a block that may have an effect.

    Args:
        body: the block. In the blocks inside its statements, statements without an
            effect are removed in place.
        needed: names that some code reads. An assignment to other names has no effect.
        local: True for a block inside a function. If False, the names that a function
            of the block reads replace `needed` inside this function.
    """
    kept: list[ast.stmt] = []
    for statement in without_replaced([*reachable(body)]):
        inner = needed
        if isinstance(statement, FUNCTION) and not local:
            inner = reads(statement)
        for part in (statement, *handlers_and_cases(statement)):
            for block in BLOCKS:
                if old := getattr(part, block, None):
                    within = local or isinstance(part, FUNCTION)
                    setattr(part, block, pruned(old, inner, local=within))
        if has_effect(statement, needed):
            kept.append(statement)
        if isinstance(statement, LEAVE):
            break
    return kept


def handlers_and_cases(statement: ast.stmt) -> list[ast.AST]:
    """Return the exception handlers and match cases of a statement; [] if none."""
    return [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]


def without_replaced(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a block, without definitions that are replaced later.

    A function or class is replaced if the block defines the same name again.
    Definitions with decorators are kept, because a decorator may have an effect.
    """
    last = {one.name: one for one in body if isinstance(one, DEFINITION)}
    for one in body:
        if not (
            isinstance(one, DEFINITION)
            and not one.decorator_list
            and last[one.name] is not one
        ):
            yield one


def reachable(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a block, without the branches that never run.

    An `if` with a constant condition is replaced by the branch that runs, and a
    `while False` by its `else`.
    """
    for statement in body:
        test = getattr(statement, "test", None)
        if isinstance(statement, ast.If | ast.While) and isinstance(test, ast.Constant):
            if not test.value:
                yield from reachable(statement.orelse)
                continue
            if isinstance(statement, ast.If):
                yield from reachable(statement.body)
                continue
        yield statement


def has_effect(statement: ast.stmt, needed: Set[str]) -> bool:
    """Return whether a statement may have an effect; if in doubt, True.

    To bind a name, by an assignment or a definition, is an effect only if the name is
    in `needed`.

    Args:
        statement: the statement. The caller has already removed the statements without
            an effect from its inner blocks.
        needed: names that some code reads.
    """
    match statement:
        case ast.Pass() | ast.AnnAssign(value=None):
            return False
        case ast.Expr(value=value):
            return not is_harmless(value)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name in needed or is_special(name)
        case ast.ClassDef(name=name):
            return name in needed
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            names = bound_by(statement)
            return not names or not needed.isdisjoint(names)
        case ast.If() | ast.For() | ast.While() | ast.With() | ast.Try():
            return any(getattr(statement, block, None) for block in BLOCKS)
    return True


def is_special(name: str) -> bool:
    """Return whether Python itself calls a method of this name, such as `__init__`."""
    return name.startswith("__") and name.endswith("__")


def is_harmless(value: ast.expr) -> bool:
    """Return whether an expression has no effect if its value is not used."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id in HARMLESS
    acting = ast.Call | ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr
    return not any(isinstance(node, acting) for node in ast.walk(value))


def bound_by(statement: ast.Assign | ast.AnnAssign | ast.AugAssign) -> set[str]:
    """Return the names that an assignment binds.

    The result is empty if the assignment changes an attribute or an entry of an object.
    """
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    else:
        targets = [statement.target]
    names: set[str] = set()
    for target in targets:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                names.add(node.id)
            elif isinstance(node, ast.Attribute | ast.Subscript):
                return set()
    return names
