"""What a sampled field holds: of which transition, which field, which function of it.

An explanation is four choices: in which rows it holds (elsewhere the field is right),
of which transition the value comes, from which of its fields, and what was done to it.
It is taken only if it gives every number.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from grader.contract.compare import number, numbers
from grader.diagnosis.patterns.buffer_questions import (
    BATCH,
    BLANK,
    FIELDS,
    NUMBERS,
    SCALARS,
    STORED,
    Finding,
    Rows,
    anchors,
    found,
    own_numbers,
)

CALLED = {"state": "s", "next_state": "s'", "reward": "r", "terminated": "d"}
PLURAL = {
    **{"state": "states", "next_state": "next states", "reward": "rewards"},
    **{"action": "actions", "terminated": "d"},
}
OWN_TASK = "otherwise Q would be the value of another task"
MAX_ROWS = 5
FEW = 30  # batches that rule out most explanations


@dataclass(frozen=True)
class Batches:
    """Many batches from one buffer.

    Attributes:
        fields: [n,B] and [n,B,D].
        ids: which transitions the rows are [n,B], or BLANK.
        rows: all transitions.
        newest: the number of the newest transition.
        oldest: that of the oldest one which a right buffer holds.
    """

    fields: Rows
    ids: np.ndarray
    rows: Rows
    newest: int
    oldest: int

    def few(self) -> "Batches":
        """Return the first of the batches."""
        fields = {name: value[:FEW] for name, value in self.fields.items()}
        return replace(self, fields=fields, ids=self.ids[:FEW])

    def stored(self, name: str, ids: np.ndarray) -> np.ndarray:
        """Return a field of transitions [n,B], in float64; NaN where there is none."""
        values = self.rows[name].astype(np.float64)[np.clip(ids, 0, STORED - 1)]
        values[(ids < 0) | (ids >= STORED)] = np.nan
        return values


# ---------------------------------------------------------------- where it holds

Mask = Callable[[Batches], np.ndarray]
WHERE: dict[str, Mask] = {
    "": lambda b: b.ids >= 0,
    "where d is true": lambda b: b.stored("terminated", b.ids) == 1,
    "where d is false": lambda b: b.stored("terminated", b.ids) == 0,
    "in the newest transition": lambda b: b.ids == b.newest,
    "in the oldest transition": lambda b: b.ids == b.oldest,
    "in all but the newest": lambda b: (b.ids >= 0) & (b.ids != b.newest),
    "in all but the oldest": lambda b: (b.ids >= 0) & (b.ids != b.oldest),
    "where r is negative": lambda b: b.stored("reward", b.ids) < 0,
    "where r is positive": lambda b: b.stored("reward", b.ids) > 0,
}

# ---------------------------------------------------------------- of which transition


def following(b: Batches) -> np.ndarray:
    """Return the transitions stored next; of the newest, the oldest."""
    return np.where(b.ids == b.newest, b.oldest, b.ids + 1)


def preceding(b: Batches) -> np.ndarray:
    """Return the transitions stored before; of the oldest, the newest."""
    return np.where(b.ids == b.oldest, b.newest, b.ids - 1)


OTHERS: dict[str, Callable[[Batches], np.ndarray]] = {
    "the transition stored after the sampled one": following,
    "the transition stored before the sampled one": preceding,
    "the newest transition": lambda b: np.full(b.ids.shape, b.newest),
    "the oldest transition": lambda b: np.full(b.ids.shape, b.oldest),
    "the next row of the batch": lambda b: np.roll(b.ids, -1, axis=1),
    "the row before in the batch": lambda b: np.roll(b.ids, 1, axis=1),
    "the batch's first row": lambda b: b.ids[:, :1] + 0 * b.ids,
    "the batch's last row": lambda b: b.ids[:, -1:] + 0 * b.ids,
}

# ---------------------------------------------------------------- what is done to it


@dataclass(frozen=True)
class Change:
    """What is done to a field.

    Attributes:
        kind: of the change, a word for names.
        text: in a formula, with {x} for the field.
        hint: in words, with {them} for the field.
        value: of the right values [n,B,...] and what came.
    """

    kind: str
    text: str
    hint: str
    value: Callable[..., np.ndarray]

    @property
    def over_batch(self) -> bool:
        """Whether small numbers may have lost digits among large ones."""
        return "normalised" in self.kind or self.kind == "squashed"


def over_batch(x: np.ndarray, what: str, ddof: int = 0) -> np.ndarray:
    """Return a statistic over the rows of each batch."""
    if x.shape[1] <= ddof:
        return np.full_like(x, np.nan)
    if what == "std":
        return x.std(axis=1, keepdims=True, ddof=ddof) + 1e-8
    return getattr(np, what)(x, axis=1, keepdims=True)


def factor(x: np.ndarray, y: np.ndarray) -> float:
    """Return the constant c with y = c x, as far as one number can tell."""
    at = np.nanargmax(np.abs(x))
    return rounded(float(y.ravel()[at] / x.ravel()[at]))


def shift(x: np.ndarray, y: np.ndarray) -> float:
    """Return the constant c with y = x + c."""
    return rounded(float(np.nanmedian(y - x)))


def rounded(value: float) -> float:
    """Return a constant as one would write it."""
    return float(f"{value:.4g}") if np.isfinite(value) else np.nan


def limit(x: np.ndarray, y: np.ndarray) -> float:
    """Return the largest size in y: where it is clipped, if so."""
    return rounded(float(np.nanmax(np.abs(y))))


def within_batch(x: np.ndarray, y: np.ndarray, ddof: int = 0) -> np.ndarray:
    """Return the values normalised within each batch."""
    return (x - over_batch(x, "mean")) / over_batch(x, "std", ddof)


WHOLE = "lose what stands after the decimal point, as in an array of whole numbers"
AS_STORED = "The buffer gives each one as it came"
CHANGES: list[Change] = [
    Change("whole", "trunc({x})", WHOLE, lambda x, y: np.trunc(x)),
    Change("whole", "round({x})", "are rounded to whole numbers", lambda x, y: x.round()),
    Change("whole", "floor({x})", WHOLE, lambda x, y: np.floor(x)),
    Change(
        "half",
        "{x} in float16",
        "lose digits, as in float16, which keeps three",
        lambda x, y: x.astype(np.float16).astype(np.float64),
    ),
    Change("negated", "−{x}", "have the opposite sign", lambda x, y: -x),
    Change("size", "|{x}|", "lose their sign", lambda x, y: np.abs(x)),
    Change(
        "sign", "sign({x})", "are replaced by their sign", lambda x, y: np.sign(x)
    ),
    Change(
        "clipped",
        "clip({x}, −{c}, {c})",
        "are clipped to between −{c} and {c}",
        lambda x, y: np.clip(x, -limit(x, y), limit(x, y)),
    ),
    Change(
        "clipped",
        "clip({x}, 0, {c})",
        "are clipped to between 0 and {c}",
        lambda x, y: np.clip(x, 0, limit(x, y)),
    ),
    Change(
        "clipped", "max({x}, 0)", "are cut below 0", lambda x, y: np.maximum(x, 0)
    ),
    Change("clipped", "min({x}, 1)", "are cut above 1", lambda x, y: np.minimum(x, 1)),
    Change("clipped", "min({x}, 0)", "are cut above 0", lambda x, y: np.minimum(x, 0)),
    Change("clipped", "max({x}, −1)", "are cut below −1", lambda x, y: np.maximum(x, -1)),
    Change(
        "squashed", "tanh({x})", "are squashed by tanh", lambda x, y: np.tanh(x)
    ),
    Change(
        "squashed",
        "sign({x}) log(1 + |{x}|)",
        "are squashed by a logarithm",
        lambda x, y: np.sign(x) * np.log1p(np.abs(x)),
    ),
    Change(
        "squashed",
        "sign({x}) √|{x}|",
        "are squashed by a root",
        lambda x, y: np.sign(x) * np.sqrt(np.abs(x)),
    ),
    Change(
        "normalised",
        "({x} − mean) / std, over the batch",
        "are normalised to mean 0 within each batch",
        within_batch,
    ),
    Change(
        "normalised",
        "({x} − mean) / std (with B − 1), over the batch",
        "are normalised to mean 0 within each batch",
        lambda x, y: within_batch(x, y, 1),
    ),
    Change(
        "normalised",
        "{x} − the batch's mean",
        "are moved to mean 0 within each batch",
        lambda x, y: x - over_batch(x, "mean"),
    ),
    Change(
        "normalised",
        "{x} / the batch's std",
        "are divided by the deviation within each batch",
        lambda x, y: x / over_batch(x, "std"),
    ),
    Change(
        "normalised",
        "{x} / the batch's largest size",
        "are divided by the largest size within each batch",
        lambda x, y: x / over_batch(np.abs(x), "max"),
    ),
    Change("not", "¬{x}", "are the opposite of what was stored", lambda x, y: 1.0 - x),
    Change("missing", "0", "are 0", lambda x, y: np.zeros_like(x)),
    Change("missing", "NaN", "are NaN", lambda x, y: np.full_like(x, np.nan)),
    Change(
        "constant",
        "{c}",
        "are always {c}",
        lambda x, y: np.full_like(x, rounded(float(y.ravel()[0]))),
    ),
    Change(
        "scaled",
        "{c} {x}",
        "are {c} times what was stored",
        lambda x, y: factor(x, y) * x,
    ),
    Change(
        "shifted",
        "{x} + {c}",
        "are {c} more than what was stored",
        lambda x, y: x + shift(x, y),
    ),
]
# Two at once: normalised within the batch, after another change.
CHANGES += [
    Change(
        f"{first.kind}+normalised",
        f"{first.text}, then {then.text}".replace("{c}", "1"),
        f"{first.hint}, and then {then.hint}".replace("{c}", "1"),
        lambda x, y, first=first, then=then: then.value(first.value(x, 0 * x + 1), y),
    )
    for first, then in itertools.product(
        [c for c in CHANGES if c.kind in ("whole", "half", "clipped", "sign")],
        [c for c in CHANGES if c.kind == "normalised"],
    )
]
CONSTANT = {"clipped": limit, "constant": lambda x, y: rounded(float(y.ravel()[0]))}
CONSTANT.update(scaled=factor, shifted=shift)


def constant_of(change: Change, x: np.ndarray, y: np.ndarray) -> str:
    """Return the constant of a change, in digits, or ""."""
    if "{c}" not in change.text + change.hint:
        return ""
    return number(CONSTANT[change.kind](x, y))


# ---------------------------------------------------------------- explanations


@dataclass(frozen=True)
class Explanation:
    """What a field holds.

    Attributes:
        name: of the field.
        kind: of the difference.
        text: what the code gives, in a few words.
        hint: a sentence.
        cost: how far it is from right code.
    """

    name: str
    kind: str
    text: str
    hint: str
    cost: float

    def only(self, when: str) -> "Explanation":
        """Return the same, said of some time only."""
        return replace(self, text=f"{self.text} ({when})")


def candidates(name: str) -> Iterator[tuple[float, str, str | None, str, Change | None]]:
    """Yield cost, where, which other transition, source and change; cheapest first."""
    sources = [name, *(f for f in FIELDS if f != name and alike(f, name))]
    found_: list[tuple[float, str, str | None, str, Change | None]] = []
    for (i, where), source in itertools.product(enumerate(WHERE), sources):
        extra = 1.0 + 0.1 * i if where else 0.0
        found_ += [(extra + 1, where, None, source, None)] if source != name else []
        for other in OTHERS:
            cost = extra + 1 + (0.1 if source != name else 0.0)
            found_.append((cost, where, other, source, None))
    for (i, where), (k, change) in itertools.product(
        enumerate(WHERE), enumerate(CHANGES)
    ):
        cost = 1.2 + 0.02 * k + (1.0 + 0.1 * i if where else 0.0)
        found_.append((cost, where, None, name, change))
    return iter(sorted(found_, key=lambda candidate: candidate[0]))


def alike(a: str, b: str) -> bool:
    """Tell whether two fields have the same shape."""
    return (a in SCALARS) == (b in SCALARS)


def same_rows(
    a: np.ndarray, b: np.ndarray, shape: tuple[int, ...], *, loosely: bool = False
) -> np.ndarray:
    """Return in which rows [n,B] two fields are equal, rounding aside.

    Args:
        a: one field.
        b: the other one.
        shape: [n,B].
        loosely: a row is compared with the size of its whole batch.
    """
    with np.errstate(invalid="ignore"):
        size = np.abs(b)
        if loosely:
            size = 50 * np.nan_to_num(size).max(axis=1, keepdims=True)
        close = np.abs(a - b) <= 1e-9 + 2e-6 * size
    close |= np.isnan(a) & np.isnan(b)
    return close.reshape(*shape, -1).all(axis=-1)


def exact_rows(a: np.ndarray, b: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return in which rows [n,B] two fields are equal."""
    return (a == b).reshape(*shape, -1).all(axis=-1)


def explain(name: str, several: Sequence[Batches]) -> Explanation | None:
    """Return what a field holds where it is not right; None if nothing fits.

    Args:
        name: of the field.
        several: batches from buffers with different transitions; it fits in all.
    """
    possible = {
        where: pairs
        for where, mask in WHERE.items()
        if covers(name, pairs := [(b, mask(b)) for b in several])
    }
    few = {where: [(b.few(), at[:FEW]) for b, at in possible[where]] for where in possible}
    for cost, where, other, source, change in candidates(name):
        if where not in possible or not all(
            holder(name, b, at, other, source, change) for b, at in few[where]
        ):
            continue
        pairs = possible[where]
        if all(holder(name, b, at, other, source, change) for b, at in pairs):
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
    """Tell whether a field is wrong only in rows of a mask, if there are such rows."""
    wrong = [
        ~exact_rows(b.fields[name], b.stored(name, b.ids), b.ids.shape) & (b.ids >= 0)
        for b, _ in pairs
    ]
    outside = any((w & ~at).any() for w, (_, at) in zip(wrong, pairs, strict=True))
    return not outside and any(at.any() for _, at in pairs)


def holder(
    name: str,
    b: Batches,
    holds: np.ndarray,
    other: str | None,
    source: str,
    change: Change | None,
) -> bool:
    """Tell whether a field is as an explanation says in some rows, right elsewhere.

    Args:
        name: of the field.
        b: the batches.
        holds: the rows [n,B] in which the explanation holds.
        other: the transition that the value is of, None for the row's own.
        source: the field that it is taken from.
        change: what is done to it.
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
    return bool(same_rows(value, expected, shape, loosely=over)[holds].all())


def worded(
    name: str,
    where: str,
    other: str | None,
    source: str,
    change: Change | None,
    cost: float,
    c: str,
) -> Explanation:
    """Put an explanation into words; `c` is its constant."""
    tail = f", {where}" if where else ""
    if change:
        text = change.text.replace("{x}", CALLED.get(name, "a")).replace("{c}", c)
        verb = change.hint.replace("{c}", c)
        hint = f"Your {PLURAL[name]} {verb}{tail}. {AS_STORED}"
        if name == "reward":
            hint += f"; {OWN_TASK}"
        kind = f"{change.kind}-where" if where else change.kind
        return Explanation(name, kind, f"{name}: {text}{tail}", hint, cost)
    holder = other or "the same transition"
    what = "" if source == name else f"the {source} "
    text = f"{name}: {what}of {holder}{tail}"
    hint = (
        f"Your {PLURAL[name]} are {what or 'those '}of {holder}{tail}. All five fields "
        "of a row belong to one transition, each in its own place"
    )
    kind = "other-row" if other else f"is-{source}"
    if other and "stored after" in other:
        kind = "next-row"
    return Explanation(name, kind, text, hint, cost)


# Kinds of a field's difference that are known by a name; what else is told by the kind.
NAMES = {
    ("reward", "whole"): "int-storage",
    ("state", "whole"): "int-storage-state",
    ("next_state", "whole"): "int-storage-next-state",
    ("state", "half"): "half-storage",
    ("reward", "constant-where"): "loop-reward-shaping",
    ("reward", "clipped"): "reward-clipped",
    ("reward", "normalised"): "reward-normalised",
    ("terminated", "not"): "stores-not-d",
    ("next_state", "next-row"): "next-is-row-plus-1",
}


def name_of(e: Explanation) -> str:
    """Return the name of a field's difference."""
    return NAMES.get((e.name, e.kind), f"{e.name}-{e.kind}".replace("_", "-"))


def loose(name: str, several: Sequence[Batches]) -> Explanation:
    """Return what is seen of a field that no explanation gives."""
    wrong = total = 0
    swapped = constant = True
    for b in several:
        known = b.ids >= 0
        right = exact_rows(b.fields[name], b.stored(name, b.ids), b.ids.shape)
        wrong, total = wrong + int((~right & known).sum()), total + int(known.sum())
        value = b.fields[name].reshape(*b.ids.shape, -1)
        constant &= all(
            len(np.unique(value[b.ids == i], axis=0)) <= 1 for i in np.unique(b.ids[known])
        )
        if name in NUMBERS:
            told = own_numbers(name, b.fields, b.rows) >= 0
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
            12,
        )
    if swapped and not constant:
        return Explanation(
            name,
            "mixed",
            f"{name}: of another transition, in {share}",
            f"Your {PLURAL[name]} come from other transitions than the rest of the row. "
            "Draw once, and use these rows for all fields",
            12,
        )
    return Explanation(
        name,
        "changed",
        f"{name}: other numbers than were stored, in {share}",
        f"Your {PLURAL[name]} are not those that were stored: see the table. The buffer "
        "gives each one as it came",
        14,
    )


def wrong_in(name: str, b: Batches) -> bool:
    """Tell whether a field is wrong in any row."""
    right = exact_rows(b.fields[name], b.stored(name, b.ids), b.ids.shape)
    return not right[b.ids >= 0].all()


def right_fields(b: Batches) -> set[str]:
    """Return the names of the fields that are right in all rows."""
    return {name for name in NUMBERS if not wrong_in(name, b)}


def told_by(
    fields: Rows, rows: Rows, newest: int, oldest: int, like: Batches | None = None
) -> Batches | None:
    """Return batches with their transitions; None if these cannot be told.

    Of several transitions that a row may be, by its fields, that is taken which leaves
    least to explain.

    Args:
        fields: many batches [n,B,...].
        rows: the transitions.
        newest: the number of the newest one.
        oldest: that of the oldest that should be there.
        like: batches of the same buffer's kind, whose transitions are known: the
            same fields tell these.
    """
    several = [
        Batches(fields, ids, rows, newest, oldest) for ids in anchors(fields, rows)
    ]
    if len(several) < 2:
        return several[0] if several else None
    if like:
        return max(several, key=lambda b: len(right_fields(b) & right_fields(like)))
    costs = []
    for b in several:
        costs.append(sum(e.cost for e in read_fields([b.few()], [])))
    return several[int(np.argmin(costs))]


def read_fields(filling: Sequence[Batches], full: Sequence[Batches]) -> list[Explanation]:
    """Read what the fields hold that are not right.

    Args:
        filling: batches from buffers that are not full.
        full: from full ones.
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
        good = [e.only(when) for when, e in parts if e]
        if len(good) < len(parts):
            good = by_ends(name, [*filling, *full])
        read += good or [loose(name, wrong)]
    return read


def by_ends(name: str, several: Sequence[Batches]) -> list[Explanation]:
    """Return what a field holds where d is true, and where it is false; [] if unknown."""
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
            hint = f"{where.capitalize()}: {e.hint}"
            read.append(replace(e, text=f"{e.text}, {where}", hint=hint))
    return read


# ---------------------------------------------------------------- findings


def field_findings(
    read: list[Explanation], table: Callable[[list[str]], tuple[str, ...]]
) -> list[Finding]:
    """Return the findings about the fields; those that belong together as one."""
    by_name = {e.name: e for e in read}
    swap = tuple(sorted((e.name, e.kind) for e in read if e.kind.startswith("is-")))
    findings = []
    for pair, name in SWAPS.items():
        if all((f, f"is-{g}") in swap for f, g in (pair, pair[::-1])):
            a, c = (CALLED[f] for f in pair)
            text = f"{pair[0]} and {pair[1]}: each in the place of the other"
            hint = (
                f"In your batches {a} and {c} are swapped. The fields come in the order "
                "of Transition: state, action, reward, terminated, next state"
            )
            findings.append(found(name, text, "each in its own place", hint, table([*pair])))
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
            found("per-field-indices", text, "all of one transition", hint, table(mixed))
        )
        for name in mixed:
            del by_name[name]
    rest = [e for e in read if by_name.get(e.name)]
    return findings + [each for group in alike_ones(rest) for each in told(group, table)]


def alike_ones(read: list[Explanation]) -> list[list[Explanation]]:
    """Return explanations in groups that say the same of several fields."""
    groups: dict[str, list[Explanation]] = {}
    for e in read:
        tail = e.text.removeprefix(f"{e.name}: ")
        of_row = "row" in e.kind and not tail.startswith("the ")
        groups.setdefault(tail if of_row else f"{e.name} {tail}", []).append(e)
    return [*groups.values()]


def told(
    group: list[Explanation], table: Callable[[list[str]], tuple[str, ...]]
) -> list[Finding]:
    """Return the findings of explanations that say the same."""
    e, names = group[0], [e.name for e in group]
    asked = f"{', '.join(names)}: of the same transition, as stored"
    if len(group) > 1:
        tail = e.text.removeprefix(f"{e.name}: ")
        hint = (
            f"In your rows {', '.join(names)} are {tail.replace('of ', 'those of ', 1)}. "
            "All five fields of a row belong to one transition"
        )
        text = f"{', '.join(names)}: {tail}"
        return [found(f"fields-{e.kind}", text, asked, hint, table(names))]
    findings = []
    for k, kind in enumerate(e.kind.split("+")):
        name = "stores-other-action" if kind == "other-of-some" else ""
        name = name or name_of(replace(e, kind=kind))
        findings.append(found(name, e.text, asked, e.hint, () if k else table(names)))
    return findings


SWAPS = {("state", "next_state"): "field-swap", ("reward", "terminated"): "field-swap-r-d"}


def example_rows(names: list[str], several: Sequence[Batches]) -> tuple[str, ...]:
    """Return a table of rows in which fields are not right, of one batch of each."""
    lines = ["row of the batch | field | what came | what was stored"]
    for b, row in itertools.product(several, range(BATCH)):
        for name in names:
            for batch in range(min(len(b.ids), 20)):
                i = b.ids[batch, row] if row < b.ids.shape[1] else BLANK
                if i < 0 or len(lines) > MAX_ROWS:
                    continue
                stored = np.asarray(b.rows[name][i], np.float64)
                came = b.fields[name][batch, row]
                if not np.array_equal(came, stored):
                    lines.append(f"{row} | {name} | {shown(came)} | {shown(stored)}")
                    break
    return tuple(lines)


def shown(value: np.ndarray) -> str:
    """Return a number or a state as one writes it."""
    value = np.asarray(value)
    return number(value) if value.ndim == 0 else numbers(value)

