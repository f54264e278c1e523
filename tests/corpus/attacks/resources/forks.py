"""Starts forty processes that never end.

Rows: 39
Grade: sync_target
Asserts: S R T O
Says: not implemented yet
"""

import os
import time

for _ in range(40):
    if os.fork() == 0:
        time.sleep(10**6)
        os._exit(0)
