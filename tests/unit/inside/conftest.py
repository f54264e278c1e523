"""Fixtures with the modules of the learner, which imports `starter/` by name."""

from types import ModuleType

import pytest

from tests.support.supplied import imported


@pytest.fixture(scope="package")
def learner() -> ModuleType:
    """Return `grader/inside/learner.py`."""
    return imported("grader.inside.learner", "starter")


@pytest.fixture(scope="package")
def agent(learner) -> ModuleType:
    """Return `grader/inside/learning/agent.py`, which the learner has imported."""
    return imported("grader.inside.learning.agent", "starter")
