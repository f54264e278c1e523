"""Tests for the worker's note of the line that runs when the time is nearly over."""

import os
import re
import time
from pathlib import Path

import pytest

from grader.inside.worker import place_told


@pytest.fixture
def errors(tmp_path):
    """Return a file that stands for standard error, opened for writing."""
    with (tmp_path / "errors").open("wb") as file:
        yield file


def written(errors) -> str:
    """Return the text that was written to a file."""
    return Path(errors.name).read_text()


def busy(errors) -> None:
    """Run Python's code until something is written, at most 20 seconds."""
    ends = time.monotonic() + 20
    while not os.fstat(errors.fileno()).st_size and time.monotonic() < ends:
        sum(x for x in range(100))


def waiting() -> None:
    """Run compiled code that handles no signal."""
    sum(range(50_000_000))


def test_the_running_line_is_told(errors):
    """The traceback is written, with the function that is running."""
    with place_told(0.01, errors.fileno()):
        busy(errors)
    assert re.search(r"test_worker\.py\", line \d+ in busy", written(errors))


def test_the_line_of_compiled_code_is_told(errors):
    """The traceback is also written while no signal can be handled."""
    with place_told(0.01, errors.fileno()):
        waiting()
    assert re.search(r"test_worker\.py\", line \d+ in waiting", written(errors))


def test_nothing_is_told_in_time(errors):
    """Nothing is written for a block that ends in time, or after the block."""
    with place_told(0.3, errors.fileno()):
        pass
    waiting()
    assert not written(errors)
