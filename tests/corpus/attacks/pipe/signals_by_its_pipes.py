"""Has the kernel signal the process that started it, when something comes by a pipe.

Rows: 29, 44
Grade: sync_target
Asserts: S R
Says: tried
May break on process: R: a plain process can end what its user can
"""

import fcntl
import os
import signal
import struct

F_SETSIG = 10
FIOSETOWN = 0x8901
KEPT = []


def sync_target(*_):
    read, write = os.pipe()
    KEPT.append((read, write))
    for descriptor in range(64):  # its socket to the grader, too, has one of them
        try:
            parent = struct.pack("i", os.getppid())
            fcntl.ioctl(descriptor, FIOSETOWN, parent)
            fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_ASYNC)
        except OSError:
            pass
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getppid())
            fcntl.fcntl(descriptor, F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_ASYNC)
        except OSError:
            pass
    os.write(write, b"x")
    raise RuntimeError("tried")
