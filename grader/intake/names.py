"""File names in a hand-in: what a name says about a file, and how messages show it."""

import re
from pathlib import PurePosixPath

from grader.escape import one_line

FILE = "dqn.py"
PYTHON, NOTEBOOK, ZIP = ".py", ".ipynb", ".zip"
# The other files that students get, and the one that `%grade` writes: not a hand-in.
SUPPLIED = {"agent", "train", "watch", "notebook", "graded", "__init__"}
# What programs add to the name of a copy: "dqn (1).py", "dqn-1.py", "Copy of dqn.py".
COPY = re.compile(r"^((copy of|kopie von) )+|( ?\(\d+\)|[-_ ]\d+|[-_ ]+(copy|kopie))+$")
MAX_SHOWN = 3  # names in a message
MAX_LENGTH = 100  # characters of a name in a message


def suffix_of(name: str) -> str:
    """Return the suffix of a file name in lower case."""
    return PurePosixPath(name.strip()).suffix.lower()


def stem_of(name: str) -> str:
    """Return a file name without its suffix and without the marks of a copy."""
    return COPY.sub("", PurePosixPath(name.strip()).stem.lower())


def shown(path: str | PurePosixPath) -> str:
    """Return a path in a hand-in as messages show it: one short, harmless line."""
    return one_line(str(path), MAX_LENGTH)


def listing(paths: list[PurePosixPath]) -> str:
    """Return the first few paths in one line, with the number of the others."""
    more = len(paths) - MAX_SHOWN
    names = ", ".join(map(shown, paths[:MAX_SHOWN]))
    return f"{names} and {more} more" if more > 0 else names


def is_junk(path: PurePosixPath) -> bool:
    """Return whether programs leave such a file beside the user's own files."""
    hidden = (part for part in path.parts if part[:1] == "." and part != "..")
    return any(hidden) or "__MACOSX" in path.parts


def leads_out(path: PurePosixPath) -> bool:
    """Return whether an archive's path would be unpacked outside of its folder."""
    drive = re.match("[A-Za-z]:", path.parts[0])
    return path.is_absolute() or ".." in path.parts or bool(drive)
