"""Control groups for the worker and all that it starts, if Linux allows to make them.

A group counts, weighs and ends processes whatever their user, session or parent. It
comes on top of resource limits and niceness, which hold everywhere.
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

from grader.sandbox.system import left_behind

MOUNT = Path("/sys/fs/cgroup")
CONTROLLERS = ("pids", "cpu")
# By file, of version 2 and 1: half of the default of any other group or process.
SHARES = {"cpu.weight": 50, "cpu.shares": 512}
EMPTY_SECONDS = 2.0
NEW_SECONDS = 60.0  # in which a process joins a group that was made for it


@dataclass(frozen=True)
class ControlGroup:
    """A group of processes.

    Attributes:
        folders: one for all controllers (version 2), or one for each (version 1).
    """

    folders: tuple[Path, ...]

    def joined_by(self, command: list[str]) -> list[str]:
        """Return a command that joins the group and then becomes the given one."""
        files = [shlex.quote(str(folder / "cgroup.procs")) for folder in self.folders]
        joins = "".join(f"echo 0 > {file} && " for file in files)
        return ["/bin/sh", "-c", f'{joins}exec "$@"', "sh", *command]

    def end(self) -> None:
        """Kill the processes that are left in the group, then remove it."""
        for folder in self.folders:
            with contextlib.suppress(OSError):
                (folder / "pids.max").write_text("0")  # nothing new while we kill
        deadline = time.monotonic() + EMPTY_SECONDS
        for folder in self.folders:
            while not removed(folder) and time.monotonic() < deadline:
                kill_all(folder)
                time.sleep(0.002)


def create(prefix: str, tasks: int) -> ControlGroup | None:
    """Make a group for a helper; return None if the system offers none.

    Args:
        prefix: the beginning of the group's name.
        tasks: the largest number of its processes and threads.
    """
    parents = offered()
    # The token: processes of other containers can have our number.
    name = f"{prefix}{secrets.token_hex(4)}"
    return make(parents, name, tasks) if parents else None


@functools.cache
def offered() -> tuple[Path, ...]:
    """Return the folders in which groups can be made and joined; empty if none."""
    if sys.platform != "linux":
        return ()
    for parents in candidates():
        group = make(parents, f"dqn-grader-{os.getpid()}-{secrets.token_hex(4)}", 8)
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
    """Yield folders to try: this process's own groups, then those above them.

    In version 2, a group that holds a process itself cannot give controllers to groups
    in it; where systemd delegated groups, one beside this process's own can have them.
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
    """Return this process's group by controller; "" stands for version 2."""
    try:
        lines = Path("/proc/self/cgroup").read_text(errors="replace").splitlines()
    except OSError:
        return {}
    fields = [line.split(":", 2) for line in lines]
    return {name: path for _, names, path in fields for name in names.split(",")}


def make(parents: tuple[Path, ...], name: str, tasks: int) -> ControlGroup | None:
    """Make a group in these folders, with bounds and shares; return None if refused."""
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
    """Write values into those files of the group that exist.

    Raises:
        OSError: a value was refused, or no file exists and one is needed.
    """
    files = [folder / name for folder in group.folders for name in values]
    files = [file for file in files if file.exists()]
    if needed and not files:
        raise FileNotFoundError(f"no {', '.join(values)} in {group.folders}")
    for file in files:
        file.write_text(str(values[file.name]))


def removed(folder: Path) -> bool:
    """Remove the group's folder; return whether it is gone."""
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()


def kill_all(folder: Path) -> None:
    """Kill all processes in the group."""
    try:
        found = (folder / "cgroup.procs").read_text().split()
    except OSError:
        return
    for pid in map(int, found):
        if pid > 0:  # 0 stands for a process that this container cannot name
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def remove_leftovers(prefix: str) -> None:
    """Remove empty groups with this prefix whose grader is gone."""
    for parent in offered():
        for folder in left_behind(parent, prefix):
            with contextlib.suppress(OSError):
                # Not a new one: in another container a process may be about to join.
                if time.time() - folder.stat().st_mtime > NEW_SECONDS:
                    removed(folder)  # fails for one that still holds a process
