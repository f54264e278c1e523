"""The class `Cheat`, and functions that make and judge a cheat."""

import re
from dataclasses import dataclass
from pathlib import Path

from grader.contract.outcomes import Outcome
from tests.support.edits import SOLUTION, with_definitions
from tests.support.handins import HandIn, Results

KIT = (Path(__file__).parent / "kit.py").read_text(encoding="utf-8")
HONEST = """
honest_network, honest_greedy, honest_loss = q_network, epsilon_greedy, td_loss
honest_update, honest_sync, HonestBuffer = td_update, sync_target, ReplayBuffer
"""
IDLE = """
def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    return theta_Q, opt_state, td_loss(theta_Q, theta_T, model, batch, gamma)
"""
RIGHT = SOLUTION  # the honest twin of a cheat that adds a trick to right parts
IDLE_TWIN = with_definitions(IDLE)  # the honest twin of a cheat that never updates
UNPAID = ("maze", "cartpole_half", "cartpole_full")  # must pay no points


@dataclass(frozen=True, kw_only=True)
class Cheat:
    """A hand-in that wants the points of learning without learning.

    Attributes:
        id: short name of the cheat.
        trick: one sentence that says what the cheat does.
        source: text of the hand-in.
        twin: text of the honest twin, the same hand-in without the trick. The cheat
            must not have more points than the twin. If "", the cheat must have no
            points for the maze and for CartPole.
        noticed: regular expression for the messages of the checks that give no points;
            at least one of the messages must match. "" allows any messages.
        task: the task in which the cheat wants points: "turned" (the grader's
            CartPole), "cartpole" (not turned), "maze" or "tables".
        undefended: what the cheat reaches in this task, from 0 to 500, if the learning
            loop trusts the hand-in; see `undefended.py`. None if the trick gains
            nothing in such a loop.
        known_hole: reason why the cheat gets points; "" if it gets none.
    """

    id: str
    trick: str
    source: str
    twin: str = ""
    noticed: str = ""
    task: str = "turned"
    undefended: int | None = None
    known_hole: str = ""

    @property
    def hand_in(self) -> HandIn:
        """The hand-in for `grade_warm`, with one training of a task to save time."""
        return HandIn(self.id, self.source, ("learning",), tries=1)

    @property
    def twin_hand_in(self) -> HandIn:
        """The honest twin for `grade_warm`, also with one training of a task."""
        return HandIn(f"twin of {self.id}", self.twin, ("learning",), tries=1)


def trouble(
    cheat: Cheat, results: Results, of_twin: Results | None = None
) -> list[str]:
    """Return a sentence for each rule that a cheat's results break.

    A cheat must have no more points for learning than its honest twin, and no grader
    error. A cheat without a twin must have no points for the maze and for CartPole. If
    some checks give no points, one of their messages must match `noticed`.

    Args:
        cheat: the cheat.
        results: the results of the cheat.
        of_twin: the results of the honest twin; None if there is no twin.
    """
    checks = results["learning"].checks
    if of_twin is None:
        said = [
            f"it has {check.score:g} points for {check.name}"
            for check in checks
            if check.name in UNPAID and check.score
        ]
    else:
        score, allowed = results["learning"].score, of_twin["learning"].score
        more = score > allowed + 1e-9
        said = [f"it has {score:g} points, its twin {allowed:g}"] if more else []
    said += [
        f"it is called the grader's fault: {check.message}"
        for check in checks
        if check.outcome == Outcome.GRADER_ERROR
    ]
    words = "\n".join(check.message for check in checks if not check.score)
    if not said and words and not re.search(cheat.noticed, words):
        said.append(f"not noticed by {cheat.noticed!r}: {words}")
    return said


def lying(text: str, first: str = "") -> str:
    """Return the text of a cheat: the solution, the text of `kit.py`, new definitions.

    Args:
        text: definitions that replace parts of the solution. They may use the
            solution's own parts under the names in `HONEST`.
        first: lines that are put before the solution's text.
    """
    return with_definitions(f"{KIT}\n{HONEST}\n{text}", first)
