"""A real Dask scheduler and two nodes grade a class; one of the nodes is killed."""

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from grader.classroom import cluster, node, pool
from grader.contract.exercises import ROOT
from grader.contract.outcomes import GraderError
from grader.sandbox import self_test

SAID = (ROOT / "docs/class.md").read_text(encoding="utf-8")
PATIENCE = 120.0


def wait_for(found: Callable[[], object]) -> object:
    """Call a function, without arguments, until its result is true; return this result.

    Raises:
        AssertionError: no result was true within `PATIENCE` seconds.
    """
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.1)):
        if result := found():
            return result
        pause.wait(0.1)
    raise AssertionError("waited in vain")


@pytest.fixture
def processes() -> Iterator[Callable[..., subprocess.Popen]]:
    """Yield a function that starts a process; kill all these processes after the test.

    The function takes the words of a command and returns the `Popen`.
    """
    started: list[subprocess.Popen] = []

    def start(*words: object) -> subprocess.Popen:
        command = list(map(str, words))
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def said_command() -> list[str]:
    """Return the command in docs/class.md that starts the scheduler.

    The address 10.0.0.1 in the command is replaced by 127.0.0.1.
    """
    (said,) = re.findall(r"`.venv/bin/python (-m dask scheduler [^`]*)`", SAID)
    return [sys.executable, *said.replace("10.0.0.1", "127.0.0.1").split()]


def listening(process: subprocess.Popen) -> list[str]:
    """Return the IP addresses on which a process or one of its descendants listens."""
    parent = psutil.Process(process.pid)
    return [
        connection.laddr.ip
        for each in (parent, *parent.children(recursive=True))
        for connection in each.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]


def grading_of(worker: subprocess.Popen) -> str:
    """Return the process IDs of all gradings on a node, joined by blanks; "" for none.

    Args:
        worker: process of the node.
    """
    found = []
    for tasks in Path(f"/proc/{worker.pid}/task").glob("*/children"):
        for child in tasks.read_text().split():
            command = Path(f"/proc/{child}/cmdline")
            if command.exists() and b"classroom.one" in command.read_bytes():
                found.append(child)
    return " ".join(found)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_node_dies_and_nothing_is_lost(tmp_path, processes, solution):
    """If a node is killed, another node grades the hand-in of the killed node.

    All processes listen on 127.0.0.1 only.
    """
    folder, out = tmp_path / "class", tmp_path / "out"
    for number in range(2):
        (folder / str(number)).mkdir(parents=True)
        (folder / str(number) / "dqn.py").write_text(f"{solution}\n# {number}\n")
    file = tmp_path / "scheduler.json"
    scheduler = processes(*said_command(), "--port", "0", "--scheduler-file", file)
    wait_for(file.exists)
    address = json.loads(file.read_text())["address"]
    worker = sys.executable, "-m", "grader.classroom.node"  # as `make node` does
    nodes = [processes(*worker, "--jobs", "1", "--", address) for _ in range(2)]
    command = [sys.executable, "-m", "grader.classroom", folder, "--out", out]
    command += ["--only", "sync_target", "--cluster", address]
    command += ["--sandbox", "process"]  # fast, because no sandbox is tested first
    run = processes(*command)
    busy = wait_for(lambda: next(filter(grading_of, nodes), None))
    heard = [listening(process) for process in (scheduler, *nodes, run)]
    assert heard[0]
    assert heard[1]
    assert heard[2]
    assert {address for some in heard for address in some} == {"127.0.0.1"}
    busy.send_signal(signal.SIGKILL)
    printed, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0, printed
    assert "2 graded" in printed
    assert len(list((out / "reports").glob("*.json"))) == 2
    again = processes(*command)
    printed, _ = again.communicate(timeout=PATIENCE)
    assert "2 hand-ins, 0 to grade" in printed


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([""], "CLUSTER=''"),
        (["127.0.0.1:8786"], "use tcp://host:port"),
        (["tcp://127.0.0.1"], "use tcp://host:port"),
        (["tcp://:8786"], "use tcp://host:port"),
        (["tcp://192.0.2.1:8786"], "LISTEN='127.0.0.1': the scheduler"),
        (["tcp://127.0.0.1:1", "--listen", "192.0.2.1"], "no IPv4 address"),
        (["tcp://127.0.0.1:1", "--listen", "::1"], "no IPv4 address"),
        (["tcp://127.0.0.1:1", "--jobs", "0"], "JOBS='0'"),
        (["tcp://127.0.0.1:1", "--jobs", "1 --host 0.0.0.0"], "JOBS="),
    ],
)
def test_a_node_is_told_what_makes_sense(words, problem):
    """`make node` refuses a wrong argument with a message."""
    with pytest.raises(cluster.UsageError, match=re.escape(problem)):
        node.command(**vars(node.parse(words)))


def test_a_node_with_other_code_takes_no_work():
    """A node gets no work if its code differs from that of the class run."""
    other = cluster.Node("other", "", 1)
    other.check()
    assert "another one" in other.problem


def test_a_node_without_a_sandbox_takes_no_work(monkeypatch):
    """If the requested tier does not work on a node, the node reports why.

    The node uses no other tier instead.
    """

    def refuse(wanted: str) -> str:
        raise GraderError(f"no sandbox isolates here ({wanted})")

    monkeypatch.setattr(self_test, "choose_official_tier", refuse)
    unsafe = cluster.Node(pool.code_hash(), "bwrap", 1)
    unsafe.check()
    assert (unsafe.problem, unsafe.tier) == ("no sandbox isolates here (bwrap)", "")


def test_no_scheduler_is_told(monkeypatch):
    """If no scheduler answers within the deadline, a usage error says so."""
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(cluster.UsageError, match="no scheduler"):
        cluster.Cluster("tcp://127.0.0.1:1", "", "", None)
