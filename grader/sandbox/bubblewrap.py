"""Build the command line of bubblewrap (`bwrap`), which runs a program in a sandbox.

The sandbox is made of Linux namespaces: the program sees only the files that are
mounted for it, and no network.
"""

import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from grader.contract.exercises import ROOT
from grader.sandbox.system import (
    gpu_devices,
    root_changes_user,
    system_paths,
    within,
)

TMPFS_SIZE = 64 << 20  # bytes


def bwrap_arguments(
    files: dict[str, Path], *, gpu: bool = False, as_root: bool = False
) -> list[str]:
    """Return the command line of bubblewrap, without the program to run in the sandbox.

    Args:
        files: files and folders to mount under /harness. A key is the path below
            /harness, its value is the path on this machine.
        gpu: whether to mount the GPU's devices.
        as_root: whether root starts bubblewrap without a user namespace; see
            `bwrap_as_root`.
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
        arguments += mounts_for_gpu()
    for name, source in files.items():
        arguments += ["--ro-bind", str(source), f"/harness/{name}"]
    if grader_is_visible:
        arguments += ["--remount-ro", str(ROOT)]
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    return arguments


def namespaces_of_root() -> list[str]:
    """Return bubblewrap's options for a grader that runs as root.

    The helper gets new namespaces of all kinds but one: it has no user namespace of its
    own. It keeps the privileges that `confine.py` needs to become another user.
    """
    arguments = []
    for space in ("ipc", "pid", "net", "uts", "cgroup-try"):
        arguments.append(f"--unshare-{space}")
    # `confine.py` needs these privileges to become another user, and then drops them.
    for privilege in ("SETUID", "SETGID", "DAC_READ_SEARCH"):
        arguments += ["--cap-add", f"CAP_{privilege}"]
    return arguments


def namespaces_of_user() -> list[str]:
    """Return bubblewrap's options for a grader whose user is not root.

    The helper gets new namespaces of all kinds, and the user number 65534.
    """
    arguments = ["--unshare-all", "--unshare-user"]
    arguments += ["--uid", "65534", "--gid", "65534"]
    if bwrap_version() >= (0, 8):
        arguments += ["--disable-userns"]
    return arguments


def temporary_folders() -> list[str]:
    """Return bubblewrap's options that put folders in memory at /tmp and /dev/shm.

    Every user may write in these folders, at most TMPFS_SIZE bytes in each.
    """
    arguments = []
    for place in ("/dev/shm", "/tmp"):
        arguments += ["--perms", "1777", "--size", str(TMPFS_SIZE), "--tmpfs", place]
    return arguments


def parent_folders(files: dict[str, Path]) -> list[str]:
    """Return bubblewrap's options that make the parent folders of all mounts.

    Every user can read these folders. Without these options, bubblewrap would make
    parent folders that only the user who starts bubblewrap can read.

    Args:
        files: files and folders to mount under /harness. A key is the path below
            /harness, its value is the path on this machine.
    """
    mounts = [*map(Path, system_paths()), *(Path("/harness", name) for name in files)]
    parents = {parent for mount in mounts for parent in mount.parents}
    arguments = []
    for parent in sorted(parents - {Path("/")}):
        arguments += ["--perms", "0755", "--dir", str(parent)]
    return arguments


def read_only(path: str) -> list[str]:
    """Return bubblewrap's options that mount a path read-only, at the same path."""
    return ["--ro-bind", path, path]


def hide_grader() -> list[str]:
    """Return bubblewrap's options that put an empty folder over the grader's folder.

    The options are needed if the grader's folder lies in a folder that is mounted. If
    Python's environment lies in the grader's folder, this environment stays visible.
    """
    arguments = ["--tmpfs", str(ROOT)]
    if within(sys.prefix, str(ROOT)):
        arguments += read_only(sys.prefix)
    return arguments


def system_links() -> list[str]:
    """Return bubblewrap's options that make or mount /bin, /lib, /lib64 and /sbin.

    On most systems these paths are links into /usr.
    """
    arguments = []
    for name in ("bin", "lib", "lib64", "sbin"):
        source = Path("/") / name
        if source.is_symlink():
            arguments += ["--symlink", os.readlink(source), str(source)]
        elif source.is_dir():
            arguments += read_only(str(source))
    return arguments


def mounts_for_gpu() -> list[str]:
    """Return bubblewrap's options that mount what CUDA needs from the system.

    These are NVIDIA's devices, /sys, and the links by which Debian finds the driver.
    """
    arguments = []
    for device in gpu_devices():
        arguments += ["--dev-bind", device, device]
    for path in ("/sys", "/etc/alternatives"):
        arguments += ["--ro-bind-try", path, path]
    return arguments


@functools.cache
def bwrap_as_root() -> bool:
    """Return whether the grader can start bubblewrap without a user namespace.

    For this, the grader has to be root and able to become another user. Without a user
    namespace, each helper runs as another user, and the kernel can bound the number of
    this user's processes. So the grader uses no user namespace if it can.
    """
    if not root_changes_user()[0]:
        return False
    arguments = bwrap_arguments({}, as_root=True)
    python = [sys.executable, "-I", "-S", "-c", "pass"]
    done = subprocess.run([*arguments, "--", *python], capture_output=True, check=False)
    return done.returncode == 0


@functools.cache
def bwrap_version() -> tuple[int, ...]:
    """Return the version of the installed bubblewrap, for example (0, 8).

    Raises:
        FileNotFoundError: bubblewrap is not installed.
    """
    done = subprocess.run(["bwrap", "--version"], capture_output=True, check=False)
    return tuple(map(int, re.findall(rb"\d+", done.stdout)[:2]))


def over_fd(arguments: list[str]) -> int:
    """Write arguments into a pipe and return the file descriptor of its read end.

    Bubblewrap reads its arguments from this descriptor, because processes inside the
    sandbox could read arguments on bubblewrap's command line. The caller closes the
    descriptor.

    Args:
        arguments: options of bubblewrap.
    """
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "wb") as pipe:
        pipe.write(b"\0".join(a.encode() for a in arguments) + b"\0")
    return read_end


def first_inside(info_fd: int | None) -> int | None:
    """Return a pidfd of the first process in a bubblewrap sandbox, or None.

    A pidfd is a file descriptor that stands for a process. The caller has to close it.
    Bubblewrap writes the number of the process into a pipe, before the process runs any
    program. This function reads the number and closes the read end of the pipe. The
    result is None if bubblewrap is not used, or has failed and written nothing.

    Args:
        info_fd: the read end of the pipe; None without bubblewrap.
    """
    if info_fd is None:
        return None
    with os.fdopen(info_fd, "rb") as info:
        told = info.read(4096)
    try:
        return os.pidfd_open(json.loads(told)["child-pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
