"""Landlock: the files that this process, and all that it starts, can reach from now on.

Everything else is refused: files by Landlock's first version (Linux 5.13), TCP from
its fourth (6.7), signals to processes outside and their abstract sockets from its sixth
(6.12). It needs no privilege and works in containers. See landlock(7).
"""

import os
import stat
import struct

from grader.inside.confinement import kernel

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # on every machine
TELL_VERSION = 1
BENEATH = 1

WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3
TRUNCATE = 1 << 14
READ = READ_FILE | READ_DIR
EXECUTE, CONTROL = 1 << 0, 1 << 15  # control: ioctl of a device
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | CONTROL
# No right to make devices, FIFOs, sockets: a hand-in has no need of special files.
REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
MAKE_SYM, REFER = 1 << 12, 1 << 13
WRITE = (
    READ | WRITE_FILE | TRUNCATE | CONTROL | REFER | MAKE_SYM
    | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG
)  # fmt: skip

# The number of rights on files in each version; later ones have as many as the fifth.
RIGHTS = (13, 14, 15, 15, 16)
TCP = 0b11  # bind, connect
OUTSIDE = 0b11  # abstract sockets, signals


def version() -> int:
    """Return Landlock's version in this kernel.

    Raises:
        Refused: the kernel has none, or a container hides it or has switched it off.
    """
    try:
        return kernel.call(CREATE_RULESET, None, 0, TELL_VERSION)
    except OSError as error:
        raise kernel.Refused(
            f"this kernel or container has no Landlock ({error.strerror}); Linux has "
            "it from 5.13 on"
        ) from None


def restrict(read: list[str], write: list[str], run: bool) -> None:
    """Confine this thread, and all threads and processes it starts, to these places.

    Args:
        read: files and folders to read; those that do not exist are left out.
        write: files and folders to read and write.
        run: whether files that can be read can be run as programs.

    Raises:
        Refused: this kernel has no Landlock.
        OSError: it failed.
    """
    abi = version()
    files = (1 << RIGHTS[min(abi, len(RIGHTS)) - 1]) - 1
    wanted = struct.pack("=Q", files)
    if abi >= 4:
        wanted += struct.pack("=Q", TCP)
    if abi >= 6:
        wanted += struct.pack("=Q", OUTSIDE)
    ruleset = kernel.call(CREATE_RULESET, wanted, len(wanted), 0)
    reading = READ | EXECUTE if run else READ
    for places, rights in ((read, reading), (write, WRITE | reading)):
        for place in places:
            try:
                fd = os.open(place, os.O_PATH | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            allowed = rights & files
            if not stat.S_ISDIR(os.fstat(fd).st_mode):
                allowed &= ON_FILES
            rule = struct.pack("=Qi", allowed, fd)
            kernel.call(ADD_RULE, ruleset, BENEATH, rule, 0)
            os.close(fd)
    kernel.call(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
