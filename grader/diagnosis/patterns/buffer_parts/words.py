"""Put explanations of wrong fields into words, and make findings of them.

An explanation says what values a field of the drawn rows has in the place of the right
ones. A finding is one difference between the hand-in's buffer and a right one.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from grader.diagnosis.patterns.buffer_parts.changes import Batches, Change
from grader.diagnosis.patterns.buffer_parts.questions import (
    BATCH,
    BLANK,
    Finding,
    found,
)
from grader.diagnosis.reading import headed, in_columns

CALLED = {"state": "s", "next_state": "s'", "reward": "r", "terminated": "d"}
PLURAL = {
    **{"state": "states", "next_state": "next states", "reward": "rewards"},
    **{"action": "actions", "terminated": "d"},
}
AS_STORED = "The buffer gives each one as it came"
OWN_TASK = "otherwise Q would be the value of another task"
MAX_ROWS = 5
LOOSE = 12  # cost of a rough description, more than that of any exact explanation


@dataclass(frozen=True)
class Explanation:
    """An explanation, in words, of the values that a wrong field has.

    Attributes:
        name: name of the field.
        kind: short name of the difference; it becomes part of the mistake's name.
        text: what the hand-in's buffer does, in a few words.
        hint: text for the student.
        cost: distance from right code; of several explanations, the cheapest is taken.
    """

    name: str
    kind: str
    text: str
    hint: str
    cost: float


def worded(
    name: str,
    where: str,
    other: str | None,
    source: str,
    change: Change | None,
    cost: float,
    c: str,
) -> Explanation:
    """Put an explanation of a wrong field into words.

    Args:
        name: name of the field.
        where: rows in which the field is wrong, a key of the table `WHERE`.
        other: the transition that the value comes from, a key of the table `OTHERS`;
            None for the transition of the row.
        source: name of the field that the value comes from.
        change: how the value is changed; None if it is unchanged.
        cost: distance from right code.
        c: constant of the change as text, "" if the change has none.
    """
    tail = f", {where}" if where else ""
    if change and not other:
        text = change.text.replace("{x}", CALLED.get(name, "a")).replace("{c}", c)
        text = text.replace("+ -", "− ")
        verb = change.hint.replace("{c}", c)
        hint = f"Your {PLURAL[name]} {verb}{tail}. {AS_STORED}"
        if name == "reward":
            hint += f"; {OWN_TASK}"
        at = "at-ends" if where == "where d is true" else "where"
        kind = f"{change.kind}-{at}" if where else change.kind
        return Explanation(name, kind, f"{name}: {text}{tail}", hint, cost)
    holder = other or "the same transition"
    what = "" if source == name else f"the {source} "
    if change:
        x = CALLED.get(source, "a")
        tail = f", as {change.text.replace('{x}', x)}"
    text = f"{name}: {what}of {holder}{tail}"
    hint = (
        f"Your {PLURAL[name]} are {what or 'those '}of {holder}{tail}. All five fields "
        "of a row belong to one transition, each in its own place"
    )
    kind = "other-row" if other else f"is-{source}"
    if other and "stored after" in other:
        kind = "next-row"
    return Explanation(name, kind, text, hint, cost)


# Names of mistakes, by field and kind of the explanation. The name of any other mistake
# is the field's name, a "-" and the kind.
NAMES = {
    ("reward", "whole"): "int-storage",
    ("state", "whole"): "int-storage-state",
    ("next_state", "whole"): "int-storage-next-state",
    ("state", "half"): "half-storage",
    ("reward", "constant-at-ends"): "loop-reward-shaping",
    ("reward", "clipped"): "reward-clipped",
    ("reward", "normalised"): "reward-normalised",
    ("terminated", "not"): "stores-not-d",
    ("next_state", "next-row"): "next-is-row-plus-1",
}


def name_of(e: Explanation) -> str:
    """Return the name of the mistake that an explanation describes."""
    return NAMES.get((e.name, e.kind), f"{e.name}-{e.kind}".replace("_", "-"))


# ---------------------------------------------------------------- findings


def field_findings(
    read: list[Explanation], table: Callable[[list[str]], tuple[str, ...]]
) -> list[Finding]:
    """Return the findings for explanations of wrong fields.

    Two swapped fields become one finding. So do several fields whose values come from
    the same wrong transition, and several whose wrong transition changes from draw to
    draw.

    Args:
        read: explanations, at most two for each field.
        table: function of a list of fields' names; returns the lines of a table of
            wrong rows.
    """
    by_name = {e.name: e for e in read}
    swap = tuple(sorted((e.name, e.kind) for e in read if e.kind.startswith("is-")))
    findings = []
    for pair, name in SWAPS.items():
        if all((f, f"is-{g}") in swap for f, g in (pair, pair[::-1])):
            a, c = (CALLED[f] for f in pair)
            text = f"{pair[0]} and {pair[1]}: each in the place of the other"
            hint = (
                f"In your batches {a} and {c} are swapped. The fields come in the "
                "order of Transition: state, action, reward, terminated, next state"
            )
            findings.append(
                found(name, text, "each in its own place", hint, table([*pair]))
            )
            for f in pair:
                del by_name[f]
    mixed = [name for name, e in by_name.items() if e.kind == "mixed"]
    if len(mixed) > 1:
        hint = (
            "The fields of your rows come from different transitions, as when rows are "
            "drawn again for each field. Draw once, and use these rows for all fields"
        )
        text = f"{', '.join(mixed)}: of other transitions than the rest of the row"
        findings.append(
            found(
                "per-field-indices", text, "all of one transition", hint, table(mixed)
            )
        )
        for name in mixed:
            del by_name[name]
    rest = [e for e in read if by_name.get(e.name)]
    return findings + [
        each for group in grouped(rest) for each in group_findings(group, table)
    ]


def grouped(read: list[Explanation]) -> list[list[Explanation]]:
    """Group the explanations that name the same wrong transition.

    Every other explanation is a group of its own.
    """
    groups: dict[str, list[Explanation]] = {}
    for e in read:
        tail = e.text.removeprefix(f"{e.name}: ")
        of_row = "row" in e.kind and not tail.startswith("the ")
        groups.setdefault(tail if of_row else f"{e.name} {tail}", []).append(e)
    return [*groups.values()]


def group_findings(
    group: list[Explanation], table: Callable[[list[str]], tuple[str, ...]]
) -> list[Finding]:
    """Return the findings for one group of explanations from `grouped`.

    Several fields with one mistake give one finding. A single field gives a finding for
    each kind of mistake in its explanation: two for the kind "clipped+whole".

    Args:
        group: explanations with one and the same mistake.
        table: function of a list of fields' names; returns the lines of a table of
            wrong rows.
    """
    e, names = group[0], [e.name for e in group]
    asked = f"{', '.join(names)}: of the same transition, as stored"
    if len(group) > 1:
        tail = e.text.removeprefix(f"{e.name}: ")
        listed = ", ".join(names)
        hint = (
            f"In your rows {listed} are {tail.replace('of ', 'those of ', 1)}. All "
            "five fields of a row belong to one transition"
        )
        text = f"{listed}: {tail}"
        return [found(f"fields-{e.kind}", text, asked, hint, table(names))]
    findings = []
    for k, kind in enumerate(e.kind.split("+")):
        name = "stores-other-action" if kind == "other-of-some" else ""
        name = name or name_of(replace(e, kind=kind))
        finding = found(name, e.text, asked, e.hint, () if k else table(names))
        findings.append(replace(finding, measured=e.cost >= LOOSE))
    return findings


SWAPS = {
    ("state", "next_state"): "field-swap",
    ("reward", "terminated"): "field-swap-r-d",
}


def example_rows(names: list[str], several: Sequence[Batches]) -> tuple[str, ...]:
    """Return the lines of a table of wrong rows: what was stored, and what came back.

    Args:
        names: names of the wrong fields.
        several: the batches from which the rows are taken.

    Returns:
        At most `MAX_ROWS` examples below a line of headings; () if there are none.
    """
    rows = [("row", "field", "came back", "was stored")]
    for b, row in itertools.product(several, range(BATCH)):
        for name in names:
            for batch in range(min(len(b.ids), 20)):
                i = b.ids[batch, row] if row < b.ids.shape[1] else BLANK
                if i < 0 or len(rows) > MAX_ROWS:
                    continue
                stored = np.asarray(b.rows[name][i], np.float64)
                came = b.fields[name][batch, row]
                if not np.array_equal(came, stored):
                    rows.append((str(row), name, shown(came), shown(stored)))
                    break
    return headed("other batches", in_columns(rows))


def shown(value: np.ndarray) -> str:
    """Return a number or a state as text, with four significant digits per number."""
    return " ".join(f"{x:.4g}" for x in np.ravel(np.asarray(value, np.float64)))
