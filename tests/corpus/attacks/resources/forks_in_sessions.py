"""Starts processes in sessions of their own, which no signal to its group reaches.

Rows: 39, 43
Grade: sync_target
Asserts: S R T O
Says: not implemented yet
May break on process: T: without a control group nothing ends what has left its session
"""

import os
import time

for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(10**6)
        os._exit(0)
