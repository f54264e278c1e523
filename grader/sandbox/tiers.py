"""Choose a tier of confinement that works on this machine.

The tiers, strongest first:

- `bwrap` (bubblewrap): no network, no other processes, a read-only system without the
  grader except for the helper's own files, and a filter of system calls.
- `landlock`: the kernel's Landlock and a stricter filter of system calls, without
  namespaces: for containers. No network, no files but Python's and its own, no second
  process.
- `process`: a plain process with resource limits and an empty environment, for macOS
  and Windows.
"""

import functools
import os
import shutil
import subprocess
import sys

from grader.contract.outcomes import GraderError
from grader.sandbox.bubblewrap import bwrap_version
from grader.sandbox.launch import prepare

ISOLATING = ("bwrap", "landlock")
TIERS = (*ISOLATING, "process")


def choose_tier(wanted: str) -> str:
    """Return the tier to use: the wanted one, or for "" the strongest that works here.

    Raises:
        GraderError: the wanted tier does not work here.
    """
    if not wanted:
        return next(tier for tier in TIERS if why_not(tier) is None)
    problem = why_not(wanted)
    if problem:
        raise GraderError(f"SANDBOX={wanted} does not work here: {problem}")
    return wanted


def why_not(tier: str) -> str | None:
    """Return what is wrong and what helps if the tier does not work here, else None."""
    if tier == "bwrap":
        return why_no_bwrap()
    return why_no_landlock() if tier == "landlock" else None


@functools.cache
def why_no_bwrap() -> str | None:
    """Return why bubblewrap does not work and what to install; None if it works."""
    if sys.platform != "linux":
        return "bubblewrap runs on Linux only; use SANDBOX=process"
    if shutil.which("bwrap") is None:
        return "install bubblewrap (Debian, Ubuntu: apt-get install bubblewrap)"
    version = ".".join(map(str, bwrap_version()))
    if bwrap_version() < (0, 7):
        return f"bubblewrap 0.7 or later is needed, this one is {version}"
    problem = try_out("bwrap")
    if problem is None:
        return None
    return (
        f"bubblewrap cannot make a sandbox ({problem}); the system may refuse user "
        "namespaces (in Docker; on Ubuntu load bubblewrap's AppArmor profile)"
    )


@functools.cache
def why_no_landlock() -> str | None:
    """Return why Landlock or the filter does not work; None if both work."""
    if sys.platform != "linux":
        return "Landlock is Linux's; use SANDBOX=process"
    return try_out("landlock")


def try_out(tier: str) -> str | None:
    """Start a process that does nothing in the tier; return its complaint, or None."""
    launch = prepare("trial", tier)
    try:
        trial = subprocess.run(
            launch.command,
            cwd=launch.folder,
            env=launch.environment,
            pass_fds=launch.pass_fds,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            text=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        for fd in launch.pass_fds:
            os.close(fd)
        if launch.info_fd is not None:
            os.close(launch.info_fd)
        launch.clean_up()
    if trial.returncode:
        return (trial.stderr.strip().splitlines() or ["no message"])[-1]
    return None
