"""What a cheat is, and how its one file is put together."""

import re
from dataclasses import dataclass
from pathlib import Path

from grader.contract.outcomes import Outcome
from tests.support.edits import with_definitions
from tests.support.handins import HandIn, Results

KIT = (Path(__file__).parent / "kit.py").read_text(encoding="utf-8")
HONEST = """
honest_network, honest_greedy, honest_loss = q_network, epsilon_greedy, td_loss
honest_update, honest_sync, HonestBuffer = td_update, sync_target, ReplayBuffer
"""


@dataclass(frozen=True, kw_only=True)
class Cheat:
    """A hand-in that wants CartPole's points without learning.

    Attributes:
        id: a short name.
        trick: what it does, in one sentence.
        source: of the hand-in.
        noticed: a pattern of what the grader says, where it sees the trick; where this
            is empty, the policy is simply not good.
        undefended: the mean return in a loop that trusts the hand-in, as measured by
            `undefended.py`; None where there is nothing to be had even there.
        plain: that was measured without a disguise, because the trick knows but one.
        known_hole: why it gets points all the same; empty where it gets none.
    """

    id: str
    trick: str
    source: str
    noticed: str = ""
    undefended: int | None = None
    plain: bool = False
    known_hole: str = ""

    @property
    def hand_in(self) -> HandIn:
        """What is graded of it: one training run, for time."""
        return HandIn(self.id, self.source, ("learning",), tries=1)


def trouble(cheat: Cheat, results: Results) -> list[str]:
    """What is not as it should be when a cheat has been graded."""
    half, full = results["learning"].checks[-2:]
    said = [
        f"it has {check.score:g} points for {check.name}"
        for check in (half, full)
        if check.score
    ]
    if Outcome.GRADER_ERROR in (half.outcome, full.outcome):
        said.append(f"it is called the grader's fault: {half.message}")
    elif not said and not re.search(cheat.noticed, half.message):
        said.append(f"not noticed by {cheat.noticed!r}: {half.message}")
    return said


def lying(text: str, first: str = "") -> str:
    """The solution, the kit for cheats, and what takes the honest parts' place.

    Args:
        text: the definitions; the honest ones go by `honest_…` and `HonestBuffer`.
        first: lines to stand before everything else.
    """
    return with_definitions(f"{KIT}\n{HONEST}\n{text}", first)
