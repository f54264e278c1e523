"""Test every tier on this machine and print which promises it keeps: `make doctor`.

A promise names an action that a hand-in's code cannot take; `self_test.PROMISES` has
all of them.
"""

import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from grader.sandbox import control_group, launch, self_test, system, tiers
from grader.sandbox.tiers import ISOLATING, TIERS

WIDTH = 80


def run() -> int:
    """Test all tiers and print the result; return 0 if a tier isolates, else 1.

    A tier isolates a hand-in if it keeps all promises of `self_test.PROMISES`. The
    number is the exit code of `python -m grader doctor`.
    """
    problems = {tier: tiers.why_not(tier) for tier in ISOLATING}
    working = [tier for tier in TIERS if problems.get(tier) is None]
    found = tested(working) if sys.platform == "linux" else {}
    broken = {tier: self_test.broken_promises(tier, found[tier]) for tier in found}
    sound = [tier for tier in ISOLATING if tier in found and not broken[tier]]

    kept = {
        t: {name: not got for name, got in all_.items()} for t, all_ in found.items()
    }
    lines = []
    if kept:
        lines += ["What this machine can promise of the code that is graded", ""]
        lines += self_test.table(kept)
    for tier in ISOLATING:
        if problems[tier]:
            lines += paragraph(f"{tier} does not work: {problems[tier]}.")
        elif listed := ", ".join(broken.get(tier, [])):
            lines += paragraph(f"{tier} promises more than it keeps here: {listed}.")
    lines += paragraph(verdict(sound, working[0]))
    for words in advice(problems):
        lines += paragraph(words)
    print("\n".join(lines))
    return 0 if sound else 1


def tested(working: list[str]) -> dict[str, dict[str, str]]:
    """Let an intruder test each tier, and return what it has achieved.

    Args:
        working: names of the tiers that work on this machine.

    Returns:
        For each tier by name, a dict. Its keys are the names of the promises in
        `self_test.PROMISES`. Its values say in words what the intruder achieved against
        the promise; "" if the promise was kept.
    """
    found = {}
    for tier in working:
        print(f"Trying {tier} …", file=sys.stderr)
        found[tier] = self_test.measure(self_test.start_in(tier))
    return found


def paragraph(words: str) -> list[str]:
    """Return an empty line, and a text broken into lines of at most WIDTH characters.

    A long word or a word with hyphens is not broken, because it can be a command.
    """
    lines = textwrap.wrap(words, WIDTH, break_long_words=False, break_on_hyphens=False)
    return ["", *lines]


def verdict(sound: list[str], chosen: str) -> str:
    """Return sentences that say whether strangers' hand-ins can be graded here.

    Args:
        sound: names of the tiers that isolate a hand-in, as the tests have shown.
        chosen: name of the tier that `make grade` uses on this machine.
    """
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
    """Yield paragraphs of advice on the tiers.

    They say how to make more tiers work, and which resources no tier bounds.

    Args:
        problems: for each of the tiers "bwrap" and "landlock", why the tier does not
            work; None if it works.
    """
    if sys.platform != "linux":
        yield (
            "bwrap and landlock are Linux's. To grade strangers' code use Linux, in "
            "a virtual machine, a container or WSL 2."
        )
        return
    if problems["bwrap"]:
        yield from about_bwrap()
    yield from about_landlock(works=not problems["landlock"])
    if control_group.offered():
        yield (
            "Control groups can be made here: in every tier they end, bound and slow "
            "down all that a hand-in starts."
        )
    if os.geteuid() == 0:
        yield from about_root()
    yield (
        "No tier bounds the memory of all processes together, nor, but for bwrap, the "
        "room on the disk: run many gradings in a container or unit that does "
        "(`docker run --memory`, `systemd-run -p MemoryMax=`)."
    )


def about_bwrap() -> Iterator[str]:
    """Yield paragraphs on how to make bubblewrap work on this machine.

    Nothing is yielded if neither AppArmor nor a container seems to forbid namespaces.
    """
    restricted = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
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
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        yield (
            "This is a container, and its defaults refuse namespaces. landlock "
            "needs none. For bwrap start it with `docker run --security-opt "
            "seccomp=unconfined --security-opt apparmor=unconfined "
            "--security-opt systempaths=unconfined`: weigh what that opens."
        )


def about_landlock(*, works: bool) -> Iterator[str]:
    """Yield a paragraph on Landlock: how to make it work, or how it bounds processes.

    The bound is on the number of processes. Nothing is yielded if Landlock works and
    the grader runs as root.

    Args:
        works: whether Landlock works on this machine.
    """
    if not works:
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


def about_root() -> Iterator[str]:
    """Yield a paragraph on what hinders root when it starts helpers as other users.

    Nothing is yielded if nothing hinders it.
    """
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
