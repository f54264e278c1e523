"""Which tiers of confinement work on this machine."""

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
    """The tier to use: the wanted one, or the strongest that works here for "".

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
    """None where the tier works, else what is wrong and what helps."""
    return {"bwrap": why_no_bwrap, "landlock": why_no_landlock}.get(
        tier, lambda: None
    )()


@functools.cache
def why_no_bwrap() -> str | None:
    """None where bubblewrap works, else what is wrong and what to install."""
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
    """None where Landlock and the filter work, else what is wrong."""
    if sys.platform != "linux":
        return "Landlock is Linux's; use SANDBOX=process"
    return try_out("landlock")


def try_out(tier: str) -> str | None:
    """Start a process in the tier that does nothing; what it complained of, or None."""
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
