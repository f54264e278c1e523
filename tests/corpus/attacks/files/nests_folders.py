"""Makes 1500 folders in each other, and one that its owner may not list, and fails.

Rows: 53
Grade: sync_target
Asserts: S R O
Says: too deep
"""

import os

KEPT = []


def sync_target(*_):
    if not KEPT:
        KEPT.append(1)
        os.mkdir("unlisted", 0o300)
        os.mkdir("unlisted/inner")
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
    raise RuntimeError("too deep")
