"""Look at this machine: paths that Python needs, users and their processes."""

import ctypes
import functools
import importlib.util
import itertools
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

# No distribution gives these numbers to users; only the kernel knows them.
USERS = range(60706, 61184)
_turn = itertools.count(os.getpid())


def system_paths() -> list[str]:
    """Return the paths that Python and JAX need to read, and no others."""
    places = [
        Path("/usr"),
        Path("/etc/ld.so.cache"),
        Path(sys.base_prefix),
        Path(sys.prefix),
        Path(os.path.realpath(sys.executable)).parent.parent,
    ]
    paths = [str(place) for place in places if place.exists()]
    return sorted(
        {path for path in paths if path == "/usr" or not within(path, "/usr")}
    )


def within(path: str, folder: str) -> bool:
    """Return whether the path lies in the folder."""
    return Path(folder) in Path(path).parents


@functools.cache
def root_changes_user() -> tuple[bool, bool]:
    """Return whether root can become another user, and whether that user reads Python.

    The first is False for a user that is not root and in some containers. The second is
    False if only root may enter a folder above Python or above the folder for temporary
    files: then helpers need a privilege.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        return False, True
    jax = importlib.util.find_spec("jax")
    there = str(jax.origin) if jax else sys.executable
    code = (
        f"import os, sys; user = {USERS[-1]}; os.setgroups([]); "
        "os.setresgid(user, user, user); os.setresuid(user, user, user); "
        "sys.exit(0 if all(os.access(p, os.R_OK) for p in sys.argv[1:]) else 7)"
    )
    paths = [there, os.__file__, tempfile.gettempdir()]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, *paths],
        capture_output=True,
        check=False,
    )
    return done.returncode in (0, 7), done.returncode != 7


def tasks_by_user() -> dict[int, dict[int, int]]:
    """Return for each user the processes, and for each process its number of threads.

    It works on Linux only.
    """
    found: dict[int, dict[int, int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "status").read_text(errors="replace")
        except OSError:  # it has ended
            continue
        user = re.search(r"^Uid:\s+(\d+)", status, re.M)
        threads = re.search(r"^Threads:\s+(\d+)", status, re.M)
        if user and threads:
            found.setdefault(int(user[1]), {})[int(entry.name)] = int(threads[1])
    return found


def unused_user() -> int:
    """Return a user without processes, another one at each call."""
    taken = tasks_by_user()
    users = (USERS[next(_turn) % len(USERS)] for _ in USERS)
    return next((user for user in users if user not in taken), USERS[0])


def left_behind(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield the folders with this prefix that a grader which is gone has made.

    Args:
        parent: of the folders.
        prefix: of their names; the number of the grader's process and "-" follow.
    """
    for folder in parent.glob(f"{prefix}*-*"):
        number = folder.name.removeprefix(prefix).partition("-")[0]
        try:
            if folder.lstat().st_uid == os.geteuid():
                os.kill(int(number), 0)
        except ProcessLookupError:
            yield folder
        except (OSError, ValueError, OverflowError):
            continue


def hide_memory() -> None:
    """Forbid other processes of the same user to look into this one.

    On Linux they could read its memory, environment and open files. Landlock and
    bubblewrap keep a helper from that, the process tier does not.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
