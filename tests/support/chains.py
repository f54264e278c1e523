"""Try the check of the table worlds on right and on wrong hand-ins.

`right_work`, `wrong_work` and `each_mdp` return what went wrong. For this they run
`messages` and `errors` in the two processes of `handins.processes`. Each of these
processes has a warm worker and a warm runner for the checks. For each hand-in it starts
a worker and a learner.
"""

import contextlib
import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType

import numpy as np

from grader.contract import mdps
from grader.contract.learning import CLOSE
from grader.contract.outcomes import Waiting, Wrong
from grader.grading.learning import results_of
from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.learning.results import Results
from grader.oracle.learning.run import Learning
from grader.sandbox.tiers import choose_tier
from tests.corpus.mutants import MUTANTS
from tests.support.edits import SOLUTION, edited
from tests.support.handins import graded_by, processes, warm
from tests.support.patient import PATIENT

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
STRANGER = (
    "not judged: chain with one end: sample returned a transition that is not in the "
    "buffer"
)
UNKNOWN = "not judged: td_update does not make the update that is asked for"
MANY_SEEDS = replace(PATIENT, run_seconds=1e5, all_learn_seconds=1e5)
CAUGHT = {
    "td-no-mask": "chain|maze",
    "td-mask-inverted": "chain",
    "td-mask-on-error": "chain|maze",
    "td-gamma-missing": "chain",
    "td-max-from-zero": "chain|maze|ring",
    "needs an end": UNKNOWN,
    "cut is end": STRANGER,
    "sync-never": "chain",
    "up-returns-old": UNKNOWN,
    "field-swap": STRANGER,
    "per-field-indices": STRANGER,
    "stores-not-d": STRANGER,
}
TELLS = {
    "chain with one end": "td-one-end-ends-all",
    "maze with several ends": "td-mask-on-error",
    "ring cut by a time limit": "td-max-from-zero",
}


class Tables(Learning):
    """The learning of exercise 9, but only of the table worlds, and for many seeds.

    One worker and one learner serve all seeds.
    """

    def learn(self, task: str) -> None:
        """Refuse to learn the maze and CartPole.

        Raises:
            Waiting: always.
        """
        raise Waiting("only the table worlds are learned here")

    def stop(self) -> None:
        """Do nothing, so that the processes can serve the next seed."""


@contextlib.contextmanager
def taken(source: str) -> Iterator[Callable[[int], Results]]:
    """Provide, for a with block, a function that lets a hand-in learn the table worlds.

    The function takes a seed and returns the results of learning, which the check
    `tables` judges.

    Args:
        source: the text of `dqn.py`.
    """
    submission = Submission("chain", source.encode())
    student = warm().take(submission)
    budget = Budget(MANY_SEEDS)
    process = Tables(
        submission, choose_tier(""), "", "cpu", budget, {}, lambda words: None
    )
    graded = graded_by(student, "1")

    def learned(seed: int) -> Results:
        process.seed, process.results, process.slopes = str(seed), Results(), {}
        process.run()
        return results_of(graded, process)

    try:
        yield learned
    finally:
        process.worker.stop()
        process.runner.stop()


def messages(source: str, seeds: range) -> list[str]:
    """Return the message of the check `tables` for each seed; "" if the check passes.

    Args:
        source: the text of `dqn.py`.
        seeds: the seeds of learning.
    """
    said = []
    with taken(source) as learned:
        for seed in seeds:
            try:
                checks().test_tables(learned(seed), {})
                said.append("")
            except Wrong as wrong:
                said.append(str(wrong))
    return said


def errors(source: str, seeds: range) -> list[dict[str, float]]:
    """Return the errors of a hand-in in the table worlds, for each seed.

    The error in a table world is max |Q − Q*|, divided by the error that the check
    allows.

    Args:
        source: the text of `dqn.py`.
        seeds: the seeds of learning.

    Returns:
        For each seed, a dict with the error in each table world, by the world's name.
    """
    said = []
    with taken(source) as learned:
        for seed in seeds:
            found = {}
            for mdp, Q in learned(seed).tables.learned:
                Q_star = mdps.value_iteration(mdp)
                allowed = CLOSE * np.abs(Q_star).max()
                found[mdp.name] = float(np.abs(Q - Q_star).max() / allowed)
            said.append(found)
    return said


def checks() -> ModuleType:
    """Return the module with the checks of exercise 9.

    The import is late because the module uses pytest marks that only the grader's own
    pytest run knows.
    """
    return importlib.import_module("grader.checks.test_9_learning")


def right_work(seeds: range) -> Iterator[str]:
    """Yield a line for each seed with which the solution has too large an error.

    The error in each table world must be below 1/20 of the error that the check allows.

    Args:
        seeds: the seeds of learning.
    """
    found = processes().submit(errors, SOLUTION, seeds).result()
    for seed, each in zip(seeds, found, strict=True):
        if len(each) != len(mdps.KINDS) or max(each.values()) >= FAR:
            yield f"seed {seed}: the solution's errors are {each}"


def wrong_work(ids: list[str], seeds: range) -> Iterator[str]:
    """Yield a line for each mistake and seed with an unexpected message of the check.

    The message must begin with a match of the mistake's pattern in `CAUGHT`. Unless it
    says "not judged", it must also say by how much Q is off from Q*.

    Args:
        ids: the names of mistakes in `CAUGHT`.
        seeds: the seeds of learning.
    """
    futures = [processes().submit(messages, SOURCES[id], seeds) for id in ids]
    for id, future in zip(ids, futures, strict=True):
        for message in future.result():
            judged = not message.startswith("not judged: ")
            told = not judged or {"Q*", "off,"} <= set(message.split())
            if not (told and re.match(CAUGHT[id], message)):
                yield f"{id}: the small MDPs say {message!r}"


def each_mdp(seeds: range) -> Iterator[str]:
    """Yield a line for each table world and seed with which a mistake is not seen.

    `TELLS` names, for each table world, a mistake that must make the error there larger
    than allowed.

    Args:
        seeds: the seeds of learning.
    """
    for name, id in TELLS.items():
        found = processes().submit(errors, SOURCES[id], seeds).result()
        for seed, each in zip(seeds, found, strict=True):
            if not each.get(name, 0) > 1:
                yield f"{id} does not show in the {name} with seed {seed}"
