"""What a check says of itself: pytest's item, read in the contract's words."""

import inspect

import pytest

from grader.contract.exercises import EXERCISES


def exercise_of(item: pytest.Item) -> str:
    """Return the exercise to which a check's file belongs."""
    files = {file: name for name, file in EXERCISES.items()}
    return files[item.path.name]


def name_of(item: pytest.Item) -> str:
    """Return the check's name in the report."""
    return item.name.removeprefix("test_")


def part_of(item: pytest.Item) -> str:
    """Return the part of the contract that a check judges."""
    marker = item.get_closest_marker("part")
    return marker.args[0] if marker else exercise_of(item)


def points_of(item: pytest.Item) -> float:
    """Return what the check pays."""
    return float(next(item.iter_markers("points")).args[0])


def waits_for(item: pytest.Item) -> set[str]:
    """Return the names of the checks of which one must have passed before."""
    return {name for mark in item.iter_markers("after") for name in mark.args}


def description_of(item: pytest.Item) -> str:
    """Return what the student reads: the first line of the check's docstring."""
    docstring = inspect.getdoc(getattr(item, "function", None)) or item.name
    return docstring.splitlines()[0].rstrip(".")
