"""Reads a file of the grader's user: another hand-in, names, grades.

Rows: 36
Grade: sync_target
Asserts: S R L
Says: found nothing
May break on process: L: a plain process can read what its user can
"""

import os


def sync_target(*_):
    found = []
    for path in (
        PLACES["secret"],
        f"/proc/1/root{PLACES['secret']}",
        f"/proc/{os.getppid()}/root{PLACES['secret']}",
        f"/proc/{os.getppid()}/cwd/README.md",
    ):
        try:
            found.append(open(path).read(100))
        except OSError:
            continue
    tell(found)
