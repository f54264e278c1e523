"""Prints forty megabytes to standard output and error.

Rows: 41
Grade: sync_target
Asserts: S R T
Says: not implemented yet
"""

import os

for _ in range(400):
    os.write(1, b"x" * 50_000)
    os.write(2, b"\x1b[2J::error::" * 4000)
