"""Save a report, and draw the learning curves as pictures in a separate process.

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

from grader.contract.exercises import LEARNING, ROOT
from grader.contract.learning import FULL, HALF
from grader.contract.outcomes import UsageError
from grader.report.learning import LONGEST
from grader.report.model import Report

SECONDS = 60.0  # longest time for drawing; the first time, matplotlib lists all fonts
CODE = """
import io, json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import train
from curve import save_curve
for picture in json.loads(sys.argv[2]):
    settings = getattr(train, picture.pop("settings"))
    curve, path = picture.pop("curve"), picture.pop("path")
    task = train.Task(make_envs=None, settings=settings, **picture)
    image = io.BytesIO()
    save_curve(curve, task, image)
    with train.whole(Path(path)) as part:  # never half a picture
        part.write_bytes(image.getvalue())
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


def save(report: Report, out: str) -> tuple[Path, subprocess.Popen | None]:
    """Save a report as report.json and start to draw its learning curves.

    If this run has graded learning, the pictures of an earlier run are deleted.

    Args:
        report: the report.
        out: the folder for the files; it is made if it is missing.

    Returns:
        The path of report.json, and the process that draws, see `start`.

    Raises:
        UsageError: report.json cannot be written.
    """
    try:
        path = report.save(out)
    except OSError as error:
        raise UsageError(f"OUT={out!r}: {error.strerror}") from None
    if all(e.older for e in report.exercises if e.name == LEARNING):
        return path, None
    for name, _ in PICTURES.values():
        with contextlib.suppress(OSError):  # Windows keeps a file that is open
            path.with_name(name).unlink(missing_ok=True)
    return path, start(report.learning, path.parent)


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
