"""`make train` and `make watch` work in a student's folder."""

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
from tests.support.patient import SECONDS

Done = subprocess.CompletedProcess


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, Done]:
    """Train the solution for 2048 steps.

    Returns:
        The student's folder, and the finished command.
    """
    folder = copied(tmp_path_factory.mktemp("homework"), "solution")
    loop = folder / "starter" / "train.py"
    replace(loop, "env_steps: int = 50_000", "env_steps: int = 2_048")
    return folder, run(folder, "train", FORCE_COLOR="1")


def copied(folder: Path, whose: str) -> Path:
    """Copy `starter/` into a folder, put `grader/` beside it, and return the folder.

    Args:
        folder: folder in which the copy is made.
        whose: "starter" or "solution", the folder from which `dqn.py` is copied.
    """
    shutil.copytree(ROOT / "starter", folder / "starter", dirs_exist_ok=True)
    shutil.copy(ROOT / whose / "dqn.py", folder / "starter")
    (folder / "grader").symlink_to(ROOT / "grader")
    return folder


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def run(folder: Path, script: str, *options: str, **environment: str) -> Done:
    """Run the script of `make train` or `make watch` on a terminal of 80 columns.

    Args:
        folder: the student's folder.
        script: "train" or "watch".
        options: further options of the script.
        environment: further environment variables.

    Returns:
        The finished command.
    """
    return subprocess.run(
        [sys.executable, f"starter/{script}.py", "--out=results", *options],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def steps_and_seconds(folder: Path) -> tuple[int, float]:
    """Run `make watch`; return the number of played steps and the GIF's length in s.

    Args:
        folder: the student's folder, with saved parameters.
    """
    watched = run(folder, "watch")
    assert watched.returncode == 0, watched.stderr
    assert "results/cartpole.gif" in watched.stdout
    seconds = 0.0
    with Image.open(folder / "results" / "cartpole.gif") as gif:
        assert gif.size == (600, 512)
        for index in range(gif.n_frames):
            gif.seek(index)
            seconds += gif.info["duration"] / 1000
    return int(re.search(r"for (\d+) of 500 steps", watched.stdout)[1]), seconds


def test_train_says_how_it_goes(trained):
    """Training prints a table with a line for each validation, and draws its curves.

    A line has the number of steps, the return, ε, the loss and max Q. The first one is
    of the untrained network. The log has no line that is rewritten, even if colours are
    requested.
    """
    folder, done = trained
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    lines = [line.split() for line in done.stdout.splitlines()]
    first = lines.index(["step", "return", "ε", "loss", "max", "Q"]) + 1
    steps, *_ = zip(*lines[first : first + 3], strict=False)
    assert steps == ("0", "1024", "2048")
    mean_return, epsilon, loss, max_q = map(float, lines[first + 2][1:5])
    assert epsilon == 0.34
    assert mean_return > 0
    assert loss > 0
    assert max_q > 1
    assert not {"\r", "\x1b"} & set(done.stdout)
    with Image.open(folder / "results" / "training_curve.png") as picture:
        assert picture.size == (700, 700)
    # The grader's picture has another name, so training does not overwrite it.
    assert not (folder / "results" / "learning_curve.png").exists()


def test_train_says_why_it_did_not_learn(tmp_path):
    """With a network that cannot learn, training ends with a sentence of exercise 9."""
    folder = copied(tmp_path, "solution")
    loop, part = folder / "starter" / "train.py", folder / "starter" / "dqn.py"
    replace(loop, "env_steps=16_384", "env_steps=2_048")
    right = "jax.tree.map(jnp.copy, theta_Q) if step % period == 0 else theta_T"
    replace(part, right, "theta_T")
    done = run(folder, "train", "--task=maze")
    assert done.returncode == 0, done.stderr
    assert "goal not reached in 2048 steps" in done.stdout
    words = " ".join(done.stdout.split())
    assert "sync_target returned θ_Q in 0 of them." in words
    assert "→ To see more: `make grade ONLY=sync_target`." in words


@pytest.mark.parametrize("steps", [0, 640])
def test_train_can_be_stopped(tmp_path, steps):
    """After Ctrl-C, training keeps the curves and the parameters, and prints one line.

    This holds before the first validation, too. Before the first update there is
    nothing to keep, and the line says so.
    """
    folder = copied(tmp_path, "solution")
    replace(
        folder / "starter" / "train.py",
        "        epsilon = epsilon_at(env_step, settings)\n",
        f"        if env_step > {steps}:\n"
        # A program that was started in the background ignores SIGINT by default.
        "            if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:\n"
        "                signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "        epsilon = epsilon_at(env_step, settings)\n",
    )
    done = run(folder, "train")
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    last = done.stdout.splitlines()[-1]
    found = {path.name for path in (folder / "results").iterdir()}
    if steps:
        files = "results/training_curve.png and results/theta_Q.npz"
        assert last == f"stopped at step 640; kept until there: {files}"
        assert found == {"training_curve.png", "theta_Q.npz"}
    else:
        assert last == "stopped: nothing was saved"
        assert found == set()


@pytest.mark.parametrize("task", ["maze", "turned"])
def test_train_learns_other_tasks(tmp_path, task):
    """`make train TASK=maze` and `TASK=turned` draw the learning curve of another task.

    They save no parameters, because `make watch` shows plain CartPole only.
    """
    folder = copied(tmp_path, "solution")
    loop = folder / "starter" / "train.py"
    replace(loop, "env_steps: int = 50_000", "env_steps: int = 1_024")
    replace(loop, "env_steps=16_384", "env_steps=1_024")
    done = run(folder, "train", f"--task={task}")
    assert done.returncode == 0, done.stderr
    mean_return = float(re.search(r"^  1024 +(-?\d+\.\d+) ", done.stdout, re.M)[1])
    assert (mean_return < 0) == (task == "maze")
    assert "make watch" not in done.stdout
    found = {path.name for path in (folder / "results").iterdir()}
    assert found == {f"training_curve_{task}.png"}
    assert f"saved: results/training_curve_{task}.png\n" in done.stdout


@pytest.mark.parametrize("out", ["/proc", __file__])
def test_train_tries_the_folder_first(tmp_path, out):
    """If the folder for results is not writable, training does not begin."""
    done = run(copied(tmp_path, "starter"), "train", f"--out={out}")
    assert done.returncode == 2
    assert re.fullmatch(f"error: OUT='{out}': .*\n", done.stderr)


@pytest.mark.parametrize(
    ("script", "seed"), [("train", "hello"), ("train", "-\udcff"), ("watch", "hello")]
)
def test_any_text_is_a_seed(trained, tmp_path, script, seed):
    """`make train` and `make watch` accept any text as a seed, like `make grade`."""
    folder = copied(tmp_path, "starter")
    shutil.copytree(trained[0] / "results", folder / "results")
    done = run(folder, script, f"--seed={seed}")
    assert "not implemented yet: Exercise" in done.stderr


def test_watch_shows_what_was_trained(trained):
    """`make watch` plays the saved policy in real time (0.02 s for each step).

    If all saved parameters are set to 0, the policy is worse and the GIF is shorter.
    """
    folder, _ = trained
    steps, seconds = steps_and_seconds(folder)
    # The last picture is shown for a second; each other picture is for two steps.
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
    """If `q_network` has changed since training, `make watch` asks to train again."""
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
    """Without saved parameters, `make watch` says that `make train` writes them."""
    watched = run(copied(tmp_path, "solution"), "watch")
    assert watched.returncode == 1
    assert "make train" in watched.stderr
    assert "Traceback" not in watched.stderr


def test_untouched_starter_names_the_missing_part(tmp_path):
    """With the unchanged starter, the error names an exercise that is not implemented.

    The exit code is 1, and no traceback is shown.
    """
    done = run(copied(tmp_path, "starter"), "train")
    assert done.returncode == 1
    assert "not implemented yet: Exercise" in done.stderr
    assert "Traceback" not in done.stderr
