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

F_SETSIG = 10
KEPT = []


def sync_target(*_):
    read, write = os.pipe()
    KEPT.append((read, write))
    for descriptor in (0, 1, 2, read):
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getppid())
            fcntl.fcntl(descriptor, F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_ASYNC)
        except OSError:
            pass
    os.write(write, b"x")
    raise RuntimeError("tried")
