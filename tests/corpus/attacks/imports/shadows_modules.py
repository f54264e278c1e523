"""Leaves modules of known names where it runs, and dies, to be started again.

Rows: 9, 10
Grade: sync_target
Asserts: S R L O
Says: exited with code 3|found nothing
"""

import os
import sys
from pathlib import Path

TRACE = Path(PLACES["temporary"]) / "shadow-was-imported"
CODE = f"open({str(TRACE)!r}, 'w').close()\nraise ImportError\n"
NAMES = ("numpy", "jax", "msgpack", "random", "grader", "protocol", "sitecustomize")


def sync_target(*_):
    if any("shadow" in str(module) for module in sys.modules.values()):
        tell("imported")
    for folder in (Path.cwd(), Path.home()):
        for name in NAMES:
            try:
                if not (folder / f"{name}.py").exists():
                    (folder / f"{name}.py").write_text(CODE)
            except OSError:
                pass
    if TRACE.exists():
        tell("imported")
    os._exit(3)
