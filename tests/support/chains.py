"""The check of the small MDPs alone, to be run where processes are warm."""

import importlib
from types import ModuleType

import numpy as np

from grader.contract import mdps
from grader.contract.outcomes import Wrong
from grader.intake.submission import Submission
from grader.oracle.candidate import Candidate
from tests.support.handins import warm


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
