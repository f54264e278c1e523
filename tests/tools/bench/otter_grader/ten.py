"""The ten checks with which our grader and otter-grader are compared; see `bench.py`.

`python ten.py DQN` grades the file DQN with these checks as `make grade` does, with
helper processes and a sandbox, and prints how many pass. Otter-grader's test files call
`run_one` for each check, in the process that executes the hand-in.
"""

import functools
import importlib
import inspect
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase

ROOT = Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT))

from grader.contract import exercises
from grader.grading import in_process, pipeline, search
from grader.intake.take import take
from grader.oracle.candidate import Candidate
from grader.oracle.reference import Reference, load_programs

SEED = "1"
TEN = {
    "update_Q_TD0": ("one_step_ends", "episode_ends"),
    "monte_carlo": ("returns",),
    "q_network": ("all_q_at_once",),
    "epsilon_greedy": ("greedy",),
    "replay_buffer": ("rows",),
    "td_loss": ("batch_mixed", "gradient_mixed"),
    "td_update": ("one_step",),
    "sync_target": ("syncs",),
}


def run_ours(path: str) -> int:
    """Grade a hand-in with our grader; return how many of the ten checks pass.

    The function replaces `pytest.main` and `pipeline.EXERCISES` in this process.

    Args:
        path: the path of the hand-in's file.
    """
    run_by_pytest = pytest.main

    def only_ten(arguments, plugins):
        files = {str(exercises.CHECKS / file): name for name, file in EXERCISES.items()}
        chosen = [a for a in arguments if a not in files]
        for file in arguments:
            names = TEN.get(files.get(file, ""), ())
            chosen += [f"{file}::test_{name}" for name in names]
        return run_by_pytest(chosen, plugins)

    EXERCISES = exercises.EXERCISES
    pytest.main = only_ten
    pipeline.EXERCISES = TEN  # without learning
    hand_in = take(path)
    done = pipeline.grade(hand_in, pipeline.Options(seed=SEED), pipeline.Progress())
    checks = [check for exercise in done.exercises for check in exercise.checks]
    assert len(checks) == 10
    return sum(check.score > 0 for check in checks)


@functools.cache
def in_this_process(
    path: str,
) -> tuple[Candidate, Reference, in_process.LocalRunner]:
    """Return the candidate, the reference and the runner, all in this process.

    Args:
        path: the path of the hand-in's file.
    """
    runner = in_process.LocalRunner()
    worker = in_process.LocalWorker(take(path))
    reference = Reference(runner, load_programs())
    return Candidate(worker, runner, eager=True), reference, runner


def run_one(exercise: str, name: str, path: str) -> None:
    """Run one check in this process.

    Args:
        exercise: the name of the exercise.
        name: the name of the check.
        path: the path of the hand-in's file.

    Raises:
        Exception: the check fails; the exception is that of the check.
    """
    student, reference, runner = in_this_process(path)
    name_of_file = exercises.EXERCISES[exercise][:-3]
    module = importlib.import_module(f"grader.checks.{name_of_file}")

    def for_each(cases, body):
        for case in cases.fixed:
            body(case)
        search.search(cases, body, int(SEED), (Phase.generate, Phase.shrink))

    at_hand = {
        "student": student,
        "reference": reference,
        "runner": runner,
        "rng": np.random.default_rng(int(SEED)),
        "for_each": for_each,
    }
    check = getattr(module, f"test_{name}")
    check(**{word: at_hand[word] for word in inspect.signature(check).parameters})


if __name__ == "__main__":
    print(json.dumps({"passed": run_ours(sys.argv[1])}))
