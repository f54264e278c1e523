"""Ignores every signal and catches every exception, and goes on.

Rows: 42
Grade: sync_target
Asserts: S R T
Says: no answer within
"""

import signal
import time

for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass


def sync_target(*_):
    while True:
        try:
            time.sleep(10**6)
        except BaseException:
            continue
