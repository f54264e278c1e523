"""Why CartPole was not learned, from what was watched while it was tried.

The learner logs some numbers for each block of updates (`training_log.py`). Here they
become a few sentences. The first rule that fires speaks.
"""

from collections.abc import Mapping

import numpy as np

from grader.diagnosis.learning_rules import RULES
from grader.diagnosis.learning_run import Watched

# The exercises of which learning is made.
LEARN = (
    *("q_network", "epsilon_greedy", "replay_buffer"),
    *("td_loss", "td_update", "sync_target"),
)
# By a word of what stopped learning, the exercises to look at.
BLAMED = {
    **{"sample": ("replay_buffer",), "sync_target": ("sync_target",)},
    **{"epsilon_greedy": ("epsilon_greedy",), "network": ("q_network",)},
    "update": ("td_update",),
}


def told(watched: Watched, above: Mapping[str, bool]) -> str:
    """Say why learning failed, in a few lines; "" if nothing can be said.

    Args:
        watched: one run that did not learn.
        above: the exercises that have been graded before, and whether in full.
    """
    if not len(watched["env_step"]):
        return blamed(watched.problem, above)
    with np.errstate(all="ignore"):
        causes = (rule(watched) for rule in RULES)
        cause = next(filter(None, causes), None)
    if cause is None:
        return blamed(watched.problem, above)
    lines = [cause.seen, cause.usual, where_to_look(cause.exercises, above)]
    return "\n".join(filter(None, lines))


def blamed(problem: str, above: Mapping[str, bool]) -> str:
    """Say where to look when all that is known is why learning was stopped."""
    for word, exercises in BLAMED.items():
        if word in problem:
            return where_to_look(exercises, above)
    return ""


def where_to_look(exercises: tuple[str, ...], above: Mapping[str, bool]) -> str:
    """Return what the checks above say of these exercises, or how to run them."""
    lost = [name for name in exercises if not above.get(name, True)]
    others = [name for name in above if not above[name] and name in LEARN]
    if lost or others:
        return f"{listed(lost or others)} lost points above: begin there."
    unasked = [name for name in exercises if name not in above]
    if unasked:
        calls = [f"`make grade ONLY={name}`" for name in unasked]
        return f"To see which: {listed(calls)}."
    return ""


def listed(words: list[str]) -> str:
    """Join words: a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
