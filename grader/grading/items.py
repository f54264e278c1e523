"""Read from a pytest item the check's name, exercise, part, points and description."""

import inspect

import pytest

from grader.contract.exercises import EXERCISES


def exercise_of(item: pytest.Item) -> str:
    """Return the name of a check's exercise."""
    files = {file: name for name, file in EXERCISES.items()}
    return files[item.path.name]


def name_of(item: pytest.Item) -> str:
    """Return the check's name in the report."""
    return item.name.removeprefix("test_")


def part_of(item: pytest.Item) -> str:
    """Return the name of the part that a check judges.

    The marker `part` names it. Without this marker, the part is named as the exercise.
    """
    marker = item.get_closest_marker("part")
    return marker.args[0] if marker else exercise_of(item)


def points_of(item: pytest.Item) -> float:
    """Return the points that a check pays."""
    return float(next(item.iter_markers("points")).args[0])


def waits_for(item: pytest.Item) -> set[str]:
    """Return the names in a check's marker `after`.

    The check is run only if one of the checks with these names has passed.
    """
    return {name for mark in item.iter_markers("after") for name in mark.args}


def description_of(item: pytest.Item) -> str:
    """Return the text that students read: the first line of the check's docstring."""
    docstring = inspect.getdoc(getattr(item, "function", None)) or item.name
    return docstring.splitlines()[0].rstrip(".")
