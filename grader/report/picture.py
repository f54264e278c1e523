"""Draw the learning curves as pictures, in a separate process.

In the grader's process, matplotlib would delay the report, because matplotlib starts
slowly. If it is missing or broken, there is no picture, but the report is complete.
"""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from grader.contract.exercises import ROOT
from grader.contract.learning import FULL, HALF
from grader.report.learning import LONGEST

SECONDS = 60.0  # longest time for drawing; the first time, matplotlib lists all fonts
CODE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import train
from curve import save_curve
for picture in json.loads(sys.argv[2]):
    settings = getattr(train, picture.pop("settings"))
    curve, path = picture.pop("curve"), picture.pop("path")
    task = train.Task(make_envs=None, settings=settings, **picture)
    save_curve(curve, task, path)
"""


def about_cartpole(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `train.Task` for CartPole's picture, except `make_envs`.

    The result's "settings" is not the settings, but the name of their constant in
    `train.py`.

    Args:
        entry: CartPole's entry in report.json; it is not used.
    """
    return {
        "title": "DQN on CartPole-v1, turned",
        "settings": "SETTINGS",
        "lowest": 0,
        "highest": 510,
        "marks": {"full points at 450": FULL, "half points at 195": HALF},
    }


def about_maze(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `train.Task` for the maze's picture, except `make_envs`.

    The result's "settings" is not the settings, but the name of their constant in
    `train.py`.

    Args:
        entry: the maze's entry in report.json.
    """
    shortest, walk = -entry["shortest"], -entry["random_walk"]
    return {
        "title": "DQN in a maze",
        "settings": "MAZE_SETTINGS",
        "lowest": -LONGEST,
        "highest": 0,
        "marks": {"the shortest way": shortest, "a random walk": walk},
    }


# For each task, the picture's file name and the function that describes the picture.
PICTURES = {
    "maze": ("maze_curve.png", about_maze),
    "cartpole": ("learning_curve.png", about_cartpole),
}


def start(learning: dict[str, Any], folder: Path) -> subprocess.Popen | None:
    """Start a process that draws a picture of each learning curve; return the process.

    CartPole's picture is `learning_curve.png`, the maze's is `maze_curve.png`.

    Args:
        learning: the entry "learning" of report.json.
        folder: the folder of the report, for the pictures.

    Returns:
        The process; None if there is no learning curve, or if the process cannot be
        started.
    """
    folder = folder.resolve()
    drawn = [
        {**about(learning[task]), "curve": curve, "path": str(folder / name)}
        for task, (name, about) in PICTURES.items()
        if (curve := learning.get(task, {}).get("curve"))
    ]
    if not drawn:
        return None
    command = [sys.executable, "-I", "-B", "-c", CODE]
    command += [str(ROOT / "starter"), json.dumps(drawn)]
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
    """Wait until the process that draws the pictures ends; kill it after `SECONDS`.

    Args:
        drawing: the process from `start`; with None, nothing is done.
    """
    if drawing is None:
        return
    try:
        drawing.wait(SECONDS)
    except subprocess.TimeoutExpired:
        drawing.kill()
        drawing.wait()
