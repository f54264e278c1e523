"""An intruder: tries from inside what a confined process must not be able to do.

The sandbox's self-test (`make doctor`) asks for one attempt after the other. Each
answer names what succeeded: on a good tier, nothing.
"""

import contextlib
import ctypes
import errno
import functools
import mmap
import os
import platform
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grader.inside import protocol

TASKS = 2000
MEMORY = 6 << 30
FILE = 1 << 30
MAP_NORESERVE = 0x4000  # Linux: the memory need not exist
MARK = "intruder-was-here"
DAEMON_SECONDS = 20

# System calls: the numbers on x86_64 and aarch64, and arguments that do no harm where
# the call is allowed.
CALLS: dict[str, tuple[tuple[int, int], tuple[int, ...]]] = {
    "ptrace": ((101, 117), (9999, 0, 0, 0)),
    "process_vm_readv": ((310, 270), (0, 0, 0, 0, 0, 0)),
    "keyctl": ((250, 219), (9999, 0, 0, 0, 0)),
    "add_key": ((248, 217), (0, 0, 0, 0, 0)),
    "bpf": ((321, 280), (9999, 0, 0)),
    "perf_event_open": ((298, 241), (0, 0, 0, 0, 0)),
    "userfaultfd": ((323, 282), (9999,)),
    "io_uring_setup": ((425, 425), (0, 0)),
    "unshare": ((272, 97), (1,)),
    "setns": ((308, 268), (-1, 0)),
    "mount": ((165, 40), (0, 0, 0, 0, 0)),
    "pidfd_getfd": ((438, 438), (-1, 0, 0)),
    "open_by_handle_at": ((304, 265), (-1, 0, 0)),
    "memfd_create": ((319, 279), (0, 0)),
    "shmget": ((29, 194), (-1, 0, 0)),
    "clone3": ((435, 435), (0, 0)),
}


def main() -> None:
    """Answer requests until the pipe is closed."""
    with open(os.dup(0), "rb") as requests, open(os.dup(1), "wb") as answers:
        protocol.send(answers, {})  # it has started
        while (request := protocol.receive(requests)) is not None:
            nonce, attempt = request["nonce"], ATTEMPTS[request["do"]]
            try:
                found = ", ".join(attempt(**request["given"]))
            except Exception as error:  # the attempt itself has a fault
                found = f"the attempt failed: {type(error).__name__}: {error}"
            protocol.send(answers, {"nonce": nonce, "answer": {"found": found}})


def succeeded(attempts: dict[str, Callable[[], Any]]) -> list[str]:
    """Make attempts; return the names of those that are not refused."""
    names = []
    for name, attempt in attempts.items():
        with contextlib.suppress(OSError):
            attempt()
            names.append(name)
    return names


def network(port: int) -> list[str]:
    """Connect to a server on this machine, and send a datagram out of it."""

    def connect() -> None:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.sendto(b"", ("192.0.2.1", 9))  # an address for documentation

    return succeeded({"connected": connect, "sent": send})


def sockets(path: str) -> list[str]:
    """Connect to another program's socket in a folder."""

    def connect() -> None:
        with socket.socket(socket.AF_UNIX) as local:
            local.connect(path)

    return succeeded({"connected": connect})


def reading(paths: list[str]) -> list[str]:
    """Read files and list folders."""

    def look(path: str) -> None:
        os.listdir(path) if os.path.isdir(path) else open(path, "rb").close()

    return succeeded({path: functools.partial(look, path) for path in paths})


def writing(folders: list[str]) -> list[str]:
    """Write into folders; the grader looks whether it can be seen outside."""
    for folder in folders:
        succeeded({folder: functools.partial(Path(folder, MARK).write_text, "")})
    return []


def changing(path: str) -> list[str]:
    """Change a file that is not its own; return the ways that changed it."""
    ways: dict[str, Callable[[], Any]] = {
        "cut": lambda: os.truncate(path, 1),
        "emptied": lambda: os.close(os.open(path, os.O_RDONLY | os.O_TRUNC)),
        "made private": lambda: os.chmod(path, 0o600),
    }
    if not os.path.exists(path):
        return []
    found = []
    for name, way in ways.items():
        before = os.stat(path)
        succeeded({name: way})
        after = os.stat(path)
        if (before.st_size, before.st_mode) != (after.st_size, after.st_mode):
            found.append(name)
    return found


def seeing(canary: str) -> list[str]:
    """Look for a word in other processes' command lines and environments."""
    found = set()
    for name in ("cmdline", "environ"):
        for path in Path("/proc").glob(f"[0-9]*/{name}"):
            with contextlib.suppress(OSError):
                if canary.encode() in path.read_bytes():
                    found.add(name)
    return sorted(found)


def signals(pid: int) -> list[str]:
    """Signal a process outside, with signal 0, which only asks for permission."""
    return succeeded({"signalled": lambda: os.kill(pid, 0)})


def calls() -> list[str]:
    """Make system calls that no homework needs; return those the kernel accepts."""
    machine = ("x86_64", "aarch64").index(platform.machine())
    libc = ctypes.CDLL(None, use_errno=True)
    found = []
    for name, (numbers, arguments) in CALLS.items():
        result = libc.syscall(numbers[machine], *map(ctypes.c_long, arguments))
        if result >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
            found.append(name)
    return found


def memory() -> list[str]:
    """Map much memory; it is not used, and given back."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE
    got = {f"{MEMORY >> 30} GB": lambda: mmap.mmap(-1, MEMORY, flags).close()}
    return succeeded(got)


def files() -> list[str]:
    """Make a large file in its own folder; it takes no space on the disk."""

    def grow() -> None:
        with open("large", "wb") as file:
            file.truncate(FILE)

    found = succeeded({f"{FILE >> 30} GB": grow})
    Path("large").unlink(missing_ok=True)
    return found


def processes() -> list[str]:
    """Start very many threads, which the kernel counts as processes."""
    threading.stack_size(1 << 16)
    end = threading.Event()
    threads = []
    try:
        for _ in range(TASKS):
            thread = threading.Thread(target=end.wait)
            thread.start()
            threads.append(thread)
    except RuntimeError:
        return []
    finally:
        end.set()
        for thread in threads:
            thread.join()
    return [f"{TASKS} threads"]


def survivors() -> list[str]:
    """Leave a process behind in a session of its own.

    It keeps stderr open, so the grader sees that it lives.
    """
    if not hasattr(os, "fork"):
        return []
    try:
        child = os.fork()
    except OSError:
        return []
    if child:
        os.waitpid(child, 0)
        return []
    os.setsid()
    if os.fork() == 0:
        time.sleep(DAEMON_SECONDS)
    os._exit(0)


ATTEMPTS: dict[str, Callable[..., list[str]]] = {
    attempt.__name__: attempt
    for attempt in (
        *(network, sockets, reading, writing, changing, seeing, signals, calls),
        *(memory, files, processes, survivors),
    )
}

if __name__ == "__main__":
    main()
