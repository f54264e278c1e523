"""Find out about this machine: paths that Python needs, users and their processes."""

import contextlib
import ctypes
import functools
import importlib.util
import itertools
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Numbers of users for helpers. No Linux distribution gives these numbers to users.
USERS = range(60706, 61184)
FOLDER = "dqn-grader-"  # beginning of the names of all graders' folders
REMOVE_SECONDS = 60.0  # longest time for each program that removes a folder
_turn = itertools.count(os.getpid())


def system_paths() -> list[str]:
    """Return the paths of files and folders that Python and JAX need to read.

    /usr is one of them. So paths inside /usr are left out.
    """
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


def gpu_devices() -> list[str]:
    """Return the paths of the devices that CUDA needs; on WSL this is only /dev/dxg."""
    dev = Path("/dev")
    paths = [*sorted(dev.glob("nvidia*")), dev / "dxg"]
    return [str(path) for path in paths if path.exists()]


def within(path: str, folder: str) -> bool:
    """Return whether the path lies inside the folder; False if they are equal."""
    return Path(folder) in Path(path).parents


@functools.cache
def root_changes_user() -> tuple[bool, bool]:
    """Return whether the grader can start helpers as other users.

    Returns:
        A pair (can_become, can_read). `can_become` says whether the grader runs as root
        on Linux and can become another user; in some containers it cannot. `can_read`
        says whether the other user can read the files of Python and JAX, and the folder
        of temporary files. If `can_read` is False, helpers need the privilege to read
        all files. If `can_become` is False, `can_read` is True.
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
    """Return how many threads each process on this machine has.

    The result has a dict for each user, by the user's number. Its keys are the numbers
    of this user's processes, its values the numbers of their threads. On systems other
    than Linux, the result is empty.
    """
    found: dict[int, dict[int, int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "status").read_text(errors="replace")
        except OSError:  # the process has ended
            continue
        user = re.search(r"^Uid:\s+(\d+)", status, re.M)
        threads = re.search(r"^Threads:\s+(\d+)", status, re.M)
        if user and threads:
            found.setdefault(int(user[1]), {})[int(entry.name)] = int(threads[1])
    return found


def unused_user() -> int:
    """Return the number of a user in `USERS` who has no processes.

    Two calls in a row return different users. But if all users in `USERS` have
    processes, each call returns `USERS[0]`.
    """
    taken = tasks_by_user()
    users = (USERS[next(_turn) % len(USERS)] for _ in USERS)
    return next((user for user in users if user not in taken), USERS[0])


@functools.cache
def machine() -> str:
    """Return a text that two graders share if they see each other's processes.

    Graders on other machines and in other containers have other texts. They may use the
    same folder for temporary files, but a process number says nothing there.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
        return f"{boot}{os.stat('/proc/self/ns/pid').st_ino:x}"
    except OSError:  # not on Linux
        return re.sub(r"\W", "", platform.node())[:20]


def own_prefix() -> str:
    """Return the beginning of the names of this grader's folders and control groups.

    It contains the number of the grader's process.
    """
    return f"{machine_prefix()}{os.getpid()}-"


def machine_prefix() -> str:
    """Return how the names begin that all graders of this machine give."""
    return f"{FOLDER}{machine()}-"


def left_behind(parent: Path) -> Iterator[Path]:
    """Yield the folders of graders of this machine whose process has ended.

    Only folders that belong to the grader's user are considered.

    Args:
        parent: folder that contains the graders' folders, see `own_prefix`.
    """
    prefix = machine_prefix()
    for folder in parent.glob(f"{prefix}*-*"):
        number = folder.name.removeprefix(prefix).partition("-")[0]
        try:
            if folder.lstat().st_uid == os.geteuid():
                os.kill(int(number), 0)
        except ProcessLookupError:
            yield folder
        except (OSError, ValueError, OverflowError):
            continue


def remove(folder: Path) -> None:
    """Remove a helper's folder, whatever the hand-in has made in it.

    It stays without an error if that takes too long.
    """
    with contextlib.suppress(RecursionError):  # too many folders in each other
        shutil.rmtree(folder, ignore_errors=True)
    # These programs can do what Python could not: they need no stack for folders in
    # each other, and may enter folders that their owner is forbidden to enter.
    for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
        if os.name == "posix" and os.path.lexists(folder):
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    [*command, "--", folder],
                    capture_output=True,
                    check=False,
                    timeout=REMOVE_SECONDS,
                )


def hide_memory() -> None:
    """Forbid other processes of the same user to read the grader's memory.

    The environment and the open files of the grader's process are then protected, too.
    Bubblewrap and Landlock already keep a helper from reading them, but the process
    tier does not. On systems other than Linux nothing is done.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
