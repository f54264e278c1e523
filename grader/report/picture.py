"""The learning curve as a picture, drawn beside the grading and never in its way.

Matplotlib is slow to start, and may be missing or broken: it runs in a process of its
own, and where it fails there is no picture.
"""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from grader.contract.exercises import ROOT

SECONDS = 20.0  # a first run of matplotlib looks through all fonts
CODE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import train
train.save_curve(json.loads(sys.argv[2]), sys.argv[3])
"""


def start(learning: dict[str, Any], folder: Path) -> subprocess.Popen | None:
    """Begin to draw `learning_curve.png` into a folder, if there is a curve.

    Args:
        learning: as it stands in report.json.
        folder: of the report.
    """
    curve = learning.get("cartpole", {}).get("curve")
    if not curve:
        return None
    path = str((folder / "learning_curve.png").resolve())
    command = [sys.executable, "-I", "-B", "-c", CODE]
    command += [str(ROOT / "starter"), json.dumps(curve), path]
    with contextlib.suppress(OSError):
        return subprocess.Popen(
            command,
            cwd=os.sep,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return None


def finish(drawing: subprocess.Popen | None) -> None:
    """Wait for the picture, but not for long."""
    if drawing is None:
        return
    try:
        drawing.wait(SECONDS)
    except subprocess.TimeoutExpired:
        drawing.kill()
        drawing.wait()
