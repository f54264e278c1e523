"""Explain the values of a wrong field in sampled rows.

An explanation says in which rows the field is wrong, from which transition and which
field the value comes, and by which formula it is changed. An explanation is accepted
only if it predicts every number.
"""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from grader.diagnosis.patterns.buffer_parts.changes import (
    CHANGES,
    FEW,
    OTHERS,
    WHERE,
    Batches,
    Change,
    constant_of,
)
from grader.diagnosis.patterns.buffer_parts.questions import (
    BLANK,
    FIELDS,
    NUMBERS,
    SCALARS,
    Rows,
    ids_by_field,
    likely_ids,
)
from grader.diagnosis.patterns.buffer_parts.words import (
    LOOSE,
    PLURAL,
    Explanation,
    worded,
)

# A possible explanation (cost, where, other, source, change), see `candidates`.
Candidate = tuple[float, str, str | None, str, Change | None]


def candidates(name: str) -> list[Candidate]:
    """Return all possible explanations of a wrong field, the cheapest one first.

    Returns:
        Tuples (cost, where, other, source, change). `cost` is the distance from right
        code. `where` is a key of `WHERE`, which selects the wrong rows. In these rows,
        the value comes from the field `source` of the transition `other`. `other` is a
        key of `OTHERS`, or None for the row's transition. `change` says how the value
        is changed; None if it is unchanged.
    """
    sources = [name, *(f for f in FIELDS if f != name and alike(f, name))]
    found: list[Candidate] = []
    for (i, where), source in itertools.product(enumerate(WHERE), sources):
        extra = 1.0 + 0.1 * i if where else 0.0
        found += [(extra + 1, where, None, source, None)] if source != name else []
        for other in OTHERS if source == name or name not in SCALARS else ():
            cost = extra + 1 + (0.1 if source != name else 0.0)
            found.append((cost, where, other, source, None))
    flags = [c for c in CHANGES if c.kind in OF_FLAGS]
    for (i, where), (k, change) in itertools.product(
        enumerate(WHERE), enumerate(flags if name == "terminated" else CHANGES)
    ):
        cost = 1.2 + 0.02 * k + (1.0 + 0.1 * i if where else 0.0)
        found.append((cost, where, None, name, change))
    for other, source, change in itertools.product(OTHERS, sources, CHANGES):
        if change.kind in ("whole", "half") and name not in SCALARS:
            found.append((2.2, "", other, source, change))
    return sorted(found, key=lambda candidate: candidate[0])


# The kinds of changes that are tried for flags. All other kinds change neither 0 nor 1,
# or change them as one of these kinds does.
OF_FLAGS = ("not", "negated", "missing", "constant", "scaled", "shifted")


def alike(a: str, b: str) -> bool:
    """Tell whether two fields have the same shape: both scalars, or both states."""
    return (a in SCALARS) == (b in SCALARS)


def same_rows(
    a: np.ndarray, b: np.ndarray, shape: tuple[int, ...], *, loosely: bool = False
) -> np.ndarray:
    """Return a mask [n,B] of the rows in which two arrays are equal within rounding.

    NaN equals NaN.

    Args:
        a: values of a field in n batches of B rows, [n,B] or [n,B,D].
        b: other values of the field, in the same shape. The tolerance is relative to b.
        shape: (n, B).
        loosely: True for a larger tolerance, relative to the largest |b| of the batch.
    """
    with np.errstate(invalid="ignore"):
        size = np.abs(b)
        if loosely:
            size = 50 * np.nan_to_num(size).max(axis=1, keepdims=True)
        close = np.abs(a - b) <= 1e-9 + 2e-6 * size
    close |= np.isnan(a) & np.isnan(b)
    return close.reshape(*shape, -1).all(axis=-1)


def exact_rows(a: np.ndarray, b: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a mask [n,B] of the rows in which two arrays are exactly equal.

    Args:
        a: values of a field in n batches of B rows, [n,B] or [n,B,D].
        b: other values of the field, in the same shape.
        shape: (n, B).
    """
    return (a == b).reshape(*shape, -1).all(axis=-1)


def explain(name: str, several: Sequence[Batches]) -> Explanation | None:
    """Return the cheapest explanation of a wrong field that fits; None if none fits.

    An explanation says which rows are wrong, and where their values come from. It is
    cheap if it is close to right code.

    Args:
        name: name of the field.
        several: batches that the explanation has to fit.
    """
    possible = {
        where: pairs
        for where, mask in WHERE.items()
        if covers(name, pairs := [(b, mask(b)) for b in several])
    }
    few = {
        where: [(b.few(), at[:FEW]) for b, at in possible[where]] for where in possible
    }
    for cost, where, other, source, change in candidates(name):
        if where not in possible or not all(
            predicts(name, b, at, other, source, change) for b, at in few[where]
        ):
            continue
        pairs = possible[where]
        # If d is the same in all rows, it can come from any transition.
        elsewhere = source == "terminated" and (other or source != name)
        if elsewhere and not both_flags(pairs, other):
            continue
        if where and change and name == "terminated" and not both_flags(pairs):
            continue
        # A constant fits the wrong value of a single transition, whatever it is.
        wrong = np.concatenate([b.ids[at & wrong_rows(name, b)] for b, at in pairs])
        fitted = change and "{c}" in change.text and (where or change.kind != "clipped")
        if fitted and np.ptp(wrong) == 0:
            continue
        if all(predicts(name, b, at, other, source, change) for b, at in pairs):
            constants = {
                constant_of(change, b.stored(name, b.ids)[at], b.fields[name][at])
                for b, at in pairs
                if change and at.any()
            }
            if len(constants) < 2:
                c = next(iter(constants), "")
                return worded(name, where, other, source, change, cost, c)
    return None


def covers(name: str, pairs: Sequence[tuple[Batches, np.ndarray]]) -> bool:
    """Tell whether all wrong values of a field are in rows that the masks select.

    Args:
        name: name of the field.
        pairs: batches, each with a mask [n,B] that selects some of their rows.

    Returns:
        False also if the masks select no row.
    """
    outside = any((wrong_rows(name, b) & ~at).any() for b, at in pairs)
    return not outside and any(at.any() for _, at in pairs)


def both_flags(
    pairs: Sequence[tuple[Batches, np.ndarray]], other: str | None = None
) -> bool:
    """Tell whether `terminated` is true in some selected rows and false in others.

    Args:
        pairs: batches, each with a mask [n,B] that selects some of their rows.
        other: the transition whose `terminated` is read: a key of `OTHERS`; None for
            the transition of the row.
    """
    flags = [
        b.stored("terminated", OTHERS[other](b) if other else b.ids)[at]
        for b, at in pairs
    ]
    return len(np.unique(np.concatenate(flags))) > 1


def predicts(
    name: str,
    b: Batches,
    holds: np.ndarray,
    other: str | None,
    source: str,
    change: Change | None,
) -> bool:
    """Tell whether an explanation gives the hand-in's values of a field in some rows.

    The explanation is: the value is copied from the field `source` of the transition
    `other`, and then changed by `change`.

    Args:
        name: name of the field.
        b: batches.
        holds: mask [n,B] of the rows to compare; if it selects none, the result is
            True.
        other: a key of the table `OTHERS`; None for the transition of the row.
        source: name of a field.
        change: how the value is changed; None if it is unchanged.
    """
    shape, value = b.ids.shape, b.fields[name]
    if not holds.any():
        return True
    everywhere = bool(holds[b.ids >= 0].all())
    expected = b.stored(source, OTHERS[other](b) if other else b.ids)
    over = change is not None and change.over_batch
    if change:
        if "normalised" in change.kind and not everywhere:
            return False
        with np.errstate(all="ignore"):
            if over:
                expected = change.value(expected, value)
            else:
                expected = expected.copy()
                expected[holds] = change.value(expected[holds], value[holds])
    if change and change.text != "NaN":
        # Where 0 / 0 is predicted, nothing is compared.
        finite = np.isfinite(expected).reshape(*shape, -1).all(axis=-1)
        if not (holds := holds & finite).any():
            return False
    return bool(same_rows(value, expected, shape, loosely=over)[holds].all())


def described(name: str, several: Sequence[Batches]) -> Explanation:
    """Return a rough description of a wrong field that has no exact explanation.

    Args:
        name: name of the field.
        several: batches in which the field is wrong.
    """
    wrong = total = 0
    swapped = constant = True
    for b in several:
        known = b.ids >= 0
        wrong += int(wrong_rows(name, b).sum())
        total += int(known.sum())
        value = b.fields[name].reshape(*b.ids.shape, -1)
        constant &= all(
            len(np.unique(value[b.ids == i], axis=0)) <= 1
            for i in np.unique(b.ids[known])
        )
        if name in NUMBERS:
            told = ids_by_field(name, b.fields, b.rows) >= 0
            swapped &= bool((told | (value == 0).all(axis=-1))[known].all())
        else:
            swapped &= bool(np.isin(value[known], (0, 1)).all())
    share = f"{wrong} of {total} rows"
    if name == "action" and constant and wrong < total:
        return Explanation(
            name,
            "other-of-some",
            f"action: another number than was stored, in {share}",
            "Now and then you store another action than the one that was given. Store "
            "the action as it comes",
            LOOSE,
        )
    if swapped and not constant:
        return Explanation(
            name,
            "mixed",
            f"{name}: of another transition, in {share}",
            f"Your {PLURAL[name]} come from other transitions than the rest of the "
            "row. Draw once, and use these rows for all fields",
            LOOSE,
        )
    return Explanation(
        name,
        "changed",
        f"{name}: other numbers than were stored, in {share}",
        f"Your {PLURAL[name]} are not those that were stored. The "
        "buffer gives each one as it came",
        LOOSE + 2,
    )


def wrong_rows(name: str, b: Batches) -> np.ndarray:
    """Return a mask [n,B] of the rows with a wrong field whose transition is known."""
    right = exact_rows(b.fields[name], b.stored(name, b.ids), b.ids.shape)
    return ~right & (b.ids >= 0)


def wrong_in(name: str, b: Batches) -> bool:
    """Tell whether a field is wrong in any row whose transition is known."""
    return bool(wrong_rows(name, b).any())


def right_fields(b: Batches) -> set[str]:
    """Return the names of the fields that are right in every row.

    Rows whose transition is unknown do not count. `terminated` is not examined.
    """
    return {name for name in NUMBERS if not wrong_in(name, b)}


def identified(
    fields: Rows, rows: Rows, newest: int, oldest: int, like: Batches | None = None
) -> Batches | None:
    """Find out to which transition each row belongs; return batches with this result.

    If the fields of a row point to different transitions, there are several guesses.
    The result is the guess with the least sum of `Explanation.cost` over wrong fields.

    Args:
        fields: values in n batches of B rows: for each field an array [n,B] or [n,B,D].
        rows: all transitions: for each field an array with one entry per transition.
        newest: number of the newest transition.
        oldest: number of the oldest transition that a right buffer still holds.
        like: batches of the same hand-in whose transitions are known, or None. With
            `like`, no costs are compared. The result is then the guess with the most
            fields that are right in both the guess and `like`.

    Returns:
        None if there is no field whose values all belong to transitions.
    """
    several = [
        Batches(fields, ids, rows, newest, oldest) for ids in likely_ids(fields, rows)
    ]
    if len(several) < 2:
        return several[0] if several else None
    if like:
        return max(several, key=lambda b: len(right_fields(b) & right_fields(like)))
    costs = []
    for b in several:
        costs.append(sum(e.cost for e in read_fields([b.few()], [])))
    return several[int(np.argmin(costs))]


def read_fields(
    filling: Sequence[Batches], full: Sequence[Batches]
) -> list[Explanation]:
    """Return explanations of all wrong fields; [] if no field is wrong.

    A wrong field gets one or two explanations. If none fits, the field gets a rough
    description instead.

    Args:
        filling: batches from buffers that are not full.
        full: batches from full buffers.
    """
    read: list[Explanation] = []
    for name in FIELDS:
        wrong = [b for b in (*filling, *full) if wrong_in(name, b)]
        if not wrong:
            continue
        if e := explain(name, [*filling, *full]):
            read.append(e)
            continue
        several = [
            ("until it is full", [b for b in filling if wrong_in(name, b)]),
            ("when it is full", [b for b in full if wrong_in(name, b)]),
        ]
        parts = [(when, explain(name, some)) for when, some in several if some]
        good = [replace(e, text=f"{e.text} ({when})") for when, e in parts if e]
        if len(good) < len(parts):
            good = by_ends(name, [*filling, *full])
        read += good or [described(name, wrong)]
    return read


def by_ends(name: str, several: Sequence[Batches]) -> list[Explanation]:
    """Explain a field separately for rows with `terminated` true and false.

    Args:
        name: name of the field.
        several: batches in which the field may be wrong.

    Returns:
        An explanation for `terminated` true and one for false, each only if the field
        is wrong in such rows. [] if an explanation is needed and not found.
    """
    read = []
    for where in ("where d is true", "where d is false"):
        masked = [
            replace(b, ids=np.where(WHERE[where](b), b.ids, BLANK)) for b in several
        ]
        wrong = any(wrong_in(name, b) for b in masked)
        e = explain(name, masked) if wrong else None
        if wrong and not e:
            return []
        if e:
            if where == "where d is true" and e.kind == "constant":
                e = replace(e, kind="constant-at-ends")
            hint = f"{where.capitalize()}: {e.hint}"
            read.append(replace(e, text=f"{e.text}, {where}", hint=hint))
    return read
