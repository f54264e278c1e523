"""Prepare the start of a helper process: its files, environment, limits and command.

Each helper gets a folder of its own. `confine.py` runs first in the process and
confines it before it reads anything; deadlines are enforced from outside. If root
starts the grader, each helper runs as a user without other processes.
"""

import functools
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader.contract.exercises import ROOT, STARTER
from grader.sandbox import control_group
from grader.sandbox.bubblewrap import bwrap_arguments, bwrap_as_root, over_fd
from grader.sandbox.system import (
    left_behind,
    root_changes_user,
    system_paths,
    tasks_by_user,
    unused_user,
    within,
)

WORKER_MEMORY = 4 << 30  # bytes
RUNNER_MEMORY = 8 << 30
FILE_SIZE = 64 << 20
CPU_SECONDS = 7200
TASKS = 96  # processes and threads of the worker; JAX starts 20, see NPROC below
RUNNER_TASKS = 256  # CUDA starts more
NICENESS = 5  # of the worker and all that it starts: the trusted side goes first
MORE_TASKS = 1024  # a margin, if the user's other programs count as well

# The module of `grader.inside` that runs in the process of each role.
MODULES = {
    "worker": "worker",
    "runner": "runner",
    "learner": "runner",
    "intruder": "intruder",
    "trial": "",  # it confines itself and ends
}
FILTERED = ("x86_64", "aarch64")  # machines whose system calls `seccomp.py` knows
FOLDER = "dqn-grader-"
GRADER = ROOT / "grader"


@dataclass(frozen=True)
class Launch:
    """The arguments of `subprocess.Popen`, and a function to tidy up afterwards."""

    command: list[str]
    environment: dict[str, str]
    folder: str
    pass_fds: tuple[int, ...]
    info_fd: int | None  # bubblewrap writes the sandbox's first process there
    clean_up: Callable[[], None]


def prepare(role: str, tier: str, *, device: str = "cpu") -> Launch:
    """Prepare the start of a helper process.

    Args:
        role: "worker" (runs the hand-in), "runner" (runs its programs), "learner" (a
            runner with the learning loop), "intruder" (tries what is forbidden) or
            "trial" (does nothing). `MODULES` says which module each role runs.
        tier: from `choose_tier`.
        device: "cpu" or "gpu"; the worker only traces, on the CPU.
    """
    files = {"grader/__init__.py": GRADER / "__init__.py"}
    files["grader/inside"] = GRADER / "inside"
    if role == "learner":
        files["train.py"] = STARTER.with_name("train.py")
    on_gpu = device == "gpu"
    environment = environment_for(role, on_gpu)
    settings = settings_for(role, tier, on_gpu)
    place = in_bwrap if tier == "bwrap" else in_folder
    launch = place(files, MODULES[role], environment, settings, on_gpu)
    return in_group(launch) if role == "worker" else launch


def in_group(launch: Launch) -> Launch:
    """Return the launch in a control group of its own, if the system offers one."""
    group = control_group.create(own_prefix(), TASKS)
    if group is None:
        return launch

    def clean_up() -> None:
        group.end()
        launch.clean_up()

    command = group.joined_by(launch.command)
    return replace(launch, command=command, clean_up=clean_up)


def environment_for(role: str, on_gpu: bool) -> dict[str, str]:
    """Return all environment variables of a helper process except its home."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "JAX_PLATFORMS": "cuda" if on_gpu else "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "MPLBACKEND": "Agg",
        # Fixes the order of sets of strings; otherwise reports would differ.
        "PYTHONHASHSEED": "0",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        # Equinox' run-time checks call back into Python, which no program may.
        "EQX_ON_ERROR": "nan",
        # XLA's threads and malloc's arenas grow with the number of cores: with 128 they
        # alone would use up the address space that a helper process may map.
        "NPROC": str(min(4, os.cpu_count() or 1)),
        "MALLOC_ARENA_MAX": "2",
        "OMP_NUM_THREADS": "1",  # NumPy's BLAS, which starts one per core as well
    }
    if not on_gpu:
        # Most programs run a few dozen times, so compiling takes most of the time. With
        # these flags it is three times as fast; only learning gains from better code.
        level = 1 if role == "learner" else 0
        environment["XLA_FLAGS"] = (
            f"--xla_backend_optimization_level={level} "
            "--xla_cpu_use_fusion_emitters=false "
            "--xla_cpu_parallel_codegen_split_count=1"
        )
    return environment


def settings_for(role: str, tier: str, on_gpu: bool) -> dict[str, Any]:
    """Return the settings for `confine.py`, without the files for Landlock."""
    memory = WORKER_MEMORY
    if role in ("runner", "learner"):
        memory = 0 if on_gpu else RUNNER_MEMORY
    changes_user, reads_python = root_changes_user()
    if tier == "bwrap" and not bwrap_as_root():
        changes_user = False  # its user namespace knows only one user
    alone = tier == "landlock" and not on_gpu  # CUDA's libraries start programs
    filtered = {"bwrap": platform.machine() in FILTERED, "landlock": True}
    return {
        "bounds": {
            "memory": memory,
            "file_size": FILE_SIZE,
            "processes": bound_on_tasks(role, tier, changes_user),
            "niceness": NICENESS if role == "worker" else 0,
            "seconds": CPU_SECONDS,
        },
        "user": unused_user() if changes_user else 0,
        "reads_all": not reads_python,
        "files": None,
        "calls": {"alone": alone} if filtered.get(tier) else None,
    }


def bound_on_tasks(role: str, tier: str, changes_user: bool) -> int:
    """Return the bound on processes and threads of the helper's user; 0 for none.

    The kernel counts them per user, and since Linux 5.14 per user namespace.
    """
    if sys.platform != "linux":
        return 0
    release = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
    if changes_user or (tier == "bwrap" and release >= (5, 14)):
        return RUNNER_TASKS if role in ("runner", "learner") else TASKS
    return sum(tasks_by_user().get(os.getuid(), {}).values()) + MORE_TASKS


def command_for(folder: str, module: str, settings: dict[str, Any]) -> list[str]:
    """Return the command line inside: Python runs `confine.py`, then the module."""
    # As -I without -E: the environment is ours and holds the seed of hashes.
    flags = ["-P", "-s", "-B", "-X", "utf8"]
    script = f"{folder}/grader/inside/confinement/confine.py"
    modules = [f"grader.inside.{module}"] if module else []
    return [sys.executable, *flags, script, json.dumps(settings), *modules]


def in_folder(
    files: dict[str, Path],
    module: str,
    environment: dict[str, str],
    settings: dict[str, Any],
    on_gpu: bool,
) -> Launch:
    """Prepare a process in a folder of its own that sees the same system.

    It may write only in the folder's `home`; `harness` holds the code that it runs.
    """
    folder = Path(tempfile.mkdtemp(prefix=own_prefix()))
    harness, home = folder / "harness", folder / "home"
    for name, source in files.items():
        target = harness / name
        for path in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            copy = target / path.relative_to(source)  # without rights: it is removed
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    home.mkdir(0o700)
    user = settings["user"]
    if user:
        for place in (harness, *harness.rglob("*")):
            place.chmod(0o755 if place.is_dir() else 0o644)
        os.chown(folder, 0, user)
        folder.chmod(0o750)  # for this user alone, not for other helpers
        os.chown(home, user, user)
    if settings["calls"]:  # Landlock
        settings = {**settings, "files": reach(harness, home, on_gpu)}
    environment = {**environment, "HOME": str(home), "TMPDIR": str(home)}
    if "SYSTEMROOT" in os.environ:  # Windows cannot open a socket without it
        environment["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
    return Launch(
        command_for(str(harness), module, settings),
        environment,
        str(home),
        (),
        None,
        functools.partial(shutil.rmtree, folder, ignore_errors=True),
    )


def own_prefix() -> str:
    """Return the prefix of this grader's temporary folders."""
    return f"{FOLDER}{os.getpid()}-"


def remove_leftovers() -> None:
    """Remove the temporary folders of graders that were killed before they could."""
    if os.name != "posix":
        return
    for folder in left_behind(Path(tempfile.gettempdir()), FOLDER):
        shutil.rmtree(folder, ignore_errors=True)
    control_group.remove_leftovers(FOLDER)


def reach(harness: Path, home: Path, on_gpu: bool) -> dict[str, Any]:
    """Return the files that Landlock allows, for `landlock.restrict`."""
    read = [place for path in system_paths() for place in around(path, str(ROOT))]
    if within(sys.prefix, str(ROOT)):
        read.append(sys.prefix)
    read += [str(harness), "/proc/self", "/proc/cpuinfo", "/proc/meminfo"]
    read += ["/lib", "/lib64", "/sys/devices/system/cpu"]
    write = [str(home), "/dev/null", "/dev/zero", "/dev/urandom"]
    if on_gpu:
        read += ["/sys", "/proc/driver", "/proc/devices", "/proc/modules"]
        write += map(str, sorted(Path("/dev").glob("nvidia*")))
    return {"read": read, "write": write, "run": on_gpu}


def around(path: str, hole: str) -> list[str]:
    """Return the path, or all paths in it except the hole: Landlock can only allow."""
    if path == hole:
        return []
    if not within(hole, path):
        return [path]
    inside = sorted(os.path.join(path, name) for name in os.listdir(path))
    return [place for each in inside for place in around(each, hole)]


def in_bwrap(
    files: dict[str, Path],
    module: str,
    environment: dict[str, str],
    settings: dict[str, Any],
    on_gpu: bool,
) -> Launch:
    """Prepare a process in bubblewrap."""
    info_fd, told_fd = os.pipe()
    arguments = bwrap_arguments(files, gpu=on_gpu, as_root=bool(settings["user"]))[1:]
    fd = over_fd([*arguments, "--info-fd", str(told_fd)])
    return Launch(
        ["bwrap", "--args", str(fd), "--", *command_for("/harness", module, settings)],
        {**environment, "HOME": "/tmp", "TMPDIR": "/tmp"},
        "/",
        (fd, told_fd),
        info_fd,
        lambda: None,
    )
