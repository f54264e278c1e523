"""Restrict this process, and all that it starts, to some files, by Linux' Landlock.

All other files are refused. Versions of Landlock from 4 on (Linux 6.7) also refuse TCP.
Versions from 6 on (Linux 6.12) also refuse signals to processes outside this
restriction, and connections to the abstract sockets of such processes. Landlock needs
no privilege and works in containers. See landlock(7).
"""

import os
import stat
import struct

from grader.inside.confinement import kernel

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every machine
TELL_VERSION = 1  # flag of CREATE_RULESET: return the version
BENEATH = 1  # type of a rule: a path and everything beneath it

WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3
TRUNCATE = 1 << 14
READ = READ_FILE | READ_DIR
EXECUTE, CONTROL = 1 << 0, 1 << 15  # CONTROL: the system call ioctl on devices
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | CONTROL
# There is no right to make devices, FIFOs and sockets, because hand-ins need none.
REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
MAKE_SYM, REFER = 1 << 12, 1 << 13
WRITE = (
    READ | WRITE_FILE | TRUNCATE | CONTROL | REFER | MAKE_SYM
    | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG
)  # fmt: skip

# Number of rights on files in versions 1 to 5; later versions have 16, too.
RIGHTS = (13, 14, 15, 15, 16)
TCP = 0b11  # rights to bind and to connect
OUTSIDE = 0b11  # abstract sockets of and signals to processes outside


def version() -> int:
    """Return the version of Landlock in this kernel, 1 or more.

    Raises:
        Refused: the kernel has no Landlock, or a container does not allow it.
    """
    try:
        return kernel.call(CREATE_RULESET, None, 0, TELL_VERSION)
    except OSError as error:
        raise kernel.Refused(
            f"this kernel or container has no Landlock ({error.strerror}); Linux has "
            "it from 5.13 on"
        ) from None


def restrict(read: list[str], write: list[str], run: bool) -> None:
    """Restrict this thread, and all that it starts from now on, to some files.

    Paths that do not exist are left out.

    Args:
        read: paths of files and folders that may be read.
        write: paths of files and folders that may be read and written.
        run: True if the files in all these paths may be run as programs.

    Raises:
        Refused: the kernel has no Landlock, or a container does not allow it.
        OSError: a system call failed.
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
