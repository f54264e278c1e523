"""Linux system calls that Python has no function for; nothing else runs here."""

import ctypes
import os
import platform
import struct

# Numbers of system calls: on x86_64 and on aarch64, None where there is no such call.
MACHINES = ("x86_64", "aarch64")

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38


class Refused(Exception):
    """The kernel does not do what was asked of it; the message says what."""


def machine() -> int:
    """The column of this machine in a table of numbers.

    Raises:
        Refused: its numbers are not known.
    """
    name = platform.machine()
    if name not in MACHINES or ctypes.sizeof(ctypes.c_void_p) != 8:
        raise Refused(f"system calls are known on {' and '.join(MACHINES)} only")
    return MACHINES.index(name)


def call(number: int, *arguments: object) -> int:
    """Make a system call; numbers are passed as long.

    Raises:
        OSError: it failed.
    """
    return checked("syscall", number, *arguments)


def prctl(option: int, *arguments: object) -> None:
    """Change a property of this process.

    Raises:
        OSError: it failed.
    """
    checked("prctl", option, *arguments, *[0] * (4 - len(arguments)))


def set_capabilities(kept: list[int]) -> None:
    """Give up all of root's privileges but the kept ones, for good.

    Raises:
        OSError: it failed, as where one to be kept is not there.
    """
    mask = sum(1 << number for number in kept)
    # Version 3, this process; then effective, permitted, inheritable, in two halves.
    header = struct.pack("=Ii", 0x20080522, 0)
    sets = struct.pack("=6I", mask, mask, 0, 0, 0, 0)
    checked("capset", header, sets)


def checked(name: str, *arguments: object) -> int:
    """Call a function of the C library.

    Raises:
        OSError: it says that it failed.
    """
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    function.restype = ctypes.c_long
    result = function(
        *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments)
    )
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
