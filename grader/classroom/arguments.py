"""Parse the values of the command line's arguments.

The Makefile passes all arguments. The value of an argument that the user did not set is
the empty text.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from grader.arguments import check_choice, check_seed, exercise_named
from grader.contract.outcomes import UsageError

Value = TypeVar("Value")
Parser = Callable[[str], Any]
MAX_JOBS = 999


def one_of(name: str, values: Mapping[str, Value]) -> Callable[[str], Value]:
    """Return a function that parses an argument with a few allowed words.

    The returned function takes the text of the argument and returns the parsed value.
    It raises `UsageError` if the text is not an allowed word.

    Args:
        name: the argument's name in make, as in `NAME=1`; error messages show this
            name.
        values: the allowed words, each with its parsed value. The word "" means that
            the user did not set the argument.
    """

    def value_of(text: str) -> Value:
        check_choice(name, text, tuple(values))
        return values[text]

    return value_of


def optional(text: str) -> str | None:
    """Return the text, or None if the text is empty."""
    return text or None


def hand_ins(text: str) -> Path:
    """Return the text as the path of the folder that holds all hand-ins.

    Raises:
        UsageError: the text is empty.
    """
    if not text:
        raise UsageError("SUBMISSIONS=folder is missing: the folder of all hand-ins")
    return Path(text)


def seed(text: str) -> str:
    """Return the seed unchanged, if every character is printable.

    Raises:
        UsageError: the seed is not printable.
    """
    check_seed(text)
    return text


def exercises(text: str) -> tuple[str, ...]:
    """Return the name of the only exercise to grade, in a tuple; () for all exercises.

    Args:
        text: the name or number of an exercise, or the name of one of its functions; ""
            for all exercises.

    Raises:
        UsageError: the text names no exercise.
    """
    name = exercise_named(text)
    return (name,) if name else ()


def jobs(text: str) -> int | None:
    """Return how many hand-ins to grade at once; None for an empty text.

    None means one hand-in on each core.

    Raises:
        UsageError: the text is neither empty nor a whole number from 1 to `MAX_JOBS`.
    """
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) <= MAX_JOBS:
        raise UsageError(f"JOBS={text!r}: use a number, one for each core or fewer")
    return int(text)
