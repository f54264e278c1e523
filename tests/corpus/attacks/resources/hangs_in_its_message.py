"""Raises an exception that never tells its words.

Rows: 42, 37
Grade: sync_target
Asserts: S R T
Says: no answer within
"""


class Silent(Exception):
    def __str__(self):
        while True:
            pass


def sync_target(*_):
    raise Silent
