"""Raises a line so long that it is wrapped, an order for CI behind each word.

Rows: 63
Grade: sync_target
Asserts: S R
Says: stop-commands
"""


def sync_target(theta_Q, theta_T, step, period):
    raise RuntimeError(
        " ".join(["::stop-commands::" + "x" * (55 + i) for i in range(9)])
    )
