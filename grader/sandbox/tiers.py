"""Choose a tier of confinement that works on this machine.

The tiers, strongest first:

- `bwrap`: bubblewrap with a filter of system calls. A helper has no network and sees no
  other processes. It can read the system but not write to it. Of the grader's files it
  sees only the helper's code.
- `landlock`: Linux' Landlock with a stricter filter of system calls. It needs no
  namespaces and so works in containers. A helper has no network, reads only Python's
  files and the files in its folder, and starts no second process.
- `process`: a plain process with resource limits and only a few environment variables,
  for macOS and Windows.
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
    """Return the tier to use on this machine.

    Args:
        wanted: name of a tier; "" for the strongest tier that works.

    Raises:
        GraderError: the wanted tier does not work on this machine.
    """
    if not wanted:
        return next(tier for tier in TIERS if why_not(tier) is None)
    problem = why_not(wanted)
    if problem:
        raise GraderError(f"SANDBOX={wanted} does not work here: {problem}")
    return wanted


def why_not(tier: str) -> str | None:
    """Return why a tier does not work here, with advice; None if it works.

    The tier "process" works everywhere.

    Args:
        tier: name of the tier.
    """
    if tier == "bwrap":
        return why_no_bwrap()
    return why_no_landlock() if tier == "landlock" else None


@functools.cache
def why_no_bwrap() -> str | None:
    """Return why bubblewrap does not work here, with advice; None if it works."""
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
    """Return why Landlock or its filter of system calls fails; None if both work."""
    if sys.platform != "linux":
        return "Landlock is Linux's; use SANDBOX=process"
    return try_out("landlock")


def try_out(tier: str) -> str | None:
    """Start a trial in a tier; return why it fails, or None if it succeeds.

    A trial is a process that confines itself and then ends. It succeeds if its exit
    code is 0.

    Args:
        tier: name of the tier.
    """
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
