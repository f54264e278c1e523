"""Crashes the interpreter: reads address 0, or has it recurse without end.

Rows: 45
Grade: sync_target
Asserts: S R T
Says: segmentation fault|exited|killed|aborted
"""

import ctypes


def sync_target(theta_Q, theta_T, step, period):
    ctypes.string_at(0)
