"""How the helper processes are confined.

Tiers, strongest first: `bwrap` (bubblewrap: no network, no other processes, a
read-only system with nothing of the grader's but the files named here) and `process`
(a plain process with resource limits and an empty environment; for macOS, Windows and
containers). Both get a folder of their own, and time limits are enforced from outside.
"""

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grader.outcomes import GraderError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TIERS = ("bwrap", "process")

WORKER_MEMORY = 4 << 30
RUNNER_MEMORY = 8 << 30
FILE_SIZE = 64 << 20
TMPFS_SIZE = 64 << 20

# What each role finds beside its script; the worker gets nothing of the others'.
COMMON = [HERE / name for name in ("parts.py", "protocol.py", "limits.py")]
FILES = {
    "worker": [HERE / "worker.py", *COMMON],
    "runner": [HERE / "runner.py", *COMMON],
    "learner": [
        *(HERE / "runner.py", HERE / "learning.py"),
        *(HERE / "steps.py", HERE / "logbook.py"),
        ROOT / "starter" / "train.py",
        *COMMON,
    ],
}
SOLUTION = ROOT / "solution" / "dqn.py"


@dataclass(frozen=True)
class Launch:
    """Everything that `subprocess.Popen` needs, and how to tidy up afterwards."""

    command: list[str]
    environment: dict[str, str]
    folder: str
    pass_fds: tuple[int, ...]
    info_fd: int | None  # where bubblewrap tells the sandbox's first process
    clean_up: Callable[[], None]


def choose_tier(wanted: str) -> str:
    """The tier to use: the wanted one, or the strongest that works here for "".

    Raises:
        GraderError: the wanted tier does not work here.
    """
    if wanted:
        problem = why_no_bwrap() if wanted == "bwrap" else None
        if problem:
            raise GraderError(f"SANDBOX=bwrap does not work here: {problem}")
        return wanted
    return "process" if why_no_bwrap() else "bwrap"


@functools.cache
def why_no_bwrap() -> str | None:
    """None where bubblewrap works, else what is wrong and what to install."""
    if sys.platform != "linux":
        return "bubblewrap runs on Linux only; use SANDBOX=process"
    if shutil.which("bwrap") is None:
        return "install bubblewrap (Debian, Ubuntu: apt-get install bubblewrap)"
    try:
        trial = subprocess.run(
            [*bwrap_arguments({}), "--", sys.executable, "-I", "-S", "-c", "pass"],
            capture_output=True,
            timeout=30,
            text=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap cannot be started ({error})"
    if trial.returncode:
        words = (trial.stderr.strip().splitlines() or ["no message"])[-1]
        return (
            f"bubblewrap cannot make a sandbox ({words}); the system may refuse user "
            "namespaces (in Docker; on Ubuntu load bubblewrap's AppArmor profile)"
        )
    return None


def prepare(role: str, tier: str, *, live: bool = False, device: str = "cpu") -> Launch:
    """How to start a helper process.

    Args:
        role: "worker" (runs the hand-in), "runner" (runs its programs) or "learner"
            (a runner with the learning loop).
        tier: from `choose_tier`.
        live: hand the solution over; never to the worker.
        device: "cpu" or "gpu"; the worker only traces, on the CPU.
    """
    files = {path.name: path for path in FILES[role]}
    if live:
        files["solution/dqn.py"] = SOLUTION
    on_gpu = device == "gpu"
    memory = WORKER_MEMORY if role == "worker" else 0 if on_gpu else RUNNER_MEMORY
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "JAX_PLATFORMS": "cuda" if on_gpu else "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "MPLBACKEND": "Agg",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        # Equinox' run-time checks call back into Python, which no program may.
        "EQX_ON_ERROR": "nan",
        # XLA starts threads, and malloc arenas, by the number of cores: on 128 of them
        # that alone would use up the address space which a helper process may map.
        "NPROC": str(min(4, os.cpu_count() or 1)),
        "MALLOC_ARENA_MAX": "2",
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
    flags = ["-I", "-B", "-X", "utf8"]
    limits = [str(memory), str(FILE_SIZE)]
    if tier == "bwrap":
        script = f"/harness/{FILES[role][0].name}"
        info_fd, told_fd = os.pipe()
        arguments = bwrap_arguments(files, gpu=on_gpu)[1:]
        fd = over_fd([*arguments, "--info-fd", str(told_fd)])
        command = ["bwrap", "--args", str(fd), "--", sys.executable, *flags, script]
        environment |= {"HOME": "/tmp", "TMPDIR": "/tmp"}
        return Launch(
            [*command, *limits], environment, "/", (fd, told_fd), info_fd, lambda: None
        )

    folder = tempfile.mkdtemp(prefix="dqn-grader-")
    for name, source in files.items():
        target = Path(folder) / "harness" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    home = Path(folder) / "home"
    home.mkdir()
    environment |= {"HOME": str(home), "TMPDIR": str(home)}
    if "SYSTEMROOT" in os.environ:  # Windows cannot open a socket without it
        environment["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
    script = str(Path(folder) / "harness" / FILES[role][0].name)
    return Launch(
        [sys.executable, *flags, script, *limits],
        environment,
        str(home),
        (),
        None,
        functools.partial(shutil.rmtree, folder, ignore_errors=True),
    )


def bwrap_arguments(files: dict[str, Path], *, gpu: bool = False) -> list[str]:
    """The command line of bubblewrap, without the program to run in it."""
    arguments = ["bwrap", "--unshare-all", "--unshare-user"]
    arguments += ["--uid", "65534", "--gid", "65534", "--hostname", "sandbox"]
    arguments += ["--cap-drop", "ALL", "--die-with-parent", "--new-session"]
    arguments += ["--dev", "/dev"]
    # Before the rest, for the environment may itself lie in /tmp.
    for place in ("/dev/shm", "/tmp"):
        arguments += ["--size", str(TMPFS_SIZE), "--tmpfs", place]
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
