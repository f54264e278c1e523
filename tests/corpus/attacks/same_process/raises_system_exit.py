"""Raises what ends interpreters: SystemExit, KeyboardInterrupt, GeneratorExit.

Rows: 4
Grade: sync_target
Asserts: S R
Says: SystemExit
"""


def sync_target(theta_Q, theta_T, step, period):
    raise (SystemExit, KeyboardInterrupt, GeneratorExit)[step % 3](0)
