"""The check of the small MDPs alone, to be run in a desk's process."""

import importlib
from types import ModuleType

import numpy as np

from grader.contract import mdps
from grader.contract.outcomes import Wrong
from grader.intake.submission import Submission
from grader.oracle.candidate import Candidate
from tests.support.handins import desk


def messages(source: str, seeds: range) -> list[str]:
    """What the check says of a hand-in with one seed after the other; "": it passes."""
    student, said = taken(source), []
    for seed in seeds:
        try:
            checks().test_chain(student, student.runner, np.random.default_rng(seed))
            said.append("")
        except Wrong as wrong:
            said.append(str(wrong))
    return said


def errors(source: str, seed: int) -> dict[str, float]:
    """How far a hand-in's Q stays from Q*, as a share of what is allowed, by MDP."""
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
    """A hand-in at this process' desk."""
    return desk().take(Submission("chain", source.encode()))


def checks() -> ModuleType:
    """The checks' file, whose marks a process that runs the tests does not know."""
    return importlib.import_module("grader.checks.test_9_learning")
