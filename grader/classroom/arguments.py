"""Types of the command line's arguments. An empty text, as make gives, is no value."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from grader.cli import check_choice, check_seed, exercise_named
from grader.contract.outcomes import UsageError

Value = TypeVar("Value")
Parser = Callable[[str], Any]
MAX_JOBS = 999


def one_of(name: str, values: Mapping[str, Value]) -> Callable[[str], Value]:
    """Return the type of an argument that is one of a few words.

    Args:
        name: of the argument, as it is given to make.
        values: by word; what "" stands for is the default.
    """

    def value_of(text: str) -> Value:
        check_choice(name, text, tuple(values))
        return values[text]

    return value_of


def optional(text: str) -> str | None:
    """Return the text, or None for an empty one."""
    return text or None


def hand_ins(text: str) -> Path:
    """Return the folder of all hand-ins.

    Raises:
        UsageError: it is not given.
    """
    if not text:
        raise UsageError("SUBMISSIONS=folder is missing: the folder of all hand-ins")
    return Path(text)


def seed(text: str) -> str:
    """Return the seed.

    Raises:
        UsageError: a report cannot show it.
    """
    check_seed(text)
    return text


def exercises(text: str) -> tuple[str, ...]:
    """Return the name of the one exercise to grade, or () for all.

    Raises:
        UsageError: there is no such exercise.
    """
    name = exercise_named(text)
    return (name,) if name else ()


def jobs(text: str) -> int | None:
    """Return how many hand-ins are graded at once; None for one on each core.

    Raises:
        UsageError: it is no number, or too small or large.
    """
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) <= MAX_JOBS:
        raise UsageError(f"JOBS={text!r}: use a number, one for each core or fewer")
    return int(text)
