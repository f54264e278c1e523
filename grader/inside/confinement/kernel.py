"""Linux system calls for which Python has no function."""

import ctypes
import os
import platform
import struct

# The columns of tables of system calls' numbers.
MACHINES = ("x86_64", "aarch64")

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38


class Refused(Exception):
    """The kernel cannot do what was asked; the message says what."""


def machine() -> int:
    """Return the column of this machine in a table of numbers.

    Raises:
        Refused: the machine is in no column.
    """
    name = platform.machine()
    if name not in MACHINES or ctypes.sizeof(ctypes.c_void_p) != 8:
        raise Refused(f"system calls are known on {' and '.join(MACHINES)} only")
    return MACHINES.index(name)


def call(number: int, *arguments: object) -> int:
    """Make a system call; integers are passed as long.

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
    """Give up all of root's privileges for good, but the kept ones.

    Args:
        kept: numbers of capabilities, see capabilities(7).

    Raises:
        OSError: it failed, for example because a kept one is not there.
    """
    mask = sum(1 << number for number in kept)
    # Version 3, this process; then effective, permitted, inheritable: low, high halves.
    header = struct.pack("=Ii", 0x20080522, 0)
    sets = struct.pack("=6I", mask, mask, 0, 0, 0, 0)
    checked("capset", header, sets)


def checked(name: str, *arguments: object) -> int:
    """Call a function of the C library.

    Raises:
        OSError: the function failed.
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
