"""The benchmark against DQNs of other authors judges, stores and repeats trainings.

A racer is one of these DQN implementations. Here a fake is the only racer.
"""

import shutil
import sys

import pytest

from tests.tools.bench import peers
from tests.tools.bench.peers import Racer

# A fake racer: its policy is bad, then perfect, then bad again. Each run adds its seed
# to the file `raced`.
FAKE = """
import pathlib, sys
import numpy as np
import race

seed, steps = race.seed_and_steps(9000)
skill = 0.0
balance = np.array([1.0, 1.5, 18.0, 3.0])


def q_values(states):
    return np.outer(states @ balance, [-skill, skill])


with open(pathlib.Path(__file__).parent / "raced", "a") as file:
    print(seed, file=file)
run = race.Race(seed, q_values)
for step, skill in ((2048, 0.0), (4096, 1.0), (6144, 0.0)):
    run.judge(step)
run.end(steps)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the folder of the only racer, a fake with the name "sb3"."""
    for name in ("race.py", "told.py"):
        shutil.copy(peers.RACERS_AT / name, tmp_path)
    (tmp_path / "fake.py").write_text(FAKE)
    monkeypatch.setattr(peers, "RACERS_AT", tmp_path)
    monkeypatch.setattr(
        peers, "RACERS", {"sb3": Racer("made up", [sys.executable, "fake.py"])}
    )
    monkeypatch.setattr(peers, "STORED", tmp_path / "results" / "peers.jsonl")
    monkeypatch.setenv("RACERS", "")
    return tmp_path


def test_a_peer_is_judged_under_both_rules(folder):
    """A racer gets one result under each of two rules.

    By the rule "likewise" a training ends when a validation is passed. By the rule
    "whole" it ends after the full number of environment steps.
    """
    likewise, whole = peers.race("sb3", 1)
    assert (likewise.rule, likewise.env_steps) == ("likewise", 4096)
    assert likewise.mean_return == 500
    assert (whole.rule, whole.env_steps) == ("whole", 9000)
    assert whole.mean_return < 50
    assert not whole.reached


def test_an_interrupted_bench_goes_on(folder, monkeypatch, capsys):
    """No stored training is repeated, unless the code of a racer has changed."""
    for seeds in ("1", "2"):
        monkeypatch.setenv("SEEDS", seeds)
        peers.main()
    assert (folder / "raced").read_text().split() == ["1", "2"]
    assert "2 of 2" in capsys.readouterr().out
    with (folder / "fake.py").open("a") as file:
        file.write("# changed\n")
    peers.main()
    assert (folder / "raced").read_text().split() == ["1", "2", "1", "2"]


def test_a_racer_that_fails_says_why(folder):
    """If a racer fails, the error shows the end of the racer's error output."""
    (folder / "fake.py").write_text("raise RuntimeError('out of breath')")
    with pytest.raises(SystemExit, match=r"sb3 with seed 1 failed:\n(?s:.)*breath"):
        peers.race("sb3", 1)
