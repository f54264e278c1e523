"""Sends its answer a byte each second, so that something always comes.

Rows: 27
Grade: sync_target
Asserts: S R T
Says: no answer within
"""

import os
import time

from grader.inside import protocol

encode = protocol.encode
PIPES = [
    fd
    for fd in range(3, 32)
    if os.path.exists(f"/proc/self/fd/{fd}")
    and os.readlink(f"/proc/self/fd/{fd}").startswith(("pipe", "socket"))
]


def slowly(message):
    frame = encode(message)
    while True:
        for byte in frame[:-1]:
            time.sleep(1)
            for fd in PIPES:
                try:
                    os.write(fd, bytes([byte]))
                except OSError:
                    pass


def sync_target(theta_Q, theta_T, step, period):
    protocol.encode = slowly
    return theta_T
