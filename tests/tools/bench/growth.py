"""Measure how time and memory of a class run grow with the size of the class.

`make bench GROWTH=50,200,800 ONLY=sync_target` makes classes of these sizes, as
`make bench CLASS=…` does. It grades each class with the command of `make grade-class`,
and prints time and memory. Without `ONLY`, 800 hand-ins take hours.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.tools.bench.classroom import ONLY, ROOT, make_class

SIZES = [int(size) for size in os.environ["GROWTH"].split(",")]
SAMPLE_SECONDS = 0.5
MIB = 1 << 20


def graded(folder: Path, out: Path) -> tuple[float, int, int]:
    """Grade a class in a new process, and measure time and memory.

    Args:
        folder: the folder of the class.
        out: the folder for the results.

    Returns:
        The time in seconds, the peak memory of the main process, and the peak memory of
        all processes together. Memory is resident memory in bytes. Memory that several
        processes share is counted for each of them.

    Raises:
        SystemExit: the exit code of the process is neither 0 nor 2. It is 2 if some
            hand-ins cannot be read.
    """
    words = [str(folder), "--out", str(out), *(["--only", ONLY] if ONLY else [])]
    started = time.perf_counter()
    process = psutil.Popen(
        [sys.executable, "-m", "grader.classroom", *words],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    own = everything = 0
    while True:
        try:
            own = max(own, resident(process))
            children = process.children(recursive=True)
            everything = max(everything, sum(map(resident, [process, *children])))
            process.wait(SAMPLE_SECONDS)
        except psutil.TimeoutExpired:
            continue
        break
    if process.returncode not in (0, 2):
        sys.exit(f"the class of {folder.name} ended with {process.returncode}")
    return time.perf_counter() - started, own, everything


def resident(process: psutil.Process) -> int:
    """Return the resident memory of a process in bytes; 0 if it has ended."""
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def main() -> None:
    """Grade a class of each size in GROWTH, and print a line for each size."""
    cores = len(os.sched_getaffinity(0))
    print(f"{ONLY or 'all exercises'}, {cores} cores")
    print("hand-ins  seconds  per minute and core  own MiB  all MiB per core")
    for size in SIZES:
        with tempfile.TemporaryDirectory() as temporary:
            folder, out = Path(temporary, str(size)), Path(temporary, "out")
            folder.mkdir()
            make_class(folder, size)
            seconds, own, everything = graded(folder, out)
        rate = size / (seconds / 60) / cores
        print(
            f"{size:8}  {seconds:7.0f}  {rate:19.1f}  {own / MIB:7.0f}  "
            f"{everything / MIB / cores:16.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
