"""Trouble in one part costs its own exercise, and not the points of others.

Each row of the table is a part and what happens whenever it is called. Graded are the
exercises that could suffer: its own, those that build on it or come after it, and the
last one, with which the second time of asking begins. A row takes some seconds, so of
the table one in `EVERY` is looked at, in turn; `TABLE=all` looks at all of it.
"""

import os
import re

import pytest

from grader.contract.exercises import EXERCISES

EVERY = 11  # all kinds, each in another part
KINDS = {
    "hangs": "while True: pass",
    "is slow": "import time; time.sleep(2)",
    "exits": "import os; os._exit(3)",
    "eats memory": "kept = []\nwhile True: kept.append(np.ones(1 << 25))",
    "raises": 'raise RuntimeError("trouble")',
}
# Where time runs out, or the process dies again and again, that is soon.
SOON = {"call_seconds": 3.0, "part_seconds": 10.0, "restarts": 3}
FUNCTION = """
own_{part} = {part}
def {part}(*args):
    {trouble}
    return own_{part}(*args)
"""
METHOD = """
own_method = ReplayBuffer.{part}
def with_trouble(self, *args):
    {trouble}
    return own_method(self, *args)
ReplayBuffer.{part} = with_trouble
"""
FORWARD = """
class WithTrouble(eqx.Module):
    net: eqx.Module
    def __call__(self, state):
        {trouble}
        return self.net(state)
own_q_network = q_network
def q_network(*args):
    return WithTrouble(own_q_network(*args))
"""
# By part: how trouble comes in, its exercise, the checks there that do without it, and
# other exercises that could suffer.
PARTS = {
    "update_Q_TD0": (FUNCTION, "update_Q_TD0", set(), ()),
    "discounted_returns": (
        *(FUNCTION, "monte_carlo"),
        {"one_step_loss", "loss", "gradient"},
        (),
    ),
    "mc_loss": (
        *(FUNCTION, "monte_carlo"),
        {"one_step_returns", "returns", "returns_pure"},
        (),
    ),
    "q_network": (FUNCTION, "q_network", set(), ("epsilon_greedy",)),
    "forward": (FORWARD, "q_network", set(), ("epsilon_greedy",)),
    "epsilon_greedy": (FUNCTION, "epsilon_greedy", set(), ("q_network",)),
    "add": (METHOD, "replay_buffer", set(), ("epsilon_greedy",)),
    "sample": (METHOD, "replay_buffer", {"length"}, ("epsilon_greedy",)),
    "td_loss": (FUNCTION, "td_loss", set(), ("td_update",)),
    "td_update": (FUNCTION, "td_update", set(), ("td_loss",)),
    "sync_target": (FUNCTION, "sync_target", set(), ("q_network",)),
}
ROWS = [(part, kind) for part in PARTS for kind in KINDS]


@pytest.mark.parametrize(
    ("part", "kind"), ROWS if os.environ.get("TABLE") == "all" else ROWS[::EVERY]
)
def test_trouble_in_one_part(hand_in, graded, part, kind):
    """Lost are points of the part's own exercise, and no others."""
    template, own, without, others = PARTS[part]
    margin = re.search(r"^( *)\{trouble\}", template, re.M)[1]
    trouble = KINDS[kind].replace("\n", f"\n{margin}")
    path = hand_in(after=template.format(part=part, trouble=trouble))
    exercises = [name for name in EXERCISES if name in (own, *others, "sync_target")]
    limits = {} if kind == "raises" else SOON
    report = graded(path, *exercises, twice=True, spoils=True, **limits)
    lost = {
        (exercise["name"], check["name"]): f"{check['outcome']}: {check['message']}"
        for exercise in report["exercises"]
        for check in exercise["checks"]
        if check["score"] < check["max_score"]
    }
    assert {name: why for name, why in lost.items() if name[0] != own} == {}
    # One that is slow makes slow what calls it; where it is traced, it is asked a few
    # times only.
    if kind != "is slow":
        assert without & {name for _, name in lost} == set(), lost
        assert lost
    assert not [why for why in lost.values() if "identical questions" in why]
