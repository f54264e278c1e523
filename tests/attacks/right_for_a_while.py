"""Answers the first questions rightly and all later ones wrongly.

Rows: 47, 62
Grade: sync_target
On: solution
Asserts: S R
Says: expected theta_Q
"""

COUNT = []


def sync_target(theta_Q, theta_T, step, period):
    COUNT.append(1)
    return theta_Q if step % period == 0 and len(COUNT) < 6 else theta_T
