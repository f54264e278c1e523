"""Read a check's name, exercise, part, points and description from its pytest item."""

import inspect

import pytest

from grader.contract.exercises import EXERCISES


def exercise_of(item: pytest.Item) -> str:
    """Return the name of the exercise to which a check's file belongs."""
    files = {file: name for name, file in EXERCISES.items()}
    return files[item.path.name]


def name_of(item: pytest.Item) -> str:
    """Return a check's name as it is in the report: without "test_"."""
    return item.name.removeprefix("test_")


def part_of(item: pytest.Item) -> str:
    """Return the name of the part that a check judges.

    This is the name in the marker `part`. For a check without this marker, it is the
    name of the exercise.
    """
    marker = item.get_closest_marker("part")
    return marker.args[0] if marker else exercise_of(item)


def points_of(item: pytest.Item) -> float:
    """Return the points that a check pays, from its marker `points`."""
    return float(next(item.iter_markers("points")).args[0])


def waits_for(item: pytest.Item) -> set[str]:
    """Return the names that stand in a check's marker `after`: names of other checks.

    The check is run only if at least one of these other checks has passed. The set is
    empty for a check without this marker.
    """
    return {name for mark in item.iter_markers("after") for name in mark.args}


def description_of(item: pytest.Item) -> str:
    """Return the first line of a check's docstring, which students read.

    The full stop at the end is left out. For a check without a docstring, the name of
    the test function is returned.
    """
    docstring = inspect.getdoc(getattr(item, "function", None)) or item.name
    return docstring.splitlines()[0].rstrip(".")
