"""Compare our DQN on CartPole with DQNs of other authors (`make bench PEERS=1`).

A racer is a DQN implementation that runs in its own new process. All racers run with
seed 1, then all with seed 2, and so on. A run succeeds if its mean return in 100 greedy
test episodes is at least 475. DQNs of other authors are judged by two rules, which
`racers/race.py` explains: "likewise" and "whole".

In the table, "seconds" are from the start of the process to the end of the test, with
imports and compilation. "Training" seconds are without imports and compilation; only
the racer `graded` cannot separate compilation from training. Medians are over all
seeds. A ratio compares a run with the run of `graded` that has the same seed; both must
reach 475.

Each run is stored in `results/peers.jsonl` when it ends, and the next call makes only
the runs that are missing. If code of the racers, the grader, the solution or the
starter has changed, all runs are made again. SEEDS=10 sets the number of seeds, and
RACERS=graded,sb3 chooses racers.
"""

import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from grader.contract.exercises import ROOT

RACERS_AT = ROOT / "tests" / "tools" / "bench" / "racers"
STORED = ROOT / "results" / "peers.jsonl"
OURS = Path(sys.executable)
THEIRS = ROOT / ".venv-bench" / "bin" / "python"
REACHED = 475.0
LINE = "{:19} {:>8} {:>7} {:>7} {:>8} {:>9}   {:20} {}"


class Racer(NamedTuple):
    """A DQN implementation to compare.

    Attributes:
        words: a description for the table.
        command: the Python interpreter, the script and its arguments, without the seed.
    """

    words: str
    command: list[str]


RACERS = {
    "graded": Racer(
        "ours, `make grade ONLY=learning` of the solution", [str(OURS), "graded.py"]
    ),
    "floor": Racer(
        "ours, the same learning in one process, no grader", [str(OURS), "floor.py"]
    ),
    "sb3": Racer(
        "Stable-Baselines3's DQN, the settings of RL Zoo", [str(THEIRS), "sb3.py"]
    ),
    "cleanrl": Racer(
        "our own writing of CleanRL's dqn_jax, its settings", [str(OURS), "cleanrl.py"]
    ),
    "rejax": Racer(
        "rejax's DQN, its own settings", [str(THEIRS), "compiled.py", "rejax"]
    ),
    "purejaxrl": Racer(
        "rejax's DQN, the settings of PureJaxRL",
        [str(THEIRS), "compiled.py", "purejaxrl"],
    ),
}


class Run(NamedTuple):
    """The result of one racer with one seed, under one rule.

    Attributes:
        racer: the key of the racer in `RACERS`.
        rule: "likewise" or "whole", see `racers/race.py`.
        seed: the seed of the training and of the test episodes.
        env_steps: the number of environment steps in the training.
        mean_return: the mean return of 100 greedy test episodes.
        seconds: the time from the start of the process to the end of the test.
        training: the seconds of training and test, without imports and compilation.
    """

    racer: str
    rule: str
    seed: int
    env_steps: int
    mean_return: float
    seconds: float
    training: float

    @property
    def reached(self) -> bool:
        """Whether the mean return is at least 475."""
        return self.mean_return >= REACHED


def main() -> None:
    """Make the runs that are not stored yet, and print the table."""
    racers = (os.environ.get("RACERS") or ",".join(RACERS)).split(",")
    if unknown := [name for name in racers if name not in RACERS]:
        known = ", ".join(RACERS)
        sys.exit(f"error: RACERS={','.join(unknown)} is unknown: use some of {known}")
    seeds = range(1, int(os.environ.get("SEEDS") or 10) + 1)
    code = code_now()
    runs = stored(STORED, code)
    done = {(run.racer, run.seed) for run in runs}
    STORED.parent.mkdir(exist_ok=True)
    STORED.write_text("".join(line_of(run, code) for run in runs), encoding="utf-8")
    with STORED.open("a", encoding="utf-8") as file:
        for seed in seeds:
            for racer in racers:
                if (racer, seed) in done:
                    continue
                for run in race(racer, seed):
                    file.write(line_of(run, code))
                    runs.append(run)
                    print(
                        f"seed {seed:2}  {label(run)}: {run.mean_return:.1f} after "
                        f"{run.env_steps} steps, {run.seconds:.1f} s, "
                        f"{run.training:.1f} s of them training",
                        flush=True,
                    )
                file.flush()
    wanted = [run for run in runs if run.racer in (*racers, "graded")]
    print("", *table(run for run in wanted if run.seed in seeds), sep="\n")
    for name in racers:
        print(f"{name}: {RACERS[name].words}")


def race(racer: str, seed: int) -> list[Run]:
    """Run one racer with one seed; return one `Run` for each rule.

    Our own racers are judged by the rule "likewise" only.

    Args:
        racer: a key of `RACERS`.
        seed: the seed of the training and of the test episodes.

    Raises:
        SystemExit: the racer failed; the message has the end of its error output.
    """
    python, script, *words = RACERS[racer].command
    command = [python, str(RACERS_AT / script), *words, str(seed)]
    runs = []
    folders = [str(ROOT / name) for name in ("", "solution", "starter")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(folders),
        "JAX_PLATFORMS": "cpu",
    }
    with tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process:
            for line in process.stdout:
                seconds = time.perf_counter() - started
                told = json.loads(line)
                seconds -= told.pop("off")
                runs.append(Run(racer, seed=seed, seconds=seconds, **told))
        if process.returncode:
            errors.seek(0)
            words = errors.read()[-2000:]
            sys.exit(f"error: {racer} with seed {seed} failed:\n{words}")
    return runs


def label(run: Run) -> str:
    """Return a run's label in the table: the racer, and the rule if there are two."""
    ours = run.racer in ("graded", "floor")
    return run.racer if ours else f"{run.racer}, {run.rule}"


def table(runs: Iterable[Run]) -> list[str]:
    """Return the lines of the table, with a row for each racer and rule.

    A row has medians over all seeds, and ratios to the runs of the racer `graded`.
    """
    rows: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: list(RACERS).index(run.racer)):
        rows.setdefault(label(run), []).append(run)
    ours = {run.seed: run for run in rows.get("graded", []) if run.reached}
    head = "racer", ">= 475", "return", "steps", "seconds", "training"
    lines = [LINE.format(*head, "seconds / ours", "training / ours")]
    for name, row in rows.items():
        reached = [run for run in row if run.reached]
        pairs = [(run, ours[run.seed]) for run in reached if run.seed in ours]
        medians = [
            f"{median(row, 'mean_return'):.1f}",
            f"{median(row, 'env_steps'):.0f}",
            f"{median(row, 'seconds'):.1f}",
            f"{median(row, 'training'):.1f}",
        ]
        ratios = [ratio(pairs, "seconds"), ratio(pairs, "training")]
        if not reached:
            ratios = ["never reaches it", ""]
        count = f"{len(reached)} of {len(row)}"
        lines.append(LINE.format(name, count, *medians, *ratios).rstrip())
    return lines


def median(runs: Iterable[Run], field: str) -> float:
    """Return the median of a field over all runs.

    Args:
        runs: the runs, at least one.
        field: the name of a numeric field of `Run`.
    """
    return statistics.median(getattr(run, field) for run in runs)


def ratio(pairs: list[tuple[Run, Run]], field: str) -> str:
    """Return the median and the range of a field's ratios in pairs of runs, as text.

    Args:
        pairs: pairs of a run and the run of `graded` with the same seed.
        field: the name of a numeric field of `Run`.

    Returns:
        A text such as "1.20 (1.10 to 1.35)"; "–" if there is no pair.
    """
    values = [getattr(one, field) / getattr(other, field) for one, other in pairs]
    if not values:
        return "–"
    middle = statistics.median(values)
    return f"{middle:.2f} ({min(values):.2f} to {max(values):.2f})"


def stored(path: Path, code: str) -> list[Run]:
    """Return the runs in a file that were made with a given version of the code.

    The list is empty if there is no file.

    Args:
        path: the file with the runs.
        code: the result of `code_now` for this version.
    """
    if not path.exists():
        return []
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Run(**line["run"]) for line in lines if line["code"] == code]


def line_of(run: Run, code: str) -> str:
    """Return a run and the hash of the code as one line for the file.

    Args:
        run: the run.
        code: the result of `code_now`.
    """
    return json.dumps({"code": code, "run": run._asdict()}) + "\n"


def code_now() -> str:
    """Return a hash of the racers' files, the grader, the solution and the starter."""
    folders = (RACERS_AT, *(ROOT / name for name in ("grader", "solution", "starter")))
    hashed = hashlib.sha256()
    for folder in folders:
        for path in sorted([*folder.rglob("*.py"), *folder.glob("*.txt")]):
            hashed.update(path.read_bytes())
    return hashed.hexdigest()[:12]


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped; what has been run is stored")
