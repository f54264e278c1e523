"""Replaces its file by a folder, forbids its folder to all, leaves it, and dies.

Rows: 53
Grade: sync_target
Asserts: S R O
Says: exited with code 7
"""

import os


def sync_target(*_):
    here = os.getcwd()
    os.unlink("dqn.py")
    os.mkdir("dqn.py")
    os.symlink("/", "root")
    os.chmod(here, 0)
    os.chdir("/")
    os._exit(7)
