"""Fixtures with the supplied modules of `starter/`, which import each other by name."""

import importlib
import sys
from types import ModuleType

import pytest

from grader.contract.exercises import ROOT

SUPPLIED = ("dqn", "agent", "tasks", "train")


def imported(name: str) -> ModuleType:
    """Import a module of `starter/`, with the solution as `dqn`, and forget it again.

    Args:
        name: the module's name.
    """
    with pytest.MonkeyPatch.context() as patch:
        for folder in ("starter", "solution"):  # the solution comes first
            patch.syspath_prepend(ROOT / folder)
        for other in SUPPLIED:
            patch.delitem(sys.modules, other, raising=False)
        module = importlib.import_module(name)
        for other in SUPPLIED:
            sys.modules.pop(other, None)
    return module


@pytest.fixture(scope="package")
def tasks() -> ModuleType:
    """Return `starter/tasks.py`."""
    return imported("tasks")


@pytest.fixture(scope="package")
def train() -> ModuleType:
    """Return `starter/train.py`."""
    return imported("train")


@pytest.fixture
def agent() -> ModuleType:
    """Return `starter/agent.py`, imported anew: a test may replace parts in `dqn`."""
    return imported("agent")
