"""Raises without a traceback, from a thread, in groups, with causes in a ring.

Rows: 6, 37
Grade: sync_target
Asserts: S R
Says: sync_target: [A-Z]|exited with code 1
"""


class Ring(Exception):
    __module__ = property(lambda self: 1 / 0)

    @property
    def __traceback__(self):
        return None


def sync_target(theta_Q, theta_T, step, period):
    error = Ring("ring")
    error.__cause__ = error.__context__ = ExceptionGroup("group", [error])
    raise error
