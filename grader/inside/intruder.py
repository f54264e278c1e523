"""The intruder: a helper that tries actions which a confined process must not take.

The sandbox's self-test (`sandbox/self_test.py`) asks for one attempt after another. An
attempt is a function that tries some actions and returns a list with the names of the
actions that succeeded. The list is empty if the tier has prevented all actions.
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

TASKS = 2000  # threads
MEMORY = 6 << 30  # bytes
FILE = 1 << 30  # bytes
MAP_NORESERVE = 0x4000  # Linux' flag to map more memory than the machine has
MARK = "intruder-was-here"  # name of the file that `writing` makes
NO_ACCESS = 3  # an access mode of open(2): neither reading nor writing
# Life of the process that `survivors` leaves behind: longer than the self-test waits.
DAEMON_SECONDS = 60

# System calls by name: the numbers on x86_64 and aarch64, and arguments with which the
# call does no harm if it is allowed.
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
    """Make the attempts that the grader asks for, until it closes the pipe."""
    with open(os.dup(0), "rb") as requests, open(os.dup(1), "wb") as answers:
        protocol.send(answers, {})  # the first message: this process has started
        while (request := protocol.receive(requests)) is not None:
            nonce, attempt = request["nonce"], ATTEMPTS[request["do"]]
            try:
                found = ", ".join(attempt(**request["given"]))
            except Exception as error:  # a fault in the code of the attempt
                found = f"the attempt failed: {type(error).__name__}: {error}"
            protocol.send(answers, {"nonce": nonce, "answer": {"found": found}})


def succeeded(attempts: dict[str, Callable[[], Any]]) -> list[str]:
    """Call functions; return the names of the functions that raise no `OSError`.

    Other exceptions are not caught.

    Args:
        attempts: functions without arguments, by name.
    """
    names = []
    for name, attempt in attempts.items():
        with contextlib.suppress(OSError):
            attempt()
            names.append(name)
    return names


def network(port: int) -> list[str]:
    """Try to connect to a local server, and to send a datagram to another machine.

    Args:
        port: port of the server.

    Returns:
        A list with "connected" and "sent", each only if the action succeeded.
    """

    def connect() -> None:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            # An address that is reserved for documentation: no machine has it.
            datagrams.sendto(b"", ("192.0.2.1", 9))

    return succeeded({"connected": connect, "sent": send})


def sockets(path: str) -> list[str]:
    """Try to connect to a local socket of another program.

    Args:
        path: path of the socket.

    Returns:
        ["connected"] for success, else [].
    """

    def connect() -> None:
        with socket.socket(socket.AF_UNIX) as local:
            local.connect(path)

    return succeeded({"connected": connect})


def reading(paths: list[str]) -> list[str]:
    """Try to read files and to list folders; return the paths for which this succeeds.

    Args:
        paths: paths of the files and folders.
    """

    def look(path: str) -> None:
        os.listdir(path) if os.path.isdir(path) else open(path, "rb").close()

    return succeeded({path: functools.partial(look, path) for path in paths})


def writing(folders: list[str]) -> list[str]:
    """Try to write a file into each folder; always return [].

    The grader itself looks for the files afterwards, because in bubblewrap a file may
    exist inside the sandbox only.

    Args:
        folders: paths of the folders.
    """
    for folder in folders:
        succeeded({folder: functools.partial(Path(folder, MARK).write_text, "")})
    return []


def changing(path: str) -> list[str]:
    """Try to change the length and the permissions of a file outside the sandbox.

    Args:
        path: path of the file.

    Returns:
        The names of the changes that succeeded: "cut" (to one byte), "emptied" (opened
        for reading with the flag O_TRUNC), "emptied unopened" (with this flag, and
        opened neither for reading nor for writing) and "made private" (permissions
        600); [] if the helper cannot see the file.
    """
    ways: dict[str, Callable[[], Any]] = {
        "cut": lambda: os.truncate(path, 1),
        "emptied": lambda: os.close(os.open(path, os.O_RDONLY | os.O_TRUNC)),
        "emptied unopened": lambda: os.close(os.open(path, NO_ACCESS | os.O_TRUNC)),
        "made private": lambda: os.chmod(path, 0o600),
    }
    if not os.path.exists(path):
        return []
    found = []
    for name, way in ways.items():
        # If another way has emptied the file, this one must find something in it.
        succeeded({"grown": lambda: os.truncate(path, 2)})
        before = os.stat(path)
        succeeded({name: way})
        after = os.stat(path)
        if (before.st_size, before.st_mode) != (after.st_size, after.st_mode):
            found.append(name)
    return found


def seeing(canary: str) -> list[str]:
    """Look for a word in the command lines and environments of all processes.

    Args:
        canary: word in the command line and the environment of a process of the grader.

    Returns:
        A list with "cmdline" (command lines) and "environ" (environments), each only if
        the word was found there.
    """
    found = set()
    for name in ("cmdline", "environ"):
        for path in Path("/proc").glob(f"[0-9]*/{name}"):
            with contextlib.suppress(OSError):
                if canary.encode() in path.read_bytes():
                    found.add(name)
    return sorted(found)


def signals(pid: int) -> list[str]:
    """Try to send signal 0, which does no harm, to a process outside the sandbox.

    Args:
        pid: number of the process.

    Returns:
        ["signalled"] for success, else [].
    """
    return succeeded({"signalled": lambda: os.kill(pid, 0)})


def calls() -> list[str]:
    """Try each system call in CALLS; return the names of the calls that are allowed.

    A call is allowed if it succeeds, or fails with an error other than EPERM or ENOSYS.
    """
    machine = ("x86_64", "aarch64").index(platform.machine())
    libc = ctypes.CDLL(None, use_errno=True)
    found = []
    for name, (numbers, arguments) in CALLS.items():
        result = libc.syscall(numbers[machine], *map(ctypes.c_long, arguments))
        if result >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
            found.append(name)
    return found


def memory() -> list[str]:
    """Try to map MEMORY bytes of memory; return ["6 GB"] for success, else [].

    The memory is released at once.
    """
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE
    got = {f"{MEMORY >> 30} GB": lambda: mmap.mmap(-1, MEMORY, flags).close()}
    return succeeded(got)


def files() -> list[str]:
    """Try to make a file of FILE bytes; return ["1 GB"] for success, else [].

    The file contains no data, so it takes no space on the disk. It is removed at once.
    """

    def grow() -> None:
        with open("large", "wb") as file:
            file.truncate(FILE)

    found = succeeded({f"{FILE >> 30} GB": grow})
    Path("large").unlink(missing_ok=True)
    return found


def processes() -> list[str]:
    """Try to start TASKS threads; return ["2000 threads"] if all start, else [].

    This tests the limit on the number of processes, too, because the kernel counts
    threads and processes together.
    """
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
    """Try to start a process that outlives this one; always return [].

    The new process has a session of its own, sleeps for DAEMON_SECONDS seconds, and
    keeps standard error open. The grader ends the intruder and then waits for the end
    of standard error, which shows whether the new process is still alive.
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
