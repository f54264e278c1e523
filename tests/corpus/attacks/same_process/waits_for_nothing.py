"""Pretends that another part is missing, so that its own checks would be skipped.

Rows: 3, 8
Grade: sync_target
Asserts: S R
Says: waits for|not implemented
"""


def sync_target(*_):
    return td_loss(*_, 0)
