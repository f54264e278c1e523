"""Confine this process, then run a module in it: `confine.py SETTINGS [MODULE]`.

The process is confined before any library is imported, because a library can start
threads, and Landlock confines only threads that start later.
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
    """Confine this process and run the module that the command line names.

    The first argument is a JSON object with the arguments of `apply`. The second one is
    the name of the module. Without a second argument, no module is run.

    Raises:
        SystemExit: the process cannot be confined.
    """
    try:
        apply(**json.loads(sys.argv[1]))
    except Exception as error:  # the grader shows this line in its message
        sys.exit(f"cannot be confined: {error}")
    if len(sys.argv) > 2:
        module = sys.argv[2]
        sys.argv = [module]  # so that a hand-in sees no arguments
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def apply(
    bounds: dict[str, int],
    user: int,
    reads_all: bool,
    files: dict[str, Any] | None,
    calls: dict[str, Any] | None,
) -> None:
    """Confine this process by resource limits, another user, Landlock and seccomp.

    On other systems than Linux, only the resource limits are set.

    Args:
        bounds: arguments of `resource_limits.apply`, by name.
        user: number of the user to become; 0 to stay the same user.
        reads_all: True if the new user keeps the privilege to read all files. This is
            needed if Python lies in a folder that only root may enter. Landlock or
            bubblewrap still limits which files can be read.
        files: arguments of `landlock.restrict`, by name; None to leave Landlock out.
        calls: arguments of `seccomp.apply`, by name; None to set no filter of system
            calls.

    Raises:
        Refused: the kernel or the machine lacks a feature that is needed.
        OSError: a system call failed.
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
    # After the change of user, because this change would undo the setting.
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if calls is not None:
        from grader.inside.confinement import seccomp

        seccomp.apply(**calls)


def become(user: int, reads_all: bool) -> None:
    """Become another user and give up the privileges of root.

    Args:
        user: number of the user.
        reads_all: True to keep the privilege to read all files. In Docker, root has
            only the privilege to read and write all files, which is kept instead.

    Raises:
        OSError: a system call failed.
    """
    from grader.inside.confinement import kernel

    kernel.prctl(kernel.PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    try:
        kernel.set_capabilities([CAP_DAC_READ_SEARCH] if reads_all else [])
    except PermissionError:
        # In Docker, root has only the stronger capability to read and write all files.
        kernel.set_capabilities([CAP_DAC_OVERRIDE])
    # Without this setting, /proc/self belongs to root after the change of user.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)


if __name__ == "__main__":
    main()
