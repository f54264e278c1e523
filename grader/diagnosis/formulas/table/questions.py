"""Makes the questions that the reader of `update_Q_TD0` asks."""

from typing import Any

import numpy as np

from grader.contract import cases
from grader.contract.case import Case
from grader.contract.cases import Fixed
from grader.contract.fixed_cases import LARGE, OTHER
from grader.diagnosis.formulas.losses.questions import signed, source_of


def episode(source: Fixed, rewards: np.ndarray | None = None, **settings: Any) -> Case:
    """Make one question to `update_Q_TD0`.

    If the episode has several steps, Q is negative for all actions in the state after
    the first step.

    Args:
        source: the source of the random numbers.
        rewards: the rewards [T], or None for random rewards. In a given array, the
            middle reward is set to 0 in place.
        settings: further arguments of `cases.td0`.
    """
    case = cases.td0(source, **settings)
    table = case.args["Q"]
    table = table + 0.001 * source.rng.permutation(table.size).reshape(table.shape)
    later = case.args["next_states"]
    if len(later) > 1:
        table[later[0]] = -np.abs(table[later[0]]) - 0.1
    args = {"Q": table.astype(np.float32)}
    if rewards is not None:
        rewards[len(rewards) // 2] = 0
        args["rewards"] = rewards.astype(np.float32)
    return case.replace(args=args)


def questions(rng: np.random.Generator) -> list[Case]:
    """Make eight questions to `update_Q_TD0`, with rewards of several sizes.

    The numbers of steps, states and actions are those of the checks. Only one table has
    four actions, because the median of three is the second best. In the last two, some
    states are visited several times.
    """
    source = source_of(rng)
    large, spread = signed(rng, 600.0, 2400.0, 5), signed(rng, 0.2, 40.0, 5)
    usual = signed(rng, 0.3, 3.0, 5)
    return [
        episode(source, usual, num_steps=5, ends=True),
        episode(source, large, num_steps=5, ends=False),
        episode(source, spread, num_steps=5, ends=True),
        episode(source, None, num_steps=1, ends=False, num_actions=4, **OTHER),
        episode(source, num_steps=1, ends=True),
        episode(source, None, num_steps=5, ends=False, **{**OTHER, **LARGE}),
        revisiting(rng, source),
        revisiting(rng, source),
    ]


def revisiting(rng: np.random.Generator, source: Fixed) -> Case:
    """Make a question with an episode of five steps that visits states several times.

    Steps are counted from 0. Steps 0, 2 and 3 have the same state and action. The last
    step has the state of step 1, but another action. The cell that is visited several
    times has the largest value of its state, so that its moves change targets.
    """
    case = episode(source, signed(rng, 0.3, 3.0, 5), num_steps=5, ends=True)
    one, two, three = rng.permutation(7)[:3].tolist()
    path = np.array([one, two, one, one, two, three], np.int32)
    first, second = rng.permutation(3)[:2].tolist()
    actions = np.array([first, second, first, first, first], np.int32)
    table = case.args["Q"].copy()
    best = table[one].argmax()
    table[one, [first, best]] = table[one, [best, first]]
    args = {"states": path[:-1], "next_states": path[1:], "actions": actions}
    return case.replace(args={"Q": table, **args})
