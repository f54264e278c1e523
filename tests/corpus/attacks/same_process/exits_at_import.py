"""Leaves with exit code 0 while it is imported.

Rows: 4
Grade: sync_target
Asserts: S R T
Says: importing dqn.py: the process exited with code 0
"""

import os

os._exit(0)
