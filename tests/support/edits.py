"""The text of the solution, and functions that make other hand-ins from this text."""

import ast
import importlib
import pkgutil
import re
from typing import Any

from grader.contract.exercises import EXERCISES, ROOT

SOLUTION = (ROOT / "solution" / "dqn.py").read_text(encoding="utf-8")


def exercises_of_parts() -> dict[str, str]:
    """Return the name of the exercise of each part, by the name of the part.

    The comments `# Exercise ...` in the solution divide the parts into exercises.
    """
    sections = re.split(r"(?m)^# Exercise .*$", SOLUTION)[1:]
    return {
        node.name: name
        for name, section in zip(EXERCISES, sections, strict=True)
        for node in ast.parse(section).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


EXERCISE_OF = {"episode_terminateds": "update_Q_TD0", **exercises_of_parts()}


def edited(part: str, *changes: tuple[str, str]) -> str:
    """Return the text of the solution with changes in one function or class.

    Args:
        part: the name of the function or class.
        changes: pairs of an old text and a new text that replaces it. The old text must
            be found exactly once in the part, below the part's docstring.

    Raises:
        ValueError: an old text is not found exactly once in the part.
    """
    before, text, after = around(part)
    for old, new in changes:
        if text.count(old) != 1:
            raise ValueError(f"{old!r} stands {text.count(old)} times in {part}")
        text = text.replace(old, new)
    return before + text + after


def around(part: str) -> tuple[str, str, str]:
    """Return three pieces of the solution's text: before, in and after a part's code.

    The code of a part begins below the part's docstring.

    Args:
        part: the name of a function or class of the solution.
    """
    node = next(
        node
        for node in ast.parse(SOLUTION).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == part
    )
    lines = SOLUTION.splitlines(keepends=True)
    start = node.body[0].end_lineno  # the last line of the docstring
    pieces = lines[:start], lines[start : node.end_lineno], lines[node.end_lineno :]
    before, text, after = map("".join, pieces)
    return before, text, after


def with_definitions(text: str, first: str = "") -> str:
    """Return the text of the solution with new definitions at its end.

    Args:
        text: the new definitions. A definition replaces the solution's definition of
            the same name.
        first: lines that are put before the solution's text.
    """
    return f"{first}\n{SOLUTION}\n\n{text}"


def collected(package: str, places: list[str], name: str) -> list[Any]:
    """Return one list that joins the lists of a given name in the modules of a package.

    Args:
        package: the dotted name of the package. Only modules whose names begin with "e"
            (such as `e6_td_loss`) are read.
        places: the folders of the package, its `__path__`.
        name: the name of the list in each module.
    """
    files = sorted(module.name for module in pkgutil.iter_modules(places))
    modules = [
        importlib.import_module(f"{package}.{file}") for file in files if file[0] == "e"
    ]
    return [definition for module in modules for definition in getattr(module, name)]
