"""Parse the values of options: choices, switches, exercises, seeds and folders.

Error messages name an option as `make` does: ONLY=td_loss stands for --only td_loss.
"""

import argparse
import difflib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.contract.exercises import EXERCISES, PARTS
from grader.contract.outcomes import UsageError
from grader.escape import plain

# The options that are on or off; `add_switch` adds one to a parser.
SWITCHES = ("--verbose", "--in-process", "--official", "--watch")


def without_empty(arguments: list[str]) -> list[str]:
    """Return the arguments without empty options such as `--seed=`.

    The Makefile passes every option, and an option that the user did not set is empty.
    Arguments after "--" are kept.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = [a for a in arguments[:end] if not re.fullmatch("--[a-z-]+=", a)]
    return options + arguments[end:]


def with_values(arguments: list[str]) -> list[str]:
    """Return the arguments with "=1" after each switch that has no value.

    Otherwise `argparse` would take the word after the switch, such as the hand-in's
    path, for its value. Arguments after "--" are kept.
    """
    found = []
    for argument, following in zip(arguments, [*arguments, ""][1:], strict=True):
        bare = argument in SWITCHES and following not in ("0", "1")
        found.append(f"{argument}=1" if bare and "--" not in found else argument)
    return found


def add_choice(
    parser: argparse.ArgumentParser, option: str, values: Sequence[str], **more: Any
) -> None:
    """Add an option with a fixed list of values to a parser.

    Any other value makes the parser raise `UsageError`.

    Args:
        parser: the parser to extend.
        option: the option's name, for example "--device".
        values: the allowed values.
        more: further keyword arguments of `parser.add_argument`.
    """

    def known(text: str) -> str:
        check_choice(name_in_make(option), text, values)
        return text

    parser.add_argument(option, type=known, choices=values, **more)


def add_switch(parser: argparse.ArgumentParser, option: str, **more: Any) -> None:
    """Add an option that can be on or off to a parser.

    Without a value, or with the value 1, the option is on. With the value 0, or if the
    option is not given, it is off. The Makefile gives 1 or 0.

    Args:
        parser: the parser to extend.
        option: the option's name, for example "--official".
        more: further keyword arguments of `parser.add_argument`.
    """

    def yes(text: str) -> bool:
        check_choice(name_in_make(option), text, ("0", "1"))
        return text == "1"

    parser.add_argument(
        option, nargs="?", const=True, default=False, type=yes, metavar="0|1", **more
    )


def name_in_make(option: str) -> str:
    """Return the Makefile's variable for an option: INPROCESS for --in-process."""
    return option.replace("-", "").upper()


def check_choice(name: str, value: str, allowed: Sequence[str]) -> None:
    """Check that the value of an option is allowed.

    Args:
        name: the Makefile's variable for the option, for the message.
        value: the value that the user gave.
        allowed: the allowed values.

    Raises:
        UsageError: the value is not allowed.
    """
    if value not in allowed:
        known = ", ".join(filter(None, allowed))
        raise UsageError(f"{name}={value!r} is unknown: use one of {known}")


def exercise_named(text: str) -> str:
    """Return the name of the exercise that the user means; "" for an empty text.

    Args:
        text: an exercise's name or number, or the name of one of its parts.

    Raises:
        UsageError: the text names no exercise.
    """
    word = text.strip().partition("(")[0].partition(".")[0]
    word = word.casefold().replace("-", "_").replace(" ", "_")
    known = {name.casefold(): part.exercise for name, part in PARTS.items()}
    known |= {name.casefold(): name for name in EXERCISES}
    numbered = {str(number): name for number, name in enumerate(EXERCISES, 1)}
    if not text or word in known or word in numbered:
        return {"": "", **known, **numbered}[word]
    if re.fullmatch(r"(exercise|ex)?[_#.]*0*[0-9]{1,3}", word):
        word = re.sub(r"^\D*0*", "", word)
    if word in numbered:
        return numbered[word]
    if "," in text:
        raise UsageError(
            f"ONLY={plain(text, 100)!r}: name one exercise, or leave it out"
        )
    begins = [name for name in known if word and name.startswith(word)]
    near = begins or difflib.get_close_matches(word[:100], known, 1)
    hint = f"did you mean {known[near[0]]}?" if near else f"use {', '.join(EXERCISES)}"
    raise UsageError(f"ONLY={plain(text, 100)!r} is unknown: {hint}")


def check_seed(seed: str) -> str:
    """Return the seed unchanged if all its characters are printable.

    Raises:
        UsageError: a character is not printable.
    """
    if not seed.isprintable():
        raise UsageError(f"SEED={seed!r}: use printable text")
    return seed


def writable(out: str) -> Path:
    """Make a folder if it is missing, check that it is writable, and return its path.

    Args:
        out: path of the folder for the report and the pictures.

    Raises:
        UsageError: the folder cannot be made, or no file can be written in it.
    """
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        raise UsageError(f"OUT={out!r}: {error.strerror}") from None
    return Path(out)
