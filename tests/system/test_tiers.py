"""Each tier keeps its promises, and an official run uses only a tier that does so.

The intruder (grader/inside/intruder.py) tries forbidden things from inside a sandbox.
tests/evidence/TIERS.md is the table of the promises that are tested here.
"""

import contextlib
import functools
import os
import re
import select
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from grader import cli
from grader.contract.exercises import ROOT
from grader.contract.limits import LIMITS
from grader.contract.outcomes import GraderError
from grader.oracle.starting import ready_first, start_child
from grader.sandbox import control_group, doctor, launch, self_test
from grader.sandbox.self_test import PROMISES
from grader.sandbox.system import own_prefix, remove
from grader.sandbox.tiers import TIERS
from tests.support.grading import require
from tests.support.patient import COMMAND, SECONDS

linux = pytest.mark.skipif(sys.platform != "linux", reason="the tiers are Linux's")


@functools.cache
def found_in(tier: str) -> dict[str, str]:
    """Return what the intruder achieves on a tier, by the promise's name.

    A value is "" if the tier keeps the promise; otherwise it says what was achieved.
    """
    return self_test.measure(self_test.start_in(tier))


@linux
@pytest.mark.parametrize(
    ("tier", "name"), [(tier, p.name) for p in PROMISES for tier in p.tiers]
)
def test_promise(tier, name):
    """The tier keeps the promise: the intruder achieves nothing."""
    assert found_in(require(tier))[name] == ""


@pytest.fixture(scope="module")
def unconfined(tmp_path_factory) -> dict[str, str]:
    """Return what the intruder achieves without any sandbox, by the promise's name."""
    folder = tmp_path_factory.mktemp("unconfined")
    plain = launch.Launch(
        [sys.executable, "-B", "-m", "grader.inside.intruder"],
        {"PYTHONPATH": str(ROOT)},
        str(folder),
        (),
        None,
        lambda: None,
    )
    return self_test.measure(plain)


@linux
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
def test_the_intruder_can(unconfined, promise):
    """Without a sandbox the intruder breaks each promise, so its methods work."""
    assert unconfined[promise.name]
    assert "fail" not in unconfined[promise.name]
    assert "no answer" not in unconfined[promise.name]


@linux
@pytest.mark.parametrize("attempt", ["reading", "writing", "changing", "calls"])
def test_the_intruder_can_in_each_way(unconfined, attempt):
    """Without a sandbox the intruder succeeds in each way that an attempt has.

    For example, it reads each of several files, and makes each of several system calls.
    """
    ways = {
        "reading": ["/etc/passwd", "cli.py", "dqn.py", "README.md"],
        "writing": [str(ROOT), str(Path.home()), "/dev/shm"],
        "changing": ["cut", "emptied", "emptied unopened", "made private"],
        "calls": ["ptrace", "process_vm_readv", "keyctl", "unshare", "memfd_create"],
    }
    assert [way for way in ways[attempt] if way not in unconfined[attempt]] == []


@linux
@pytest.mark.parametrize("tier", TIERS)
def test_the_hand_in_is_a_user_who_is_bounded_and_yields(hand_in, grade, tier):
    """The hand-in runs as a normal user, with resource limits and a lower priority.

    This holds even if root starts the grader.
    """
    require(tier)
    body = """\
import os, resource
limit = resource.getrlimit(resource.RLIMIT_NPROC)
status = open("/proc/self/status").read()
caps = int(status.partition("CapEff:")[2].split()[0], 16)
who = f"IS {os.getuid()} {os.getgid()} {os.getgroups()} {caps} {limit}"
raise RuntimeError(f"{who} NICE {os.getpriority(0, 0)}.")"""
    report = grade(hand_in(sync_target=body), "sync_target", tier=tier)
    message = report["exercises"][0]["checks"][0]["message"]
    user, group, groups, caps, *limits = re.findall(
        r"IS (\d+) (\d+) (\[.*?\]) (\d+) \((\d+), (\d+)\)", message
    )[0]
    assert int(user) != 0
    assert int(group) != 0
    # At most one capability: CAP_DAC_OVERRIDE or CAP_DAC_READ_SEARCH, to read files.
    assert int(caps) in (0, 1 << 1, 1 << 2)
    assert all(0 < int(limit) < 1 << 20 for limit in limits)
    if os.geteuid() == 0:
        assert groups == "[]"
        assert limits == [str(launch.TASKS)] * 2
    assert f"NICE {os.nice(0) + launch.NICENESS}." in message


@linux
@pytest.mark.parametrize("kind", ["deep", "unlisted"])
def test_a_folder_is_removed_whatever_is_in_it(tmp_path, monkeypatch, kind):
    """Neither many folders in each other nor a folder without rights stays."""
    folder = tmp_path / "home"
    folder.mkdir()
    if kind == "unlisted":
        (folder / "unlisted" / "inner").mkdir(parents=True)
        (folder / "unlisted").chmod(0o300)
    monkeypatch.chdir(folder)
    for _ in range(1500 if kind == "deep" else 0):
        os.mkdir("d")
        os.chdir("d")
    os.chdir("/")
    remove(folder)
    assert not folder.exists()


@pytest.fixture
def groups() -> tuple[Path, ...]:
    """Return the folders in which control groups can be made; skip the test if none."""
    if not control_group.offered():
        pytest.skip("no control group can be made here")
    return control_group.offered()


def own_groups(folders: tuple[Path, ...]) -> set[Path]:
    """Return the control groups that still exist and were made by the tests' process.

    Args:
        folders: the folders in which control groups can be made.
    """
    return {f for folder in folders for f in folder.glob(f"{own_prefix()}*")}


@linux
def test_a_control_group_ends_what_has_left_its_session(hand_in, grade, groups):
    """With a control group, even the process tier ends a process in a new session."""
    body = """\
import os, time
pid = os.fork()
if pid == 0:
    os.setsid()
    os.closerange(0, 64)
    time.sleep(600)
    os._exit(0)
raise RuntimeError(f"LEFT {pid}.")"""
    before = own_groups(groups)  # warm processes of other tests may have groups
    report = grade(hand_in(sync_target=body), "sync_target", tier="process")
    message = report["exercises"][0]["checks"][0]["message"]
    pid = int(re.search(r"LEFT (\d+)\.", message)[1])
    # A killed process needs a moment to end. This one would end by itself much later.
    with contextlib.suppress(ProcessLookupError):
        process = os.pidfd_open(pid)
        assert select.select([process], [], [], 60)[0]
        os.close(process)
    assert own_groups(groups) <= before


@linux
def test_a_control_group_is_bounded_and_yields(groups):
    """A control group limits the number of processes and has a small CPU share."""
    group = control_group.create(7)
    try:
        told = {
            name: file.read_text().strip()
            for folder in group.folders
            for name in ("pids.max", *control_group.SHARES)
            if (file := folder / name).exists()
        }
    finally:
        group.end()
    assert told.pop("pids.max") == "7"
    assert told.items() <= {n: str(v) for n, v in control_group.SHARES.items()}.items()


def test_without_control_groups_helpers_start_as_they_are(monkeypatch):
    """Without control groups, the helper's command begins with Python itself."""
    monkeypatch.setattr(control_group, "offered", lambda: ())
    prepared = launch.prepare("worker", "process")
    try:
        assert prepared.command[0] == sys.executable
    finally:
        prepared.clean_up()


@linux
@pytest.mark.parametrize("tier", TIERS)
def test_the_hand_in_has_no_arguments(hand_in, grade, tier):
    """The hand-in sees a command line without arguments."""
    require(tier)
    body = "import sys; raise RuntimeError(f'ARGUMENTS {sys.argv[1:]}.')"
    (exercise,) = grade(hand_in(sync_target=body), "sync_target", tier=tier)[
        "exercises"
    ]
    assert "ARGUMENTS []." in exercise["checks"][0]["message"]


def test_a_helper_that_comes_up_late():
    """If a helper starts too late, a GraderError names this helper."""
    limits = replace(LIMITS, start_seconds=0.001)
    child = start_child("worker", "process", limits)
    with pytest.raises(GraderError, match=r"worker does not start: no sign of life"):
        ready_first("worker", child)


def children_of(pid: int) -> dict[int, int]:
    """Return a pidfd (a file descriptor) of each child process, by the child's ID.

    Args:
        pid: process ID of the parent.
    """
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found[int(entry.name)] = os.pidfd_open(int(entry.name))
        except OSError:
            continue
    return found


def named(name: str) -> int:
    """Return the ID of the process with this name; 0 if there is none.

    Args:
        name: what /proc/<pid>/comm holds, at most 15 characters.
    """
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "comm").read_text() == f"{name}\n":
                return int(entry.name)
    return 0


# Gives its process a name that the test can see, and hangs.
HANGS = """
import ctypes
PR_SET_NAME = 15
ctypes.CDLL(None).prctl(PR_SET_NAME, {name}, 0, 0, 0)
while True:
    pass
"""


@linux
@pytest.mark.parametrize("tier", TIERS)
def test_helpers_end_with_the_grader(hand_in, tier, tmp_path):
    """If the grader is killed, all of its helpers end, even one that hangs."""
    require(tier)
    name = f"{tier[:7]} {os.getpid()}"
    path = hand_in(sync_target=HANGS.format(name=name.encode()))
    words = [sys.executable, "-m", COMMAND, "grade", str(path)]
    words += ["--sandbox", tier]
    words += ["--only", "sync_target", "--out", str(tmp_path)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        words, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    ) as grader:
        while not (hanging := named(name)):
            assert grader.poll() is None
            time.sleep(0.05)
        handles = children_of(grader.pid)
        if hanging not in handles:  # bubblewrap is the grader's child, then
            handles[hanging] = os.pidfd_open(hanging)
        grader.kill()
    assert len(handles) >= 2
    for handle in handles.values():
        assert select.select([handle], [], [], SECONDS)[0]
        os.close(handle)


HARMLESS = """
import asyncio, concurrent.futures, logging, platform, shutil, tempfile, uuid
import matplotlib.pyplot as plt
from pathlib import Path
plt.plot([1, 2])
plt.savefig("curve.png")
platform.platform(), platform.processor(), uuid.uuid1()
Path("a").touch()
Path("a").touch()
shutil.copy2("a", "b")
with tempfile.TemporaryDirectory() as folder:
    shutil.copy("a", folder)
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    list(pool.map(abs, range(9)))
"""


def test_harmless_things_work(hand_in, grade, isolating):
    """Harmless actions, such as writing files to its own folder, are permitted."""
    report = grade(hand_in(after=HARMLESS), "sync_target", tier=isolating)
    assert report["score"] == 5, report["exercises"][0]["checks"][0]["message"]


# ---------------------------------------------------------------- choosing a tier


@pytest.fixture
def lets_through(monkeypatch):
    """Return a function that fakes what the intruder achieves over the network.

    After `lets_through(landlock="sent")` the network promise is broken on landlock, and
    the finding is the text "sent". All other promises are kept on all tiers.
    """

    def set_up(**network: str) -> None:
        got = {promise.name: "" for promise in PROMISES}
        monkeypatch.setattr(self_test, "start_in", lambda tier: tier)
        monkeypatch.setattr(
            self_test, "measure", lambda tier: {**got, "network": network.get(tier, "")}
        )

    return set_up


def test_official_uses_what_keeps_its_promises(only, lets_through):
    """An official run uses a tier only if the tier keeps all of its promises."""
    only("bwrap", "landlock")
    lets_through(bwrap="sent")
    assert self_test.choose_official_tier("") == "landlock"
    assert self_test.choose_official_tier("landlock") == "landlock"
    with pytest.raises(GraderError, match=r"bwrap: lets through network \(sent\)"):
        self_test.choose_official_tier("bwrap")
    lets_through(bwrap="sent", landlock="connected")
    with pytest.raises(GraderError, match=r"\(sent\).*landlock.*\(connected\)"):
        self_test.choose_official_tier("")


def test_official_refuses(only, monkeypatch, capsys, tmp_path):
    """An official run without a sandbox ends with exit code 2 and writes no report."""
    only()
    words = ["grader", "grade", "starter", "--official", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.setattr(cli, "hide_memory", lambda: None)
    assert cli.main() == 2
    error = capsys.readouterr().err
    assert "OFFICIAL=1" in error
    assert "SANDBOX=process" in error
    assert list(tmp_path.iterdir()) == []


def test_official_grades(command, isolating):
    """An official run works on a tier that keeps all of its promises."""
    options = ("--official", "--sandbox", isolating, "--only", "sync_target")
    run = command("grade", ROOT / "solution", *options, module=COMMAND)
    assert run.code == 0, run.err
    assert (run.report["score"], run.report["sandbox"]) == (5, isolating)


def test_official_is_not_in_process(command):
    """An official run with INPROCESS=1 is refused, because no score would count."""
    options = ("--official", "--in-process", "1", "--only", "sync_target")
    run = command("grade", "starter", *options)
    assert (run.code, run.report) == (2, None)
    assert "OFFICIAL=1" in run.err


# ---------------------------------------------------------------- the doctor


@pytest.mark.parametrize("working", [(), ("landlock",)])
def test_doctor(only, lets_through, capsys, working):
    """The doctor says which tiers do not work, and why.

    The exit code is 0 if an isolating tier works, else 1.
    """
    only(*working)
    lets_through()
    assert doctor.run() == (0 if working else 1)
    out = capsys.readouterr().out
    assert "bwrap does not work: no bwrap" in out
    assert ("landlock does not work" in out) == (not working)
    assert ("OFFICIAL=1 refuses" in out) == (not working)
    assert max(len(line) for line in out.splitlines()) <= 80


def test_doctor_tells_of_a_broken_promise(only, lets_through, capsys, monkeypatch):
    """If the only working tier breaks a promise, the doctor says so and returns 1."""
    only("landlock")
    lets_through(landlock="sent")
    monkeypatch.setattr(sys, "platform", "linux")
    assert doctor.run() == 1
    assert "network (sent)" in capsys.readouterr().out


@linux
def test_the_grader_hides_its_memory():
    """The grader makes itself undumpable, so other processes cannot read its memory."""
    code = (
        "import ctypes, sys; from grader import cli; "
        "sys.argv = ['grader', 'grade', 'nowhere']; cli.main(); "
        "sys.exit(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False
    )
    assert b"nowhere" in done.stderr
    assert done.returncode == 0
