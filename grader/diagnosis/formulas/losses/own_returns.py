"""Finds the formula of the returns that a wrong `mc_loss` computes itself.

The questions have tables for networks, so the loss and its gradient determine the
returns, see `target_inference`. A stand-in replaces the hand-in's `discounted_returns`.
One question is asked without it, too: returns that are the same do not come from there.
"""

from dataclasses import replace

import numpy as np

from grader.contract import cases
from grader.contract.case import Case, Student
from grader.diagnosis.formulas.losses.questions import source_of
from grader.diagnosis.patterns import returns
from grader.diagnosis.reading import Reading
from grader.diagnosis.target_inference import targets_of


def read_own_returns(student: Student, rng: np.random.Generator) -> Reading | None:
    """Return the reading of the returns with which the hand-in's `mc_loss` compares.

    Args:
        student: the hand-in.
        rng: draws the questions.

    Returns:
        None if the loss is no multiple of the mean square error, if it uses the returns
        of `discounted_returns`, if no formula of returns fits, or if the returns are
        right.
    """
    size = returns.STEPS
    units = np.eye(size, dtype=np.float32)
    long = np.concatenate([returns.drawn_rewards(rng, size), units])
    asked = []
    for gamma, rewards in (
        (cases.GAMMA, long),
        (returns.OTHER_GAMMA, returns.drawn_rewards(rng, size)),
        (cases.GAMMA, returns.drawn_rewards(rng, 1)),
    ):
        used = []
        for row in rewards:
            G = targets_of(question(row, gamma, rng), student)
            if G is None:
                return None
            used.append(G)
        values = rewards.astype(np.float64), np.stack(used)
        asked.append(returns.Asked(gamma, *values))
    found = returns.in_words(asked, None) if returns.fitting(asked) else None
    if not found or not are_own(student, long[0], rng):
        return None
    first, *more = found.differences
    hint = f"Your loss computes returns of its own. {first.hint}"
    return replace(found, differences=(replace(first, hint=hint), *more))


def are_own(student: Student, rewards: np.ndarray, rng: np.random.Generator) -> bool:
    """Tell whether the targets stay as they are when no stand-in is used.

    Args:
        student: the hand-in.
        rewards: the rewards of an episode [T].
        rng: draws the table and the actions.
    """
    case = question(rewards, cases.GAMMA, rng)
    both = case, case.replace(spec={"stand_in": False})
    one, other = (targets_of(asked, student) for asked in both)
    if one is None or other is None:
        return False
    return bool(returns.close(one, other).all())


def question(rewards: np.ndarray, gamma: float, rng: np.random.Generator) -> Case:
    """Make a question to `mc_loss`, with a table and a stand-in for the returns.

    Args:
        rewards: the rewards of the episode [T].
        gamma: γ.
        rng: draws the table and the actions.
    """
    drawn = cases.mc(source_of(rng), len(rewards), gamma=gamma)
    case = cases.on_table(drawn.replace(args={"reward": rewards}))
    return case.replace(spec={"stand_in": True})
