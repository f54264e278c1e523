"""Raises the exceptions of the process that it runs in, with the words of a fault.

Rows: 8, 37
Grade: sync_target
Asserts: S R
Says: grader error
"""

from grader.inside import parts, protocol

COUNT = []


def sync_target(*_):
    COUNT.append(1)
    place = "/harness/grader/inside/worker.py"
    words = f'grader error: File "{place}", line 3, in handle: no runner'
    kinds = parts.ContractError, protocol.ProtocolError
    raise [*kinds, MemoryError, ConnectionError, AssertionError][len(COUNT) % 5](words)
