"""Starts 170 busy processes behind an answer, so that nothing comes up again.

Rows: 39, 47
Grade: all
On: solution
Asserts: S R T
Says: 170 busy processes
May break on process: T: without a control group nothing ends what has left its session
"""

import os
import time

ASKED = []
own_update = update_Q_TD0


def start_busy_processes():
    print("170 busy processes", flush=True)
    if os.fork() == 0:
        time.sleep(0.2)  # until the answer has been taken
        for _ in range(169):
            try:
                if os.fork() == 0:
                    break
            except OSError:
                break
        os.setsid()  # some systems share the processors out by session
        while True:
            pass


def update_Q_TD0(*args):
    if not ASKED:
        ASKED.append(1)
        start_busy_processes()
    return own_update(*args)
