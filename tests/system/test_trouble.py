"""Trouble in one part costs points only in the exercise of this part.

A row of the table `ROWS` is a part and a kind of trouble: each call of the part hangs,
is slow, exits, eats memory or raises. The test grades three kinds of exercises: that of
the part, others that could suffer, and `sync_target`, with which the consistency pass
begins. A row takes some seconds, so only every eleventh row is tested. `TABLE=all`
tests all rows.
"""

import os
import re

import pytest

from grader.contract.exercises import EXERCISES

EVERY = 11  # Every eleventh row: each kind of trouble once, each in another part.
KINDS = {
    "hangs": "while True: pass",
    "is slow": "import time; time.sleep(4)",
    "exits": "import os; os._exit(3)",
    "eats memory": "kept = []\nwhile True: kept.append(np.empty(1 << 25))",
    "raises": 'raise RuntimeError("trouble")',
}
# Limits by which a part with trouble is given up soon. None may end a part without
# trouble on a busy machine, where compiling alone takes many seconds.
SOON = {
    "hangs": {"call_seconds": 10.0, "restarts": 1},
    "is slow": {"part_seconds": 30.0},
    "exits": {"restarts": 2},
    "eats memory": {"restarts": 2},
    "raises": {},
}
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
# For each part: the code that adds trouble, the part's exercise, checks of this
# exercise that do not use the part, and other exercises that could suffer.
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
    """Trouble in a part costs points only in the exercise of this part."""
    template, own, without, others = PARTS[part]
    margin = re.search(r"^( *)\{trouble\}", template, re.M)[1]
    trouble = KINDS[kind].replace("\n", f"\n{margin}")
    path = hand_in(after=template.format(part=part, trouble=trouble))
    exercises = [name for name in EXERCISES if name in (own, *others, "sync_target")]
    report = graded(path, *exercises, twice=True, spoils=True, **SOON[kind])
    lost = {
        (exercise["name"], check["name"]): f"{check['outcome']}: {check['message']}"
        for exercise in report["exercises"]
        for check in exercise["checks"]
        if check["score"] < check["max_score"]
    }
    assert {name: why for name, why in lost.items() if name[0] != own} == {}
    # A slow part may lose nothing, because a traced part is called only a few times. It
    # may also delay checks that do not test it.
    if kind != "is slow":
        assert without & {name for _, name in lost} == set(), lost
        assert lost
    assert not [why for why in lost.values() if "identical questions" in why]
