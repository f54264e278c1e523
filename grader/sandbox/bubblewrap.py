"""Build the command line of bubblewrap."""

import functools
import os
import re
import subprocess
import sys
from pathlib import Path

from grader.contract.exercises import ROOT
from grader.sandbox.system import root_changes_user, system_paths, within

TMPFS_SIZE = 64 << 20  # bytes


def bwrap_arguments(
    files: dict[str, Path], *, gpu: bool = False, as_root: bool = False
) -> list[str]:
    """Return the command line of bubblewrap, without the program to run in it.

    Args:
        files: what is mounted under /harness, by its path there.
        gpu: whether the GPU's devices are there.
        as_root: whether bubblewrap does without a user namespace, see `bwrap_as_root`.
    """
    grader_is_visible = any(within(str(ROOT), p) for p in (*system_paths(), "/tmp"))
    arguments = ["bwrap", "--hostname", "sandbox", "--cap-drop", "ALL"]
    arguments += namespaces_of_root() if as_root else namespaces_of_user()
    arguments += ["--die-with-parent", "--new-session"]
    arguments += ["--dev", "/dev"]
    # Before all other mounts, because the environment may itself lie in /tmp.
    arguments += temporary_folders()
    arguments += parent_folders(files)
    for path in system_paths():
        arguments += read_only(path)
    if grader_is_visible:
        arguments += hide_grader()
    arguments += system_links()
    arguments += ["--proc", "/proc"]
    if gpu:
        arguments += gpu_devices()
    for name, source in files.items():
        arguments += ["--ro-bind", str(source), f"/harness/{name}"]
    if grader_is_visible:
        arguments += ["--remount-ro", str(ROOT)]
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    return arguments


def namespaces_of_root() -> list[str]:
    """Return the options for root: all namespaces but that of users."""
    arguments = []
    for space in ("ipc", "pid", "net", "uts", "cgroup-try"):
        arguments.append(f"--unshare-{space}")
    # `confine.py` needs these to become another user; then they are gone.
    for privilege in ("SETUID", "SETGID", "DAC_READ_SEARCH"):
        arguments += ["--cap-add", f"CAP_{privilege}"]
    return arguments


def namespaces_of_user() -> list[str]:
    """Return the options for all other users: all namespaces, user 65534 inside."""
    arguments = ["--unshare-all", "--unshare-user"]
    arguments += ["--uid", "65534", "--gid", "65534"]
    if bwrap_version() >= (0, 8):
        arguments += ["--disable-userns"]
    return arguments


def temporary_folders() -> list[str]:
    """Return the options that mount small file systems in memory for everybody."""
    arguments = []
    for place in ("/dev/shm", "/tmp"):
        arguments += ["--perms", "1777", "--size", str(TMPFS_SIZE), "--tmpfs", place]
    return arguments


def parent_folders(files: dict[str, Path]) -> list[str]:
    """Return the options that make the parents of all mounts readable for everybody.

    Bubblewrap would make them itself, but readable only for the user who starts it.
    """
    mounts = [*map(Path, system_paths()), *(Path("/harness", name) for name in files)]
    parents = {parent for mount in mounts for parent in mount.parents}
    arguments = []
    for parent in sorted(parents - {Path("/")}):
        arguments += ["--perms", "0755", "--dir", str(parent)]
    return arguments


def read_only(path: str) -> list[str]:
    """Return the options that mount a path at its own place, read-only."""
    return ["--ro-bind", path, path]


def hide_grader() -> list[str]:
    """Return the options that hide the grader's folder, except Python's environment.

    They are needed if the folder lies in one that is mounted.
    """
    arguments = ["--tmpfs", str(ROOT)]
    if within(sys.prefix, str(ROOT)):
        arguments += read_only(sys.prefix)
    return arguments


def system_links() -> list[str]:
    """Return the options for /bin, /lib and others: links on most systems."""
    arguments = []
    for name in ("bin", "lib", "lib64", "sbin"):
        source = Path("/") / name
        if source.is_symlink():
            arguments += ["--symlink", os.readlink(source), str(source)]
        elif source.is_dir():
            arguments += read_only(str(source))
    return arguments


def gpu_devices() -> list[str]:
    """Return the options that mount NVIDIA's devices and what CUDA reads of /sys."""
    arguments = []
    for device in sorted(Path("/dev").glob("nvidia*")):
        arguments += ["--dev-bind", str(device), str(device)]
    return [*arguments, *read_only("/sys")]


@functools.cache
def bwrap_as_root() -> bool:
    """Return whether root can use bubblewrap without a user namespace.

    Then the kernel knows the user inside, and can bound the number of its processes.
    """
    if not root_changes_user()[0]:
        return False
    arguments = bwrap_arguments({}, as_root=True)
    python = [sys.executable, "-I", "-S", "-c", "pass"]
    done = subprocess.run([*arguments, "--", *python], capture_output=True, check=False)
    return done.returncode == 0


@functools.cache
def bwrap_version() -> tuple[int, ...]:
    """Return bubblewrap's version: older ones lack some options."""
    done = subprocess.run(["bwrap", "--version"], capture_output=True, check=False)
    return tuple(map(int, re.findall(rb"\d+", done.stdout)[:2]))


def over_fd(arguments: list[str]) -> int:
    """Write the arguments into a pipe and return its end: argv can be read from inside.

    The caller closes the descriptor.
    """
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "wb") as pipe:
        pipe.write(b"\0".join(a.encode() for a in arguments) + b"\0")
    return read_end
