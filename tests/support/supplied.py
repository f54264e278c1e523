"""Import a module that itself imports modules of `starter/`, such as `dqn`."""

import importlib
import sys
from types import ModuleType

import pytest

from grader.contract.exercises import ROOT

SUPPLIED = (
    *("dqn", "agent", "tasks", "train", "watch"),
    *("curve", "progress", "recorded", "notebook"),
)


def imported(name: str, *folders: str) -> ModuleType:
    """Import a module, with the supplied modules beside it from certain folders.

    The modules of `SUPPLIED` are imported anew from the given folders. Afterwards
    `sys.modules` has its previous entries for these names.

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
