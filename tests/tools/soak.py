"""`make soak`: do hundreds of gradings in one process, or kill hundreds of graders.

`make soak N=500` grades 500 hand-ins one after the other in one process: right, wrong
and hostile hand-ins, drawn with SEED. Each hand-in must get a valid report, and each
right hand-in must get full points. Afterwards no process, temporary file, open file or
thread may be left, and the memory in use may not have grown. `make soak` sets
PYTHONMALLOC=malloc, so the memory in use includes all Python objects.

`make soak RIGHT=100` grades only right hand-ins, each with all exercises.

`make soak KILL=100` kills 100 graders at random moments. After each kill, the folder of
the report may hold the old report, a whole new report, or no report. No process may be
left. Undisturbed gradings in between must have the same result as the first one.
"""

import contextlib
import ctypes
import dataclasses
import gc
import itertools
import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

# Imported before threads are counted, because SciPy's BLAS starts a thread at import.
import scipy.special  # noqa: F401

from grader.contract.exercises import UNITS
from grader.grading import pipeline
from grader.intake.take import take
from grader.report.model import Report
from grader.sandbox import system
from grader.sandbox.tiers import ISOLATING, why_not
from tests.corpus.mutants import MUTANTS
from tests.corpus.variants import VARIANTS, WHOLE
from tests.support import supervisor
from tests.support.attack_runs import (
    CANARY,
    Run,
    all_attacks,
    lasting,
    of_report,
    of_secrets,
    place,
)
from tests.support.edits import ROOT, SOLUTION
from tests.support.patient import PATIENT
from tests.support.short_deadlines import SHORT

WHOLES = [("solution", SOLUTION), *((v.name, v.source) for v in WHOLE)]
KINDS = ("right", "wrong", "hostile")
WHOLE_EVERY = 24  # one of 24 gradings grades a right hand-in with all exercises
WARM_UP = 0.2  # share of the gradings after which memory growth is measured
GROWTH_BYTES = 32 << 10  # allowed growth of the memory in use, in bytes per grading
ENOUGH = 100  # number of gradings from which on growth is judged
POLL_SECONDS = 0.001
# Allowed findings of `kill`.
IN_THE_MIDST, DONE = "were killed in the midst", "had ended before"
NONE, A_REPORT = "found no report at some time", "found a whole report at some time"
GOOD = {IN_THE_MIDST, DONE, NONE, A_REPORT}


@dataclasses.dataclass(frozen=True)
class Task:
    """One grading to do.

    Attributes:
        kind: "right", "wrong" or "hostile".
        name: the name of the hand-in.
        exercise: the name of the exercise to grade; "" for all.
        source: the text of `dqn.py`; None for a hostile hand-in, which an attack
            writes.
    """

    kind: str
    name: str
    exercise: str
    source: str | None = None


@dataclasses.dataclass(frozen=True)
class Left:
    """The resources that a process holds at one moment.

    Attributes:
        in_use: the bytes that malloc has handed out and that are not freed.
        resident: the resident memory of the whole process, in bytes.
        files: the number of open files.
        threads: the number of threads.
        temporary: the names of the files in the folder for temporary files.
    """

    in_use: int
    resident: int
    files: int
    threads: int
    temporary: tuple[str, ...]


# ------------------------------------------------------------------ gradings in a row


def tasks(number: int, seed: str) -> Iterator[Task]:
    """Yield gradings of right, wrong and hostile hand-ins in turn.

    Args:
        number: the number of gradings.
        seed: the seed with which the hand-ins are drawn.
    """
    rng = random.Random(seed)
    rights = [("solution", (*UNITS,), SOLUTION)]
    rights += [(v.name, v.exercises, v.source) for v in (*VARIANTS, *WHOLE)]
    for i in range(number):
        kind = KINDS[i % len(KINDS)]
        if kind == "hostile":
            one = rng.choice(ATTACKS)
            yield Task(kind, one.name, "" if one.exercise == "all" else one.exercise)
        elif kind == "wrong":
            mutant = rng.choice(MUTANTS)
            yield Task(kind, mutant.id, mutant.exercise, mutant.source)
        elif i % WHOLE_EVERY == WHOLE_EVERY // 2:
            name, source = rng.choice(WHOLES)
            yield Task(kind, name, "", source)
        else:
            name, exercises, source = rng.choice(rights)
            yield Task(kind, name, rng.choice(exercises), source)


def right_tasks(number: int) -> Iterator[Task]:
    """Yield gradings of right hand-ins, each in all exercises.

    Args:
        number: the number of gradings.
    """
    for name, source in itertools.islice(itertools.cycle(WHOLES), number):
        yield Task("right", name, "", source)


def in_a_row(todo: list[Task], seed: str, tiers: list[str]) -> list[str]:
    """Do gradings one after the other, and print a summary.

    Args:
        todo: the gradings, at least one.
        seed: the first part of each grading's seed; the second part is the grading's
            number.
        tiers: the names of the tiers, used in turn.

    Returns:
        A sentence for each problem: a wrong report, or resources that are not released.
    """
    bad, begun, start, number = [], time.monotonic(), None, len(todo)
    before = left()
    counts: Counter[str] = Counter()
    for i, task in enumerate(todo):
        tier = tiers[i % len(tiers)]
        words = [*graded(task, tier, f"{seed} {i}")]
        # `supervisor.adopt` has made every orphan a child of this process.
        words += [f"left running: {line}" for line in supervisor.those_left()]
        for word in words:
            bad.append(f"{i}: {task.kind} {task.name} on {tier}: {word}")
            print(bad[-1], flush=True)
        counts[f"{task.kind} {'whole' if not task.exercise else 'one exercise'}"] += 1
        now = left()
        if start is None and i + 1 >= WARM_UP * number:
            start = i + 1, now
        words = f"{i + 1} of {number}, {len(bad)} bad, {now.resident >> 20} MB, "
        words += f"{now.files} files, {now.threads} threads: {task.name}"
        tell(f"{time.monotonic() - begun:6.0f} s  {words}")
    assert start is not None
    after, (warm, then) = left(), start
    growth = (after.in_use - then.in_use) / max(1, number - warm)
    bad += [f"left: {name}" for name in after.temporary]
    if after.files > before.files:
        bad.append(f"open files: {before.files} before, {after.files} after")
    if after.threads > before.threads:
        bad.append(f"threads: {before.threads} before, {after.threads} after")
    if growth > GROWTH_BYTES and number >= ENOUGH:
        bad.append(f"memory grows by {growth / 1024:.0f} kB a grading")
    tell("")
    print(
        f"{number} gradings in {time.monotonic() - begun:.0f} s on {', '.join(tiers)}:"
    )
    for kind, count in sorted(counts.items()):
        print(f"  {count} {kind}")
    print(
        f"memory in use {mib(before.in_use)} at first, "
        f"{mib(then.in_use)} after {warm}, {mib(after.in_use)} at the end: "
        f"{growth / 1024:.1f} kB each\n"
        f"resident {mib(before.resident)} at first, {mib(then.resident)} after {warm}, "
        f"{mib(after.resident)} at the end\n"
        f"open files {before.files} at first, {after.files} at the end\n"
        f"threads {before.threads} at first, {after.threads} at the end\n"
        f"{len(after.temporary)} temporary files left"
    )
    return bad


def mib(number: int) -> str:
    """Return a number of bytes as text, in units of 2^20 bytes.

    The text calls this unit MB.
    """
    return f"{number / (1 << 20):.1f} MB"


def graded(task: Task, tier: str, seed: str) -> Iterator[str]:
    """Grade a hand-in; yield a sentence for each error in its report or its points.

    Args:
        task: the hand-in and the exercise.
        tier: the name of the tier.
        seed: the seed of the grading.
    """
    hostile = {one.name: one for one in ATTACKS}.get(task.name)
    if task.kind != "hostile":
        hostile = None
    with place() as (folder, places):
        if hostile:
            path = hostile.make(folder, places)
        else:
            path = folder
            (folder / "dqn.py").write_text(str(task.source), encoding="utf-8")
        hurry = hostile is not None and "T" in hostile.asserts
        options = pipeline.Options(
            seed,
            only=(task.exercise,) if task.exercise else (),
            tier=tier,
            limits=SHORT if hurry else PATIENT,
        )
        try:
            report = pipeline.grade(take(str(path)), options, pipeline.Progress())
        except Exception as error:
            yield f"{type(error).__name__}: {error}"
            return
        saved = report.save(places["out"]).read_text(encoding="utf-8")
    run = Run(0, "", "", saved, [])
    asked = dataclasses.replace(ATTACKS[0], exercise=task.exercise or "all")
    yield from of_report(asked, tier, run)
    yield from of_secrets(run) if hostile else []
    yield from of_marks(task.kind, report)


def of_marks(kind: str, report: Report) -> Iterator[str]:
    """Yield a sentence for each error in the points of a right or wrong hand-in.

    A right hand-in must have full points, and a wrong hand-in must lose points. Nothing
    is yielded for a hostile hand-in.

    Args:
        kind: "right", "wrong" or "hostile".
        report: the report of the grading.
    """
    lost = [
        f"{exercise.name}, {check.name}: {check.outcome}, {check.message[:200]}"
        for exercise in report.exercises
        for check in exercise.checks
        if check.score < check.max_score
    ]
    if kind == "right":
        yield from lost
    if kind == "wrong" and not lost:
        yield "has lost no points"


class MallInfo(ctypes.Structure):
    """The result of `mallinfo2` of glibc, as ten numbers.

    The fifth and the eighth number are bytes in use.
    """

    _fields_ = [("numbers", ctypes.c_size_t * 10)]


def left() -> Left:
    """Return the resources that this process holds now."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    number = {k: int(v) for k, v in re.findall(r"(\w+):\s+(\d+)", status)}
    resident = in_use = number["VmRSS"] << 10
    with contextlib.suppress(AttributeError):  # only glibc has mallinfo2
        mallinfo2 = ctypes.CDLL(None).mallinfo2
        mallinfo2.restype = MallInfo
        numbers = mallinfo2().numbers
        in_use = numbers[4] + numbers[7]
    return Left(
        in_use,
        resident,
        len(os.listdir("/proc/self/fd")),
        number["Threads"],
        tuple(sorted(os.listdir(tempfile.gettempdir()))),
    )


# ------------------------------------------------------------------ killed graders


def killed(number: int, seed: str, tiers: list[str]) -> list[str]:
    """Start graders one after the other, kill each, and print a summary.

    Args:
        number: how many graders to kill.
        seed: the seed with which the moments of the kills are drawn.
        tiers: the names of the tiers, used in turn.

    Returns:
        A sentence for each problem: a wrong report, or something left behind.
    """
    rng = random.Random(seed)
    out = Path(tempfile.mkdtemp(prefix="reports-"))
    hand_in = Path(tempfile.mkdtemp(prefix="hand-in-"))
    (hand_in / "dqn.py").write_text(SOLUTION, encoding="utf-8")
    bad, counts, begun = [], Counter[str](), time.monotonic()
    whole: dict[str, tuple[bytes, float]] = {}  # by tier: report, seconds of the run
    for i in range(number):
        tier = tiers[i % len(tiers)]
        if tier not in whole:
            since = time.monotonic()
            undisturbed(hand_in, out, tier)
            report = (out / "report.json").read_bytes()
            whole[tier] = report, time.monotonic() - since
        before, seconds = whole[tier]
        for path in out.iterdir():
            path.unlink()
        if i % 3:  # two of three times there is an old report
            (out / "report.json").write_bytes(before)
        # Every other time the grader is killed while it writes the report.
        share = rng.uniform(0, 1.1) if i % 2 else math.inf
        seen = kill(hand_in, out, tier, share * seconds)
        counts.update(seen)
        bad += [f"{i} on {tier}: {what}" for what in seen - GOOD]
        bad += [f"{i} on {tier}: left running: {x}" for x in supervisor.those_left()]
        if (i + 1) % 10 == 0 or i + 1 == number:
            undisturbed(hand_in, out, tier)
            counts["were let be, afterwards"] += 1
            report = (out / "report.json").read_bytes()
            if essence(report) != essence(before):
                bad.append(f"{i} on {tier}: the next run is another: {report!r}")
        words = f"{i + 1} of {number} killed, {len(bad)} bad"
        tell(f"{time.monotonic() - begun:6.0f} s  {words}")
    halves = [path.name for path in out.iterdir() if path.name != "report.json"]
    for folder in (out, hand_in):
        shutil.rmtree(folder)
    leftovers = left().temporary
    bad += [f"left: {name}" for name in leftovers]
    tell("")
    print(f"{number} graders killed in {time.monotonic() - begun:.0f} s")
    for what, count in sorted(counts.items()):
        print(f"  {count} {what}")
    print(f"  {len(leftovers)} temporary files left, {len(halves)} beside the report")
    return bad


def command(hand_in: Path, out: Path, tier: str) -> list[str]:
    """Return the command line that grades `sync_target` of a hand-in.

    Args:
        hand_in: the folder of the hand-in.
        out: the folder for the report.
        tier: the name of the tier.
    """
    words = ["grade", str(hand_in), "--only", "sync_target", "--sandbox", tier]
    return [sys.executable, "-m", "grader", *words, "--out", str(out), "--seed", CANARY]


def undisturbed(hand_in: Path, out: Path, tier: str) -> None:
    """Grade `sync_target` of a hand-in, and wait until the grader ends.

    Args:
        hand_in: the folder of the hand-in.
        out: the folder for the report.
        tier: the name of the tier.

    Raises:
        CalledProcessError: the grader's exit code is not 0.
    """
    words = command(hand_in, out, tier)
    subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def essence(report: bytes) -> str:
    """Return the text of a report without durations.

    Args:
        report: the content of report.json.
    """
    return lasting(Run(0, "", "", report.decode(), []))


def kill(hand_in: Path, out: Path, tier: str, seconds: float) -> set[str]:
    """Start a grader and kill it.

    Args:
        hand_in: the folder of the hand-in.
        out: the folder for the report.
        tier: the name of the tier.
        seconds: the time in seconds before the grader is killed. With inf, the grader
            is killed when it begins to write the report.

    Returns:
        A set of findings. One says whether the grader was killed or had ended before.
        The others are the results of `look` during the grading and after it.
    """
    process = subprocess.Popen(
        command(hand_in, out, tier),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seen, until = set(), time.monotonic() + seconds
    before = written(out)
    while process.poll() is None and time.monotonic() < until:
        if math.isinf(seconds) and written(out) != before:
            break
        seen.add(look(out))
        time.sleep(POLL_SECONDS)
    seen.add(DONE if process.poll() == 0 else IN_THE_MIDST)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return seen | {look(out)}


def written(out: Path) -> list[tuple[str, int]]:
    """Return the name and the modification time (ns) of each file in a folder, sorted.

    The list is empty if a file vanishes during the call.
    """
    with contextlib.suppress(FileNotFoundError), os.scandir(out) as entries:
        return sorted((entry.name, entry.stat().st_mtime_ns) for entry in entries)
    return []


def look(out: Path) -> str:
    """Return what is found as report.json in a folder.

    Returns:
        `NONE` if there is no report, `A_REPORT` for a whole one. Otherwise a sentence
        about a half-written or wrong report.
    """
    try:
        document = json.loads((out / "report.json").read_bytes())
    except FileNotFoundError:
        return NONE
    except ValueError as error:
        return f"half a report: {error}"
    good = document["score"] == 5 and document["exercises"][0]["name"] == "sync_target"
    return A_REPORT if good else f"another report: {document}"


# ------------------------------------------------------------------ the command


def tell(words: str) -> None:
    """Print a line of progress to stderr.

    On a terminal, each line replaces the previous one.

    Args:
        words: the line; "" removes the line from a terminal, and prints nothing to a
            log.
    """
    if sys.stderr.isatty():
        print(f"\r{words[:79]:<79}", end="" if words else "\r", file=sys.stderr)
    elif words:
        print(words, file=sys.stderr, flush=True)


ATTACKS = all_attacks()


def main() -> int:
    """Do the gradings that N, RIGHT and KILL select; return the exit code.

    These environment variables are numbers of gradings. Without any of them, N is 500.
    The exit code is 0 if no problem was found, 1 after a problem, and 2 if no isolating
    tier works on this machine.
    """
    number, right, kills = (
        int(os.environ.get(name) or 0) for name in ("N", "RIGHT", "KILL")
    )
    seed = os.environ.get("SEED") or "1"
    supervisor.adopt()
    system.hide_memory()
    os.environ["DQN_SECRET"] = CANARY
    bad = []
    with tempfile.TemporaryDirectory(prefix="soak-") as top:
        tempfile.tempdir = os.environ["TMPDIR"] = top
        tiers = [tier for tier in ISOLATING if not why_not(tier)]
        if not tiers:
            print("no sandbox works here: hostile hand-ins are not for this machine")
            return 2
        if right:
            bad += in_a_row([*right_tasks(right)], seed, tiers)
        if number or not (right or kills):
            bad += in_a_row([*tasks(number or 500, seed)], seed, tiers)
        if kills:
            bad += killed(kills, seed, tiers)
    print("\n".join(bad) or "all as it should be")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
