"""Kills all processes that it may.

Rows: 44
Grade: sync_target
Asserts: S R T
Says: No such process|the process
Not run on process: would end all processes of the user
"""

import os


def sync_target(*_):
    os.kill(-1, 9)
    os.kill(os.getpid(), 9)
