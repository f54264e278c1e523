"""Makes another program of its process, which keeps the pipes and says what it likes.

Rows: 8, 24, 43
Grade: sync_target
Asserts: S R L T
Says: sync_target|the process
"""

import os
import sys

CODE = "import os, time; os.write(1, b'1234' + bytes(99)); time.sleep(10**6)"


def sync_target(*_):
    for descriptor in range(3, 256):
        try:
            os.set_inheritable(descriptor, True)
        except OSError:
            pass
    os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", CODE])
