"""The runner executes honest programs and refuses crafted and damaged ones.

A crafted program is made to harm or to mislead the grader. The tests use a real runner
in a real sandbox. `tests/tools/fuzz/crafted.py` makes all programs in a process of its
own, because the tests' process must not import JAX.
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
from grader.contract.outcomes import Raised, Stopped, Wrong
from grader.oracle.budget import Budget
from grader.oracle.runner_client import Program, RunnerClient
from grader.sandbox import tiers
from grader.sandbox.output import Output
from tests.support.patient import PATIENT

CRAFTED = "tests.tools.fuzz.crafted"
X = {"x": np.zeros((6, 6), np.float32)}
CHANGED = 60  # number of programs with changed bytes
SEED = 20


@pytest.fixture(scope="module")
def programs(tmp_path_factory) -> dict[str, tuple[bytes, str]]:
    """Return honest and crafted programs by name.

    Each value holds the program's bytes, and a part of the message with which the
    runner must refuse it. The message is "" for an honest program.
    """
    folder = tmp_path_factory.mktemp("programs")
    subprocess.run([sys.executable, "-m", CRAFTED, str(folder)], cwd=ROOT, check=True)
    told = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    data = [path.read_bytes() for path in sorted(folder.glob("[0-9][0-9]"))]
    return {name: (d, said) for (name, said), d in zip(told, data, strict=True)}


@pytest.fixture(scope="module")
def runner() -> Iterator[RunnerClient]:
    """Yield a runner without tight deadlines."""
    budget = Budget(replace(PATIENT, part_seconds=1e4, run_seconds=1e4))
    running = RunnerClient("runner", tiers.choose_tier(""), budget, {})
    yield running
    running.stop()


def load(runner: RunnerClient, name: str, data: bytes) -> None:
    """Load bytes into the runner as the program of the network's forward pass.

    Args:
        runner: the runner.
        name: name of the program.
        data: bytes of the program.
    """
    runner.programs[name] = Program(np.frombuffer(data, np.uint8), Output())
    runner.load(name, Case("forward", {}, X))


def test_programs(programs, runner):
    """A crafted program is refused with its message; an honest one is accepted."""
    child = runner.running()
    for name, (data, said) in programs.items():
        try:
            load(runner, name, data)
        except Wrong as problem:
            obtained = str(problem)
        else:
            obtained = ""
        assert said in obtained, name
        assert bool(said) == obtained.startswith("the network: "), name
    assert runner.child is child  # the runner's process has not died
    assert len(programs) > 15


def test_changed_bytes(programs, runner):
    """If bytes of an honest program are changed, it runs or is refused.

    It is never a grader error. Some bytes crash JAX's reader, which is C++. After a
    crash, the runner gets a new process.
    """
    rng = random.Random(SEED)
    good = [data for data, said in programs.values() if not said]
    outcomes = set()
    for number in range(CHANGED):
        data = bytearray(rng.choice(good))
        for _ in range(rng.choice((1, 1, 3, 30))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        name = f"changed {number}"
        try:
            load(runner, name, bytes(data))
            runner.untrusted({"do": "run", "name": name, "args": X}, "the network")
            outcomes.add("taken")
        except (Wrong, Raised, Stopped) as reason:
            outcomes.add(str(reason).partition(":")[0])
    # The runner, old or new, still answers the grader.
    fresh = runner.trusted(do="optimizer_init", optimizer="sgd", theta=[np.zeros(1)])
    assert fresh == {"opt_state": []}
    assert outcomes == {"taken", "the network"}
