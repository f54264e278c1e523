"""Prepare the start of a helper process: its files, environment, limits and command.

Each helper gets a folder, or in bubblewrap a file system, that no other helper uses.
`confine.py` runs first in the process and confines it before any other code runs. If
root starts the grader, each helper runs as a user that has no other processes, where
the machine allows this.
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
    gpu_devices,
    left_behind,
    own_prefix,
    remove,
    root_changes_user,
    system_paths,
    tasks_by_user,
    unused_user,
    within,
)

WORKER_MEMORY = 4 << 30  # bytes
RUNNER_MEMORY = 8 << 30  # bytes
FILE_SIZE = 64 << 20  # bytes of one file
CPU_SECONDS = 7200
TASKS = 96  # processes and threads of the worker; JAX starts 20, see NPROC
RUNNER_TASKS = 256  # more than TASKS, because CUDA starts many threads
NICENESS = 5  # of the worker and all that it starts, so that trusted processes go first
# For helpers that run as the user of the grader: the bound on tasks is the number of
# this user's present tasks plus this number.
MORE_TASKS = 1024

# The module of `grader.inside` that runs in the process of each role.
MODULES = {
    "worker": "worker",
    "runner": "runner",
    "learner": "runner",
    "intruder": "intruder",
    "trial": "",  # no module: the process confines itself and ends
}
FILTERED = ("x86_64", "aarch64")  # machines whose system calls `seccomp.py` knows
GRADER = ROOT / "grader"
# The modules and packages of `grader.inside` that only the learner needs. One of them
# computes the right loss, which a hand-in must not be able to call.
OF_LEARNER = ("learner.py", "learning", "translation")


@dataclass(frozen=True)
class Launch:
    """The arguments for starting a helper with `subprocess.Popen`.

    Attributes:
        command: the program and its arguments.
        environment: all environment variables.
        folder: working folder.
        pass_fds: file descriptors that the helper inherits.
        info_fd: read end of the pipe into which bubblewrap writes the number of the
            sandbox's first process; None without bubblewrap.
        clean_up: function without arguments that removes the helper's files after the
            helper has ended.
    """

    command: list[str]
    environment: dict[str, str]
    folder: str
    pass_fds: tuple[int, ...]
    info_fd: int | None
    clean_up: Callable[[], None]


def prepare(role: str, tier: str, *, device: str = "cpu") -> Launch:
    """Prepare a helper's files and environment; return the arguments for starting it.

    Args:
        role: "worker" (runs the hand-in), "runner" (runs the hand-in's programs),
            "learner" (a runner with the learning loop), "intruder" (tries forbidden
            things) or "trial" (does nothing).
        tier: "bwrap", "landlock" or "process".
        device: device for JAX, "cpu" or "gpu". For a worker it has to be "cpu".
    """
    files = {"grader/__init__.py": GRADER / "__init__.py"}
    for path in sorted((GRADER / "inside").iterdir()):
        if path.name != "__pycache__" and (
            role == "learner" or path.name not in OF_LEARNER
        ):
            files[f"grader/inside/{path.name}"] = path
    if role == "learner":
        for name in ("train.py", "tasks.py"):
            files[name] = STARTER.with_name(name)
    on_gpu = device == "gpu"
    environment = environment_for(role, on_gpu)
    settings = settings_for(role, tier, on_gpu)
    place = in_bwrap if tier == "bwrap" else in_folder
    launch = place(files, MODULES[role], environment, settings, on_gpu)
    return in_group(launch) if role == "worker" else launch


def in_group(launch: Launch) -> Launch:
    """Create a control group; return the arguments for starting a helper in it.

    If this machine allows no control groups, `launch` itself is returned.

    Args:
        launch: arguments for starting the helper without a control group.
    """
    group = control_group.create(TASKS)
    if group is None:
        return launch

    def clean_up() -> None:
        group.end()
        launch.clean_up()

    command = group.joined_by(launch.command)
    return replace(launch, command=command, clean_up=clean_up)


def environment_for(role: str, on_gpu: bool) -> dict[str, str]:
    """Return the environment variables of a helper, without HOME and TMPDIR.

    `in_folder` and `in_bwrap` add these two variables.

    Args:
        role: role of the helper, as for `prepare`.
        on_gpu: whether JAX uses the GPU.
    """
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "JAX_PLATFORMS": "cuda" if on_gpu else "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "MPLBACKEND": "Agg",
        # Fixes the order of sets of strings, because otherwise reports would differ.
        "PYTHONHASHSEED": "0",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        # Turns off Equinox' run-time checks, because they call Python functions and
        # exported programs must not do so.
        "EQX_ON_ERROR": "nan",
        # Few threads of XLA and few arenas of malloc, because by default their number
        # grows with the cores. On a machine with 128 cores they alone would use up the
        # helper's memory limit.
        "NPROC": str(min(4, os.cpu_count() or 1)),
        "MALLOC_ARENA_MAX": "2",
        "OMP_NUM_THREADS": "1",  # threads of NumPy's BLAS, by default one per core
    }
    if on_gpu:
        # In some containers, NVIDIA's driver is found only by LD_LIBRARY_PATH. On a
        # cluster, CUDA_VISIBLE_DEVICES says which GPU may be used.
        for name in ("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"):
            if name in os.environ:
                environment[name] = os.environ[name]
    else:
        # Little optimisation, because most programs run only a few dozen times, and
        # compiling is then three times as fast. Learning runs programs very often, so
        # the learner compiles with some optimisation.
        level = 1 if role == "learner" else 0
        environment["XLA_FLAGS"] = (
            f"--xla_backend_optimization_level={level} "
            "--xla_cpu_use_fusion_emitters=false "
            "--xla_cpu_parallel_codegen_split_count=1"
        )
    return environment


def settings_for(role: str, tier: str, on_gpu: bool) -> dict[str, Any]:
    """Return the arguments of `confine.apply` by name.

    They say how the helper confines itself. The argument "files" is None; `in_folder`
    replaces it for Landlock.

    Args:
        role: role of the helper, as for `prepare`.
        tier: tier of the helper, as for `prepare`.
        on_gpu: whether JAX uses the GPU.
    """
    memory = WORKER_MEMORY
    if role in ("runner", "learner"):
        memory = 0 if on_gpu else RUNNER_MEMORY
    changes_user, reads_python = root_changes_user()
    if tier == "bwrap" and not bwrap_as_root():
        changes_user = False  # because a user namespace contains only one user
    # Not on a GPU, because CUDA's libraries start other programs.
    alone = tier == "landlock" and not on_gpu
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
        "calls": {"alone": alone, "gpu": on_gpu} if filtered.get(tier) else None,
    }


def bound_on_tasks(role: str, tier: str, changes_user: bool) -> int:
    """Return the largest number of processes and threads of a helper's user, or 0.

    0 means that there is no bound, as on systems other than Linux. The kernel counts
    all processes and threads of a user together, but from Linux 5.14 on, it counts
    those in a bubblewrap sandbox separately. If only the helper's own are counted, the
    bound is TASKS or RUNNER_TASKS, depending on the role. Otherwise the bound is the
    number that the grader's user has now, plus MORE_TASKS.

    Args:
        role: role of the helper, as for `prepare`.
        tier: tier of the helper, as for `prepare`.
        changes_user: whether the helper runs as a user without other processes.
    """
    if sys.platform != "linux":
        return 0
    release = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
    if changes_user or (tier == "bwrap" and release >= (5, 14)):
        return RUNNER_TASKS if role in ("runner", "learner") else TASKS
    return sum(tasks_by_user().get(os.getuid(), {}).values()) + MORE_TASKS


def command_for(folder: str, module: str, settings: dict[str, Any]) -> list[str]:
    """Return a Python command line that runs `confine.py` and then a module.

    Args:
        folder: folder with the helper's code, as the helper sees it.
        module: name of a module in `grader.inside`; "" for none.
        settings: arguments of `confine.apply`.
    """
    # Like -I, but without -E, because Python must read PYTHONHASHSEED.
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
    """Make a temporary folder for a helper; return the arguments for starting it there.

    This is the way without bubblewrap. The folder contains `harness`, a copy of the
    helper's code, and `home`, the helper's working folder.

    Args:
        files: files and folders to copy into `harness`. A key is the path below
            `harness`, its value is the path of the original.
        module: name of a module in `grader.inside`; "" for none.
        environment: environment variables without HOME and TMPDIR.
        settings: arguments of `confine.apply`, without the files for Landlock.
        on_gpu: whether JAX uses the GPU.
    """
    folder = Path(tempfile.mkdtemp(prefix=own_prefix()))
    harness, home = folder / "harness", folder / "home"
    for name, source in files.items():
        target = harness / name
        for path in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            # Without the file's permissions, because a read-only copy could not be
            # removed everywhere.
            shutil.copyfile(path, copy)
    home.mkdir(0o700)
    user = settings["user"]
    if user:
        for place in (harness, *harness.rglob("*")):
            place.chmod(0o755 if place.is_dir() else 0o644)
        os.chown(folder, 0, user)
        folder.chmod(0o750)  # because the users of other helpers must not enter
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
        functools.partial(remove, folder),
    )


def remove_leftovers() -> None:
    """Remove temporary folders and control groups of graders that were killed."""
    if os.name != "posix":
        return
    for folder in left_behind(Path(tempfile.gettempdir())):
        remove(folder)
    control_group.remove_leftovers()


def reach(harness: Path, home: Path, on_gpu: bool) -> dict[str, Any]:
    """Return the arguments of `landlock.restrict` for a helper, by name.

    They say which paths the helper may read, and which it may read and write. Only with
    a GPU, it may also run the files in all these paths as programs.

    Args:
        harness: folder with the helper's code; the helper may read it.
        home: the helper's working folder; the helper may read and write it.
        on_gpu: whether JAX uses the GPU.
    """
    read = [place for path in system_paths() for place in around(path, str(ROOT))]
    if within(sys.prefix, str(ROOT)):
        read.append(sys.prefix)
    read += [str(harness), "/proc/self", "/proc/cpuinfo", "/proc/meminfo"]
    read += ["/lib", "/lib64", "/sys/devices/system/cpu"]
    write = [str(home), "/dev/null", "/dev/zero", "/dev/urandom"]
    if on_gpu:
        read += ["/sys", "/proc/driver", "/proc/devices", "/proc/modules"]
        read += ["/proc/sys/vm/mmap_min_addr"]
        # CUDA writes the names of its own threads, and does not start if it cannot.
        write += ["/proc/self/task", *gpu_devices()]
    return {"read": read, "write": write, "run": on_gpu}


def around(path: str, hole: str) -> list[str]:
    """Return paths that together contain all of a folder but one of its subfolders.

    Landlock needs such a list, because it can allow a folder, but cannot exclude a
    subfolder of it.

    Args:
        path: path of the folder, or of a file.
        hole: path of the folder to leave out. If it equals `path`, the result is []. If
            it does not lie in `path`, the result is [path].
    """
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
    """Return the arguments for starting a helper in bubblewrap.

    Args:
        files: files and folders to mount under /harness. A key is the path below
            /harness, its value is the path on this machine.
        module: name of a module in `grader.inside`; "" for none.
        environment: environment variables without HOME and TMPDIR.
        settings: arguments of `confine.apply`.
        on_gpu: whether JAX uses the GPU.
    """
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
