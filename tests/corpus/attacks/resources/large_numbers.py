"""Computes with whole numbers of a billion digits.

Rows: 45
Grade: sync_target
Asserts: S R T
Says: no answer within|[Mm]emory
"""


def sync_target(theta_Q, theta_T, step, period):
    return 7 ** (7**11) % period
