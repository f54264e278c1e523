"""The check of the small MDPs alone: right work comes far closer than it has to.

All of this runs where processes are warm; `problems` has it run in two of them.
"""

import importlib
import re
from collections.abc import Iterator
from types import ModuleType

import numpy as np

from grader.contract import mdps
from grader.contract.outcomes import Wrong
from grader.intake.submission import Submission
from grader.oracle.candidate import Candidate
from tests.corpus.mutants import MUTANTS
from tests.support.edits import SOLUTION, edited
from tests.support.handins import processes, warm

FAR = 1 / 20  # of what is allowed: the solution's error, at most
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


def messages(source: str, seeds: range) -> list[str]:
    """Return what the check says of a hand-in, by seed; "" where it passes."""
    student, said = taken(source), []
    for seed in seeds:
        try:
            checks().test_chain(student, student.runner, np.random.default_rng(seed))
            said.append("")
        except Wrong as wrong:
            said.append(str(wrong))
    return said


def errors(source: str, seed: int) -> dict[str, float]:
    """Return how far a hand-in's Q stays from Q*, as a share of what is allowed."""
    student, rng = taken(source), np.random.default_rng(seed)
    found = {}
    for kind in mdps.KINDS:
        mdp = kind(rng)
        Q = checks().learned_table(mdp, student, student.runner, rng)
        Q_star = mdps.value_iteration(mdp)
        allowed = checks().CLOSE * np.abs(Q_star).max()
        found[mdp.name] = float(np.abs(Q - Q_star).max() / allowed)
    return found


def taken(source: str) -> Candidate:
    """Take a hand-in to this process' warm worker and runner."""
    return warm().take(Submission("chain", source.encode()))


def checks() -> ModuleType:
    """Import the checks' file, whose marks pytest does not know where tests run."""
    return importlib.import_module("grader.checks.test_9_learning")


def right_work(seeds: range) -> Iterator[str]:
    """Yield the seeds with which the solution's error is more than a small share."""
    futures = [processes().submit(errors, SOLUTION, seed) for seed in seeds]
    for seed, future in zip(seeds, futures, strict=True):
        found = future.result()
        if len(found) != len(mdps.KINDS) or max(found.values()) >= FAR:
            yield f"seed {seed}: the solution's errors are {found}"


def wrong_work(ids: list[str], seeds: range) -> Iterator[str]:
    """Yield the mistakes that pass, or of which another MDP is told."""
    futures = [processes().submit(messages, SOURCES[id], seeds) for id in ids]
    for id, future in zip(ids, futures, strict=True):
        for message in future.result():
            told = message == STRANGER or {"Q*", "allowed"} <= set(message.split())
            if not (told and re.match(CAUGHT[id], message)):
                yield f"{id}: the small MDPs say {message!r}"


def each_mdp(seeds: range) -> Iterator[str]:
    """Yield the MDPs that do not show the mistake which they are there for."""
    for name, id in TELLS.items():
        for seed in seeds:
            found = processes().submit(errors, SOURCES[id], seed).result()
            if found[name] <= 1:
                yield f"{id} does not show in the {name} with seed {seed}"
