"""Fixtures with the modules of the learner, which imports `starter/` by name."""

import importlib
import sys
from types import ModuleType

import pytest

from grader.contract.exercises import ROOT

SUPPLIED = ("tasks", "train")


def imported(name: str) -> ModuleType:
    """Import a module of the learner, and forget the modules of `starter/` again.

    Args:
        name: the module's name.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "starter")
        for other in SUPPLIED:
            patch.delitem(sys.modules, other, raising=False)
        module = importlib.import_module(name)
        for other in SUPPLIED:
            sys.modules.pop(other, None)
    return module


@pytest.fixture(scope="package")
def learner() -> ModuleType:
    """Return `grader/inside/learner.py`."""
    return imported("grader.inside.learner")


@pytest.fixture(scope="package")
def agent(learner) -> ModuleType:
    """Return `grader/inside/learning/agent.py`, which the learner has imported."""
    return imported("grader.inside.learning.agent")
