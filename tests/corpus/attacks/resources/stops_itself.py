"""Stops its process instead of ending it, as Ctrl-Z does, and so those it started.

Rows: 42, 43
Grade: sync_target
Asserts: S R T
Says: no answer within|the process
"""

import os
import signal


def sync_target(*_):
    try:
        os.fork()
    finally:
        os.kill(os.getpid(), signal.SIGSTOP)
