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

from grader.contract.exercises import ROOT

Done = subprocess.CompletedProcess


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, Done]:
    """Train shortly in a student's folder with the solution in it."""
    folder = copied(tmp_path_factory.mktemp("homework"), "solution")
    loop = folder / "starter" / "train.py"
    replace(loop, "env_steps: int = 50_000", "env_steps: int = 4_096")
    return folder, run(folder, "train", FORCE_COLOR="1")


def copied(folder: Path, whose: str) -> Path:
    """Copy the files that students have, with the dqn.py of starter or solution."""
    shutil.copytree(ROOT / "starter", folder / "starter", dirs_exist_ok=True)
    shutil.copy(ROOT / whose / "dqn.py", folder / "starter")
    return folder


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def run(folder: Path, script: str, *options: str, **environment: str) -> Done:
    """Run what `make train` or `make watch` does, in a window of the usual width."""
    return subprocess.run(
        [sys.executable, f"starter/{script}.py", "--out=results", *options],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def steps_and_seconds(folder: Path) -> tuple[int, float]:
    """Run `make watch`; return the steps the pole stood and the GIF's seconds."""
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
    with Image.open(folder / "results" / "training_curve.png") as picture:
        assert picture.width > 600
    # The grader's picture, of the same folder, is another one.
    assert not (folder / "results" / "learning_curve.png").exists()


def test_train_fills_no_notebook(trained):
    """Where lines stay, a line is printed once, though colours were asked for."""
    _, done = trained
    assert done.stdout.count("return") == 1
    assert "\x1b[2K" not in done.stdout


@pytest.mark.parametrize("steps", [0, 2048])
def test_train_can_be_stopped(tmp_path, steps):
    """Ctrl-C is one line, and keeps curve and parameters if there are any yet."""
    folder = copied(tmp_path, "solution")
    replace(
        folder / "starter" / "train.py",
        "        epsilon = epsilon_at(env_step, settings)\n",
        f"        if env_step > {steps}:\n"
        "            import os, signal\n"
        # Ignored where the tests were started in the background.
        "            signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "        epsilon = epsilon_at(env_step, settings)\n",
    )
    done = run(folder, "train")
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    last = done.stdout.splitlines()[-1]
    found = {path.name for path in (folder / "results").iterdir()}
    if steps:
        assert last == "stopped: saved is what there was"
        assert found == {"training_curve.png", "theta_Q.npz"}
        assert re.search(r"^  2048 +\d+\.\d  █", done.stdout, re.M)
    else:
        assert last == "stopped: nothing to save"
        assert found == set()


@pytest.mark.parametrize("out", ["/proc", __file__])
def test_train_tries_the_folder_first(tmp_path, out):
    """Where nothing can be written that is said before anything is trained."""
    done = run(copied(tmp_path, "starter"), "train", f"--out={out}")
    assert done.returncode == 2
    assert re.fullmatch(f"error: OUT='{out}': .*\n", done.stderr)


@pytest.mark.parametrize(
    ("script", "seed"), [("train", "hello"), ("train", "-\udcff"), ("watch", "hello")]
)
def test_any_text_is_a_seed(trained, tmp_path, script, seed):
    """As it is for `make grade`."""
    folder = copied(tmp_path, "starter")
    shutil.copytree(trained[0] / "results", folder / "results")
    done = run(folder, script, f"--seed={seed}")
    assert "not implemented yet: Exercise" in done.stderr


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
