"""`make calibrate`: measure how reliably hand-ins learn CartPole.

This command trains the solution, the right hand-ins in other styles, and the mutants
that should learn worse, each with many seeds. The work takes hours. Each run is stored
when it ends, and the next `make calibrate` trains only the runs that are missing.
`make calibrate LIMIT=600` begins no run after 600 seconds. LIMIT=0 trains nothing and
only writes the table `tests/evidence/CALIBRATION.md`.
"""

import itertools
import math
import os
import platform
import queue
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from grader.contract.limits import Limits
from grader.contract.outcomes import GraderError, Raised, Stopped, Waiting, Wrong
from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.cartpole import CartPole
from grader.sandbox import tiers
from tests.support.calibration import (
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
    report,
    write,
)
from tests.support.edits import ROOT
from tests.tools.reference import PACKAGES

AT_A_TIME = 2
# The files that decide the result of a run.
CODE = [
    *sorted((ROOT / "grader" / "inside").rglob("*.py")),
    *(ROOT / "grader" / "contract" / f"{name}.py" for name in ("cases", "seeds")),
    ROOT / "grader" / "oracle" / "cartpole.py",
    ROOT / "starter" / "train.py",
]
# By kind, how many seeds one process trains in each round. The rounds are short because
# one process may send only a limited number of bytes. The first round of mutants is
# the shortest, so that each mutant has a first result soon.
ROUNDS = {"solution": (10,), "whole": (3,), "F": (2, 8), "D": (2, 8), "S": (1,)}

Job = tuple[Learner, list[int]]


class Trains(Protocol):
    """The interface of a trainer, which trains one hand-in with many seeds."""

    def once(self, seed: int) -> dict[str, Any]:
        """Train once; return `variant`, `mean_return`, `curve` and `problem`."""

    def stop(self) -> None:
        """Stop the processes of the trainer."""


class Trainer(CartPole):
    """A trainer that trains one hand-in exactly as the grader does.

    All seeds share the same processes and compiled programs.
    """

    def __init__(self, learner: Learner) -> None:
        submission = Submission(learner.name, learner.source.encode())
        tier = tiers.choose_tier("")
        self.exported: dict[str, str] | None = None
        # No limit for all runs together, because many seeds share this budget.
        unbounded = Budget(Limits(run_seconds=math.inf))
        super().__init__(submission, tier, "", "cpu", unbounded, {}, lambda words: None)
        self.ready()

    def once(self, seed: int) -> dict[str, Any]:
        """Do the first training run of a grading with this seed.

        Returns:
            A dict with `variant` (the disguise), `mean_return`, `curve` and `problem`
            (why learning was stopped, or "").

        Raises:
            GraderError: the training failed by a fault of ours.
        """
        self.seed = str(seed)
        self.worker.restarts.clear()
        for helper in (self.worker, self.runner):
            helper.budget.spent.clear()
        try:
            if self.exported is None:
                self.exported = self.export_programs()
            return self.learn_once(self.exported, 0)
        except (Wrong, Raised, Waiting, Stopped) as reason:
            # A process may have died with its loaded programs: start new processes.
            self.stop()
            self.exported = None
            words = str(reason).partition("\n")[0]
            return {"variant": "", "mean_return": 0.0, "curve": [], "problem": words}


def to_do(measured: Iterable[Learner], done: set[tuple[str, int]]) -> list[Job]:
    """Return the jobs (a hand-in and its seeds) in the order of training.

    Args:
        measured: all hand-ins to measure, sorted by kind.
        done: pairs (name, seed) that need no run.
    """
    jobs: list[Job] = []
    for kind, group in itertools.groupby(measured, lambda learner: learner.kind):
        ours, first = list(group), 1
        for size in itertools.cycle(ROUNDS[kind]):
            seeds = range(first, min(first + size, ENOUGH[kind] + 1))
            for learner in ours:
                left = [seed for seed in seeds if (learner.name, seed) not in done]
                if left:
                    jobs.append((learner, left))
            first += size
            if first > ENOUGH[kind]:
                break
    return jobs


def train_all(
    jobs: list[Job],
    seconds: float,
    trainer: Callable[[Learner], Trains],
    on_run: Callable[[Run], None],
) -> None:
    """Do the jobs, two at the same time, until all are done or the time is up.

    Args:
        jobs: list of jobs, as `to_do` returns it.
        seconds: time in seconds after which no new run begins.
        trainer: function that makes the trainer of a hand-in.
        on_run: function that is called with each finished run.

    Raises:
        GraderError: a training failed by a fault of ours.
    """
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    end = time.monotonic() + seconds
    stopped = threading.Event()
    telling = threading.Lock()

    def lane() -> None:
        while not stopped.is_set():
            try:
                learner, seeds = waiting.get_nowait()
            except queue.Empty:
                return
            trains = trainer(learner)
            try:
                for seed in seeds:
                    if stopped.is_set() or time.monotonic() >= end:
                        return
                    run = trained(trains, learner, seed)
                    with telling:
                        on_run(run)
            except BaseException:
                stopped.set()
                raise
            finally:
                trains.stop()

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        try:
            for future in [pool.submit(lane) for _ in range(AT_A_TIME)]:
                future.result()
        finally:
            stopped.set()


def trained(trains: Trains, learner: Learner, seed: int) -> Run:
    """Do one training run; return the run as `runs.jsonl` stores it.

    The numbers of the curve are rounded down to whole numbers.
    """
    started = time.monotonic()
    told = trains.once(seed)
    curve = [[int(step), int(mean)] for step, mean in told["curve"]]
    solved = bool(curve and told["curve"][-1][1] >= SETTINGS["solved_at"])
    problem = told["problem"] or ""
    steps = curve[-1][0] if solved else SETTINGS["env_steps"]
    return {
        "run": learner.name,
        "source": learner.digest,
        "seed": seed,
        "variant": told["variant"],
        "mean_return": round(float(told["mean_return"]), 2),
        "steps": None if problem else steps,
        "solved": solved,
        "curve": curve,
        "problem": problem,
        "seconds": round(time.monotonic() - started, 1),
    }


def calibrate(
    path: Path,
    measured: list[Learner],
    seconds: float,
    trainer: Callable[[Learner], Trains] = Trainer,
) -> Stored:
    """Train the runs that are missing in a file, as long as time is left.

    Stored runs with other settings, or of hand-ins that have changed, are deleted. Runs
    by older code of the grader count until a new run replaces them.

    Args:
        path: file with the runs.
        measured: all hand-ins to measure.
        seconds: time in seconds after which no new run begins.
        trainer: function that makes the trainer of a hand-in.

    Returns:
        All sessions and runs that are stored afterwards.
    """
    code, stored = code_now(), read(path)
    kept = current(stored, measured)
    if len(kept.runs) < len(stored.runs):
        print(f"{len(stored.runs) - len(kept.runs)} stored runs no longer count")
    write(path, kept)
    done = {
        (run["run"], run["seed"])
        for run in kept.runs
        if kept.sessions[run["session"]]["code"] == code
    }
    print(f"{len(done)} runs by today's code are there, {len(kept.runs)} in all")
    there = {(run["run"], run["seed"]) for run in kept.runs}
    jobs = to_do(measured, there)  # missing runs first, then runs by older code
    missing = {(learner.name, seed) for learner, seeds in jobs for seed in seeds}
    jobs += to_do(measured, done | missing)
    if seconds <= 0 or not jobs:
        return read(path)
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
    left = sum(len(seeds) for _, seeds in jobs)
    counted = itertools.count(1)
    with path.open("a", encoding="utf-8") as file:
        file.write(line_of(where))

        def on_run(run: Run) -> None:
            file.write(line_of({**run, "session": session}))
            file.flush()
            end = run["problem"] or f"{run['steps']} steps"
            print(
                f"{next(counted)} of {left}  {run['run']}, seed {run['seed']}: "
                f"{run['mean_return']:g}, {end}",
                flush=True,
            )

        train_all(jobs, seconds, trainer, on_run)
    return read(path)


def code_now() -> str:
    """Return a hash of the files in `CODE`, without comments and docstrings."""
    return digest(*(path.read_text(encoding="utf-8") for path in sorted(CODE)))


def main() -> int:
    """Train the missing runs and write the table; return the exit code.

    The exit code is 2 after a fault of ours, and else 0, even if runs are missing.
    """
    limit = os.environ.get("LIMIT", "")
    measured = learners()
    try:
        stored = calibrate(RUNS, measured, float(limit) if limit else float("inf"))
    except GraderError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; what has been run is stored")
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
