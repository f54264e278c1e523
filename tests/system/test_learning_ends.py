"""Learning ends by its deadline whatever a part does; the message names this part."""

from dataclasses import replace

import pytest

from grader.grading.pipeline import Options, Progress, grade
from grader.intake.submission import Submission
from grader.oracle.learning.run import DEVIATES, Learning
from grader.report.formats.words import about_run
from grader.report.model import Check, Report
from tests.support.edits import edited
from tests.support.patient import PATIENT

SAMPLE = "    def sample("
COUNTED = """
    def sample(self, batch_size, rng):
        self.asked = getattr(self, "asked", 0) + 1
        if batch_size == 64 and self.asked > 300:  # in the maze
            TROUBLE
        return self.sampled(batch_size, rng)

    def sampled("""
SLOWLY = "end = time.monotonic() + 0.06\n            while time.monotonic() < end: pass"
UPDATE = "    loss, grads = jax.value_and_grad(td_loss)"
AT_64 = "    if batch.state.shape[0] == 64:  # in the maze\n"
NOT_A_NUMBER = """
        return jax.tree.map(lambda x: x * jnp.nan, theta_Q), opt_state, jnp.nan
"""
ENDLESS = """
        theta_Q = jax.lax.while_loop(
            lambda theta: True,
            lambda theta: jax.tree.map(lambda x: 0.5 * x, theta),
            theta_Q,
        )
"""
LARGE = """
        large = jnp.arange(2.0**28, dtype=jnp.float32) * batch.reward[0]
        many = jax.lax.sort([large + number for number in range(16)])
        total = sum(each[0] for each in many)
        theta_Q = jax.tree.map(lambda x: x + 1e-30 * total, theta_Q)
"""


def with_sample(trouble: str) -> str:
    """Return the solution's text with code that makes trouble in `sample`.

    The code runs only for batches of 64 rows, as in the maze, and only after the first
    300 calls of `sample`.

    Args:
        trouble: the code.
    """
    text = COUNTED.replace("TROUBLE", trouble)
    source = edited("ReplayBuffer", (SAMPLE, text))
    return f"import os, time\n{source}"


def with_update(code: str) -> str:
    """Return the solution's text with additional code at the start of `td_update`.

    The code runs only for batches of 64 rows: in the maze, but not in the table worlds.

    Args:
        code: the code.
    """
    return edited("td_update", (UPDATE, AT_64 + code + UPDATE))


def graded(source: str, **limits: float) -> tuple[Report, list[Check]]:
    """Grade exercise 9; return the report and the checks of the exercise.

    Args:
        source: text of `dqn.py`.
        limits: limits that differ from `PATIENT`.
    """
    submission = Submission("troubled", source.encode())
    options = Options("1", ("learning",), limits=replace(PATIENT, **limits))
    report = grade(submission, options, Progress())
    assert not report.grader_error
    return report, report.exercises[0].checks


def ended(source: str, **limits: float) -> Check:
    """Grade exercise 9 of a hand-in whose learning stops in the maze.

    The function fails if the table worlds lose points, or if the maze is judged. It
    also fails if the checks of CartPole do not repeat the outcome and message of the
    maze.

    Args:
        source: text of `dqn.py`.
        limits: limits that differ from `PATIENT`.

    Returns:
        The check of the maze.
    """
    report, (tables, maze, half, full) = graded(source, **limits)
    assert tables.score == tables.max_score, tables.message
    assert maze.message.startswith("not judged: ")
    assert half.message == full.message == maze.message
    assert half.outcome == full.outcome == maze.outcome
    assert maze.score == half.score == full.score == 0
    for entry in report.learning.values():
        assert (entry["mean_return"], entry["curve"]) == (None, [])
    assert "mean return" not in half.message + about_run(report)
    assert "CartPole: not judged: " in about_run(report)
    return maze


def test_a_buffer_that_exits():
    """If `sample` ends the worker's process, the outcome is killed.

    The message names ReplayBuffer and the exit code.
    """
    maze = ended(with_sample("os._exit(3)"))
    assert maze.outcome == "killed"
    assert "ReplayBuffer: the process exited with code 3" in maze.message


def test_a_sample_that_hangs():
    """If `sample` hangs, the outcome is timeout; the message shows the hanging line."""
    maze = ended(with_sample("while True: pass"), call_seconds=15.0)
    assert maze.outcome == "timeout"
    assert "ReplayBuffer: no answer within 15 s" in maze.message
    assert "in sample: this is where it was" in maze.message


@pytest.fixture
def short_maze(monkeypatch):
    """Let learning in the maze end after 20 s; the table worlds may take longer."""
    learn = Learning.learn

    def hurried(self: Learning, task: str) -> None:
        self.limits = replace(self.limits, learn_seconds=20.0)
        learn(self, task)

    monkeypatch.setattr(Learning, "learn", hurried)


@pytest.mark.usefixtures("short_maze")
def test_a_sample_that_is_slow():
    """If each call of `sample` is slow but in time, learning ends at its own deadline.

    The message says that most of the time went to ReplayBuffer.
    """
    maze = ended(with_sample(SLOWLY))
    assert maze.outcome == "timeout"
    assert "most of the time went to ReplayBuffer" in maze.message


@pytest.mark.usefixtures("short_maze")
def test_an_update_that_never_ends():
    """If the program of `td_update` loops for ever, the outcome is timeout.

    The message names `td_update`.
    """
    maze = ended(with_update(ENDLESS))
    assert maze.outcome == "timeout"
    assert "learning the maze: no answer within 20 s" in maze.message
    assert "td_update" in maze.message


def test_an_update_that_eats_memory():
    """If `td_update` needs 16 GiB of memory, the maze gets no points.

    The message names `td_update`.
    """
    maze = ended(with_update(LARGE))
    assert maze.outcome in ("error", "killed")
    assert "while it ran td_update" in maze.message


def test_an_update_that_gives_nan():
    """If `td_update` returns NaN in the maze, neither the maze nor CartPole is judged.

    The message says that `td_update` deviates. The table worlds keep their points.
    """
    report, (tables, *checks) = graded(with_update(NOT_A_NUMBER))
    assert tables.outcome == "passed"
    for check in checks:
        assert check.outcome == "failed"
        assert check.message == f"not judged: {DEVIATES}"
    for entry in report.learning.values():
        assert (entry["mean_return"], entry["curve"]) == (None, [])
        assert entry["not_judged"] == DEVIATES
