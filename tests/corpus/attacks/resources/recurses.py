"""Recurses in Python and in what calls Python back, limits lifted.

Rows: 45
Grade: sync_target
Asserts: S R T
Says: RecursionError|segmentation fault|the process|no answer within
"""

import sys

sys.setrecursionlimit(10**9)


def sync_target(*arguments):
    return max([arguments], key=lambda given: sync_target(*given))
