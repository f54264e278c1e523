"""Compare the time of a grading with the time of the same training without a grader.

`make bench` runs this module. The "floor" is the time of a process that imports the
same libraries and trains the solution once. Each figure is the ratio of the times of
two runs that follow each other, because the speed of a machine changes with time. The
medians of these ratios over all rounds are printed.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from grader.contract.exercises import ROOT

TIERS = ("bwrap", "landlock", "process")
PAIRS = int(os.environ.get("PAIRS", "5"))
FLOOR = """
import sys, time
import agent, dataclasses, dqn, tasks, train
import numpy as np
seed, *steps = map(int, sys.argv[1:])
rng = np.random.default_rng(seed)
maze, turn = tasks.draw_maze(rng), tasks.draw_turn(rng)
started = time.perf_counter()
for settings, make_envs, limit in (
    (train.maze_settings(maze), lambda n: tasks.MazeEnvs(n, maze), steps[0]),
    (train.SETTINGS, lambda n: tasks.make_turned(n, turn), steps[1]),
):
    if limit:
        endless = float("inf")
        settings = dataclasses.replace(settings, env_steps=limit, solved_at=endless)
    learner = agent.DQNAgent(seed, 4, 2, settings)
    train.train(learner, make_envs, seed, settings)
    train.evaluate(learner, make_envs(100), 1)
print(time.perf_counter() - started)
"""


def main() -> None:
    """Measure several rounds of runs; print the ratios, then the profile of one run.

    The environment variable PAIRS is the number of rounds; without it there are five.
    The rounds have the seeds 1, 2 and so on.
    """
    rows: dict[str, list[float]] = {}
    for seed in range(1, PAIRS + 1):
        floor, _ = train_in_process(seed)
        full, report = grade(seed)
        bwrap, landlock, process = (grade(seed, "--sandbox", tier)[0] for tier in TIERS)
        one, _ = grade(seed, "--only", "td_loss")
        learning, training, steps = learn_in_grader(seed)
        same, alone = train_in_process(seed, steps)
        for name, value in {
            "full run / floor": full / floor,
            "ONLY=learning / the same trainings in one process": learning / same,
            "the trainings in the grader / in process": training / alone,
            "ONLY=td_loss / full run": one / full,
            "ONLY=td_loss, seconds": one,
            "bwrap / process, full run": bwrap / process,
            "landlock / process, full run": landlock / process,
        }.items():
            rows.setdefault(name, []).append(value)
        print(f"pair {seed}: floor {floor:.1f} s, full run {full:.1f} s", flush=True)
        assert report["score"] == 100, report["score"]
    for name, values in rows.items():
        median = statistics.median(values)
        print(f"{median:6.2f}  ({min(values):.2f} to {max(values):.2f})  {name}")
    print_profile()


def train_in_process(seed: int, steps: tuple[int, int] = (0, 0)) -> tuple[float, float]:
    """Train the solution in a maze and on turned CartPole, without a grader.

    Args:
        seed: the seed of the tasks and the trainings.
        steps: the numbers of environment steps in the maze and on CartPole; 0 to train
            until validation is passed.

    Returns:
        The seconds of the whole process, and the seconds of the trainings alone.
    """
    command = [sys.executable, "-c", FLOOR, *map(str, (seed, *steps))]
    seconds, printed = timed(command)
    return seconds, float(printed)


def learn_in_grader(seed: int) -> tuple[float, float, tuple[int, int]]:
    """Grade exercise 9 of the solution, with the grader in this process.

    Args:
        seed: the seed of the grading.

    Returns:
        The seconds of the whole grading.
        The seconds of all trainings in the maze and on CartPole.
        The numbers of environment steps in the maze and on CartPole.
    """
    from grader.grading import pipeline
    from grader.intake.take import take
    from grader.oracle import runner_client

    seconds: list[float] = []
    steps = {"maze": 0, "cartpole": 0}
    original = runner_client.RunnerClient.untrusted

    def untrusted(self, request, *args, **kwargs):
        started = time.perf_counter()
        answer = original(self, request, *args, **kwargs)
        if request["do"] == "learn":
            seconds.append(time.perf_counter() - started)
            steps[request["task"]] += int(answer["curve"][-1][0])
        return answer

    runner_client.RunnerClient.untrusted = untrusted
    try:
        options = pipeline.Options(seed=str(seed), only=("learning",))
        solution = take(str(ROOT / "solution"))
        started = time.perf_counter()
        pipeline.grade(solution, options, pipeline.Progress())
        whole = time.perf_counter() - started
    finally:
        runner_client.RunnerClient.untrusted = original
    return whole, sum(seconds), (steps["maze"], steps["cartpole"])


def timed(command: list[str]) -> tuple[float, str]:
    """Run a command; return its time in seconds and its standard output.

    Args:
        command: the command line as a list of words.

    Raises:
        SystemExit: the command failed; the message has the end of its error output.
    """
    started = time.perf_counter()
    folders = os.pathsep.join(str(ROOT / name) for name in ("solution", "starter"))
    environment = {**os.environ, "PYTHONPATH": folders}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"error: {' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return time.perf_counter() - started, done.stdout


def grade(seed: int, *options: str) -> tuple[float, dict]:
    """Grade the solution in a new process; return the time in seconds and the report.

    Args:
        seed: the seed of the grading.
        options: further options of `python -m grader grade`.
    """
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "grader", "grade", "solution"]
        command += ["--seed", str(seed), "--out", out, *options]
        seconds, _ = timed(command)
        return seconds, json.loads((Path(out) / "report.json").read_text())


def print_profile() -> None:
    """Print how long each phase of one full run takes, and each export of a part.

    The run grades the solution in this process, with all exercises.
    """
    from grader.grading import pipeline
    from grader.intake.take import take
    from grader.sandbox import helper

    asked: list[tuple[float, float, bool, dict, dict]] = []
    second: list[float] = []
    ask, ask_again = helper.Child.ask, pipeline.ask_again

    def timed_ask(self, request, *args, **kwargs):
        begun = time.perf_counter()
        message = ask(self, request, *args, **kwargs)
        beside = threading.current_thread() is not threading.main_thread()
        asked.append((begun, time.perf_counter() - begun, beside, request, message))
        return message

    def timed_ask_again(*args):
        second.append(time.perf_counter())
        ask_again(*args)
        second.append(time.perf_counter())

    helper.Child.ask, pipeline.ask_again = timed_ask, timed_ask_again
    begun = time.perf_counter()
    try:
        solution = take(str(ROOT / "solution"))
        pipeline.grade(solution, pipeline.Options(seed="1"), pipeline.Progress())
    finally:
        helper.Child.ask, pipeline.ask_again = ask, ask_again
    end = time.perf_counter()
    trainings = [row for row in asked if row[3]["do"] == "learn"]
    others = [row for row in asked if row[3]["do"] != "learn"]
    learned = trainings[-1][0] + trainings[-1][1]
    first = min(row[0] for row in asked)
    print("\na full run (seconds; the tasks are learned beside all of it)")
    for name, in_thread, since, until in (
        ("helper processes start, JAX is imported", False, begun, first),
        ("the checks", False, first, second[0]),
        ("the checks once more, of a fresh process", False, *second),
        ("what is left of learning", False, second[1], end),
        ("beside: the training loop", True, trainings[0][0], learned),
    ):
        print(f"  {until - since:5.2f} s  {name}")
        kinds: dict[str, list[float]] = {}
        for start, seconds, beside, request, _ in others:
            if beside == in_thread and since <= start < until:
                kinds.setdefault(request["do"], []).append(seconds)
        for kind, times in sorted(kinds.items(), key=lambda item: -sum(item[1])):
            print(f"          {sum(times):5.2f} s  {len(times):4} x {kind}")
    print("\nexported programs (seconds to trace and serialise, kB)")
    for _, seconds, _, request, message in asked:
        if request["do"] == "export":
            shapes = [v.shape for v in request["args"].values() if hasattr(v, "shape")]
            size = len(message["answer"]["program"])
            words = f"{request['part']} {shapes[0] if shapes else ''}"
            print(f"  {seconds:5.2f} s {size / 1000:6.1f} kB  {words}")


if __name__ == "__main__":
    main()
