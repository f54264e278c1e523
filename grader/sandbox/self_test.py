"""What this machine can promise about a hand-in's code, found by trying.

In each tier an intruder tries the forbidden things from inside. The promises are
those that the tests hold each tier to; what is found here is what this machine keeps.
"""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.contract import exercises
from grader.contract.outcomes import GraderError
from grader.escape import plain
from grader.sandbox import control_group, helper, launch, system, tiers
from grader.sandbox.tiers import ISOLATING, TIERS

WIDTH = 80
SECONDS = 60.0
SURVIVAL_SECONDS = 3.0
MARK = "intruder-was-here"  # as in intruder.py


@dataclass(frozen=True)
class Promise:
    """What a hand-in's code cannot do.

    Attributes:
        name: of the intruder's attempt.
        words: for the table.
        tiers: where it holds.
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
    """The intruder in a process of its own, confined by a tier.

    Args:
        launch: how to start it.
    """

    def __init__(self, launch: launch.Launch) -> None:
        self.child = helper.Child(launch)

    def found(self, attempt: str, **given: Any) -> str:
        """What an attempt came to; "" where all was refused."""
        try:
            message = self.child.ask({"do": attempt, "given": given}, SECONDS)
        except helper.Failure as failure:
            return f"no answer: {failure}"
        found = message.get("answer", {}).get("found")
        return plain(found, 300) if isinstance(found, str) else "no answer"

    def lives_on(self) -> bool:
        """Whether a process of it still holds its stderr when it has been killed."""
        self.child.kill()
        self.child.process.wait()
        self.child.drain.join(SURVIVAL_SECONDS)
        held = self.child.drain.is_alive()
        self.child.stop()
        return held


def measure(launch: launch.Launch) -> dict[str, str]:
    """By promise, what the intruder got in spite of it; "" where it is kept."""
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
    """What there is to be got: a server, a file, a process. By attempt, where it is.

    Whatever can be open to everybody is, so that nothing but the tier refuses it.
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
        # Files, but for one folder: empty ones of the same name can lie on the way.
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
    """Lines of promises by tier.

    Args:
        columns: for each tier and promise, whether it is kept.
    """
    width = max(len(promise.words) for promise in PROMISES)
    lines = ["The hand-in …".ljust(width) + "".join(f"{tier:>9}" for tier in columns)]
    for promise in PROMISES:
        marks = ["yes" if kept[promise.name] else "no" for kept in columns.values()]
        cells = "".join(f"{mark:>9}" for mark in marks)
        lines.append(f"{promise.words:<{width}}{cells}")
    return lines


def promised() -> dict[str, dict[str, bool]]:
    """The promises as the tests hold each tier to them, for `table`."""
    return {
        tier: {promise.name: tier in promise.tiers for promise in PROMISES}
        for tier in TIERS
    }


def run() -> int:
    """Print what was found; 0 where some tier isolates and keeps its promises."""
    problems = {tier: tiers.why_not(tier) for tier in ISOLATING}
    working = [tier for tier in TIERS if problems.get(tier) is None]
    found: dict[str, dict[str, str]] = {}
    if sys.platform == "linux":
        for tier in working:
            print(f"Trying {tier} …", file=sys.stderr)
            found[tier] = measure(start_in(tier))
    lines = ["What this machine can promise of the code that is graded", ""]
    lines += table({t: {n: not f for n, f in got.items()} for t, got in found.items()})
    sound = []
    for tier in ISOLATING:
        broken = broken_promises(tier, found[tier]) if tier in found else []
        if problems[tier]:
            lines += ["", *wrapped(f"{tier} does not work: {problems[tier]}.")]
        elif broken:
            lines += [
                "",
                *wrapped(
                    f"{tier} promises more than it keeps here: {', '.join(broken)}."
                ),
            ]
        elif tier in found:
            sound.append(tier)
    lines += ["", *wrapped(verdict(sound, working[0]))]
    for words in advice(problems):
        lines += ["", *wrapped(words)]
    print("\n".join(lines))
    return 0 if sound else 1


def start_in(tier: str) -> launch.Launch:
    """How to start the intruder in a tier."""
    return launch.prepare("intruder", tier)


def wrapped(words: str) -> list[str]:
    """A paragraph; commands in it stay whole."""
    return textwrap.wrap(words, WIDTH, break_long_words=False, break_on_hyphens=False)


def verdict(sound: list[str], chosen: str) -> str:
    """What follows for grading."""
    if sound:
        does = "isolates" if len(sound) == 1 else "isolate"
        return (
            f"`make grade` uses {chosen} here. Strangers' code can be graded, with "
            f"OFFICIAL=1: {' and '.join(sound)} {does} it."
        )
    return (
        f"`make grade` uses {chosen} here, in which a hand-in can do what your user "
        "can. That is enough for your own code; OFFICIAL=1 refuses to grade."
    )


def advice(problems: dict[str, str | None]) -> Iterator[str]:
    """How to get more, for what is found here."""
    if sys.platform != "linux":
        yield (
            "bwrap and landlock are Linux's. To grade strangers' code use Linux, in "
            "a virtual machine, a container or WSL 2."
        )
        return
    restricted = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    contained = Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()
    if problems["bwrap"]:
        if restricted.exists() and restricted.read_text().strip() == "1":
            yield (
                "AppArmor keeps user namespaces from programs without a profile. "
                "Ubuntu 24.04 has one for bubblewrap: `apt-get install "
                "apparmor-profiles`, copy "
                "/usr/share/apparmor/extra-profiles/bwrap-userns-restrict to "
                "/etc/apparmor.d/ and `systemctl reload apparmor`. In CI that is "
                "thrown away, `sysctl kernel.apparmor_restrict_unprivileged_userns=0` "
                "does."
            )
        if contained:
            yield (
                "This is a container, and its defaults refuse namespaces. landlock "
                "needs none. For bwrap start it with `docker run --security-opt "
                "seccomp=unconfined --security-opt apparmor=unconfined "
                "--security-opt systempaths=unconfined`: weigh what that opens."
            )
    if problems["landlock"]:
        yield (
            "landlock needs Linux 5.13 or later, on x86_64 or aarch64, with `landlock` "
            "in /sys/kernel/security/lsm; Docker lets its calls pass from 23.0 on. "
            "gVisor has none."
        )
    elif os.geteuid() != 0:
        yield (
            "Without a user of their own, helpers share the bound on processes with "
            f"your other programs: under landlock {launch.MORE_TASKS} more than there "
            "are now."
        )
    if control_group.offered():
        yield (
            "Control groups can be made here: in every tier they end, bound and slow "
            "down all that a hand-in starts."
        )
    if os.geteuid() == 0:
        changes_user, reads_python = system.root_changes_user()
        if not changes_user:
            yield (
                "root may not become another user here, so that nothing bounds the "
                "number of processes: start the grader as a user that is not root, or "
                "let root change users (CAP_SETUID, CAP_SETGID)."
            )
        elif not reads_python:
            yield (
                "Only root can reach Python or the folder for temporary files. So "
                "helpers keep the privilege to read everything, and only bwrap and "
                "landlock bound what: under SANDBOX=process a hand-in reads all files. "
                f"Python is {os.path.realpath(sys.executable)}."
            )
    yield (
        "No tier bounds the memory of all processes together, nor, but for bwrap, the "
        "room on the disk: run many gradings in a container or unit that does "
        "(`docker run --memory`, `systemd-run -p MemoryMax=`)."
    )


def choose_official_tier(wanted: str) -> str:
    """The tier for a grading that counts: the strongest that keeps its promises here.

    They are tried before each such grading. Only SANDBOX=process does without.

    Raises:
        GraderError: there is none, or the wanted one does not keep them.
    """
    if wanted == "process":
        return wanted
    problems = {}
    for tier in [wanted] if wanted else ISOLATING:
        problem = tiers.why_not(tier)
        if problem is None:
            # Twice, for on a busy machine an answer can come too late.
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
    """The promises of the tier that are not kept, each with what was got."""
    return [
        f"{promise.name} ({found[promise.name]})"
        for promise in PROMISES
        if tier in promise.tiers and found[promise.name]
    ]
