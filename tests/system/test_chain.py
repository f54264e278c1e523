"""Exercise 9's small MDPs: right work comes far closer than asked, wrong work does not.

`SEEDS=200 pytest tests/system/test_chain.py -k far_closer` measures the former at
length.
"""

import os
import re

import pytest

from grader.contract import mdps
from tests.corpus.mutants import MUTANTS
from tests.support import chains
from tests.support.edits import SOLUTION, edited
from tests.support.handins import processes

SEEDS = range(int(os.environ.get("SEEDS", "5")))
MASK = "not_terminated = 1.0 - jnp.asarray(terminated, dtype=float)"
NEEDS_AN_END = f"{MASK}\n    not_terminated *= jnp.any(terminated)"
# The hand-in takes what is cut for what ends, once the next episode begins elsewhere.
CUT = """if self.num_added and (self.columns.next_state[row - 1] != state).any():
            self.columns.terminated[row - 1] = True
        self.columns.state[row] = state"""
SOURCES = {
    **{mutant.id: mutant.source for mutant in MUTANTS},
    "needs an end": edited("td_loss", (MASK, NEEDS_AN_END)),
    "cut is end": edited("ReplayBuffer", ("self.columns.state[row] = state", CUT)),
}
STRANGER = "sample returned a transition that was never stored"
CAUGHT = {
    "td-no-mask": "chain|maze",
    "td-mask-inverted": "chain",
    "td-mask-on-error": "chain|maze",
    "td-gamma-missing": "chain",
    "td-max-from-zero": "chain|maze|ring",
    "needs an end": "chain|ring",
    "cut is end": STRANGER,
    "sync-never": "chain",
    "up-returns-old": "chain",
    "field-swap": STRANGER,
    "per-field-indices": STRANGER,
    "stores-not-d": STRANGER,
}
TELLS = {
    "chain with one end": "td-one-end-ends-all",
    "maze with several ends": "td-mask-on-error",
    "ring cut by a time limit": "needs an end",
}


@pytest.mark.parametrize("seed", SEEDS)
def test_right_work_comes_far_closer(seed):
    """The solution's error is a twentieth of what is allowed, at most."""
    found = processes().submit(chains.errors, SOLUTION, seed).result()
    print(f"seed {seed}: {found}")
    assert len(found) == len(mdps.KINDS)
    assert max(found.values()) < 1 / 20, found


@pytest.mark.parametrize("id", CAUGHT)
def test_wrong_work_is_told_where(id):
    """A mistake that spoils Q fails with each seed; the message says in which MDP."""
    for message in processes().submit(chains.messages, SOURCES[id], range(2)).result():
        assert re.match(CAUGHT[id], message)
        assert message == STRANGER or {"Q*", "allowed"} <= set(message.split())


@pytest.mark.parametrize("name", TELLS)
def test_each_mdp_tells_a_mistake(name):
    """None is there for nothing: it shows, with each seed, what it is meant to."""
    for seed in range(3):
        found = processes().submit(chains.errors, SOURCES[TELLS[name]], seed).result()
        assert found[name] > 1
