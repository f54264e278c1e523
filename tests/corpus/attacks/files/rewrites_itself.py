"""Writes another dqn.py in the place of its own, and dies, to be read again.

Rows: 52, 53
Grade: sync_target
Asserts: S R
Says: exited with code 6
"""

import os
from pathlib import Path

OTHER = "def sync_target(q, t, step, period):\n    return t if step % period else q\n"


def sync_target(*_):
    for place in (Path("dqn.py"), Path(PLACES["out"]).parent / "hand-in" / "dqn.py"):
        try:
            place.unlink(missing_ok=True)
            place.write_text(OTHER)
        except OSError:
            continue
    os._exit(6)
