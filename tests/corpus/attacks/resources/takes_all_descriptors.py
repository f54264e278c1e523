"""Opens files until there are no more, and keeps them.

Rows: 47
Grade: sync_target
Asserts: S R
Says: Too many open files
"""

KEPT = []


def sync_target(*_):
    while True:
        KEPT.append(open("/dev/null"))
