"""Takes long to import and dies at each question, to be imported again.

Rows: 42, 4
Grade: sync_target
Asserts: S R T
Says: sync_target
"""

import os
import time

time.sleep(3)


def sync_target(*_):
    os._exit(5)
