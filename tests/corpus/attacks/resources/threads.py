"""Starts threads that never end and hold the interpreter.

Rows: 39
Grade: sync_target
Asserts: S R T
Says: not implemented yet|no answer within
"""

import threading


def spin():
    while True:
        pass


for _ in range(12):
    threading.Thread(target=spin).start()
