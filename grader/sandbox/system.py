"""What this machine has: places that Python needs, users and their processes."""

import ctypes
import functools
import importlib.util
import itertools
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from grader.contract.exercises import SOLUTION

# A range that no distribution hands out; users in it exist for the kernel alone.
USERS = range(60706, 61184)
_turn = itertools.count(os.getpid())


def system_paths() -> list[str]:
    """What Python and JAX need to see, and nothing else: read-only."""
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
    """Whether the path lies in that folder."""
    return Path(folder) in Path(path).parents


@functools.cache
def root_changes_user() -> tuple[bool, bool]:
    """Whether we are root and can be someone else, and whether they can read Python.

    Not in every container; and where only root may enter a folder on the way to Python
    or to the folder for temporary files, they need a privilege for it.
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
    paths += [str(SOLUTION)] if SOLUTION.exists() else []
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, *paths],
        capture_output=True,
        check=False,
    )
    return done.returncode in (0, 7), done.returncode != 7


def tasks_by_user() -> dict[int, dict[int, int]]:
    """For each user on this Linux the processes, and how many threads each has."""
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
    """A user that has no process, another one each time."""
    taken = tasks_by_user()
    users = (USERS[next(_turn) % len(USERS)] for _ in USERS)
    return next((user for user in users if user not in taken), USERS[0])


def hide_memory() -> None:
    """Let no process of the same user look into this one; only Linux has to be asked.

    Memory, environment and open files of a process are its user's to read. Landlock
    and bubblewrap keep a helper from that, the process tier does not.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
