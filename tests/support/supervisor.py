"""Run a command, kill the processes that it leaves behind, and print what happened.

Use: `python supervisor.py SECONDS GRACE COMMAND...`, on Linux only. The command is
killed after SECONDS. Every process of the command whose parent has ended becomes a
child of this program, so no daemon can escape. This program waits GRACE more seconds
for such processes. Those that still run are killed.

The output is one JSON object. `code` is the exit code, or null if the command was
killed. `survivors` lists the command lines of the processes that were killed after the
wait. `out` and `err` are the texts of standard output and standard error.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 30  # if nothing is left, this takes less than one


class OutOfTime(Exception):
    """Raised when the time of waiting for processes is over."""


def main() -> None:
    """Run the command that the command line names; print the JSON object."""
    seconds, grace, *command = sys.argv[1:]
    adopt()
    # The output goes to files because a survivor could keep a pipe open.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(float(seconds))
        except subprocess.TimeoutExpired:
            process.kill()
            code = None
        survivors = those_left(int(grace))
        told = {"code": code, "survivors": survivors}
        for name, file in (("out", out), ("err", err)):
            file.seek(0)
            told[name] = file.read().decode("utf-8", "replace")
    print(json.dumps(told))


def adopt() -> None:
    """Make this process the new parent of each of its descendants whose parent ends."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def those_left(grace: int = GRACE_SECONDS) -> list[str]:
    """Wait for all children of this process to end; kill those that do not.

    Processes that become children of this process by `adopt` are included.

    Args:
        grace: how long to wait, in seconds.

    Returns:
        The command lines of the children that still ran after this time.
    """
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(grace)
    left = []
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return []
    except OutOfTime:
        left = [line for _, line in children()]
    finally:
        signal.alarm(0)
    while found := children():
        for pid, _ in found:
            os.kill(pid, signal.SIGKILL)
            # The children of the killed process become ours: the loop kills them next.
            os.waitpid(pid, 0)
    return left


def out_of_time(*_: object) -> None:
    """End the wait in `those_left`; Python calls this function when the alarm rings.

    Raises:
        OutOfTime: always.
    """
    raise OutOfTime


def children() -> list[tuple[int, str]]:
    """Return the process ID and the command line of each child of this process."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            found.append((int(entry.name), line.decode("utf-8", "replace").strip()))
    return found


if __name__ == "__main__":
    main()
