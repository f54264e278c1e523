"""Leaves processes that have ended and nobody waits for, and changes its group.

Rows: 44
Grade: sync_target
Asserts: S R T
Says: not implemented yet
"""

import os

for _ in range(40):
    if os.fork() == 0:
        os._exit(0)
for leave in (os.setsid, lambda: os.setpgid(0, 0)):
    try:
        leave()
    except OSError:
        pass
