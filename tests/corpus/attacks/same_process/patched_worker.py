"""Patches the worker's own functions while it answers: encode, describe, main.

Rows: 2, 8
Grade: sync_target
Asserts: S R
Says: sync_target|process
"""

import sys

MAIN = sys.modules["__main__"]
MAIN.describe_error = lambda error: {"kind": None, "message": error, "line": 1 << 70}
MAIN.traceback = MAIN.linecache = MAIN.faulthandler = None


def sync_target(*_):
    raise RuntimeError
