"""`make calibrate`: measure how reliably hand-ins learn the tasks of exercise 9.

This command grades exercise 9 of the solution, of the right hand-ins in other styles,
and of the mutants that should learn worse, each with many seeds. One such grading is a
run. All runs take hours. Each run is stored when it ends, and the next `make calibrate`
makes only the runs that are missing. `make calibrate LIMIT=600` begins no run after 600
seconds. LIMIT=0 grades nothing and only writes the table
`tests/evidence/CALIBRATION.md`.
"""

import math
import multiprocessing
import os
import platform
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    wait,
)
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from grader.contract.outcomes import GraderError
from tests.support.calibration.runs import (
    ENOUGH,
    RUNS,
    SETTINGS,
    TABLE,
    Learner,
    Run,
    Stored,
    current,
    digest,
    learners,
    line_of,
    read,
    write,
)
from tests.support.calibration.statistics import first_tries
from tests.support.calibration.table import report
from tests.support.calibration.trial import graded
from tests.support.edits import ROOT
from tests.tools.reference import PACKAGES

AT_A_TIME = 2
GRADER = ROOT / "grader"
# The files that decide the result of a run.
CODE = [
    *sorted((GRADER / "inside").rglob("*.py")),
    *sorted((GRADER / "oracle" / "learning").glob("*.py")),
    *sorted((GRADER / "diagnosis" / "formulas" / "losses").glob("*.py")),
    *(GRADER / "contract" / f"{n}.py" for n in ("cases", "learning", "mdps", "seeds")),
    GRADER / "grading" / "learning.py",
    GRADER / "checks" / "test_9_learning.py",
    *(ROOT / "starter" / f"{name}.py" for name in ("tasks", "train")),
]

Job = tuple[Learner, int]
Submit = Callable[[Learner, int], "Future[Run]"]


def to_do(measured: Iterable[Learner], done: set[tuple[str, int]]) -> list[Job]:
    """Return the runs to make, in order: pairs of a hand-in and the number of its run.

    First come the runs of the solution, then those of right hand-ins in other styles,
    then those of mutants of severity "F", then "D". Within one of these kinds, the
    first run of every hand-in comes before the second run of any hand-in, and so on.

    Args:
        measured: all hand-ins to measure.
        done: pairs (name of a hand-in, number of a run) that are left out.
    """
    measured = list(measured)
    return [
        (learner, number)
        for kind, enough in ENOUGH.items()
        for number in range(1, enough + 1)
        for learner in measured
        if learner.kind == kind and (learner.name, number) not in done
    ]


def run_all(jobs: Iterable[Job], seconds: float, submit: Submit) -> Iterator[Run]:
    """Make runs, two at the same time, until all are made or the time is up.

    Args:
        jobs: pairs of a hand-in and the number of its run, in the order in which the
            runs begin.
        seconds: the time in seconds after which no new run begins.
        submit: a function that takes a hand-in and the number of its run, begins the
            run and returns its future.

    Yields:
        Each run when it ends, as a dict (see `trial.graded`).

    Raises:
        GraderError: a fault of the grader has ended a grading.
    """
    waiting, running = iter(jobs), set[Future[Run]]()
    end = time.monotonic() + seconds
    while True:
        while len(running) < AT_A_TIME and time.monotonic() < end:
            job = next(waiting, None)
            if job is None:
                break
            running.add(submit(*job))
        if not running:
            return
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()


def calibrate(
    path: Path, measured: list[Learner], seconds: float, submit: Submit
) -> Stored:
    """Make the runs that are missing in a file, until the time is up, and store them.

    First, stored runs with other settings, or of hand-ins that have changed, are
    deleted. Runs that older code of the grader has made count until they are made
    again, after the missing runs.

    Args:
        path: the file with the runs.
        measured: all hand-ins to measure.
        seconds: the time in seconds after which no new run begins.
        submit: a function that takes a hand-in and the number of its run, begins the
            run and returns its future.

    Returns:
        All sessions and runs that are in the file afterwards.

    Raises:
        GraderError: a fault of the grader has ended a grading.
    """
    code, stored = code_now(), read(path)
    kept = current(stored, measured)
    if len(kept.runs) < len(stored.runs):
        print(f"{len(stored.runs) - len(kept.runs)} stored runs no longer count")
    write(path, kept)
    there = {(run["run"], run["number"]) for run in kept.runs}
    done = {
        (run["run"], run["number"])
        for run in kept.runs
        if kept.sessions[run["session"]]["code"] == code
    }
    print(f"{len(done)} runs by today's code are there, {len(there)} in all")
    missing = to_do(measured, there)
    older = to_do(measured, done | {(m.name, number) for m, number in missing})
    jobs = missing + older
    if seconds <= 0 or not jobs:
        return kept
    session = max(kept.sessions, default=0) + 1
    where = {
        "session": session,
        "code": code,
        "started": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        "packages": {name: version(name) for name in (*PACKAGES, "gymnasium")},
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "settings": SETTINGS,
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(line_of(where))
        for count, run in enumerate(run_all(jobs, seconds, submit), 1):
            file.write(line_of({**run, "session": session}))
            file.flush()
            print(f"{count} of {len(jobs)}  {in_words(run)}", flush=True)
    return read(path)


def in_words(run: Run) -> str:
    """Return a line on a run: its first try at each task, and the checks it lost.

    Args:
        run: the run, see `trial.graded`.
    """
    tries = [
        f"{task}: {one['mean_return']} after {one['steps']} steps"
        for task in SETTINGS
        for one in first_tries([run], task)
    ]
    end = f"lost {', '.join(run['lost'])}" if run["lost"] else "all points"
    words = "; ".join(filter(None, [*tries, end, run["problem"]]))
    return f"{run['run']} {run['number']}: {words}"


def code_now() -> str:
    """Return a hash of the files that decide the result of a run, as they are now.

    Comments and docstrings do not change the hash.
    """
    return digest(*(path.read_text(encoding="utf-8") for path in CODE))


def ignore_interrupts() -> None:
    """Ignore Ctrl-C in this process of the pool; the main process handles Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def main() -> int:
    """Make runs as `calibrate` does, write the table, and return the exit code.

    The environment variable LIMIT is the time in seconds after which no new run begins;
    without LIMIT, there is no such time. Ctrl-C ends the work earlier; the table is
    written nevertheless.

    The exit code is 2 after a grader error, and then no table is written. Otherwise it
    is 0, even if the time was too short for all runs.
    """
    limit = float(os.environ.get("LIMIT") or math.inf)
    measured = learners()
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(AT_A_TIME, spawn, ignore_interrupts)
    try:
        with pool:
            stored = calibrate(
                RUNS, measured, limit, lambda *job: pool.submit(graded, *job)
            )
    except GraderError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the finished runs are stored")
        stored = read(RUNS)
    TABLE.write_text(report(stored, measured), encoding="utf-8")
    count = Counter(run["run"] for run in stored.runs)
    missing = sum(count[m.name] < ENOUGH[m.kind] for m in measured)
    print(
        f"{TABLE.relative_to(ROOT)}: {len(stored.runs)} runs; {missing} hand-ins "
        "need more"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
