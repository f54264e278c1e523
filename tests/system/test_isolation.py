"""A hand-in spies on the machine: isolating tiers hide everything and leave no process.

On the process tier a hand-in can read the user's files, use the network, and leave a
process behind. So most of these tests use the isolating tiers only. `test_tiers.py`
tests what each tier promises.
"""

import json
import os
import select
import socket
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from grader.contract.exercises import ROOT
from grader.sandbox.tiers import TIERS
from tests.support.grading import Run, common_file, require
from tests.support.patient import COMMAND, SECONDS

SECRET = "canaryK7Q2MX9Z"  # seed of the run, and value of an environment variable
OWN = "canaryA1B2C3D4"  # stands in the hand-in, so a search of the memory must find it
SENTENCE = "`add`, unlike `set`, keeps every visit to a cell"  # text of the solution

SPY = """
import gc, json, os, re, socket, sys, zlib
from pathlib import Path

OWN = "{own}"
found = {{}}  # first find of each kind, because a message is short

def look(what, action):
    try:
        result = action()
    except OSError:
        return
    if result:
        found.setdefault(what, str(result)[-40:])

def has_secret(data):
    codes = (zlib.crc32(m[1]) for m in re.finditer(b"canary(.{{8}})", data))
    return any(code in {secrets} for code in codes)

def tells(path):
    data = open(path, "rb").read(1 << 22)
    return has_secret(data) or b"{sentence}"[::-1] in data

def write(folder):
    place = Path(folder) / "spy-was-here"
    place.write_text("x")
    place.unlink()
    return True

def connect(address):
    socket.create_connection(address, timeout=2).close()
    return True

def memory():
    seen = set()
    with open("/proc/self/mem", "rb", buffering=0) as file:
        for line in open("/proc/self/maps"):
            start, end = (int(x, 16) for x in line.split()[0].split("-"))
            if " rw" not in line or end - start > 1 << 27 or "[v" in line:
                continue
            try:
                file.seek(start)
                data = file.read(end - start)
            except (OSError, ValueError):
                continue
            seen |= {{zlib.crc32(m[1]) for m in re.finditer(b"canary(.{{8}})", data)}}
    return seen

def spy():
    seen = memory()  # first, because later finds would be in the memory, too
    for path in {known}:
        is_folder = os.path.isdir(path)
        look("read", lambda: path if is_folder and os.listdir(path) else "")
        look("read", lambda: path if not is_folder and open(path, "rb") else "")
    for top in {roots}:
        for folder, folders, files in os.walk(top):
            skip = ("proc", "sys", "dev") if folder == "/" else ()
            folders[:] = [n for n in folders if n not in skip and n != "site-packages"]
            if folder == "/usr" or folder == sys.base_prefix:
                folders[:] = []
            for name in files:
                path = os.path.join(folder, name)
                if name in ("answers.npz", "provenance.json", "report.json"):
                    look("record", lambda: path)
                if os.path.isfile(path) and "python" not in name:
                    look("tells", lambda: path if tells(path) else "")
    try:
        there = os.listdir("/proc")
    except PermissionError:
        there = []
    for pid in filter(str.isdigit, there):
        for name in ("environ", "cmdline"):
            path = f"/proc/{{pid}}/{{name}}"
            look("process", lambda: path if tells(path) else "")
    look("network", lambda: connect(("127.0.0.1", {port})))
    look("interfaces", lambda: [n for _, n in socket.if_nameindex() if n != "lo"])
    for folder in {folders}:
        look("wrote", lambda: folder if write(folder) else "")
    for fd in os.listdir("/proc/self/fd"):
        look("open", lambda: [os.readlink(f"/proc/self/fd/{{fd}}")]
             if os.path.isfile(f"/proc/self/fd/{{fd}}") else "")
    if zlib.crc32(OWN[6:].encode()) not in seen:
        found["the memory could not be searched"] = ""
    look("memory", lambda: bool(seen & {secrets}))
    others = [p for p in there if p.isdigit() and int(p) != os.getpid()]
    return "FOUND " + json.dumps(found) + f" processes {{len(others)}}"

told = []

def sync_target(*_):
    if not told:  # one search is enough
        told.append(spy())
    raise RuntimeError(told[0])
"""


@pytest.fixture
def listener():
    """Yield the port of a server on 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def spying(hand_in, port: int, outside: Path, roots: list[str]) -> Path:
    """Write a hand-in whose `sync_target` spies; return the folder of the hand-in.

    The hand-in raises an exception whose message lists what the spy has found.

    Args:
        hand_in: the fixture `hand_in`.
        port: port on 127.0.0.1 to which the spy connects.
        outside: file with the secret.
        roots: folders that the spy searches.
    """
    known = [ROOT / name for name in ("solution/dqn.py", "grader/cli.py", "tests")]
    known += [ROOT / ".git", ROOT / "grader" / "reference" / "answers.npz", outside]
    folders = ["/", "/usr", "/harness", "/dev", ROOT, ROOT / "grader", sys.prefix]
    text = SPY.format(
        own=OWN,
        secrets={zlib.crc32(SECRET[6:].encode())},
        sentence=SENTENCE[::-1],
        known=[str(path) for path in known],
        roots=roots,
        folders=[str(folder) for folder in [*folders, outside.parent]],
        port=port,
    )
    # The hand-in has no text of the solution, because the spy would find this text.
    return hand_in(source=text)


def graded(command, path: Path, tier: str) -> Run:
    """Grade the spying hand-in on a tier; the environment and the seed are the secret.

    Args:
        command: the fixture `command`.
        path: the folder of the hand-in.
        tier: the name of the tier.
    """
    options = ("--only", "sync_target", "--seed", SECRET, "--sandbox", tier)
    patient = "tests.support.patient"  # one call searches all files
    return command("grade", path, *options, module=patient, DQN_SECRET=SECRET)


def findings(run) -> tuple[dict[str, str], int]:
    """Return what the spy has found, from the message of the first check.

    Args:
        run: a finished grading of the spying hand-in.

    Returns:
        A dict with the first thing that was found, as text, by the kind of search.
        The number of other processes that the spy sees.
    """
    message = run.report["exercises"][0]["checks"][0]["message"]
    assert "FOUND " in message, message
    text = message.partition("FOUND ")[2].splitlines()[0]
    found, _, others = text.rpartition(" processes ")
    return json.loads(found), int(others)


def test_nothing_to_be_seen(command, hand_in, isolating, listener, tmp_path):
    """On an isolating tier the spy finds nothing.

    The spy searches all files that it can see, its own memory and other processes. It
    tries to open files by known paths, to write to folders, and to use the network.
    """
    outside = tmp_path / "secret"
    outside.write_text(SECRET)
    path = spying(hand_in, listener, outside, ["/", "../harness", "."])
    run = graded(command, path, isolating)
    assert run.code == 0, run.err
    found, others = findings(run)
    assert found == {}
    assert others <= 1  # bubblewrap itself


@pytest.mark.skipif(sys.platform != "linux", reason="looks around in /proc")
def test_the_spy_can_see(command, hand_in, listener, tmp_path):
    """On the process tier the spy finds things, so the spy's searches really work."""
    outside = tmp_path / "secret"
    outside.write_text(SECRET)
    path = spying(hand_in, listener, outside, [str(ROOT / "solution")])
    run = graded(command, path, "process")
    found, others = findings(run)
    assert {"read", "tells", "process", "network"} <= set(found)
    # If root starts the grader, the hand-in runs as a user without permission to write.
    assert "wrote" in found or os.geteuid() == 0
    assert "memory" not in found  # the seed is in the worker's memory on no tier
    assert others > 1


def test_environment_is_clean(hand_in, grade):
    """The worker's environment has only allowed variables, even on the process tier."""
    body = "import os; raise RuntimeError('names ' + ' '.join(sorted(os.environ)))"
    report = grade(hand_in(sync_target=body), "sync_target", tier="process")
    message = report["exercises"][0]["checks"][0]["message"].splitlines()[0]
    names = set(message.partition("names ")[2].split())
    assert "PATH" in names
    allowed = {"PATH", "LANG", "LC_CTYPE", "HOME", "TMPDIR", "MPLBACKEND", "PWD"}
    allowed |= {"NPROC", "MALLOC_ARENA_MAX", "PYTHONHASHSEED"}
    prefixes = ("EQX_", "JAX_", "XLA_", "TF_", "KMP_", "TPU_", "OMP_")
    assert {n for n in names if not n.startswith(prefixes)} <= allowed


def test_no_callback_into_the_hand_in(hand_in, grade, tmp_path):
    """A program that calls back into Python is never executed by the runner.

    The callback runs in the worker only.
    """
    marker = common_file(tmp_path / "marker")
    body = f"""\
def back(q):
    import os, sys
    with open({str(marker)!r}, "a") as file:
        print(os.getpid(), sys.argv[0], file=file)
    return np.mean(q, dtype=np.float32)
shape = jax.ShapeDtypeStruct((), jnp.float32)
return jax.pure_callback(back, shape, batch.reward)"""
    path = hand_in(td_loss=body)
    # The diagnosis would call the part, which cannot be exported, very often.
    report = grade(path, "td_loss", tier="process", diagnosis_seconds=1.0)
    outcomes = {c["name"]: c["outcome"] for c in report["exercises"][0]["checks"]}
    assert outcomes["works_under_jit"] != "passed"
    ran = marker.read_text().splitlines()
    assert ran
    assert all(line.endswith("worker.py") for line in ran)


# ---------------------------------------------------------------- what is left behind


def processes(words: str) -> set[int]:
    """Return the IDs of processes whose command line contains these words."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue
        if words.encode() in line:
            found.add(int(entry.name))
    return found


def children() -> set[int]:
    """Return the IDs of the child processes of the process that runs the tests."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            found.add(int(entry.name))
    return found


def await_end(pids: set[int]) -> set[int]:
    """Wait for each process; return the IDs of those that do not end."""
    left = set()
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        if not select.select([handle], [], [], SECONDS)[0]:
            left.add(pid)
        os.close(handle)
    return left


DAEMON = """
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv("/usr/bin/sleep", ["sleep", "{seconds}"])
    os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("body", ["return theta_T", "while True:\n    pass"])
def test_no_process_survives(hand_in, grade, bwrap, body):
    """A daemon that the hand-in has started ends with the grading.

    This holds even if a part of the hand-in hangs.
    """
    seconds = f"9{os.getpid()}.5"
    seen = set()

    def on_check(exercise: str, check: str) -> None:
        seen.update(processes(f"sleep {seconds}"))

    path = hand_in(before=DAEMON.format(seconds=seconds), sync_target=body)
    grade(
        path,
        "q_network",
        "sync_target",
        tier=bwrap,
        on_check=on_check,
        part_seconds=6.0,
    )
    assert seen, "the daemon has not been seen alive"
    assert await_end(processes(f"sleep {seconds}")) == set()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("tier", TIERS)
def test_nothing_of_ours_is_left(hand_in, grade, tmp_path, monkeypatch, tier):
    """After a part has hung and another has killed the worker, nothing is left.

    The grader leaves no child process and no temporary file.
    """
    require(tier)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    before = children()
    path = hand_in(
        epsilon_greedy="import os; os._exit(1)",
        sync_target="while True:\n    pass",
    )
    limits = {"call_seconds": 2.0, "restarts": 1}
    report = grade(path, "epsilon_greedy", "sync_target", tier=tier, **limits)
    outcomes = [{c["outcome"] for c in e["checks"]} for e in report["exercises"]]
    assert "killed" in outcomes[0]
    assert "timeout" in outcomes[1]
    assert await_end(children() - before) == set()
    assert list(temporary.iterdir()) == []


def test_interrupted_grading_leaves_nothing(hand_in, bwrap, tmp_path):
    """If the grader is killed, a daemon that the hand-in has started ends, too."""
    seconds = f"8{os.getpid()}.5"
    path = hand_in(
        before=DAEMON.format(seconds=seconds), sync_target="while True:\n    pass"
    )
    words = [sys.executable, "-m", COMMAND, "grade", str(path)]
    words += ["--only", "sync_target", "--sandbox", bwrap, "--out", str(tmp_path)]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as grader:
        while not (found := processes(f"sleep {seconds}")):
            assert grader.poll() is None
            time.sleep(0.05)
        grader.kill()
    assert await_end(found | processes(f"sleep {seconds}")) == set()
