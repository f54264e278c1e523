"""Compute the targets y of one formula, or of many formulas at once."""

from collections.abc import Iterator

import numpy as np

from grader.diagnosis.formulas.grammar import Formula, Grammar
from grader.diagnosis.formulas.rows import Rows
from grader.diagnosis.formulas.value import PAIRS, value_of

# The indices of n formulas [n], and the formulas' targets [n, I, B]. I is B for
# formulas that combine all pairs of rows, and 1 for all other formulas.
Group = tuple[np.ndarray, np.ndarray]


def target_of(rows: Rows, formula: Formula) -> np.ndarray:
    """Return the targets y [..., 1, B] that a formula computes, one for each row.

    In right code y is r + ¬d γ max_a Q(s′, a; θ_T). Wrong code may combine all pairs of
    rows, as [B, 1] plus [B] does. Its targets have the shape [..., B, B].
    """
    r, m, d = (formula[slot].compute(rows) for slot in ("reward", "mask", "discount"))
    y = formula["join"].compute(r, m, d, value_of(rows, formula))
    return formula["after"].compute(rows, y)


def targets_of(rows: Rows, grammar: Grammar, numbers: np.ndarray) -> Iterator[Group]:
    """Yield the targets of many formulas, grouped by the shape of the targets.

    Args:
        rows: the rows of one question.
        grammar: the grammar of the formulas.
        numbers: an array [N, slots]: for each of the N formulas and each slot (term),
            the index of the choice.

    Yields:
        A pair for each group: the indices [n] of its n formulas in `numbers`, and the
        targets [n, I, B]. I is B for formulas that combine all pairs of rows, else 1.
    """
    slots, column = grammar.slots, grammar.column

    def all_of(slot: str) -> np.ndarray:
        shape = (1, rows.size)
        return np.stack([np.broadcast_to(c.compute(rows), shape) for c in slots[slot]])

    of = {slot: all_of(slot) for slot in ("reward", "mask", "discount")}
    places = [column[slot] for slot in ("net", "state", "reduce", "join", "after")]
    pairs = [choice.words for choice in slots["reduce"]].index(PAIRS)
    values, joins = numbers[:, places[:3]], numbers[:, places[3:]]
    sizes = tuple(len(slots[slot]) for slot in ("net", "state", "reduce"))
    which, place = np.unique(
        np.ravel_multi_index(tuple(values.T), sizes), return_inverse=True
    )
    found = []
    for net, state, reduce in np.stack(np.unravel_index(which, sizes), 1).tolist():
        chosen = slots["state"][state].compute(rows, slots["net"][net].compute(rows))
        found.append(slots["reduce"][reduce].compute(rows, chosen).reshape(-1))
    valued = np.stack(found)
    for kind in (False, True):
        of_kind = np.flatnonzero((values[:, 2] == pairs) == kind)
        shape = (len(of_kind), rows.size if kind else 1, rows.size)
        targets = np.empty(shape)
        code = joins[of_kind] @ [len(slots["after"]), 1]
        order = np.argsort(code, kind="stable")
        edges = np.flatnonzero(np.diff(code[order])) + 1
        for some in np.split(order, edges) if len(order) else ():
            group = of_kind[some]
            r, m, d = (of[slot][numbers[group, column[slot]]] for slot in of)
            v = valued[place[group]].reshape(
                len(group), *((-1, 1) if kind else (1, -1))
            )
            join, after = joins[group[0]].tolist()
            y = slots["join"][join].compute(r, m, d, v)
            targets[some] = slots["after"][after].compute(rows, y)
        if len(of_kind):
            yield of_kind, targets
