"""Raises messages, types and names of megabytes.

Rows: 41, 63
Grade: sync_target
Asserts: S R T
Says: x{50}
"""


def sync_target(*_):
    raise type("T" * 10**6, (Exception,), {})("x" * 10**7 + "\n" * 10**6)
