"""The fixed cases of each check that compares with the reference, the smallest first.

The checks ask these cases, and `make reference` records the right answers to them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from grader.contract.case import Case
from grader.contract.cases import Cases, cases, mc, returns, td, td0


def of_one(
    build: Callable, rates: dict[str, float] | None = None, **settings: Any
) -> Cases:
    """Return the cases of a check in which each case has only one transition.

    There are four groups of fixed cases:

    1. the usual step size and discount
    2. the step size and the discount in `rates`
    3. as group 1, with other numbers
    4. as group 1, with a reward of 0

    With so many groups, every action is taken in some case, and every action is the
    greedy action of the next state in some case.

    Args:
        build: function that takes a source of numbers and keyword arguments, and
            returns a case.
        rates: keyword arguments of `build` for group 2: the discount `gamma`, and the
            step size `alpha` if there is one. None for the usual ones.
        settings: keyword arguments of `build` for all groups. They have to set the
            number of transitions to 1.
    """
    other = {**settings, **(rates or {})}
    return cases(build, settings, other, settings, {**settings, "scale": 0.0})


OTHER = {"alpha": 0.5, "gamma": 0.9}
# Rewards of up to 2000. The largest return of CartPole is 500, and code that clips
# targets clips them there or below.
LARGE = {"scale": 500.0, "gamma": 1.0}

TD0_CONTINUES = of_one(td0, OTHER, num_steps=1, ends=False)
TD0_ENDS = of_one(td0, OTHER, num_steps=1, ends=True)
TD0_CUT = cases(
    td0,
    {"num_steps": 5, "ends": False},
    {"num_steps": 5, "ends": False, **OTHER, **LARGE},
)
TD0_EPISODE = cases(
    td0,
    {"num_steps": 5, "ends": True},
    {"num_steps": 5, "ends": True, **OTHER, **LARGE},
)
TD0_REVISITS = cases(td0, {"num_steps": 5, "ends": True, "revisits": True})

RETURNS_SHORT = cases(returns, {"num_steps": 1})
RETURNS_LONG = cases(
    returns,
    {"num_steps": 5},
    {"num_steps": 5, "gamma": 1.0},
    {"num_steps": 5, **LARGE},
)
MC_ONE_STEP = of_one(mc, num_steps=1)
MC_EPISODE = cases(mc, {"num_steps": 5}, {"num_steps": 5, **LARGE})

TD_CONTINUES = of_one(td, batch_size=1, ends="none")
TD_ENDS = of_one(td, batch_size=1, ends="all")
TD_BATCH_CONTINUES = cases(
    td,
    {"batch_size": 5, "ends": "none"},
    {"batch_size": 5, "ends": "none", **LARGE},
)
TD_MIXED = cases(td, {"batch_size": 5}, {"batch_size": 5, **LARGE})
TD_LEARNING = cases(
    td, {"batch_size": 64, "state_dim": 4, "num_actions": 2, "ends": "none"}
)
# The cases of the second dict have large rewards, hence large gradients. An update that
# clips gradients gives wrong answers to these cases.
UPDATE = cases(td, {"batch_size": 5}, {"batch_size": 5, "scale": 100.0})
# The example in td_update's docstring.
UPDATE_EXAMPLE = Case(
    "td_loss",
    {"net": "table", "state_dim": 1, "num_actions": 2, "gradient": True, "gamma": 0.5},
    {
        "theta_Q": [np.array([[1], [3]], np.float32)],
        "theta_T": [np.array([[1], [3]], np.float32)],
        "state": np.array([[1]], np.float32),
        "action": np.array([0], np.int32),
        "reward": np.array([5], np.float32),
        "terminated": np.array([True]),
        "next_state": np.array([[1]], np.float32),
    },
)
