"""Take a hand-in in: find `dqn.py`, read it once, never import it."""

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from grader.escape import plain

FILE = "dqn.py"
MAX_BYTES = 1 << 20


class UsageError(Exception):
    """What was asked for on the command line does not exist or makes no sense."""


@dataclass(frozen=True)
class Submission:
    """One hand-in, as it was read; what is graded is this and not the file.

    Attributes:
        name: for the report.
        source: the bytes of `dqn.py`.
        path: of the file that was read, for a debugger; graded is `source`.
        problem: why there is nothing to run, in words for the student; else None.
    """

    name: str
    source: bytes
    problem: str | None = None
    path: Path = Path(FILE)

    @property
    def sha256(self) -> str:
        """Hash of what was graded, in hex."""
        return hashlib.sha256(self.source).hexdigest()


def take(path: str) -> Submission:
    """Read the hand-in at a path: a folder that holds `dqn.py`, or a Python file.

    Raises:
        UsageError: there is nothing at the path.
    """
    place = Path(path)
    if not os.path.exists(path):  # unlike Path's, never raises
        shown = plain(path, 200)
        raise UsageError(f"no hand-in at {shown!r}: there is no such file or folder")
    name = plain(place.resolve().name, 100).replace("\n", "�")
    if place.is_dir():
        if not os.path.lexists(place / FILE):
            return Submission(name, b"", f"there is no {FILE} in the folder {name!r}")
        place = place / FILE
    elif place.suffix != ".py":
        return Submission(name, b"", f"{name!r} is not a Python file: hand in {FILE}")
    try:
        source = read_regular_file(place)
        text = source.decode("utf-8")
    except OSError as error:
        why = "it is a link" if error.errno == errno.ELOOP else error.strerror
        return Submission(name, b"", f"{FILE} cannot be read: {why}")
    except UnicodeDecodeError as error:
        line = source[: error.start].count(b"\n") + 1
        problem = f"{FILE} is not UTF-8 text (line {line}): save it as UTF-8"
        return Submission(name, source, problem)
    if len(source) > MAX_BYTES:
        problem = f"{FILE} is larger than {MAX_BYTES >> 20} MiB"
        return Submission(name, source[:MAX_BYTES], problem)
    if not text.strip():
        return Submission(name, source, f"{FILE} is empty")
    return Submission(name, source, path=place)


def read_regular_file(path: Path) -> bytes:
    """At most one byte more than `MAX_BYTES` of a regular file; never waits.

    Raises:
        OSError: no such file, or a link, a pipe or a device.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "it is not a regular file")
    with os.fdopen(handle, "rb") as file:
        return file.read(MAX_BYTES + 1)
