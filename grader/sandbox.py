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

import ctypes
import functools
import importlib.util
import itertools
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader import control_group
from grader.outcomes import GraderError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ISOLATING = ("bwrap", "landlock")
TIERS = (*ISOLATING, "process")

WORKER_MEMORY = 4 << 30
RUNNER_MEMORY = 8 << 30
FILE_SIZE = 64 << 20
TMPFS_SIZE = 64 << 20
CPU_SECONDS = 7200
TASKS = 96  # processes and threads of the worker; JAX starts 20, see NPROC below
RUNNER_TASKS = 256  # CUDA starts more
NICENESS = 5  # of the worker and all that it starts: what is trusted comes first
MORE_TASKS = 1024  # where the user's other programs count as well, and come and go

# What each role finds beside its script; the worker gets nothing of the others'.
COMMON = [HERE / name for name in ("parts.py", "protocol.py")]
CONFINEMENT = [
    HERE / f"{name}.py"
    for name in ("confine", "kernel", "landlock", "limits", "seccomp")
]
FILES = {
    "worker": [HERE / "worker.py", *COMMON],
    "runner": [HERE / "runner.py", HERE / "programs.py", *COMMON],
    "learner": [
        *(HERE / "runner.py", HERE / "programs.py", HERE / "learning.py"),
        *(HERE / "steps.py", HERE / "logbook.py"),
        ROOT / "starter" / "train.py",
        *COMMON,
    ],
    "intruder": [HERE / "intruder.py", *COMMON],
    "trial": [],  # confines itself, and ends
}
SOLUTION = ROOT / "solution" / "dqn.py"
FILTERED = ("x86_64", "aarch64")  # the machines whose system calls seccomp.py knows
# A range that no distribution hands out; users in it exist for the kernel alone.
USERS = range(60706, 61184)
FOLDER = "dqn-grader-"
_turn = itertools.count(os.getpid())


@dataclass(frozen=True)
class Launch:
    """Everything that `subprocess.Popen` needs, and how to tidy up afterwards."""

    command: list[str]
    environment: dict[str, str]
    folder: str
    pass_fds: tuple[int, ...]
    info_fd: int | None  # where bubblewrap tells the sandbox's first process
    clean_up: Callable[[], None]


# ------------------------------------------------------------------ what works here


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


@functools.cache
def root_changes_user() -> tuple[bool, bool]:
    """Whether we are root and can be someone else, and whether they can read Python.

    Not in every container; and where only root may enter a folder on the way to Python
    or to the folder for temporary files, they need a privilege for it.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        return False, True
    jax = importlib.util.find_spec("jax")
    there = str(jax.origin) if jax else sys.executable
    code = (
        f"import os, sys; user = {USERS[-1]}; os.setgroups([]); "
        "os.setresgid(user, user, user); os.setresuid(user, user, user); "
        "sys.exit(0 if all(os.access(p, os.R_OK) for p in sys.argv[1:]) else 7)"
    )
    paths = [there, os.__file__, tempfile.gettempdir()]
    paths += [str(SOLUTION)] if SOLUTION.exists() else []
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, *paths],
        capture_output=True,
        check=False,
    )
    return done.returncode in (0, 7), done.returncode != 7


@functools.cache
def bwrap_as_root() -> bool:
    """Whether bubblewrap gets by without a user namespace, as it can for root.

    There the user inside is one of the kernel's own, whose processes can be counted.
    """
    if not root_changes_user()[0]:
        return False
    arguments = bwrap_arguments({}, as_root=True)
    python = [sys.executable, "-I", "-S", "-c", "pass"]
    done = subprocess.run([*arguments, "--", *python], capture_output=True, check=False)
    return done.returncode == 0


@functools.cache
def bwrap_version() -> tuple[int, ...]:
    """Bubblewrap's version; some options are newer than some systems."""
    done = subprocess.run(["bwrap", "--version"], capture_output=True, check=False)
    return tuple(map(int, re.findall(rb"\d+", done.stdout)[:2]))


def hide_memory() -> None:
    """Let no process of the same user look into this one; only Linux has to be asked.

    Memory, environment and open files of a process are its user's to read. Landlock
    and bubblewrap keep a helper from that, the process tier does not.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE


# ------------------------------------------------------------------ how to start one


def prepare(role: str, tier: str, *, live: bool = False, device: str = "cpu") -> Launch:
    """How to start a helper process.

    Args:
        role: "worker" (runs the hand-in), "runner" (runs its programs), "learner" (a
            runner with the learning loop) or "intruder" (tries what is forbidden).
        tier: from `choose_tier`.
        live: hand the solution over; never to the worker.
        device: "cpu" or "gpu"; the worker only traces, on the CPU.
    """
    files = {path.name: path for path in (*FILES[role], *CONFINEMENT)}
    if live:
        files["solution/dqn.py"] = SOLUTION
    script = FILES[role][0].name if FILES[role] else ""
    on_gpu = device == "gpu"
    environment = environment_for(role, on_gpu)
    settings = settings_for(role, tier, on_gpu)
    place = in_bwrap if tier == "bwrap" else in_folder
    launch = place(files, script, environment, settings, on_gpu)
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


def tasks_by_user() -> dict[int, dict[int, int]]:
    """For each user on this Linux the processes, and how many threads each has."""
    found: dict[int, dict[int, int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "status").read_text(errors="replace")
        except OSError:  # it has ended
            continue
        user = re.search(r"^Uid:\s+(\d+)", status, re.M)
        threads = re.search(r"^Threads:\s+(\d+)", status, re.M)
        if user and threads:
            found.setdefault(int(user[1]), {})[int(entry.name)] = int(threads[1])
    return found


def unused_user() -> int:
    """A user that has no process, another one each time."""
    taken = tasks_by_user()
    users = (USERS[next(_turn) % len(USERS)] for _ in USERS)
    return next((user for user in users if user not in taken), USERS[0])


def command_for(folder: str, script: str, settings: dict[str, Any]) -> list[str]:
    """The command line inside: Python, which confines itself and goes on as it is."""
    scripts = [f"{folder}/{script}"] if script else []
    # As -I does, but for -E: the environment is ours, and holds the seed of hashes.
    flags = ["-P", "-s", "-B", "-X", "utf8"]
    told = json.dumps(settings)
    return [sys.executable, *flags, f"{folder}/confine.py", told, *scripts]


def in_folder(
    files: dict[str, Path],
    script: str,
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
        command_for(str(harness), script, settings),
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
    script: str,
    environment: dict[str, str],
    settings: dict[str, Any],
    on_gpu: bool,
) -> Launch:
    """In bubblewrap."""
    info_fd, told_fd = os.pipe()
    arguments = bwrap_arguments(files, gpu=on_gpu, as_root=bool(settings["user"]))[1:]
    fd = over_fd([*arguments, "--info-fd", str(told_fd)])
    return Launch(
        ["bwrap", "--args", str(fd), "--", *command_for("/harness", script, settings)],
        {**environment, "HOME": "/tmp", "TMPDIR": "/tmp"},
        "/",
        (fd, told_fd),
        info_fd,
        lambda: None,
    )


def bwrap_arguments(
    files: dict[str, Path], *, gpu: bool = False, as_root: bool = False
) -> list[str]:
    """The command line of bubblewrap, without the program to run in it."""
    arguments = ["bwrap", "--hostname", "sandbox", "--cap-drop", "ALL"]
    if as_root:
        for space in ("ipc", "pid", "net", "uts", "cgroup-try"):
            arguments.append(f"--unshare-{space}")
        # To become another user, which `confine.py` does first of all.
        for privilege in ("SETUID", "SETGID", "DAC_READ_SEARCH"):
            arguments += ["--cap-add", f"CAP_{privilege}"]
    else:
        arguments += ["--unshare-all", "--unshare-user"]
        arguments += ["--uid", "65534", "--gid", "65534"]
        if bwrap_version() >= (0, 8):
            arguments += ["--disable-userns"]
    arguments += ["--die-with-parent", "--new-session"]
    arguments += ["--dev", "/dev"]
    # Before the rest, for the environment may itself lie in /tmp.
    for place in ("/dev/shm", "/tmp"):
        arguments += ["--perms", "1777", "--size", str(TMPFS_SIZE), "--tmpfs", place]
    # The folders on the way, which bubblewrap would make for the one who starts it.
    ends = [*map(Path, system_paths()), *(Path("/harness", name) for name in files)]
    ways = {folder for end in ends for folder in end.parents if folder != Path("/")}
    for way in sorted(ways):
        arguments += ["--perms", "0755", "--dir", str(way)]
    for path in system_paths():
        arguments += ["--ro-bind", path, path]
    hidden = any(within(str(ROOT), path) for path in (*system_paths(), "/tmp"))
    if hidden:
        # The grader lies in a folder that is there inside: hide all but Python.
        arguments += ["--tmpfs", str(ROOT)]
        if within(sys.prefix, str(ROOT)):
            arguments += ["--ro-bind", sys.prefix, sys.prefix]
    for link in ("bin", "lib", "lib64", "sbin"):
        source = Path("/") / link
        if source.is_symlink():
            arguments += ["--symlink", os.readlink(source), str(source)]
        elif source.is_dir():
            arguments += ["--ro-bind", str(source), str(source)]
    arguments += ["--proc", "/proc"]
    if gpu:
        for device in sorted(Path("/dev").glob("nvidia*")):
            arguments += ["--dev-bind", str(device), str(device)]
        arguments += ["--ro-bind", "/sys", "/sys"]
    for name, source in files.items():
        arguments += ["--ro-bind", str(source), f"/harness/{name}"]
    if hidden:
        arguments += ["--remount-ro", str(ROOT)]
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    return arguments


def system_paths() -> list[str]:
    """What Python and JAX need to see, and nothing else: read-only."""
    places = [
        Path("/usr"),
        Path("/etc/ld.so.cache"),
        Path(sys.base_prefix),
        Path(sys.prefix),
        Path(os.path.realpath(sys.executable)).parent.parent,
    ]
    paths = [str(place) for place in places if place.exists()]
    return sorted(
        {path for path in paths if path == "/usr" or not within(path, "/usr")}
    )


def within(path: str, folder: str) -> bool:
    """Whether the path lies in that folder."""
    return Path(folder) in Path(path).parents


def over_fd(arguments: list[str]) -> int:
    """A pipe that holds the arguments: what stands in argv can be read from inside."""
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "wb") as pipe:
        pipe.write(b"\0".join(a.encode() for a in arguments) + b"\0")
    return read_end
