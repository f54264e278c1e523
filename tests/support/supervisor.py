"""Run a command and end whatever it leaves behind; what happened, as JSON.

`python supervisor.py SECONDS COMMAND...` becomes the parent of every process that loses
its own (Linux), so none that the command has started, daemons included, can get away.
Those that do not end by themselves soon after the command are listed, and then killed.
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
GRACE_SECONDS = 5


class OutOfTime(Exception):
    """The alarm went off."""


def main() -> None:
    """Run the command, wait for the end of all it has started, tell."""
    seconds, *command = sys.argv[1:]
    adopt()
    # Files and no pipes, which a survivor could keep open.
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
        survivors = those_left()
        told = {"code": code, "survivors": survivors}
        for name, file in (("out", out), ("err", err)):
            file.seek(0)
            told[name] = file.read().decode("utf-8", "replace")
    print(json.dumps(told))


def adopt() -> None:
    """Become the parent of all that this process starts and that loses its own."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def those_left() -> list[str]:
    """Return the command lines of children that do not end by themselves; ends them."""
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(GRACE_SECONDS)
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
            os.waitpid(pid, 0)  # its own children are ours now
    return left


def out_of_time(*_: object) -> None:
    """Handle the alarm.

    Raises:
        OutOfTime: always.
    """
    raise OutOfTime


def children() -> list[tuple[int, str]]:
    """Return the children of this process: their numbers and command lines."""
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
