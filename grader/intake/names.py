"""File names in a hand-in: what a name says about a file, and how messages show it."""

import re
from pathlib import PurePosixPath

from grader.escape import one_line

FILE = "dqn.py"
PYTHON, NOTEBOOK, ZIP = ".py", ".ipynb", ".zip"
# Stems of the other files that students get, and of a file that the notebook command
# `%grade` once wrote ("graded"). None of these files is a hand-in.
SUPPLIED = {
    *("ablate", "agent", "curve", "notebook", "progress", "recorded"),
    *("tasks", "train", "watch"),
    *("graded", "__init__"),
}
# What programs add to the stem of a copy: "dqn (1).py", "dqn-1.py", "Copy of dqn.py".
COPY = re.compile(r"^((copy of|kopie von) )+|( ?\(\d+\)|[-_ ]\d+|[-_ ]+(copy|kopie))+$")
# ILIAS stores a file of a kind that it does not allow, "dqn.py", as "dqnpy.sec", and
# another one of this name as "dqnpy (2).sec" (ILIAS-eLearning/ILIAS,
# components/ILIAS/Filesystem/src/Security/Sanitizing/FilenameSanitizerImpl.php).
_STORED = re.compile(r"(?P<stem>.+)py(?P<again> \(\d+\))?\.sec", re.I | re.S)
MAX_SHOWN = 3  # names in a message
MAX_LENGTH = 100  # characters of a name in a message


def is_stored(name: str) -> bool:
    """Return whether ILIAS has changed the name of a Python file: "dqnpy.sec"."""
    return bool(_STORED.fullmatch(name.strip()))


def original(name: str) -> str:
    """Return a file name as it was before ILIAS changed it: "dqn.py" for "dqnpy.sec".

    A mark of a copy is kept. Other names are returned without blanks around them.
    """
    match = _STORED.fullmatch(name.strip())
    return f"{match['stem']}{match['again'] or ''}{PYTHON}" if match else name.strip()


def suffix_of(name: str) -> str:
    """Return the suffix of a file name in lower case, such as ".py"; "" without one.

    It is the one before ILIAS changed the name, see `original`.
    """
    return PurePosixPath(original(name)).suffix.lower()


def stem_of(name: str) -> str:
    """Return a file name in lower case, without suffix and without marks of a copy.

    Marks of a copy are, for example, " (1)" in "dqn (1).py", and "Copy of ". The name
    is the one before ILIAS changed it, see `original`.
    """
    return COPY.sub("", PurePosixPath(original(name)).stem.lower())


def shown(path: str | PurePosixPath) -> str:
    """Return a path as one line of at most MAX_LENGTH harmless characters.

    Messages show paths in this form, because a student can use any character in a file
    name.
    """
    return one_line(str(path), MAX_LENGTH)


def listing(paths: list[PurePosixPath]) -> str:
    """Return the first MAX_SHOWN paths and the number of the others, in one line.

    For example "a.py, b.py, c.py and 2 more".
    """
    more = len(paths) - MAX_SHOWN
    names = ", ".join(map(shown, paths[:MAX_SHOWN]))
    return f"{names} and {more} more" if more > 0 else names


def is_junk(path: PurePosixPath) -> bool:
    """Return whether a path is hidden or was made by the archive program of macOS.

    A path is hidden if a name in it, other than "..", begins with a dot.
    """
    hidden = (part for part in path.parts if part[:1] == "." and part != "..")
    return any(hidden) or "__MACOSX" in path.parts


def leads_out(path: PurePosixPath) -> bool:
    """Return whether unpacking would write a file outside the archive's target folder.

    Args:
        path: path of the file in the archive.
    """
    drive = re.match("[A-Za-z]:", path.parts[0])
    return path.is_absolute() or ".." in path.parts or bool(drive)
