"""Leaves its pipes to a process in another session, and dies.

Rows: 43
Grade: sync_target
Asserts: S R T
Says: no answer within|the process
May break on process: T: without a control group nothing ends what has left its session
"""

import os
import time


def sync_target(*_):
    if os.fork() == 0:
        os.setsid()
        time.sleep(10**6)
    os._exit(0)
