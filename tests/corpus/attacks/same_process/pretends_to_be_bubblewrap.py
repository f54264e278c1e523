"""Prints bubblewrap's and the system's own complaints, and ends as they do.

Rows: 8, 43
Grade: sync_target
Asserts: S R
Says: exited with code 1
"""

import os


def sync_target(*_):
    os.write(2, b"bwrap: setting up uid map: Permission denied\n")
    os.write(2, b"grader error (not your mistake): no worker\n")
    os._exit(1)
