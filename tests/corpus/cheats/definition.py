"""The class `Cheat`, and functions that make and judge a cheat."""

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
        id: short name of the cheat.
        trick: one sentence that says what the cheat does.
        source: text of the hand-in.
        noticed: regular expression for the grader's message, if the grader notices the
            trick. If "", any message will do: the policy is then just too bad.
        undefended: mean return on CartPole in a loop that trusts the hand-in, measured
            by `undefended.py`; None if the trick gains nothing in that loop either.
        plain: True if `undefended` was measured on CartPole without a disguise.
        known_hole: reason why the cheat gets points; "" if it gets none.
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
        """The hand-in for `grade_warm`, with a single training run to save time."""
        return HandIn(self.id, self.source, ("learning",), tries=1)


def trouble(cheat: Cheat, results: Results) -> list[str]:
    """Return a sentence for each thing that is wrong with a cheat's results.

    A cheat must have no points for CartPole and no grader error. The message must match
    `noticed`.
    """
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
    """Return the text of a cheat: the solution, the text of `kit.py`, new definitions.

    Args:
        text: definitions that replace parts of the solution. They may use the
            solution's own parts under the names in `HONEST`.
        first: lines for the start of the file.
    """
    return with_definitions(f"{KIT}\n{HONEST}\n{text}", first)
