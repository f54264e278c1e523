"""Measure the time from a save to the verdict of `make grade WATCH=1`.

`make bench WATCH=1` runs this module. It drives a watch in a terminal of its own, and
saves N hand-ins (default 50), by turns a known mistake and the solution. Before each
save it waits until the watch is idle, as it is while a student writes. Between the
saves, the same exercises are graded by plain `make grade ONLY=…`, because the speed of
a machine changes with time: the ratio of the medians says more than the seconds.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pexpect

from grader.contract.exercises import ROOT
from tests.corpus.mutants import MUTANTS
from tests.support.edits import SOLUTION
from tests.support.terminals import watch_in_terminal

SAVES = int(os.environ.get("N") or "50")
PLAIN_EVERY = 5  # saves; odd, so that mistakes and solutions take turns
IDS = ("td-no-mask", "tab-no-mask", "mc-half", "up-no-params", "sync-never")
IDS += ("eps-inverted", "capacity-plus-one", "td-argmax")
SECONDS = 600  # deadline of one verdict
IDLE_SECONDS = 0.5  # without work, until the watch counts as idle


def main() -> None:
    """Save, measure, and print medians and 90th percentiles."""
    mutants = {mutant.id: mutant for mutant in MUTANTS}
    times: dict[str, list[float]] = {"mistake, first failure": []}
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "dqn.py"
        file.write_text(SOLUTION, encoding="utf-8")
        terminal = watch_in_terminal(
            file.parent, file.parent / "results", lines=60, seconds=SECONDS
        )
        terminal.expect(r"update_Q_TD0: [\d.]+ s")
        for number in range(SAVES):
            mutant = mutants[IDS[number // 2 % len(IDS)]]
            name, wrong = mutant.exercise, number % 2 == 0
            kind = "mistake" if wrong else "solution"
            wait_until_idle(terminal)
            started = time.monotonic()
            file.write_text(mutant.source if wrong else SOLUTION, encoding="utf-8")
            # The screen with the first failure, or the one with all checks.
            whole = terminal.expect([rf"\d {name} …", rf"{name}: [\d.]+ s"])
            first = time.monotonic() - started
            if not whole:
                terminal.expect(rf"{name}: [\d.]+ s")
            seconds = time.monotonic() - started
            if wrong:
                times["mistake, first failure"].append(first)
            times.setdefault(f"{kind}, all checks", []).append(seconds)
            if number % PLAIN_EVERY == 0:
                times.setdefault("plain make grade ONLY=…, of every fifth", []).append(
                    plain(file, name, Path(temporary))
                )
            print(
                f"{number + 1}: {mutant.id} {kind} {first:.2f} {seconds:.2f} s",
                flush=True,
            )
        terminal.send("q")
        terminal.expect(pexpect.EOF)
    right = times.get("solution, all checks", [])
    times["save to first failure, or to all points"] = [
        *times["mistake, first failure"],
        *right,
    ]
    times["save to all points"] = [*times["mistake, all checks"], *right]
    for name, values in times.items():
        print(
            f"{statistics.median(values):6.2f} s  90 %: {percentile(values):.2f} s"
            f"  ({len(values)} times)  {name}"
        )


def wait_until_idle(terminal: pexpect.spawn) -> None:
    """Wait until the watch and its helpers have used no processor time for a while."""
    before = -1.0
    while (now := used(terminal.pid)) != before:
        before = now
        time.sleep(IDLE_SECONDS)


def used(root: int) -> float:
    """Return the processor time of a process and all below it, in ticks; on Linux."""
    ticks: dict[int, int] = {}
    below: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:  # the process has ended
            continue
        fields = re.sub(r".*\) ", "", text, flags=re.S).split()
        ticks[int(path.parent.name)] = sum(map(int, fields[11:15]))
        below.setdefault(int(fields[1]), []).append(int(path.parent.name))
    todo, total = [root], 0.0
    while todo:
        process = todo.pop()
        total += ticks.get(process, 0)
        todo += below.get(process, [])
    return total


def plain(file: Path, exercise: str, folder: Path) -> float:
    """Return the seconds of `make grade ONLY=…`, for the same file."""
    started = time.monotonic()
    subprocess.run(
        [
            *(sys.executable, "-m", "grader", "grade", str(file.parent)),
            *(f"--only={exercise}", f"--out={folder / 'plain'}"),
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.monotonic() - started


def percentile(values: list[float]) -> float:
    """Return the 90th percentile of some values: nine of ten are at most as large."""
    return sorted(values)[min(len(values) - 1, round(0.9 * len(values)))]


if __name__ == "__main__":
    main()
