"""Import modules that import those of `starter/` by name."""

import importlib
import sys
from types import ModuleType

import pytest

from grader.contract.exercises import ROOT

SUPPLIED = ("dqn", "agent", "tasks", "train")


def imported(name: str, *folders: str) -> ModuleType:
    """Import a module, and forget the modules of `starter/` again.

    Args:
        name: the module's name.
        folders: folders of this repository in which modules are looked for, the last
            one first.
    """
    with pytest.MonkeyPatch.context() as patch:
        for folder in folders:
            patch.syspath_prepend(ROOT / folder)
        for other in SUPPLIED:
            patch.delitem(sys.modules, other, raising=False)
        module = importlib.import_module(name)
        for other in SUPPLIED:
            sys.modules.pop(other, None)
    return module
