"""Hangs in C, where no signal handler of Python's runs: a number's digits, a pattern.

Rows: 42, 45
Grade: sync_target
Asserts: S R T
Says: no answer within
"""

import re


def sync_target(theta_Q, theta_T, step, period):
    return re.match("(a|aa)+$", "a" * 200 + "b")
