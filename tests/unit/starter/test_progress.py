"""`make train` prints a table of validations, and a line that says how far it is."""

import io
import math
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def task(task_named) -> Any:
    """Return CartPole as a task."""
    return task_named("cartpole", 1)


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def displayed(progress: ModuleType, task: Any, stream: io.TextIOBase) -> None:
    """Show a training of 20 blocks, with validations at steps 0 and 1024."""
    curve, blocks = [], []
    with progress.Display(task, curve, blocks, stream, lambda: 0.0) as display:
        curve.append((0, 9.25))
        for number in range(1, 21):
            step = 64 * number
            display.update(progress.Block(step, 1 - step / 3000, step / 1e5, 3.5))
            if step == 1024:
                curve.append((step, 250.0))
    assert len(blocks) == 20


def test_a_log_is_a_table(progress, task, monkeypatch):
    """A log has a line for each validation, with the numbers of the block before it."""
    monkeypatch.setenv("COLUMNS", "80")
    stream = io.StringIO()
    displayed(progress, task, stream)
    text = stream.getvalue()
    assert "\r" not in text
    *_, names, untrained, trained = text.splitlines()
    assert names.split() == ["step", "return", "ε", "loss", "max", "Q"]
    assert untrained.split()[:2] == ["0", "9.2"]
    *numbers, bar = trained.split()
    assert numbers == ["1024", "250.0", "0.66", "0.0102", "3.5"]
    assert bar == "█" * 15  # half of 30, as 250 is half of the best return
    assert "490" in text
    assert "50000" in text


def test_a_terminal_has_a_line_that_is_rewritten(progress, task, monkeypatch):
    """On a terminal, each step is shown in one line; the table stays above it."""
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    displayed(progress, task, stream)
    lines = stream.getvalue().split("\n")
    assert "compiling" in lines[-3]
    assert "step 64/50000 · ε 0.98" in lines[-2]
    assert lines[-2].rstrip("█").endswith("  1024   250.0  0.66   0.0102      3.5  ")
    assert "step 1280/50000" in lines[-1]
    # Each piece is shorter than the terminal, and the last one is blank.
    assert max(len(piece) for line in lines for piece in line.split("\r")) == 79
    assert lines[-1].endswith(f"\r{' ' * 79}\r")


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_lines_fit_the_width(progress, task_named, task, width):
    """Header, table and the rewritten line fit; in a narrow terminal there is no bar.

    This holds for the maze and for long numbers, too.
    """
    maze = task_named("maze", 1)
    shortest = -maze.marks["best possible"]
    assert f"shortest way {shortest:.1f} steps." in " ".join(
        progress.header(maze, width)
    )
    long = progress.Block(49_984, 0.04, 1.234e-05, -1.234e20)
    for each, mean_return in ((task, 500.0), (maze, -40.0), (maze, -3.456)):
        lines = progress.header(each, width)
        lines.append(progress.row(49_984, mean_return, long, each, width))
        lines.append(progress.status(long, 50_000, 5000.0, width))
        assert max(map(len, lines)) <= width
    bar = progress.row(1024, 500.0, long, task, width).count("█")
    assert (bar == 0) == (width == 40)
    assert bar <= 30


def test_what_does_not_fit_is_left_out(progress):
    """In a narrow line, steps and time stay, and max Q is left out first."""
    block = progress.Block(4096, 0.04, 0.0123, 45.6)
    whole = "step 4096/50000 · ε 0.04 · loss 0.0123 · max Q 45.6 · at most 12 s left"
    assert progress.status(block, 50_000, 11.2, 79) == whole
    short = "step 4096/50000 · ε 0.04 · loss 0.0123 · at most 12 s left"
    assert progress.status(block, 50_000, 11.2, 60) == short
    shortest = "step 4096/50000 · at most 12 s left"
    assert progress.status(block, 50_000, 11.2, 39) == shortest
    unknown = progress.Block(64, 1.0, math.nan, math.nan)
    assert progress.status(unknown, 50_000, math.nan, 79) == (
        "step 64/50000 · ε 1.00 · loss – · max Q –"
    )


def test_time_left_is_that_of_the_slowest_pace(progress, train):
    """The time that is left is a bound: the slowest pace so far, for all that is left.

    Before the first validation, which takes time as well, no time is known.
    """
    settings = replace(train.SETTINGS, env_steps=1000, block_steps=10)
    settings = replace(settings, validate_steps=30)
    times = iter([100, 101, 102, 106, 107, 108, 109, 113])
    pace = progress.Pace(settings, lambda: next(times))
    left = [pace.seconds_left(10 * number) for number in range(1, 8)]
    assert np.isnan(left[:3]).all()
    # 6 s for 30 steps, three times; then 3 s for 30 steps, which is faster.
    assert left[3:] == pytest.approx([0.2 * 960, 0.2 * 950, 0.2 * 940, 0.2 * 930])


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (99, "99 s"), (99.5, "2 min"), (181, "4 min")]
)
def test_durations_are_rounded_up(progress, seconds, words):
    """A duration is never shown shorter than it is."""
    assert progress.duration(seconds) == words


def test_a_stream_without_greek(progress, task, monkeypatch):
    """What an encoding cannot show is written in ASCII, and no line fails."""
    monkeypatch.setenv("COLUMNS", "80")
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    displayed(progress, task, stream)
    stream.flush()
    text = stream.buffer.getvalue().decode()
    assert "eps" in text
    assert "#" * 15 in text
    assert "?" not in text
