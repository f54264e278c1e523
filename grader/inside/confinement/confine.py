"""`confine.py SETTINGS [MODULE]`: confine this process, then run a module in it.

This happens before anything else is imported: libraries start threads, and Landlock
confines only those that are started after it.
"""

import json
import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from grader.inside.confinement import resource_limits

CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2


def main() -> None:
    """Confine the process by the settings, JSON as for `apply`; run the module."""
    try:
        apply(**json.loads(sys.argv[1]))
    except Exception as error:  # one line, for the grader to show
        sys.exit(f"cannot be confined: {error}")
    if len(sys.argv) > 2:
        module = sys.argv[2]
        sys.argv = [module]  # the hand-in has no arguments
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def apply(
    bounds: dict[str, int],
    user: int,
    reads_all: bool,
    files: dict[str, Any] | None,
    calls: dict[str, Any] | None,
) -> None:
    """Confine this process.

    Args:
        bounds: for `resource_limits.apply`.
        user: to become when started by root; 0 to stay.
        reads_all: keep the privilege to read what that user may not. Python itself
            can lie in root's home; `files` or bubblewrap say what can be reached.
        files: for `landlock.restrict`; None without Landlock.
        calls: for `seccomp.apply`; None without a filter.
    """
    resource_limits.apply(**bounds)
    if sys.platform != "linux":
        return
    from grader.inside.confinement import kernel

    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if files is not None:
        from grader.inside.confinement import landlock

        landlock.restrict(**files)
    if user:
        become(user, reads_all)
    elif os.geteuid() == 0 and files is not None:
        kernel.set_capabilities([])
    # After the change of user, which would undo it.
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if calls is not None:
        from grader.inside.confinement import seccomp

        seccomp.apply(**calls)


def become(user: int, reads_all: bool) -> None:
    """Give up root and become a user that nothing else runs as."""
    from grader.inside.confinement import kernel

    kernel.prctl(kernel.PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    try:
        kernel.set_capabilities([CAP_DAC_READ_SEARCH] if reads_all else [])
    except PermissionError:  # root in Docker has only the stronger capability
        kernel.set_capabilities([CAP_DAC_OVERRIDE])
    # Else /proc/self would belong to root after the change of user.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)


if __name__ == "__main__":
    main()
