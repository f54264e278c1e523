"""Run an exercise's checks on fake hand-ins, without pytest."""

import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from grader.contract.outcomes import Raised, Wrong


def failed(checks: ModuleType, given: Mapping[str, Any]) -> set[str]:
    """Return the names of the checks that fail, without "test_".

    Args:
        checks: a module with checks.
        given: the fixtures of the checks, by name.
    """
    names = set()
    for name, check in vars(checks).items():
        if not name.startswith("test_"):
            continue
        fixtures = [given[name] for name in inspect.signature(check).parameters]
        try:
            check(*fixtures)
        except (Raised, Wrong):
            names.add(name.removeprefix("test_"))
    return names
