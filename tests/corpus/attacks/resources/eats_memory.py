"""Asks for memory without end.

Rows: 40
Grade: sync_target
Asserts: S R T O
Says: [Mm]emory
"""

HOARD = []


def sync_target(*_):
    while True:
        HOARD.append(np.empty(1 << 28, np.uint8))  # taken, not touched
