"""The solution's text, and other hand-ins made from it."""

import ast
import importlib
import pkgutil
import re
from typing import Any

from grader.contract.exercises import EXERCISES, ROOT

SOLUTION = (ROOT / "solution" / "dqn.py").read_text(encoding="utf-8")


def exercises_of_parts() -> dict[str, str]:
    """Return the exercise of each part of the contract, by the banner above it."""
    sections = re.split(r"(?m)^# Exercise .*$", SOLUTION)[1:]
    return {
        node.name: name
        for name, section in zip(EXERCISES, sections, strict=True)
        for node in ast.parse(section).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


EXERCISE_OF = {"episode_terminateds": "update_Q_TD0", **exercises_of_parts()}


def edited(part: str, *changes: tuple[str, str]) -> str:
    """Return the solution with changes to the text of one of its functions or classes.

    Raises:
        ValueError: a text to be changed is not there once, the docstring left aside.
    """
    before, text, after = around(part)
    for old, new in changes:
        if text.count(old) != 1:
            raise ValueError(f"{old!r} stands {text.count(old)} times in {part}")
        text = text.replace(old, new)
    return before + text + after


def around(part: str) -> tuple[str, str, str]:
    """Return the solution's text before the code of a part, that code, and the rest."""
    node = next(
        node
        for node in ast.parse(SOLUTION).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == part
    )
    lines = SOLUTION.splitlines(keepends=True)
    start = node.body[0].end_lineno  # of the docstring
    pieces = lines[:start], lines[start : node.end_lineno], lines[node.end_lineno :]
    before, text, after = map("".join, pieces)
    return before, text, after


def with_definitions(text: str, first: str = "") -> str:
    """Return the solution with definitions that take the place of its own.

    Args:
        text: the definitions; a later one of the same name wins.
        first: lines to stand before everything else.
    """
    return f"{first}\n{SOLUTION}\n\n{text}"


def collected(package: str, places: list[str], name: str) -> list[Any]:
    """Return the lists of that name in a package's files `e…`, joined."""
    files = sorted(module.name for module in pkgutil.iter_modules(places))
    modules = [
        importlib.import_module(f"{package}.{file}") for file in files if file[0] == "e"
    ]
    return [definition for module in modules for definition in getattr(module, name)]
