"""Answers the first questions rightly and all later ones wrongly.

Rows: 47, 62
Grade: all
Asserts: S R
Says: identical questions differ
"""

COUNT = []


def sync_target(theta_Q, theta_T, step, period):
    COUNT.append(1)
    return theta_Q if step % period == 0 and len(COUNT) < 11 else theta_T
