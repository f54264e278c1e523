"""What grading costs beside the same work without a grader. Run by `make bench`.

The floor is a process of its own that imports the same libraries and trains the
reference agent once. Every figure is a ratio of runs made side by side, in turn, for
the machine's speed drifts; the median of the pairs is what to quote.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAIRS = int(os.environ.get("PAIRS", "5"))
FLOOR = """
import sys, time
sys.path[:0] = ["solution", "starter"]
import agent, dqn, train
started = time.perf_counter()
learner = agent.DQNAgent(int(sys.argv[1]), 4, 2, train.SETTINGS)
curve = train.train(learner, train.make_cartpole, int(sys.argv[1]))
train.evaluate(learner, train.make_cartpole(100), 1)
print(time.perf_counter() - started, curve[-1][0])
"""


def main() -> None:
    """Print the table."""
    rows: dict[str, list[float]] = {}
    for seed in range(1, PAIRS + 1):
        floor, printed = timed([sys.executable, "-c", FLOOR, str(seed)])
        training, steps = map(float, printed.split()[-2:])
        recorded, _ = grade(seed, "--reference", "recorded")
        full, report = grade(seed)
        process, _ = grade(seed, "--sandbox", "process")
        one, _ = grade(seed, "--only", "td_loss")
        learning, alone = grade(seed, "--only", "learning")
        graded = alone["learning"]["cartpole"]
        graded_steps = graded["curve"][-1][0] if graded["runs"] == 1 else float("nan")
        for name, value in {
            "full run, live / floor": full / floor,
            "full run, recorded / floor": recorded / floor,
            "ONLY=td_loss / full run, live": one / full,
            "bwrap / process, full run": full / process,
            "CartPole in the grader / in process, per 1000 steps, start included": (
                (learning / graded_steps) / (training / steps)
            ),
        }.items():
            rows.setdefault(name, []).append(value)
        print(f"pair {seed}: floor {floor:.1f} s, full run {full:.1f} s", flush=True)
        assert report["score"] == 100, report["score"]
    for name, every in rows.items():
        # A pair in which the first seed did not pass trained more than once.
        values = [value for value in every if value == value]
        median = statistics.median(values)
        print(f"{median:6.2f}  ({min(values):.2f} to {max(values):.2f})  {name}")
    print_programs()


def timed(command: list[str]) -> tuple[float, str]:
    """Seconds of a whole process, and what it printed."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return time.perf_counter() - started, done.stdout


def grade(seed: int, *options: str) -> tuple[float, dict]:
    """Seconds of grading the solution, and its report."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "grader", "grade", "solution"]
        command += ["--seed", str(seed), "--out", out, *options]
        seconds, _ = timed(command)
        return seconds, json.loads((Path(out) / "report.json").read_text())


def print_programs() -> None:
    """Time and size of each program that the solution exports."""
    sys.path.insert(0, str(ROOT))
    from grader import grading, session, submission

    sizes: dict[str, tuple[float, int]] = {}
    original = session.Worker.ask

    def ask(self, request, what, seconds=session.CALL_SECONDS):
        started = time.perf_counter()
        answer = original(self, request, what, seconds)
        if request["do"] == "export":
            shapes = {
                k: v.shape for k, v in request["args"].items() if hasattr(v, "shape")
            }
            name = f"{what} {next(iter(shapes.values()), '')}"
            sizes[name] = time.perf_counter() - started, len(answer["program"])
        return answer

    session.Worker.ask = ask
    options = grading.Options(seed="1")
    grading.grade(submission.take(str(ROOT / "solution")), options, grading.Progress())
    print("\nexported programs (seconds to trace and serialise, kB)")
    for name, (seconds, size) in sorted(sizes.items()):
        print(f"  {seconds:5.2f} s {size / 1000:6.1f} kB  {name}")


if __name__ == "__main__":
    main()
