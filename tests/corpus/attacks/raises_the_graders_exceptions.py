"""Raises the exceptions of the process that it runs in, with the words of a fault.

Rows: 8, 37
Grade: sync_target
Asserts: S R
Says: grader error
"""

import sys

COUNT = []


def sync_target(*_):
    COUNT.append(1)
    words = 'grader error: File "/harness/worker.py", line 3, in handle: no runner'
    kinds = sys.modules["parts"].ContractError, sys.modules["protocol"].ProtocolError
    raise [*kinds, MemoryError, ConnectionError, AssertionError][len(COUNT) % 5](words)
