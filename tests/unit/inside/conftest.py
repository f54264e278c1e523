"""Fixtures that import modules of the learner, with `starter/` on the path."""

from types import ModuleType

import pytest

from tests.support.supplied import imported


@pytest.fixture(scope="package")
def learner() -> ModuleType:
    """Import `grader/inside/learner.py` and return the module."""
    return imported("grader.inside.learner", "starter")


@pytest.fixture(scope="package")
def agent(learner) -> ModuleType:
    """Return the module `grader/inside/learning/agent.py`, as the learner uses it."""
    return imported("grader.inside.learning.agent", "starter")
