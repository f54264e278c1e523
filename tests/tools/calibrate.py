"""`make calibrate`: how reliably hand-ins learn CartPole, run by run.

Trains the solution, the right hand-ins in other styles, and every known mistake that
takes part in learning and should show there, in many disguises. That takes hours: each
run is stored as it ends, and the next `make calibrate` goes on where this one stopped.
`make calibrate LIMIT=600` begins no run after ten minutes; LIMIT=0 only writes the
table, `tests/evidence/CALIBRATION.md`.
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
# What decides how a run goes; the rest of the grader only carries it.
CODE = [
    *sorted((ROOT / "grader" / "inside").rglob("*.py")),
    *(ROOT / "grader" / "contract" / f"{name}.py" for name in ("cases", "seeds")),
    ROOT / "grader" / "oracle" / "cartpole.py",
    ROOT / "starter" / "train.py",
]
# Seeds that one process trains in a row; of hundreds it would send more bytes than one
# grading may. The first round of many hand-ins is short, so that something is known of
# each of them soon.
ROUNDS = {"solution": (10,), "whole": (3,), "F": (2, 8), "D": (2, 8), "S": (1,)}

Job = tuple[Learner, list[int]]


class Trains(Protocol):
    """What trains one hand-in, as often as it is asked."""

    def once(self, seed: int) -> dict[str, Any]:
        """Return a run's `variant`, `mean_return`, `curve` and `problem`."""

    def stop(self) -> None:
        """End its processes."""


class Trainer(CartPole):
    """The grader's CartPole of one hand-in, that trains when it is told to.

    The processes and the compiled programs serve all of its seeds.
    """

    def __init__(self, learner: Learner) -> None:
        submission = Submission(learner.name, learner.source.encode())
        tier = tiers.choose_tier("")
        self.exported: dict[str, str] | None = None
        unbounded = Budget(
            Limits(run_seconds=math.inf)
        )  # it trains as often as it is asked
        super().__init__(submission, tier, "", "cpu", unbounded, {}, lambda words: None)
        self.ready()

    def once(self, seed: int) -> dict[str, Any]:
        """Return the first training run of a grading with that seed.

        Raises:
            GraderError: it is not the hand-in's fault that there is none.
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
            # A process may be gone, and what was loaded with it: begin anew.
            self.stop()
            self.exported = None
            words = str(reason).partition("\n")[0]
            return {"variant": "", "mean_return": 0.0, "curve": [], "problem": words}


def to_do(measured: Iterable[Learner], done: set[tuple[str, int]]) -> list[Job]:
    """Return the hand-ins and seeds to be trained, first things first.

    Args:
        measured: whose learning is measured, all of a kind beside each other.
        done: names and seeds that need no run.
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
    """Work through the jobs, two at a time, until all are done or the time is up.

    Args:
        jobs: from `to_do`.
        seconds: after which no run begins.
        trainer: makes what trains a hand-in.
        on_run: is given each run, one at a time.

    Raises:
        GraderError: the grader could not do its work.
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
    """One run, as it is stored; numbers rounded, but for the one that is judged."""
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
    """Train what is missing in a file of runs, as far as the time goes.

    Runs of other settings, or of hand-ins that are no longer what they were, are
    dropped; runs by other code of the grader count until there are new ones.

    Returns:
        All that is stored then.
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
    jobs = to_do(measured, there)  # what was never run comes first, then what is old
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
    """Return a hash of the code that decides how a run goes."""
    return digest(*(path.read_text(encoding="utf-8") for path in sorted(CODE)))


def main() -> int:
    """Train, then write the table; the exit code says whether all runs are there."""
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
