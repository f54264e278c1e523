"""Closes every descriptor and stays alive.

Rows: 27
Grade: sync_target
Asserts: S R T
Says: sync_target: the process|no answer within
"""

import os
import time


def sync_target(*_):
    os.closerange(0, 256)
    time.sleep(10**6)
