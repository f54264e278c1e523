"""The choices of a table's update that concern the update as a whole.

An example is the order of the steps. A choice is what code, right or wrong, may compute
for a term of the update; the first choice of each term is right code. The reader tries
these choices on whole tables, see `td0.special`.
"""

import numpy as np

from grader.diagnosis.formulas.grammar import Choice
from grader.diagnosis.formulas.table.step import ADMIN

# Each function returns the η with which code moves a cell by −α η. The arguments are
# the prediction q, the target y, the reward r in the target, and α. The text of a
# mistake is the whole move −α η.
BRACKET = (
    Choice("α ({q} − ({y}))", lambda q, y, r, alpha: q - y),
    Choice(
        "(α {r} + {f} − {q})",
        lambda q, y, r, alpha: (q - (y - r)) / alpha - r,
        "alpha-on-reward-only",
        "α multiplies the reward alone: brackets are missing. It is a factor of the "
        f"whole η: Q(s,a) moves by -α η {ADMIN}.",
    ),
    Choice(
        "(α ({y}) − {q})",
        lambda q, y, r, alpha: q / alpha - y,
        "alpha-on-target-only",
        "α multiplies the target alone, and the old value is gone: brackets are "
        f"missing. It is a factor of the whole η: Q(s,a) moves by -α η {ADMIN}.",
    ),
    Choice(
        "({y} − α {q})",
        lambda q, y, r, alpha: q - y / alpha,
        "alpha-on-prediction-only",
        "α multiplies the prediction alone: brackets are missing. It is a factor of "
        f"the whole η: Q(s,a) moves by -α η {ADMIN}.",
    ),
    Choice(
        "(α {r} + {f})",
        lambda q, y, r, alpha: -(r + (y - r) / alpha),
        "alpha-on-reward-only-added",
        "α multiplies the reward alone, and the prediction is not subtracted. Q(s,a) "
        f"moves by -α η {ADMIN}.",
    ),
    Choice(
        "(α ({r} − {q}) + {f})",
        lambda q, y, r, alpha: q - r - (y - r) / alpha,
        "future-without-alpha",
        "α does not reach the future: brackets are missing. It is a factor of the "
        f"whole η: Q(s,a) moves by -α η {ADMIN}.",
    ),
    Choice(
        "(−α ({q} − {y}) − {q})",
        lambda q, y, r, alpha: q - y + q / alpha,
        "old-value-lost",
        "Your cell becomes -α η, and its old value is lost, as when `set` writes over "
        f"it. -α η is to be added to the old value {ADMIN}.",
    ),
)
ORDER = (
    Choice("", lambda steps: None),
    Choice(
        "from the last step to the first, each on the newest Q",
        lambda steps: range(steps - 1, -1, -1),
        "backwards",
        "You go through the episode backwards, so a step's target reads the cell that "
        "the following step has just moved. Every η comes from the Q that was passed "
        "in (or go forward in time).",
    ),
)
ONE_TABLE = (
    "The difference shows where an episode comes back to a state. Take both from one "
    f"table: the Q that was passed in, or the newest {ADMIN}."
)
# Each function takes the Q that was passed in and the newest Q. It returns the table of
# the predictions and that of the targets, for code that goes step by step.
READ = (
    Choice("", lambda old, newest: (newest, newest)),
    Choice(
        "with y from the old Q and Q(s,a) from the newest",
        lambda old, newest: (newest, old),
        "targets-from-old",
        "Your targets come from the Q that was passed in, your predictions from the "
        f"newest. {ONE_TABLE}",
    ),
    Choice(
        "with y from the newest Q and Q(s,a) from the old",
        lambda old, newest: (old, newest),
        "predictions-from-old",
        "Your predictions come from the Q that was passed in, your targets from the "
        f"newest. {ONE_TABLE}",
    ),
)
FLOW = (
    Choice("", lambda: False),
    Choice(
        "and by the gradient through the target",
        lambda: True,
        "by-gradient",
        "Cells of s' move as well, as when the target is differentiated too. The "
        "target is a label, fixed while Q moves: only the visited cell (s_t, a_t) "
        f"changes {ADMIN}.",
    ),
)
STORE = (
    Choice("", lambda table: table),
    Choice(
        "in whole numbers",
        np.trunc,
        "int-Q",
        "The fractions of your values and moves get lost, as in a table of integers. "
        "Action values are float32.",
    ),
)


def zeroed(table: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Return a copy of a table [S, A] in which some states have the values 0."""
    table = table.copy()
    table[states] = 0
    return table


RESULT = (
    Choice("", lambda before, after, ends: after),
    Choice(
        "and the moves alone are returned",
        lambda before, after, ends: after - before,
        "moves-alone",
        "You return the moves without the old values: cells that were not visited are "
        f"0. The moves are to be added to the Q that was passed in {ADMIN}.",
    ),
    Choice(
        "and all values of a terminal s′ become 0",
        lambda before, after, ends: zeroed(after, ends),
        "zeroes-terminal-state",
        "You set the values of the terminal state to 0 in the table. Leave its values "
        "as they are: the factor ¬d already makes the future after the end 0 "
        f"{ADMIN}.",
    ),
)
SHIFT = (
    Choice("", lambda states: states),
    Choice(
        "with s − 1 and s′ − 1 for s and s′",
        lambda states: states - 1,
        "oob-index",
        "You shift the state numbers by one, so every step reads and moves a "
        "neighbour's cell; JAX raises no error for states that do not exist. State s "
        "is Q[s], counted from 0.",
    ),
)
WHOLE_SLOTS: dict[str, tuple[Choice, ...]] = {
    "bracket": BRACKET,
    "order": ORDER,
    "read": READ,
    "flow": FLOW,
    "store": STORE,
    "result": RESULT,
    "shift": SHIFT,
}
