"""Import modules that need the modules of `starter/`, such as `dqn`, by name."""

import importlib
import sys
from types import ModuleType

import pytest

from grader.contract.exercises import ROOT

SUPPLIED = ("dqn", "agent", "tasks", "train")


def imported(name: str, *folders: str) -> ModuleType:
    """Import a module without any effect on other imports of modules of `starter/`.

    Modules of `starter/` are imported anew, and `sys.modules` is restored for them.

    Args:
        name: the module's name.
        folders: folders of this repository in which Python searches for modules. The
            last folder is searched first.
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
