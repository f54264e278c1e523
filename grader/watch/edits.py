"""Find the exercise that a student has edited between two saves."""

import ast

from grader.contract.exercises import EXERCISES, PARTS

# What `ast.parse` raises for a text that is no Python, or is nested too deeply.
NO_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)


def edited_exercise(old: str, new: str) -> str:
    """Return the name of the first exercise with a part that was edited.

    A part is edited if its definition differs in more than comments and blanks. Other
    definitions, such as a student's own helper functions, belong to no exercise.

    Args:
        old: the text of `dqn.py` before the edit.
        new: the text after the edit.

    Returns:
        "" if no part was edited, or if one of the texts is no valid Python.
    """
    before, after = definitions(old), definitions(new)
    if before is None or after is None:
        return ""
    edited = {
        part.exercise
        for name, part in PARTS.items()
        if before.get(name) != after.get(name)
    }
    return next((name for name in EXERCISES if name in edited), "")


def definitions(text: str) -> dict[str, str] | None:
    """Return the syntax trees of all functions and classes at the top level, by name.

    The trees are texts without line numbers. The result is None if the text is no valid
    Python.
    """
    try:
        return {
            node.name: ast.dump(node)
            for node in ast.parse(text).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
    except NO_PYTHON:
        return None
