"""The command `grade`: its report, its terminal output and its exit codes."""

import importlib.util
import json
import os
import re
import sys

import pytest

from grader.report import picture
from grader.sandbox.tiers import why_not
from tests.support.patient import COMMAND
from tests.support.results import without_durations

RECORDED = ["programs.npz", "mistakes.json", "provenance.json"]


# ---------------------------------------------------------------- whole runs


def test_same_counterexample(hand_in, graded):
    """Two gradings with the same seed show the same counterexample."""
    # Wrong only for a reward of -3.75. No fixed case has this reward, so hypothesis
    # must find it.
    body = "Q = jnp.asarray(Q)\nlost = (rewards == -3.75).any()\n"
    body += "new = Q.at[states, actions].add(-alpha * (Q[states, actions] - rewards -"
    body += " (1.0 - terminateds) * gamma * Q[next_states].max(axis=1)))\n"
    body += "return jnp.where(lost, Q, new)"
    path = hand_in(update_Q_TD0=body)
    reports = [without_durations(graded(path, "update_Q_TD0")) for _ in range(2)]
    assert reports[0] == reports[1]
    assert 0 < reports[0]["score"] < 15


def test_only_one_exercise(command):
    """With ONLY=sync_target, only this exercise is graded.

    The output does not say that everything passed.
    """
    run = command("grade", "solution", "--only", "sync_target")
    assert run.code == 0, run.err
    assert [e["name"] for e in run.report["exercises"]] == ["sync_target"]
    assert run.report["score"] == run.report["max_score"] == 5
    assert "all passed" not in run.out.lower()
    assert "everything passed" not in run.out.lower()


# ---------------------------------------------------------------- the terminal


def test_first_failure_is_shown_in_full(hand_in, command):
    """The terminal shows the whole message of the first failed check."""
    path = hand_in(sync_target="return theta_T")
    run = command("grade", path, "--only", "sync_target")
    (first, *_) = [
        check["message"]
        for check in run.report["exercises"][0]["checks"]
        if check["outcome"] == "failed"
    ]
    assert all(line in run.out for line in first.splitlines())


def test_terminal_without_unicode(hand_in, command):
    """If the terminal's encoding lacks printed characters, others stand for them."""
    path = hand_in(sync_target="return theta_T")
    options = ("--only", "sync_target", "--hint", "3")
    run = command("grade", path, *options, module=COMMAND, PYTHONIOENCODING="ascii")
    assert run.code == 0, run.err
    assert run.out.isascii()
    assert "?" not in run.out
    assert "What is asked        theta_T <- theta_Q if step is a multiple" in run.out


def test_one_exercise_completes_the_last_report(hand_in, command, tmp_path, solution):
    """A run with ONLY keeps the other results of the last whole run of the same file.

    A run in the same process keeps the whole report. An official run keeps nothing.
    """
    out = ("--out", str(tmp_path / "out"))
    path, place = hand_in(source="x = 1\n"), tmp_path / "out/report.json"
    command("grade", path, *out)
    assert [e["score"] for e in json.loads(place.read_text())["exercises"]] == [0] * 9
    one = ("--only", "sync_target", "--sandbox", "process")
    (path / "dqn.py").write_text(solution)
    run = command("grade", path, *out, *one, module=COMMAND)
    whole = json.loads(place.read_text())
    assert [e.get("older", False) for e in whole["exercises"]] == [
        e["name"] != "sync_target" for e in whole["exercises"]
    ]
    assert (whole["score"], whole["max_score"]) == (5, 100)
    assert "Score 5 / 100" in run.out
    assert re.search(r"6 td_loss +0/20\*$", run.out, re.M)
    assert re.search(r"8 sync_target +5/5 ", run.out)
    command("grade", path / "dqn.py", *out, "--in-process", *one)
    assert json.loads(place.read_text()) == whole
    command("grade", path, *out, "--official", *one, module=COMMAND)
    (alone,) = json.loads(place.read_text())["exercises"]
    assert (alone["name"], alone["score"]) == ("sync_target", 5)


def test_no_live_line_in_a_notebook(command):
    """If the output is no terminal, progress is printed without rewriting a line.

    This holds even if colours are requested.
    """
    options = ("--only", "sync_target", "--sandbox", "process")
    run = command("grade", "starter", *options, FORCE_COLOR="1")
    assert run.code == 0, run.err
    assert "\x1b[" in run.out
    assert not re.search(r"\r|\x1b\[(\d*A|2K|\?25l)", run.out)
    assert len(run.out.splitlines()) < 15


@pytest.mark.parametrize("broken", ["nothing learned", "no folder", "no curve"])
def test_no_picture_no_trouble(tmp_path, broken):
    """Without a learning curve, or without a folder for pictures, no picture is drawn.

    No exception is raised.
    """
    cartpole = {"curve": [] if broken == "no curve" else [[2048, 20.0], [4096, 30.0]]}
    learning = {} if broken == "nothing learned" else {"cartpole": cartpole}
    folder = tmp_path / "none" if broken == "no folder" else tmp_path
    picture.finish(picture.start(learning, folder))
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- grader trouble


@pytest.mark.skipif(
    importlib.util.find_spec("jax_cuda13_plugin") is not None,
    reason="a JAX with CUDA is installed",
)
def test_gpu_without_cuda(command):
    """DEVICE=gpu without CUDA ends with exit code 2 and one line that says why."""
    run = command("grade", "starter", "--only", "sync_target", "--device", "gpu")
    assert (run.code, run.report) == (2, None)
    assert run.err.startswith("error: DEVICE=gpu")
    assert run.err.count("\n") == 1


def require_trouble(run, *named: str) -> None:
    """Fail unless a run of `grade` has ended with a grader error.

    Such a run has exit code 2, no report, and one error line. The line says that the
    fault is not the student's, and it contains the words in `named`.
    """
    assert run.code == 2, run.out
    assert run.report is None
    assert run.err.startswith("grader error (not your mistake): ")
    assert run.err.count("\n") == 1
    for word in named:
        assert word in run.err


def graded_there(command, tree):
    """Grade `td_loss` of the starter with a copy of the repository; return the run.

    Args:
        command: the fixture that runs a command.
        tree: folder of the copy.
    """
    return command("grade", "starter", "--only", "td_loss", tree=tree)


@pytest.mark.parametrize("name", RECORDED)
def test_reference_missing(command, tree, name):
    """If a file of the reference is missing, grading ends with a grader error."""
    (tree / "grader" / "reference" / name).unlink()
    require_trouble(graded_there(command, tree), name, "make reference")


@pytest.mark.parametrize("name", RECORDED)
def test_reference_damaged(command, tree, name):
    """If a file of the reference is cut short, grading ends with a grader error."""
    path = tree / "grader" / "reference" / name
    path.write_bytes(path.read_bytes()[:-40])
    require_trouble(graded_there(command, tree), "grader/reference")


def test_reference_of_another_format(command, tree):
    """If the reference has an unknown format, grading ends with a grader error."""
    path = tree / "grader" / "reference" / "provenance.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 999}))
    require_trouble(graded_there(command, tree), "999")


def test_reference_of_other_checks(command, tree, solution):
    """If the reference lacks a program for a case, grading ends with a grader error."""
    cases = tree / "grader" / "contract" / "cases.py"
    text = cases.read_text()
    assert text.count("num_states: int = 7") == 1
    cases.write_text(text.replace("num_states: int = 7", "num_states: int = 8"))
    (tree / "dqn.py").write_text(solution)
    run = command("grade", "dqn.py", "--only", "update_Q_TD0", tree=tree)
    require_trouble(run, "make reference")


def test_bwrap_is_not_there(command, tmp_path):
    """SANDBOX=bwrap without bubblewrap is an error; no other tier is used."""
    (tmp_path / "python").symlink_to(sys.executable)
    run = command(
        *("grade", "starter", "--sandbox", "bwrap", "--only", "sync_target"),
        PATH=str(tmp_path),
    )
    require_trouble(run, "install bubblewrap")


def test_no_bwrap_no_force(command, tmp_path):
    """Without bubblewrap and without SANDBOX, the next tier is used and printed."""
    run = command("grade", "starter", "--only", "sync_target", PATH=str(tmp_path))
    assert run.code == 0, run.err
    expected = "process" if why_not("landlock") else "landlock"
    assert run.report["sandbox"] == expected
    assert f"sandbox {expected}" in run.out


def test_worker_does_not_start(command, tree):
    """If the worker cannot start, grading ends with a grader error."""
    worker = tree / "grader" / "inside" / "worker.py"
    worker.write_text("raise SystemExit('no such library')\n" + worker.read_text())
    run = command("grade", "starter", "--only", "sync_target", tree=tree)
    require_trouble(run, "worker", "no such library")


# ---------------------------------------------------------------- seeds

TELLS = """
import glob, re, sys
for path in ["/proc/self/environ", *glob.glob("/proc/[0-9]*/cmdline")]:
    try:
        text = open(path, errors="replace").read()
    except OSError:
        continue
    print(path, sys.argv, re.findall("[0-9a-f]{32}", text))
"""


def test_official_runs_draw_their_own_seed(command, hand_in):
    """Each official run has its own random seed.

    The report shows the seed, but the hand-in cannot find the seed.
    """
    path = hand_in(before=TELLS)
    options = ("--official", "--sandbox", "process", "--only", "sync_target")
    runs = [command("grade", path, *options) for _ in range(2)]
    seeds = [run.report["seed"] for run in runs]
    for run, seed in zip(runs, seeds, strict=True):
        assert re.fullmatch("[0-9a-f]{32}", seed)
        assert f"seed {seed}" in run.out
        assert "/proc/self/environ" in run.report["printed"][0]["text"]
        assert seed not in run.report["printed"][0]["text"]
    assert seeds[0] != seeds[1]


def test_seed_fixes_official_runs(command):
    """A given seed is used in an official run; other runs have the seed 1."""
    options = ("--sandbox", "process", "--only", "sync_target")
    official = command("grade", "solution", *options, "--official", "--seed", "two")
    assert official.report["seed"] == "two"
    assert command("grade", "starter", *options).report["seed"] == "1"


# ---------------------------------------------------------------- in process


def test_in_process_does_not_count(command):
    """With INPROCESS=1, terminal and report say that the score does not count."""
    run = command("grade", "solution", "--in-process", "1", "--only", "update_Q_TD0")
    assert run.code == 0, run.err
    assert run.report["score"] == 15
    assert "does not count" in run.report["sandbox"]
    assert "does not count" in run.out


PLAIN = """
honest = td_loss, sync_target, epsilon_greedy

def td_loss(theta_Q, theta_T, model, batch, gamma):
    assert type(gamma) is float
    return honest[0](theta_Q, theta_T, model, batch, gamma)

def sync_target(theta_Q, theta_T, step, period):
    assert (type(step), type(period)) == (int, int)
    return honest[1](theta_Q, theta_T, step, period)

def epsilon_greedy(key, q_values, epsilon):
    assert type(epsilon) is float
    return honest[2](key, q_values, epsilon)
"""


@pytest.mark.parametrize("part", ["td_loss", "sync_target", "epsilon_greedy"])
def test_in_process_has_plain_values(command, hand_in, points, part):
    """With INPROCESS=1, γ and ε are Python floats, and step and period are ints.

    Only in the check under `jit`, ε is a traced array.
    """
    path = hand_in(after=PLAIN)
    run = command("grade", path, "--in-process", "1", "--only", part)
    assert run.code == 0, run.err
    failed = [c for c in run.report["exercises"][0]["checks"] if c["message"]]
    jit = [check["name"] for check in failed]  # under jit, ε is traced and no float
    assert jit == (["works_under_jit"] if part == "epsilon_greedy" else [])


def test_in_process_debugs(command, hand_in):
    """With INPROCESS=1, the hand-in's prints appear on the terminal."""
    path = hand_in(sync_target="print('step is', step)\nreturn theta_T")
    run = command("grade", path, "--in-process", "1", "--only", "sync_target")
    assert run.code == 0, run.err
    assert "step is 0" in run.out


# ---------------------------------------------------------------- surroundings


def test_surroundings_have_no_say(command, hand_in, tmp_path):
    """Plugins and settings of pytest beside the hand-in do not change the score."""
    path = hand_in(sync_target="return theta_T")
    evil = "import pytest\n@pytest.hookimpl(wrapper=True)\n"
    evil += "def pytest_runtest_call(item):\n    try:\n        return (yield)\n"
    evil += "    except BaseException:\n        return None\n"
    for name in ("conftest.py", "evil.py"):
        (path / name).write_text(evil)
    (path / "pytest.ini").write_text("[pytest]\naddopts = -p evil\n")
    (path / "sitecustomize.py").write_text("print('customised')\n")
    run = command(
        *("grade", path, "--only", "sync_target"),
        PYTEST_ADDOPTS="-p evil",
        PYTEST_PLUGINS="evil",
        PYTHONPATH=os.pathsep.join([str(path), os.environ.get("PYTHONPATH", "")]),
    )
    assert run.code == 0, run.err
    assert run.report["score"] < 5
