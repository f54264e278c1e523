"""What the runner takes for a program: what it asked for, and nothing that reaches out.

The runner is the real one, and so is its sandbox; JAX makes the programs in a process
of its own (`fuzz/crafted.py`).
"""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from grader.contract.case import Case
from grader.contract.exercises import ROOT
from grader.contract.limits import LIMITS
from grader.contract.outcomes import Raised, Stopped, Wrong
from grader.oracle.budget import Budget
from grader.oracle.runner_client import Program, RunnerClient
from grader.sandbox import tiers
from grader.sandbox.output import Output

CRAFTED = "tests.tools.fuzz.crafted"
X = {"x": np.zeros((6, 6), np.float32)}
CHANGED = 60  # programs with bytes of ours in them
SEED = 20


@pytest.fixture(scope="module")
def programs(tmp_path_factory) -> dict[str, tuple[bytes, str, bool]]:
    """Crafted programs by name, what should be said, whether with their derivative."""
    folder = tmp_path_factory.mktemp("programs")
    subprocess.run([sys.executable, "-m", CRAFTED, str(folder)], cwd=ROOT, check=True)
    told = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    data = [path.read_bytes() for path in sorted(folder.glob("[0-9][0-9]"))]
    return {name: (d, *rest) for (name, *rest), d in zip(told, data, strict=True)}


@pytest.fixture(scope="module")
def runner() -> Iterator[RunnerClient]:
    """Return a runner for the hand-in's programs, with time enough."""
    budget = Budget(replace(LIMITS, part_seconds=1e4, run_seconds=1e4))
    running = RunnerClient("runner", tiers.choose_tier(""), budget, {}, live=True)
    yield running
    running.stop()


def load(runner: RunnerClient, name: str, data: bytes, derivative: bool) -> None:
    """Hand these bytes over for the program that was asked for."""
    runner.programs[name] = Program(np.frombuffer(data, np.uint8), Output())
    runner.load(name, Case("forward", {"derivative": derivative}, X))


def test_programs(programs, runner):
    """Each crafted program is refused for its reason; honest ones are taken."""
    child = runner.running()
    for name, (data, said, derivative) in programs.items():
        try:
            load(runner, name, data, derivative)
        except Wrong as problem:
            obtained = str(problem)
        else:
            obtained = ""
        assert said in obtained, name
        assert bool(said) == obtained.startswith("the network: "), name
    assert runner.child is child  # nothing of this ended it
    assert len(programs) > 15


def test_changed_bytes(programs, runner):
    """Whatever is done to a program's bytes, what comes of it is the hand-in's fault.

    Its reader, which is no Python, crashes of some; then the process is another.
    """
    rng = random.Random(SEED)
    good = [data for data, said, asked in programs.values() if not said and not asked]
    outcomes = set()
    for number in range(CHANGED):
        data = bytearray(rng.choice(good))
        for _ in range(rng.choice((1, 1, 3, 30))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        name = f"changed {number}"
        try:
            load(runner, name, bytes(data), derivative=False)
            runner.untrusted({"do": "run", "name": name, "args": X}, "the network")
            outcomes.add("taken")
        except (Wrong, Raised, Stopped) as reason:
            outcomes.add(str(reason).partition(":")[0])
    # What was left of the runner, or the one after it, still serves the grader.
    fresh = runner.trusted(do="optimizer_init", optimizer="sgd", theta=[np.zeros(1)])
    assert fresh == {"opt_state": []}
    assert outcomes == {"taken", "the network"}
