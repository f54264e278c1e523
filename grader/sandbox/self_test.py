"""Test which promises the tiers keep on this machine.

A promise names an action that a hand-in's code cannot take. `PROMISES` says which tier
gives which promise. An intruder is started in a tier and tries forbidden actions from
inside. `measure` returns what the intruder achieved.
"""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.contract import exercises
from grader.contract.outcomes import GraderError
from grader.escape import plain
from grader.sandbox import helper, launch, tiers
from grader.sandbox.tiers import ISOLATING, TIERS

SECONDS = 60.0  # longest time for one attempt of the intruder
# Longest time until all processes of a killed intruder end. Normally that takes less
# than 0.1 s, but a busy machine must not look as if it broke a promise.
SURVIVAL_SECONDS = 15.0
MARK = "intruder-was-here"  # name of the file that `intruder.py` writes


@dataclass(frozen=True)
class Promise:
    """A promise of some tiers: an action that a hand-in's code cannot take.

    Attributes:
        name: name of the intruder's attempt at this action.
        words: the promise, as the end of a sentence that begins "The hand-in".
        tiers: names of the tiers that give the promise.
    """

    name: str
    words: str
    tiers: tuple[str, ...] = ISOLATING


PROMISES = (
    Promise("network", "reaches no network, not even this machine's own"),
    Promise("sockets", "talks to no other program by a local socket"),
    Promise("reading", "reads no files but Python's and its own"),
    Promise("writing", "writes no files outside its own folder"),
    Promise("changing", "changes neither length nor rights of other files"),
    Promise("seeing", "sees no other process, command line or environment"),
    Promise("signals", "signals no other process"),
    Promise("calls", "uses no system call that homework does not need"),
    Promise("survivors", "leaves no process behind"),
    Promise("processes", "has a bounded number of processes and threads", TIERS),
    Promise("memory", "has bounded memory in each process", TIERS),
    Promise("files", "writes no file of more than 64 MB", TIERS),
)


class Intruder:
    """A helper process that runs the intruder, confined by a tier.

    Args:
        launch: arguments for starting the process, from `start_in`.
    """

    def __init__(self, launch: launch.Launch) -> None:
        self.child = helper.Child(launch)

    def found(self, attempt: str, **given: Any) -> str:
        """Return in words what an attempt achieved; "" if everything was refused.

        If no answer comes, the words say so.

        Args:
            attempt: name of the attempt in `intruder.py`.
            given: arguments of the attempt by name, from `surroundings`.
        """
        try:
            message = self.child.ask({"do": attempt, "given": given}, SECONDS)
        except helper.Failure as failure:
            return f"no answer: {failure}"
        found = message.get("answer", {}).get("found")
        return plain(found, 300) if isinstance(found, str) else "no answer"

    def lives_on(self) -> bool:
        """Kill the intruder; return whether a process that it had started still runs.

        Such a process keeps the intruder's standard error open. The method waits at
        most SURVIVAL_SECONDS for the end of such processes.
        """
        self.child.kill()
        self.child.process.wait()
        self.child.drain.join(SURVIVAL_SECONDS)
        held = self.child.drain.is_alive()
        self.child.stop()
        return held


def measure(launch: launch.Launch) -> dict[str, str]:
    """Start an intruder, let it make all attempts, and return what it achieved.

    Args:
        launch: arguments for starting the intruder, from `start_in`.

    Returns:
        A dict. Its keys are the names of the promises in `PROMISES`. Its values say in
        words what the intruder achieved against the promise; "" if the promise was
        kept.
    """
    with surroundings() as around:
        intruder = Intruder(launch)
        try:
            found = {name: intruder.found(name, **around[name]) for name in around}
            if not found["survivors"] and intruder.lives_on():
                found["survivors"] = "a process"
        finally:
            intruder.child.stop()
        wrote = [
            folder
            for folder in around["writing"]["folders"]
            if Path(folder, MARK).exists()
        ]
        for folder in wrote:
            Path(folder, MARK).unlink()
        found["writing"] += ", ".join(wrote)
    return found


@contextlib.contextmanager
def surroundings() -> Iterator[dict[str, dict[str, Any]]]:
    """Set up targets for the intruder during a `with` block.

    The targets are a server, a socket, a file and a process. Every user may use them,
    so that only the tier can refuse access. The block gets a dict: the keys are the
    names of the attempts, the values are dicts with the arguments of the attempt.
    """
    canary = f"canary-{secrets.token_hex(8)}"
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="dqn-grader-"))
        os.chmod(folder, 0o777)
        file = Path(folder, "file")
        file.write_text(canary)
        file.chmod(0o666)
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        local = stack.enter_context(socket.socket(socket.AF_UNIX))
        path = f"{folder}/socket"
        local.bind(path)
        local.listen()
        os.chmod(path, 0o777)
        bystander = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-I", "-c", "input()", canary],
                env={"CANARY": canary},
                stdin=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        )
        stack.callback(bystander.kill)
        # `folder` is the only folder in the list. In bubblewrap, some folders outside
        # the sandbox also exist inside, but empty: the parents of its mounts.
        known = [folder, str(file), "/etc/passwd", str(exercises.ROOT / "README.md")]
        known += [str(exercises.ROOT / "grader" / "cli.py"), str(exercises.SOLUTION)]
        known += [str(path) for path in Path.home().glob(".*") if path.is_file()]
        outside = [folder, str(exercises.ROOT), str(Path.home()), sys.prefix]
        outside += ["/dev/shm", "/var/tmp"]
        yield {
            "network": {"port": server.getsockname()[1]},
            "sockets": {"path": path},
            "reading": {"paths": known},
            "writing": {"folders": outside},
            "changing": {"path": str(file)},
            "seeing": {"canary": canary},
            "signals": {"pid": bystander.pid},
            "calls": {},
            "memory": {},
            "files": {},
            "processes": {},
            "survivors": {},
        }


def table(columns: dict[str, dict[str, bool]]) -> list[str]:
    """Return a table with a row for each promise and a column for each tier, as lines.

    Args:
        columns: for each tier by name, a dict. Its keys are the names of the promises.
            Its values say whether the table shows "yes" or "no" for the promise.
    """
    width = max(len(promise.words) for promise in PROMISES)
    lines = ["The hand-in …".ljust(width) + "".join(f"{tier:>9}" for tier in columns)]
    for promise in PROMISES:
        marks = ["yes" if kept[promise.name] else "no" for kept in columns.values()]
        cells = "".join(f"{mark:>9}" for mark in marks)
        lines.append(f"{promise.words:<{width}}{cells}")
    return lines


def promised() -> dict[str, dict[str, bool]]:
    """Return which promises each tier gives.

    The result has a dict for each tier by name. Its keys are the names of all promises,
    and its values say whether the tier gives the promise.
    """
    return {
        tier: {promise.name: tier in promise.tiers for promise in PROMISES}
        for tier in TIERS
    }


def start_in(tier: str) -> launch.Launch:
    """Return the arguments for starting the intruder in a tier."""
    return launch.prepare("intruder", tier)


def choose_official_tier(wanted: str) -> str:
    """Return the strongest tier that keeps its promises, for a run with OFFICIAL=1.

    An intruder tests the promises. But if the tier "process" is wanted, it is returned
    without a test.

    Args:
        wanted: name of the only tier to try; "" to try "bwrap", then "landlock".

    Raises:
        GraderError: none of these tiers works and keeps its promises.
    """
    if wanted == "process":
        return wanted
    problems = {}
    for tier in [wanted] if wanted else ISOLATING:
        problem = tiers.why_not(tier)
        if problem is None:
            # A second try, because on a busy machine an answer can come too late.
            for _ in range(2):
                broken = broken_promises(tier, measure(start_in(tier)))
                if not broken:
                    return tier
            problem = f"lets through {', '.join(broken)}"
        problems[tier] = problem
    words = "; ".join(f"{tier}: {problem}" for tier, problem in problems.items())
    raise GraderError(
        f"OFFICIAL=1 and no sandbox isolates here ({words}). `make doctor` says more; "
        "SANDBOX=process grades without one, for code that you trust"
    )


def broken_promises(tier: str, found: dict[str, str]) -> list[str]:
    """Return a list of the promises that a tier gives, but does not keep.

    A promise is described by its name and, in parentheses, what the intruder achieved.

    Args:
        tier: name of the tier.
        found: what the intruder achieved in this tier, from `measure`.
    """
    return [
        f"{promise.name} ({found[promise.name]})"
        for promise in PROMISES
        if tier in promise.tiers and found[promise.name]
    ]
