"""Fixtures that import the supplied modules, with `starter/` on the path."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tests.support.supplied import imported

FOLDERS = "starter", "solution"  # `dqn` is the solution


@pytest.fixture(scope="package")
def tasks() -> ModuleType:
    """Return the module `starter/tasks.py`."""
    return imported("tasks", *FOLDERS)


@pytest.fixture(scope="package")
def train() -> ModuleType:
    """Return the module `starter/train.py`."""
    return imported("train", *FOLDERS)


@pytest.fixture
def task_named(train, tasks, monkeypatch) -> Callable[[str, int], Any]:
    """Return the function `task_named` of `train`, which imports `tasks` by itself."""
    monkeypatch.setitem(sys.modules, "tasks", tasks)
    return train.task_named


@pytest.fixture
def agent() -> ModuleType:
    """Import `starter/agent.py` anew and return the module.

    Each test gets its own module, because a test may replace parts in `agent.dqn`.
    """
    return imported("agent", *FOLDERS)


@pytest.fixture
def recorded() -> ModuleType:
    """Import `starter/recorded.py` anew, with an `agent` of its own; return it."""
    return imported("recorded", *FOLDERS)


@pytest.fixture(scope="package")
def progress() -> ModuleType:
    """Return the module `starter/progress.py`."""
    return imported("progress", *FOLDERS)


@pytest.fixture(scope="package")
def curve() -> ModuleType:
    """Return the module `starter/curve.py`."""
    return imported("curve", *FOLDERS)


@pytest.fixture(scope="package")
def watch() -> ModuleType:
    """Return the module `starter/watch.py`."""
    return imported("watch", *FOLDERS)
