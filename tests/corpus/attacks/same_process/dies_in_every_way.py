"""Ends its process by another signal or exit code each time.

Rows: 4, 8, 45
Grade: all
Asserts: S R T
Says: the process
"""

import os
import time


def die(*_, **__):
    now = time.monotonic_ns() // 1000
    if now % 2:
        os.kill(
            os.getpid(), [1, 2, 3, 4, 6, 7, 8, 9, 11, 13, 14, 15, 24, 25, 31][now % 15]
        )
    os._exit([1, 2, 77, 125, 126, 127, 128, 137, 139, 255][now % 10])


update_Q_TD0 = discounted_returns = epsilon_greedy = sync_target = die
