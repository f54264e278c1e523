"""`make train` and `make watch`, as a student meets them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
Done = subprocess.CompletedProcess


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, Done]:
    """A student's folder with the solution in it, and what a short training said."""
    folder = copied(tmp_path_factory.mktemp("homework"), "solution")
    loop = folder / "starter" / "train.py"
    replace(loop, "env_steps: int = 50_000", "env_steps: int = 4_096")
    return folder, run(folder, "train")


def copied(folder: Path, whose: str) -> Path:
    """The files that students have, with the dqn.py of the starter or the solution."""
    shutil.copytree(ROOT / "starter", folder / "starter", dirs_exist_ok=True)
    shutil.copy(ROOT / whose / "dqn.py", folder / "starter")
    return folder


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def run(folder: Path, script: str) -> Done:
    """What `make train` or `make watch` runs, in a window of the usual width."""
    return subprocess.run(
        [sys.executable, f"starter/{script}.py", "--out", "results"],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def steps_and_seconds(folder: Path) -> tuple[int, float]:
    """Watch: for how many steps the pole stood, and how long the animation is."""
    watched = run(folder, "watch")
    assert watched.returncode == 0, watched.stderr
    assert "results/cartpole.gif" in watched.stdout
    seconds = 0.0
    with Image.open(folder / "results" / "cartpole.gif") as gif:
        assert gif.size == (600, 400)
        for index in range(gif.n_frames):
            gif.seek(index)
            seconds += gif.info["duration"] / 1000
    return int(re.search(r"for (\d+) of 500 steps", watched.stdout)[1]), seconds


def test_train_says_how_it_goes(trained):
    """A line that fits the window, with return, epsilon and loss; the curve drawn."""
    folder, done = trained
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert re.search(r"step +4096  return +\d+\.\d  ε 0\.\d\d  loss \d", done.stdout)
    with Image.open(folder / "results" / "learning_curve.png") as picture:
        assert picture.width > 600


def test_watch_shows_what_was_trained(trained):
    """The saved policy plays, drawn at the pole's own pace; another plays otherwise."""
    folder, _ = trained
    steps, seconds = steps_and_seconds(folder)
    # A second more at the end, and in pictures of two steps each.
    assert seconds == pytest.approx(0.02 * steps + 1, abs=0.1)

    file = folder / "results" / "theta_Q.npz"
    kept = file.read_bytes()
    with np.load(file) as theta_Q:
        np.savez(file, *(np.zeros_like(leaf) for leaf in theta_Q.values()))
    always_left, _ = steps_and_seconds(folder)
    file.write_bytes(kept)
    assert always_left < 12
    assert steps > always_left


def test_watch_refuses_parameters_of_another_network(trained, tmp_path):
    """Who has changed q_network since is told to train anew."""
    folder = copied(tmp_path, "solution")
    shutil.copytree(trained[0] / "results", folder / "results")
    replace(
        folder / "starter" / "dqn.py", "num_actions, key", "num_actions, False, key"
    )
    watched = run(folder, "watch")
    assert watched.returncode == 1
    assert "another q_network" in watched.stderr
    assert "make train" in watched.stderr


def test_watch_asks_for_training_first(tmp_path):
    """Without parameters it says which command writes them."""
    watched = run(copied(tmp_path, "solution"), "watch")
    assert watched.returncode == 1
    assert "make train" in watched.stderr
    assert "Traceback" not in watched.stderr


def test_untouched_starter_names_the_missing_part(tmp_path):
    """Before there is an agent, it says which exercise comes first."""
    done = run(copied(tmp_path, "starter"), "train")
    assert done.returncode == 1
    assert "not implemented yet: Exercise" in done.stderr
    assert "Traceback" not in done.stderr
