"""The command line of bubblewrap."""

import functools
import os
import re
import subprocess
import sys
from pathlib import Path

from grader.contract.exercises import ROOT
from grader.sandbox.system import root_changes_user, system_paths, within

TMPFS_SIZE = 64 << 20


def bwrap_arguments(
    files: dict[str, Path], *, gpu: bool = False, as_root: bool = False
) -> list[str]:
    """The command line of bubblewrap, without the program to run in it."""
    arguments = ["bwrap", "--hostname", "sandbox", "--cap-drop", "ALL"]
    if as_root:
        for space in ("ipc", "pid", "net", "uts", "cgroup-try"):
            arguments.append(f"--unshare-{space}")
        # To become another user, which `confine.py` does first of all.
        for privilege in ("SETUID", "SETGID", "DAC_READ_SEARCH"):
            arguments += ["--cap-add", f"CAP_{privilege}"]
    else:
        arguments += ["--unshare-all", "--unshare-user"]
        arguments += ["--uid", "65534", "--gid", "65534"]
        if bwrap_version() >= (0, 8):
            arguments += ["--disable-userns"]
    arguments += ["--die-with-parent", "--new-session"]
    arguments += ["--dev", "/dev"]
    # Before the rest, for the environment may itself lie in /tmp.
    for place in ("/dev/shm", "/tmp"):
        arguments += ["--perms", "1777", "--size", str(TMPFS_SIZE), "--tmpfs", place]
    # The folders on the way, which bubblewrap would make for the one who starts it.
    ends = [*map(Path, system_paths()), *(Path("/harness", name) for name in files)]
    ways = {folder for end in ends for folder in end.parents if folder != Path("/")}
    for way in sorted(ways):
        arguments += ["--perms", "0755", "--dir", str(way)]
    for path in system_paths():
        arguments += ["--ro-bind", path, path]
    hidden = any(within(str(ROOT), path) for path in (*system_paths(), "/tmp"))
    if hidden:
        # The grader lies in a folder that is there inside: hide all but Python.
        arguments += ["--tmpfs", str(ROOT)]
        if within(sys.prefix, str(ROOT)):
            arguments += ["--ro-bind", sys.prefix, sys.prefix]
    for link in ("bin", "lib", "lib64", "sbin"):
        source = Path("/") / link
        if source.is_symlink():
            arguments += ["--symlink", os.readlink(source), str(source)]
        elif source.is_dir():
            arguments += ["--ro-bind", str(source), str(source)]
    arguments += ["--proc", "/proc"]
    if gpu:
        for device in sorted(Path("/dev").glob("nvidia*")):
            arguments += ["--dev-bind", str(device), str(device)]
        arguments += ["--ro-bind", "/sys", "/sys"]
    for name, source in files.items():
        arguments += ["--ro-bind", str(source), f"/harness/{name}"]
    if hidden:
        arguments += ["--remount-ro", str(ROOT)]
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    return arguments


@functools.cache
def bwrap_as_root() -> bool:
    """Whether bubblewrap gets by without a user namespace, as it can for root.

    There the user inside is one of the kernel's own, whose processes can be counted.
    """
    if not root_changes_user()[0]:
        return False
    arguments = bwrap_arguments({}, as_root=True)
    python = [sys.executable, "-I", "-S", "-c", "pass"]
    done = subprocess.run([*arguments, "--", *python], capture_output=True, check=False)
    return done.returncode == 0


@functools.cache
def bwrap_version() -> tuple[int, ...]:
    """Bubblewrap's version; some options are newer than some systems."""
    done = subprocess.run(["bwrap", "--version"], capture_output=True, check=False)
    return tuple(map(int, re.findall(rb"\d+", done.stdout)[:2]))


def over_fd(arguments: list[str]) -> int:
    """A pipe that holds the arguments: what stands in argv can be read from inside."""
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "wb") as pipe:
        pipe.write(b"\0".join(a.encode() for a in arguments) + b"\0")
    return read_end
