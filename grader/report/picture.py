"""Draw the learning curve as a picture, in a process of its own.

In the grader's process, matplotlib would delay the report, because it starts slowly. It
may also be missing or broken: then there is no picture, and the report is complete.
"""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from grader.contract.exercises import ROOT

SECONDS = 20.0  # so long, because matplotlib lists all fonts in its first run
CODE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import train
train.save_curve(json.loads(sys.argv[2]), sys.argv[3])
"""


def start(learning: dict[str, Any], folder: Path) -> subprocess.Popen | None:
    """Start a process that draws `learning_curve.png`, and return the process.

    Args:
        learning: the entry "learning" of report.json.
        folder: the folder of the report, for the picture.

    Returns:
        None if there is no learning curve, or if no process can be started.
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
    """Wait until the picture is drawn; kill the process after `SECONDS`.

    Args:
        drawing: the process from `start`, or None.
    """
    if drawing is None:
        return
    try:
        drawing.wait(SECONDS)
    except subprocess.TimeoutExpired:
        drawing.kill()
        drawing.wait()
