"""Prints the dump of a hang with another place in it, and hangs.

Rows: 42, 63
Grade: sync_target
Asserts: S R T
Says: no answer within
"""

import os
import time


def sync_target(*_):
    os.write(2, b'Timeout (0:00:01)!\n  File "dqn.py", line 999999 in \x1b[2Jx\n')
    os.write(2, b'Timeout (0:00:01)!\n  File "dqn.py", line 99 in full_points\n' * 9)
    while True:
        try:
            time.sleep(10**6)
        finally:
            continue
