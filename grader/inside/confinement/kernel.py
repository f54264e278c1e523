"""Call Linux functions for which Python has no function."""

import ctypes
import os
import platform
import struct

# The processor architectures on which system calls can be made and filtered. A system
# call has another number on each of them. Where a number for each is listed, the order
# is that of this tuple.
MACHINES = ("x86_64", "aarch64")

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38


class Refused(Exception):
    """Raised if the kernel or the machine lacks a feature that confinement needs."""


def machine() -> int:
    """Return the index of this machine's architecture in MACHINES: 0 or 1.

    `seccomp.py` lists two numbers for each system call. The number at this index is the
    one on this machine.

    Raises:
        Refused: MACHINES does not contain the architecture, or Python is not a 64-bit
            program.
    """
    name = platform.machine()
    if name not in MACHINES or ctypes.sizeof(ctypes.c_void_p) != 8:
        raise Refused(f"system calls are known on {' and '.join(MACHINES)} only")
    return MACHINES.index(name)


def call(number: int, *arguments: object) -> int:
    """Make a system call and return its result.

    Args:
        number: number of the system call.
        arguments: arguments of the system call; an int is passed as a C long.

    Raises:
        OSError: the system call failed.
    """
    return checked("syscall", number, *arguments)


def prctl(option: int, *arguments: object) -> None:
    """Change a property of this process by the function prctl.

    Args:
        option: number of the property, one of the PR_ constants.
        arguments: at most four arguments of this option.

    Raises:
        OSError: the change failed.
    """
    checked("prctl", option, *arguments, *[0] * (4 - len(arguments)))


def set_capabilities(kept: list[int]) -> None:
    """Give up all privileges of root except some capabilities.

    Args:
        kept: numbers of the capabilities to keep, see capabilities(7).

    Raises:
        OSError: the change failed, for example because the process does not have a
            capability that it should keep.
    """
    mask = sum(1 << number for number in kept)
    # The header: version 3, and 0 for this process. The sets: effective, permitted and
    # inheritable capabilities, first their lower and then their upper 32 bits.
    header = struct.pack("=Ii", 0x20080522, 0)
    sets = struct.pack("=6I", mask, mask, 0, 0, 0, 0)
    checked("capset", header, sets)


def checked(name: str, *arguments: object) -> int:
    """Call a function of the C library and return its result.

    Args:
        name: name of the function.
        arguments: arguments of the function; an int is passed as a C long.

    Raises:
        OSError: the function returned a negative number.
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
