"""Try the check of the small MDPs on right and on wrong hand-ins.

`messages` and `errors` run in a process with a warm worker and a warm runner. The
generators below them send the work to two such processes.
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

FAR = 1 / 20  # The solution's error must be below this share of the allowed error.
MASK = "not_terminated = 1.0 - jnp.asarray(terminated, dtype=float)"
NEEDS_AN_END = f"{MASK}\n    not_terminated *= jnp.any(terminated)"
# This mistake marks the last transition of every episode as terminated, even if a time
# limit has cut the episode. A new episode begins where the stored next_state differs
# from the new state.
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
    """Return the check's message for each seed; "" where the hand-in passes."""
    student, said = taken(source), []
    for seed in seeds:
        try:
            checks().test_chain(student, student.runner, np.random.default_rng(seed))
            said.append("")
        except Wrong as wrong:
            said.append(str(wrong))
    return said


def errors(source: str, seed: int) -> dict[str, float]:
    """Return a hand-in's error in each small MDP, by the name of the MDP.

    The error is max |Q − Q*|, divided by the error that the check allows.
    """
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
    """Load a hand-in into this process' warm worker and runner."""
    return warm().take(Submission("chain", source.encode()))


def checks() -> ModuleType:
    """Return the module with the checks of exercise 9.

    The import is late because the module uses marks that only the grader's own pytest
    run knows.
    """
    return importlib.import_module("grader.checks.test_9_learning")


def right_work(seeds: range) -> Iterator[str]:
    """Yield a line for each seed with which the solution's error is `FAR` or more."""
    futures = [processes().submit(errors, SOLUTION, seed) for seed in seeds]
    for seed, future in zip(seeds, futures, strict=True):
        found = future.result()
        if len(found) != len(mdps.KINDS) or max(found.values()) >= FAR:
            yield f"seed {seed}: the solution's errors are {found}"


def wrong_work(ids: list[str], seeds: range) -> Iterator[str]:
    """Yield a line for each mistake and seed with an unexpected message.

    Args:
        ids: names of mistakes in `SOURCES` and `CAUGHT`.
        seeds: seeds of the check.
    """
    futures = [processes().submit(messages, SOURCES[id], seeds) for id in ids]
    for id, future in zip(ids, futures, strict=True):
        for message in future.result():
            told = message == STRANGER or {"Q*", "allowed"} <= set(message.split())
            if not (told and re.match(CAUGHT[id], message)):
                yield f"{id}: the small MDPs say {message!r}"


def each_mdp(seeds: range) -> Iterator[str]:
    """Yield a line for each MDP that does not show its mistake.

    `TELLS` names the mistake of each MDP. The MDP shows the mistake if the error is
    larger than allowed.
    """
    for name, id in TELLS.items():
        for seed in seeds:
            found = processes().submit(errors, SOURCES[id], seed).result()
            if found[name] <= 1:
                yield f"{id} does not show in the {name} with seed {seed}"
