"""Looks for open files, sockets and devices that it was not meant to have.

Rows: 34
Grade: sync_target
Asserts: S R L
Says: found nothing
"""

import os


def sync_target(*_):
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            path = os.readlink(f"/proc/self/fd/{fd}")
        except OSError:
            continue
        if not path.startswith(("pipe:", "socket:", "/dev/null", "/proc/")):
            found.append(f"{fd} {path}")
    if len(os.listdir("/proc/self/fd")) > 16:
        found.append(os.listdir("/proc/self/fd"))
    tell(found)
