"""Loops for ever in a call.

Rows: 42
Grade: sync_target
Asserts: S R T
Says: no answer within
"""


def sync_target(*_):
    while True:
        pass
