"""Takes a little less than it may for each call.

Rows: 42
Grade: sync_target
Asserts: S R T
Says: has used up|no answer within
"""

import time


def sync_target(theta_Q, theta_T, step, period):
    time.sleep(3)
    return theta_Q if step % period == 0 else theta_T
