"""Explain why CartPole was not learned, from the log of a training run.

The learner logs some numbers for each block of updates (`training_log.py`). The first
rule in `learning_rules` that fits the log gives the explanation.
"""

from collections.abc import Mapping

import numpy as np

from grader.diagnosis.learning_rules import RULES
from grader.diagnosis.learning_run import Watched

# Exercises whose parts take part in learning.
LEARN = (
    *("q_network", "epsilon_greedy", "replay_buffer"),
    *("td_loss", "td_update", "sync_target"),
)
# Exercises to look at, by a word in the problem that stopped learning.
BLAMED = {
    **{"sample": ("replay_buffer",), "sync_target": ("sync_target",)},
    **{"epsilon_greedy": ("epsilon_greedy",), "network": ("q_network",)},
    "update": ("td_update",),
}


def explanation(watched: Watched, above: Mapping[str, bool]) -> str:
    """Return an explanation in a few lines; "" if no rule fits.

    Args:
        watched: log of a run that did not learn.
        above: for each exercise graded so far, whether it has full marks.
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
    """Return where to look, from the problem that stopped learning.

    Args:
        problem: what stopped learning, in words.
        above: for each exercise graded so far, whether it has full marks.
    """
    for word, exercises in BLAMED.items():
        if word in problem:
            return where_to_look(exercises, above)
    return ""


def where_to_look(exercises: tuple[str, ...], above: Mapping[str, bool]) -> str:
    """Return which exercises lost points, or how to check them.

    Args:
        exercises: exercises that may be the cause.
        above: for each exercise graded so far, whether it has full marks.
    """
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
    """Join words: "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
