"""Patches the clock, the timers and the dump of a hang, and hangs.

Rows: 47, 8
Grade: sync_target
Asserts: S R T
Says: no answer within
"""

import faulthandler
import signal
import threading
import time


def sync_target(*_):
    sleep = time.sleep
    time.monotonic = time.time = time.perf_counter = lambda: 0.0
    faulthandler.cancel_dump_traceback_later()
    faulthandler.dump_traceback_later = lambda *_, **__: None
    threading.Timer = signal.setitimer = lambda *_, **__: None
    sleep(10**6)
