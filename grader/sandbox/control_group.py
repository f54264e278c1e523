"""Make control groups for workers, where Linux allows the grader to make them.

A group contains the worker and all processes that the worker starts, whatever their
user, session or parent is. The group bounds the number of these processes and gives
them a smaller share of the CPU. It also makes it possible to end all of them. Each
helper has resource limits, too, because resource limits work on every machine.

Linux has two versions of control groups. In version 1, each controller ("pids", "cpu")
has folders of its own in /sys/fs/cgroup. In version 2, all controllers share one
folder.
"""

import contextlib
import functools
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox.system import left_behind, own_prefix

MOUNT = Path("/sys/fs/cgroup")
CONTROLLERS = ("pids", "cpu")
# The group's share of the CPU, by the file of version 2 and of version 1. It is half of
# the default, so that other programs go first.
SHARES = {"cpu.weight": 50, "cpu.shares": 512}
EMPTY_SECONDS = 10.0  # longest time for killing all processes of a group
NEW_SECONDS = 60.0  # age of a group up to which its first process may still join


@dataclass(frozen=True)
class ControlGroup:
    """A control group, given by its folders.

    Attributes:
        folders: folders of the group in /sys/fs/cgroup: in version 2 one folder, in
            version 1 one for each controller.
    """

    folders: tuple[Path, ...]

    def joined_by(self, command: list[str]) -> list[str]:
        """Return a command line that executes a program in the group.

        Args:
            command: the program to execute, with its arguments.
        """
        files = [shlex.quote(str(folder / "cgroup.procs")) for folder in self.folders]
        joins = "".join(f"echo 0 > {file} && " for file in files)
        return ["/bin/sh", "-c", f'{joins}exec "$@"', "sh", *command]

    def end(self) -> None:
        """Kill all processes in the group, then remove the group.

        The group stays if its processes have not ended after EMPTY_SECONDS.
        """
        for folder in self.folders:
            with contextlib.suppress(OSError):
                # With this bound, no process starts while `kill_all` kills the others.
                (folder / "pids.max").write_text("0")
        deadline = time.monotonic() + EMPTY_SECONDS
        for folder in self.folders:
            while not removed(folder) and time.monotonic() < deadline:
                kill_all(folder)
                time.sleep(0.002)


def create(tasks: int) -> ControlGroup | None:
    """Make a control group for a worker, and return it.

    The result is None if this machine allows no control groups.

    Args:
        tasks: largest number of processes and threads in the group.
    """
    parents = offered()
    return make(parents, new_name(), tasks) if parents else None


def new_name() -> str:
    """Return a name for a group, which ends with random digits."""
    return f"{own_prefix()}{secrets.token_hex(4)}"


@functools.cache
def offered() -> tuple[Path, ...]:
    """Return the folders in which the grader can make control groups.

    In version 1 of control groups, there is one folder for each controller; in version
    2, there is one folder. The result is empty if this machine allows no groups.
    """
    if sys.platform != "linux":
        return ()
    for parents in candidates():
        group = make(parents, new_name(), 8)
        if group is None:
            continue
        try:
            command = group.joined_by(["/bin/sh", "-c", ":"])
            done = subprocess.run(command, capture_output=True, check=False)
            if done.returncode == 0:
                return parents
        except OSError:
            continue
        finally:
            group.end()
    return ()


def candidates() -> Iterator[tuple[Path, ...]]:
    """Yield the folders in which `offered` tries to make groups, the best first.

    In version 1 of control groups, a tuple has one folder for each controller; in
    version 2, it has one folder. First comes the group of the grader's process, then
    the parent of this group, then the topmost group.

    In version 2, no limits can be set for groups inside a group that contains
    processes, such as the group of the grader's process. In the parent group, they can
    be set if systemd has given the parent group to the user.
    """
    own = own_groups()
    if (MOUNT / "cgroup.controllers").exists():
        roots = {"": MOUNT}
    else:
        roots = {name: MOUNT / name for name in CONTROLLERS}
    for place in ("{}", "{}/..", "."):
        folders = [
            (root / place.format(own.get(name, "").strip("/"))).resolve()
            for name, root in roots.items()
        ]
        if all((folder / "cgroup.procs").exists() for folder in folders):
            yield tuple(folders)


def own_groups() -> dict[str, str]:
    """Return the control groups to which the grader's process belongs.

    There is one group for each controller: a key is the name of the controller, its
    value is the path of the group. In version 2, all controllers share one group, whose
    key is "". On other systems than Linux, the dict is empty.
    """
    try:
        lines = Path("/proc/self/cgroup").read_text(errors="replace").splitlines()
    except OSError:
        return {}
    fields = [line.split(":", 2) for line in lines]
    return {name: path for _, names, path in fields for name in names.split(",")}


def make(parents: tuple[Path, ...], name: str, tasks: int) -> ControlGroup | None:
    """Make a control group, set its limits and return it; return None if this fails.

    Args:
        parents: the folders in which the group's folders are made: one for each
            controller, or one for all controllers.
        name: name of the group.
        tasks: largest number of processes and threads in the group.
    """
    group = ControlGroup(())
    try:
        for parent in parents:
            (parent / name).mkdir()
            group = ControlGroup((*group.folders, parent / name))
        set_in(group, {"pids.max": tasks}, needed=True)
        set_in(group, SHARES, needed=False)
    except OSError:
        group.end()
        return None
    return group


def set_in(group: ControlGroup, values: dict[str, int], *, needed: bool) -> None:
    """Write settings into the files of a group; skip files that do not exist.

    Args:
        group: the control group.
        values: numbers to write, by the name of the file.
        needed: whether at least one file must exist.

    Raises:
        OSError: a number cannot be written into its file, or no file exists although
            `needed` is true.
    """
    files = [folder / name for folder in group.folders for name in values]
    files = [file for file in files if file.exists()]
    if needed and not files:
        raise FileNotFoundError(f"no {', '.join(values)} in {group.folders}")
    for file in files:
        file.write_text(str(values[file.name]))


def removed(folder: Path) -> bool:
    """Try to remove a group's folder; return whether the folder no longer exists."""
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()


def kill_all(folder: Path) -> None:
    """Kill all processes in a group.

    Args:
        folder: the group's folder.
    """
    try:
        found = (folder / "cgroup.procs").read_text().split()
    except OSError:
        return
    for pid in map(int, found):
        if pid > 0:  # 0 stands for a process that this container cannot see
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def remove_leftovers() -> None:
    """Remove empty control groups of graders whose process has ended.

    Groups that are younger than NEW_SECONDS are kept.
    """
    for parent in offered():
        for folder in left_behind(parent):
            with contextlib.suppress(OSError):
                # A process may be about to join a new group.
                if time.time() - folder.stat().st_mtime > NEW_SECONDS:
                    removed(folder)  # fails for a group that contains a process
