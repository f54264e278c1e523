"""Real schedulers and nodes grade a class; nodes join late, die or are refused."""

import asyncio
import contextlib
import itertools
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from grader.classroom import command as classes
from grader.classroom import pool
from grader.classroom.cluster import addresses, node, nodes, scheduler
from grader.contract.exercises import ROOT
from grader.contract.outcomes import GraderError, UsageError
from grader.grading import pipeline
from grader.sandbox import self_test, tiers
from tests.support.grading import common_file

SAID = (ROOT / "docs/class.md").read_text(encoding="utf-8")
PATIENCE = 240.0
RUN = sys.executable, "-m"
SCHEDULER = *RUN, "grader.classroom.cluster.scheduler"  # as `make scheduler` does
NODE = *RUN, "grader.classroom.cluster.node"  # as `make node` does
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
ISOLATES = any(tiers.why_not(tier) is None for tier in tiers.ISOLATING)


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


def command_of(process: psutil.Process) -> list[str]:
    """Return the words of a process's command; [] if it has just ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # also when it is a zombie
        return []


def connections_of(process: psutil.Process) -> list:
    """Return a process's sockets; [] if it has just ended.

    Raises:
        psutil.AccessDenied: this user may not see them: the grader hides its memory.
    """
    try:
        return process.net_connections("inet")
    except psutil.NoSuchProcess:
        return []


@dataclass
class Started:
    """A process that a test has started.

    Attributes:
        process: the process.
        log: the file that gets stdout and stderr of the process.
    """

    process: subprocess.Popen
    log: Path

    @property
    def printed(self) -> str:
        """Return what the process has printed so far."""
        return self.log.read_text()

    def says(self, words: str, times: int = 1) -> None:
        """Wait until the process has printed some words so many times."""

        def said() -> bool:
            assert self.process.poll() is None or words in self.printed, self.printed
            return self.printed.count(words) >= times

        wait_for(said)

    def ends(self) -> int:
        """Wait until the process ends; return its exit code."""
        return self.process.wait(timeout=PATIENCE)

    def listens(self) -> set[tuple[str, int]]:
        """Return where the process and its descendants listen: addresses and ports."""
        parent = psutil.Process(self.process.pid)
        return {
            (connection.laddr.ip, connection.laddr.port)
            for each in (parent, *parent.children(recursive=True))
            for connection in connections_of(each)
            if connection.status == psutil.CONN_LISTEN
            or connection.type == socket.SOCK_DGRAM
        }

    def grades(self) -> bool:
        """Return whether the process, a node, is grading a hand-in now."""
        children = psutil.Process(self.process.pid).children()
        return any("grader.classroom.one" in command_of(child) for child in children)


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., Started]]:
    """Yield a function that starts a process; kill all these processes after the test.

    The function takes the words of a command, and environment variables as keywords.
    """
    started: list[Started] = []

    def start(*words: object, **environment: str) -> Started:
        log = tmp_path / f"{len(started)}.log"
        with log.open("w") as file:
            process = subprocess.Popen(
                list(map(str, words)),
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        started.append(Started(process, log))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()


@pytest.fixture
def classroom(tmp_path, solution) -> Callable[..., tuple[object, ...]]:
    """Return a function that writes hand-ins and returns the command that grades them.

    The function takes a text for each hand-in, which is put before the solution. One
    exercise is graded, because that is fast.
    """

    def write(*before: str) -> tuple[object, ...]:
        for number, text in enumerate(before):
            folder = tmp_path / "class" / str(number)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "dqn.py").write_text(f"# {number}\n{text}\n{solution}")
        words = "--out", tmp_path / "out", "--only", "sync_target"
        return (*RUN, "grader.classroom", tmp_path / "class", *words)

    return write


PORTS = itertools.count(20_000 + os.getpid() % 10_000)  # Linux gives those from 32768


def free(host: str) -> int:
    """Return a port at which nothing listens and which no program gets by itself."""
    for port in PORTS:
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind((host, port))
            return port
    raise AssertionError("no port is left")


@linux
def test_nodes_join_late_and_die(start, classroom):
    """A class begins without a node; the first one is killed; a second one goes on.

    Scheduler and node listen at the given address and port, and the class run listens
    nowhere. What was graded on the cluster is not graded again on this machine, and the
    other way round.
    """
    address = f"tcp://127.0.0.1:{(port := free('127.0.0.1'))}"
    tier = () if ISOLATES else ("--sandbox", "process")
    # The first node is killed while it grades, so a grading has to take some seconds.
    slow = "import time; time.sleep(5)"
    command = *classroom(slow, ""), *tier
    scheduling = start(*SCHEDULER, address)
    scheduling.says(f"the scheduler listens at {address}")
    run = start(*command, "--cluster", address)
    run.says("no node can grade now")
    at = f"127.0.0.2:{(port_of_node := free('127.0.0.2'))}"
    first = start(*NODE, "--listen", at, "--jobs", "1", "--", address)
    wait_for(first.grades)
    with contextlib.suppress(psutil.AccessDenied):
        assert scheduling.listens() == {("127.0.0.1", port)}
        assert first.listens() == {("127.0.0.2", port_of_node)}
        assert run.listens() == set()
    first.process.send_signal(signal.SIGKILL)
    run.says(f"the node tcp://{at} is gone")
    run.says("no node can grade now", times=2)
    start(*NODE, "--jobs", "1", "--", address)
    assert run.ends() == 0, run.printed
    assert "2 graded" in run.printed
    more = *classroom(slow, "", ""), *tier
    here = start(*more)
    assert here.ends() == 0, here.printed
    assert "3 hand-ins, 1 to grade" in here.printed
    again = start(*more, "--cluster", address)
    assert again.ends() == 0, again.printed
    assert "3 hand-ins, 0 to grade" in again.printed


# Tells the test, by a line in a file, that it runs; then waits to be killed.
KILLER = """
import time
with open({marker!r}, "a") as file:
    file.write("here")
while True:
    time.sleep(1)
"""


@linux
def test_a_hand_in_that_kills_its_nodes(start, classroom, tmp_path):
    """A hand-in that kills its node costs two nodes; the other hand-ins are graded.

    The test kills each node on which this hand-in runs, and starts another one.
    """
    marker = common_file(tmp_path / "marker")
    address = f"tcp://127.0.0.1:{free('127.0.0.1')}"
    start(*SCHEDULER, address).says("listens at")
    command = *classroom(KILLER.format(marker=str(marker)), "", ""), "--sandbox"
    run = start(*command, "process", "--cluster", address)
    killed = 0
    while run.process.poll() is None:
        last = start(*NODE, "--jobs", "3", "--", address)
        wait_for(lambda: marker.read_text() or run.process.poll() is not None)
        if marker.read_text():
            last.process.send_signal(signal.SIGKILL)
            marker.write_text("")
            killed += 1
            run.says("is gone; ", times=killed)
    assert run.ends() == 2
    assert killed == 2
    assert "not graded: 0: 2 nodes died while they graded it" in run.printed
    assert "2 graded" in run.printed
    assert len(list((tmp_path / "out" / "reports").glob("*.json"))) == 2


@pytest.fixture
def certificates(tmp_path) -> Callable[[str], dict[str, str]]:
    """Return a function that makes certificates as docs/class.md says.

    The function takes the name of a new folder, and returns the environment in which
    Dask finds the certificates. Without `openssl`, the test is skipped.
    """
    (commands,) = re.findall(r"```sh\n(mkdir tls\n.*?)```", SAID, re.S)
    (settings,) = re.findall(r"```yaml\n(.*?)```", SAID, re.S)

    def make(name: str) -> dict[str, str]:
        folder = tmp_path / name
        folder.mkdir()
        try:
            for line in commands.replace("\\\n", " ").splitlines():
                words = shlex.split(line)
                subprocess.run(words, cwd=folder, check=True, capture_output=True)
        except FileNotFoundError:
            pytest.skip("there is no openssl")
        told = settings.replace("/shared", str(folder))
        (folder / "tls" / "dask.yaml").write_text(told)
        return {"DASK_CONFIG": str(folder / "tls")}

    return make


@linux
def test_tls(start, classroom, certificates):
    """With `tls://` a class is graded; other certificates, or none, are refused.

    Certificates and settings are those of docs/class.md.
    """
    ours, others = certificates("ours"), certificates("others")
    address = f"tls://127.0.0.1:{free('127.0.0.1')}"
    start(*SCHEDULER, address, **ours).says(f"listens at {address}")
    command = *classroom(""), "--sandbox", "process", "--cluster"
    open_to_all = address.replace("tls", "tcp")
    stranger = start(*NODE, "--", address, **others)
    without = start(*NODE, "--", open_to_all)
    mistaken = start(*NODE, "--", open_to_all, **ours)
    refused = start(*command, address, **others)
    assert mistaken.ends() == 2
    assert "requires encryption, use tls://" in mistaken.printed
    assert refused.ends() == 2
    assert f"CLUSTER='{address}': no scheduler ([SSL: CERT" in refused.printed
    stranger.says(f"waiting for {address} ([SSL: CERT")
    without.says("waiting for tcp:")
    start(*NODE, "--jobs", "1", "--", address, **ours).says("the node tls://127.0.0.1:")
    run = start(*command, address, **ours)
    assert run.ends() == 0, run.printed
    assert "1 graded" in run.printed


@pytest.mark.parametrize("role", ["scheduler", "worker", "client"])
def test_tls_without_certificates(role):
    """If no certificates are configured, `tls://` is refused with a message."""
    with pytest.raises(UsageError, match=f"no certificates for a {role}"):
        addresses.security("tls://10.0.0.1:8786", role)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([""], "CLUSTER=''"),
        (["127.0.0.1:8786"], "use tcp://host:port"),
        (["tcp://127.0.0.1"], "use tcp://host:port"),
        (["tcp://:8786"], "use tcp://host:port"),
        (["tcp://127.0.0.1:99999"], "use tcp://host:port"),
        (["tcp://no.such.invalid:8786"], "no such host"),
        (["tcp://192.0.2.1:8786"], "LISTEN='127.0.0.1': the scheduler"),
        (["tcp://127.0.0.1:1", "--listen", "192.0.2.1"], "no IPv4 address"),
        (["tcp://127.0.0.1:1", "--listen", "0.0.0.0"], "no IPv4 address"),
        (["tcp://127.0.0.1:1", "--listen", "::1"], "no IPv4 address"),
        (["tcp://127.0.0.1:1", "--listen", "127.0.0.1:x"], "no IPv4 address"),
        (["tcp://127.0.0.1:1", "--listen", "127.0.0.1/x"], "no IPv4 address"),
        (["tcp://127.0.0.1:1", "--jobs", "0"], "JOBS='0'"),
        (["tcp://127.0.0.1:1", "--jobs", "1 --host 0.0.0.0"], "JOBS="),
    ],
)
def test_a_node_is_told_what_makes_sense(words, problem):
    """`make node` refuses a wrong argument with a message."""
    with pytest.raises(UsageError, match=re.escape(problem)):
        asyncio.run(node.serve(**vars(node.parse(words))))


def test_a_busy_port_is_told(start):
    """If a port is taken, scheduler and node say so, and take no other one."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        second = start(*SCHEDULER, f"tcp://{at}")
        address = f"tcp://127.0.0.1:{free('127.0.0.1')}"
        start(*SCHEDULER, address).says("listens at")
        other = start(*NODE, "--listen", at, "--", address)
        assert (second.ends(), other.ends()) == (2, 2)
    assert f"error: CLUSTER='tcp://{at}': Address already in use" in second.printed
    assert f"error: LISTEN='{at}': Address already in use" in other.printed


@pytest.mark.parametrize("host", ["192.0.2.1", "0.0.0.0"])
def test_the_scheduler_listens_at_one_address(host):
    """The scheduler refuses an address of another machine, and "every address"."""
    with pytest.raises(UsageError, match="no IPv4 address of this machine"):
        asyncio.run(scheduler.serve(f"tcp://{host}:8786"))


def test_a_node_with_other_code_takes_no_work():
    """A node gets no work if its code differs from that of the class run."""
    tier, problem = asyncio.run(node.try_there("other", "process", "cpu"))
    assert (tier, "another one" in problem) == ("", True)


def test_a_node_without_a_sandbox_takes_no_work(monkeypatch):
    """If the requested tier does not work on a node, the node reports why.

    The node uses no other tier instead.
    """

    def refuse(wanted: str) -> str:
        raise GraderError(f"no sandbox isolates here ({wanted})")

    monkeypatch.setattr(self_test, "choose_official_tier", refuse)
    told = asyncio.run(node.try_there(pool.code_hash(), "bwrap", "cpu"))
    assert told == ("", "no sandbox isolates here (bwrap)")


def test_no_scheduler_is_told(monkeypatch):
    """If no scheduler answers within the deadline, a usage error says so."""
    monkeypatch.setattr(nodes, "CONNECT_SECONDS", 1)
    with pytest.raises(UsageError, match="no scheduler"):
        nodes.Cluster("tcp://127.0.0.1:1", "", pipeline.Options(""), None, print)


def test_a_report_has_one_name_wherever_it_is_made(tmp_path):
    """The options that name a report do not depend on the machine that grades."""
    here = classes.options_of(classes.parse([str(tmp_path)]))
    words = [str(tmp_path), "--cluster", "tcp://10.0.0.1:8786", "--jobs", "3"]
    assert classes.options_of(classes.parse(words)) == here
