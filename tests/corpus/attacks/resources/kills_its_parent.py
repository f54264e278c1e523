"""Kills the process that started it.

Rows: 44
Grade: sync_target
Asserts: S R
Says: tried
May break on process: R: a plain process can end what its user can
"""

import os


def sync_target(*_):
    os.kill(os.getppid(), 9)
    raise RuntimeError("tried")
