"""A fixture that keeps unit tests from starting a process, so that they stay fast."""

import contextlib
import multiprocessing.process
import os
import subprocess
from typing import NoReturn

import pytest

# A hand-in in a test imports pyplot. On a new machine this import starts `fc-list`
# once, to list the fonts, so it happens here, before processes are refused.
with contextlib.suppress(ImportError):
    import matplotlib.font_manager  # noqa: F401


@pytest.fixture(scope="module", autouse=True)
def no_process():
    """Raise an AssertionError if a unit test or its fixtures start a process."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError(
            "a unit test starts a process: move it to tests/system, or test the "
            "function below without one"
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "__init__", refuse)
        patch.setattr(multiprocessing.process.BaseProcess, "start", refuse)
        patch.setattr(os, "posix_spawn", refuse)
        if hasattr(os, "fork"):
            patch.setattr(os, "fork", refuse)
        yield
