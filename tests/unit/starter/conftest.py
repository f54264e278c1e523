"""Fixtures with the supplied modules of `starter/`, which import each other by name."""

from types import ModuleType

import pytest

from tests.support.supplied import imported

FOLDERS = "starter", "solution"  # `dqn` is the solution


@pytest.fixture(scope="package")
def tasks() -> ModuleType:
    """Return `starter/tasks.py`."""
    return imported("tasks", *FOLDERS)


@pytest.fixture(scope="package")
def train() -> ModuleType:
    """Return `starter/train.py`."""
    return imported("train", *FOLDERS)


@pytest.fixture
def agent() -> ModuleType:
    """Return `starter/agent.py`, imported anew: a test may replace parts in `dqn`."""
    return imported("agent", *FOLDERS)
