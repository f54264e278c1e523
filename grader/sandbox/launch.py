"""How the helper processes are confined.

Tiers, strongest first:

- `bwrap` (bubblewrap): no network, no other processes, a read-only system with nothing
  of the grader's but the files named here, and a filter of system calls.
- `landlock`: the kernel's Landlock, the same filter and more of it, without namespaces:
  for containers. No network, no files but Python's and its own, no second process.
- `process`: a plain process with resource limits and an empty environment, for macOS
  and Windows.

All get a folder of their own; time limits are enforced from outside. What a process can
do to itself is done by `confine.py` inside, before it reads anything. Where root starts
the grader, the helpers run as a user that nobody else is.
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

from grader.contract.exercises import ROOT, SOLUTION, STARTER
from grader.sandbox import control_group
from grader.sandbox.bubblewrap import bwrap_arguments, bwrap_as_root, over_fd
from grader.sandbox.system import (
    root_changes_user,
    system_paths,
    tasks_by_user,
    unused_user,
    within,
)

WORKER_MEMORY = 4 << 30
RUNNER_MEMORY = 8 << 30
FILE_SIZE = 64 << 20
CPU_SECONDS = 7200
TASKS = 96  # processes and threads of the worker; JAX starts 20, see NPROC below
RUNNER_TASKS = 256  # CUDA starts more
NICENESS = 5  # of the worker and all that it starts: what is trusted comes first
MORE_TASKS = 1024  # where the user's other programs count as well, and come and go

# By role: the module of `grader.inside` that its process runs.
MODULES = {
    "worker": "worker",
    "runner": "runner",
    "learner": "runner",
    "intruder": "intruder",
    "trial": "",  # confines itself, and ends
}
FILTERED = ("x86_64", "aarch64")  # the machines whose system calls seccomp.py knows
FOLDER = "dqn-grader-"
GRADER = ROOT / "grader"


@dataclass(frozen=True)
class Launch:
    """Everything that `subprocess.Popen` needs, and how to tidy up afterwards."""

    command: list[str]
    environment: dict[str, str]
    folder: str
    pass_fds: tuple[int, ...]
    info_fd: int | None  # where bubblewrap tells the sandbox's first process
    clean_up: Callable[[], None]


def prepare(role: str, tier: str, *, live: bool = False, device: str = "cpu") -> Launch:
    """How to start a helper process.

    Args:
        role: "worker" (runs the hand-in), "runner" (runs its programs), "learner" (a
            runner with the learning loop) or "intruder" (tries what is forbidden).
        tier: from `choose_tier`.
        live: hand the solution over; never to the worker.
        device: "cpu" or "gpu"; the worker only traces, on the CPU.
    """
    files = {"grader/__init__.py": GRADER / "__init__.py"}
    files["grader/inside"] = GRADER / "inside"
    if role == "learner":
        files["train.py"] = STARTER.with_name("train.py")
    if live:
        files["solution/dqn.py"] = SOLUTION
    on_gpu = device == "gpu"
    environment = environment_for(role, on_gpu)
    settings = settings_for(role, tier, on_gpu)
    place = in_bwrap if tier == "bwrap" else in_folder
    launch = place(files, MODULES[role], environment, settings, on_gpu)
    return in_group(launch) if role == "worker" else launch


def in_group(launch: Launch) -> Launch:
    """Return the launch in a control group of its own, where the system offers one."""
    group = control_group.create(own_prefix(), TASKS)
    if group is None:
        return launch

    def clean_up() -> None:
        group.end()
        launch.clean_up()

    command = group.joined_by(launch.command)
    return replace(launch, command=command, clean_up=clean_up)


def environment_for(role: str, on_gpu: bool) -> dict[str, str]:
    """The whole environment of a helper process, but for its home."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "JAX_PLATFORMS": "cuda" if on_gpu else "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "MPLBACKEND": "Agg",
        # Sets of text come in the same order each time, or reports would differ.
        "PYTHONHASHSEED": "0",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        # Equinox' run-time checks call back into Python, which no program may.
        "EQX_ON_ERROR": "nan",
        # XLA starts threads, and malloc arenas, by the number of cores: on 128 of them
        # that alone would use up the address space which a helper process may map.
        "NPROC": str(min(4, os.cpu_count() or 1)),
        "MALLOC_ARENA_MAX": "2",
        "OMP_NUM_THREADS": "1",  # NumPy's BLAS, which has one for each core as well
    }
    if not on_gpu:
        # Most programs run a few dozen times: compiling is what costs. These flags make
        # it three times as fast; only learning runs long enough to want better code.
        level = 1 if role == "learner" else 0
        environment["XLA_FLAGS"] = (
            f"--xla_backend_optimization_level={level} "
            "--xla_cpu_use_fusion_emitters=false "
            "--xla_cpu_parallel_codegen_split_count=1"
        )
    return environment


def settings_for(role: str, tier: str, on_gpu: bool) -> dict[str, Any]:
    """What `confine.py` is told, but for the files within reach."""
    memory = WORKER_MEMORY
    if role in ("runner", "learner"):
        memory = 0 if on_gpu else RUNNER_MEMORY
    changes_user, reads_python = root_changes_user()
    if tier == "bwrap" and not bwrap_as_root():
        changes_user = False  # inside its user namespace nobody else exists
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
    """How many processes and threads the helper's user may have, 0 for no bound.

    The kernel counts them by user, and since Linux 5.14 by user namespace.
    """
    if sys.platform != "linux":
        return 0
    release = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
    if changes_user or (tier == "bwrap" and release >= (5, 14)):
        return RUNNER_TASKS if role in ("runner", "learner") else TASKS
    return sum(tasks_by_user().get(os.getuid(), {}).values()) + MORE_TASKS


def command_for(folder: str, module: str, settings: dict[str, Any]) -> list[str]:
    """The command line inside: Python, which confines itself and goes on as it is."""
    # As -I does, but for -E: the environment is ours, and holds the seed of hashes.
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
    """As a process that sees the same system, in a folder of its own.

    Only its `home` in there is its own to write; `harness` is what it runs.
    """
    folder = Path(tempfile.mkdtemp(prefix=own_prefix()))
    harness, home = folder / "harness", folder / "home"
    for name, source in files.items():
        target = harness / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            compiled = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, target, ignore=compiled)
        else:
            shutil.copyfile(source, target)
    home.mkdir(0o700)
    user = settings["user"]
    if user:
        for place in (harness, *harness.rglob("*")):
            place.chmod(0o755 if place.is_dir() else 0o644)
        os.chown(folder, 0, user)
        folder.chmod(0o750)  # for this user alone, not for another helper's
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
    """How the names of this grader's folders for temporary files begin."""
    return f"{FOLDER}{os.getpid()}-"


def remove_leftovers() -> None:
    """Remove the temporary folders of graders that were killed, and could not."""
    if os.name != "posix":
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*-*"):
        number = folder.name.removeprefix(FOLDER).partition("-")[0]
        try:
            if folder.lstat().st_uid == os.geteuid():
                os.kill(int(number), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (OSError, ValueError, OverflowError):
            continue
    control_group.remove_leftovers(FOLDER)


def reach(harness: Path, home: Path, on_gpu: bool) -> dict[str, Any]:
    """The files within reach under Landlock, for `landlock.restrict`."""
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
    """The path, or what is in it but for the hole: Landlock can only add up."""
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
    """In bubblewrap."""
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
