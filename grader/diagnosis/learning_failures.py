"""Explain why exercise 9 was not learned.

An explanation can use three things: the formula of the hand-in's loss, if this formula
is wrong; the problem that stopped learning; and the log of a training. Each rule
of `learning_rules` looks for one cause in the log. The first rule that finds its cause
gives the explanation.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from grader.diagnosis.learning_rules import (
    OF_ANY_UPDATES,
    OF_RIGHT_UPDATES,
    OF_UNCHECKED_UPDATES,
)
from grader.diagnosis.learning_run import Watched
from grader.oracle.learning.results import Formula

# Exercises whose parts take part in learning.
LEARN = (
    "q_network",
    "epsilon_greedy",
    "replay_buffer",
    "td_loss",
    "td_update",
    "sync_target",
)
NAN = "NaN"  # if the text of a problem has this word, the log can explain the problem
# Exercises to look at, by a word in the problem that stopped learning.
BLAMED = {
    "sample": ("replay_buffer",),
    "sync_target": ("sync_target",),
    "epsilon_greedy": ("epsilon_greedy",),
    "network": ("q_network",),
    NAN: ("q_network",),
}
COMPARED = (
    "Exercise 9 compares your td_update with one step of Adam on the loss that is "
    "asked for, on batches of the training."
)
LOSS_IS_RIGHT = (
    "On batches like those of the training, your td_loss computes what is asked for. "
    "Look at how td_update uses it: the order of θ_Q and θ_T, the gradient, and "
    "whether the new θ_Q and the new opt_state are returned."
)
NOT_ITS_STEP = (
    "Your td_update is wrong as well: it does not make the optimizer's step on this "
    "loss."
)
OTHER = "in training the code does something else than there."
SYNC_IS_LEFT = (
    "What td_update and the buffer did was as asked for, so usually the cause is "
    "sync_target: θ_T does not become θ_Q when it should (slides: Target Networks)."
)
UNKNOWN = "The numbers of the training do not show which part is the cause."
ALL_RIGHT = (
    "The exercises above have all their points, so usually the network is too small, "
    "or its first weights are much too small or too large (slides: Deep Learning "
    "Review)."
)

# For each exercise graded so far: None if it has full marks, else the first sentence of
# its first hint, or "".
Above = Mapping[str, str | None]


def explanation(watched: Watched, above: Above) -> str:
    """Return why a training did not reach its goal, in a few lines of text.

    Args:
        watched: log of a training that did not reach its goal.
        above: for each graded exercise None (full marks) or a hint, see `Above`.

    Returns:
        "" if there is no explanation.
    """
    if not watched.blocks or (watched.problem and NAN not in watched.problem):
        return blamed(watched.problem, above)
    rules = [*OF_ANY_UPDATES]
    rules += [] if watched.checked else OF_UNCHECKED_UPDATES
    rules += [] if watched.by_formula else OF_RIGHT_UPDATES
    with np.errstate(all="ignore"):
        cause = next(filter(None, (rule(watched) for rule in rules)), None)
    if cause:
        lines = [cause.seen, cause.usual, where_to_look(cause.exercises, above)]
        return "\n".join(filter(None, lines))
    if watched.by_formula:
        return ""
    if watched.problem:
        return blamed(watched.problem, above)
    if all(above.get(name, "") is None for name in LEARN):
        return ALL_RIGHT
    lost = any(above.get(name) is not None for name in LEARN)
    looked = where_to_look(LEARN, above)
    return looked if lost else f"{UNKNOWN}\n{looked}"


def blamed(problem: str, above: Above) -> str:
    """Return a text that says where to look after a problem that stopped learning.

    Args:
        problem: why learning stopped, in words.
        above: for each graded exercise None (full marks) or a hint, see `Above`.

    Returns:
        "" if the problem contains no word of `BLAMED`, or if `where_to_look` returns
        "".
    """
    for word, exercises in BLAMED.items():
        if word in problem:
            return where_to_look(exercises, above)
    return ""


def about_tables(formula: Formula | None, judged: bool, above: Above) -> str:
    """Return why Q was not learned in a table world, as lines of text.

    Only the buffer, `td_update` and `sync_target` are used in table worlds, and a wrong
    batch stops learning. So if the updates are right, the text names `sync_target`.

    Args:
        formula: what the hand-in's `td_loss` computes; None if the updates are right.
        judged: True if learning made its updates by this formula.
        above: for each graded exercise None (full marks) or a hint, see `Above`.
    """
    if formula is not None:
        return about_updates(formula, judged, above)
    return "\n".join([SYNC_IS_LEFT, where_to_look(("sync_target",), above)])


def about_updates(formula: Formula | None, judged: bool, above: Above) -> str:
    """Return how the hand-in's updates differ from right ones, as lines of text.

    Args:
        formula: what the hand-in's `td_loss` computes; None if the updates are right.
        judged: True if learning made its updates by this formula.
        above: for each graded exercise None (full marks) or a hint, see `Above`.

    Returns:
        "" if the updates are right.
    """
    if formula is None:
        return ""
    if not formula.computes:
        cause = LOSS_IS_RIGHT if formula.found else COMPARED
        # The loss can be right here and fail a check, for example on other flags d.
        lost = above.get("td_loss") is not None
        both = lost or not formula.found
        exercises = ("td_loss", "td_update") if both else ("td_update",)
        return "\n".join([cause, mend(exercises, above)])
    start = "Q was learned with what your td_loss" if judged else "Your td_loss"
    lines = [
        f"{start} computes: {formula.computes}",
        f"What is asked for: {formula.asked}",
    ]
    if "td_loss" not in above:  # otherwise exercise 6 shows these hints
        lines += formula.hints
    if judged:
        return "\n".join([*lines, mend(("td_loss",), above)])
    return "\n".join([*lines, NOT_ITS_STEP, mend(("td_loss", "td_update"), above)])


def mend(exercises: tuple[str, ...], above: Above) -> str:
    """Return a text that names the exercises to mend first, with their hints.

    An exercise with full marks is not named. If all have full marks, the text says so.

    Args:
        exercises: the exercises whose parts are the cause.
        above: for each graded exercise None (full marks) or a hint, see `Above`.
    """
    wrong = [name for name in exercises if above.get(name, "") is not None]
    if not wrong:
        verb = "has" if len(exercises) == 1 else "have"
        return f"In the checks above, {listed(exercises)} {verb} all points: {OTHER}"
    calls = [f"`make grade ONLY={name}`" for name in wrong if name not in above]
    first = f"Mend {listed(wrong)} first{': ' if calls else ''}{listed(calls)}."
    return "\n".join([first, *told(wrong, above)])


def where_to_look(exercises: tuple[str, ...], above: Above) -> str:
    """Return a text that says where the cause of failed learning may lie.

    The text names those of `exercises` that lost points. If none of them did, the text
    names all exercises in `LEARN` that lost points: their parts take part in learning.
    In both cases the hints of the named exercises follow, one in each line. If no
    exercise lost points, the text says how to grade those of `exercises` that are not
    graded yet.

    Args:
        exercises: exercises whose parts may be the cause.
        above: for each graded exercise None (full marks) or a hint, see `Above`.

    Returns:
        The text; "" if all of `exercises` are graded and no exercise in `LEARN` lost
        points.
    """
    lost = [name for name in exercises if above.get(name) is not None]
    others = [name for name in LEARN if above.get(name) is not None]
    if named := lost or others:
        first = f"{listed(named)} lost points above: begin there."
        return "\n".join([first, *told(named, above)])
    unasked = [name for name in exercises if name not in above]
    if len(unasked) == len(LEARN):
        return "`make grade` checks each part by itself: begin there."
    if unasked:
        calls = [f"`make grade ONLY={name}`" for name in unasked]
        return f"To see more: {listed(calls)}."
    return ""


def told(exercises: Sequence[str], above: Above) -> list[str]:
    """Return a line with name and hint for each given exercise that has a hint.

    Args:
        exercises: exercises that lost points.
        above: for each graded exercise None (full marks) or a hint, see `Above`.
    """
    return [f"{name}: {above[name]}" for name in exercises if above.get(name)]


def listed(words: Sequence[str]) -> str:
    """Join words to one text, such as "a, b and c"; "" for no words."""
    *first, last = words or [""]
    return " and ".join(filter(None, [", ".join(first), last]))
