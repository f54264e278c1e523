"""Sleeps for ever while it is imported.

Rows: 42
Grade: sync_target
Asserts: S R T
Says: importing dqn.py: no answer within
"""

import time

time.sleep(10**6)
