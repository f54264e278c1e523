"""The questions to a buffer, in order, and what the answers tell."""

from typing import Any

import numpy as np

from grader.diagnosis.patterns import buffer_draws, buffer_extras, buffer_storage
from grader.diagnosis.patterns.buffer_fields import (
    Explanation,
    example_rows,
    field_findings,
    read_fields,
)
from grader.diagnosis.patterns.buffer_questions import (
    BATCH,
    BLANK,
    CAPACITY,
    LARGE,
    Asker,
    Finding,
    Played,
    found,
    in_shape,
)
from grader.diagnosis.patterns.buffer_storage import Seen

DRAWS = 600
LATER = 100
STAGES = (0, 4, 7, CAPACITY, CAPACITY + 1, CAPACITY + 3, 3 * CAPACITY - 2)


def findings_of(asker: Asker) -> list[Finding]:
    """Return all that one round of questions tells, the most basic first."""
    findings, usable = buffer_extras.first_answers(asker)
    if not usable:
        return findings
    scripts = [after(asker, added) for added in (6, CAPACITY, CAPACITY + 3)]
    scripts += [after(asker, 3 * CAPACITY + 3), between_samples(asker)]
    findings += buffer_extras.when_full(scripts[1], scripts[2])
    drawn = [ids_of(played) for played in scripts]
    findings += in_fields(scripts, drawn)
    seen = [seen_in(p, d) for p, d in zip(scripts, drawn, strict=True)]
    batches = [ids for d in drawn[:4] for ids in d if ids is not None]
    storage, drawing = stored_and_drawn(asker, seen, batches)
    lengths = buffer_extras.lengths(asker, {f.name for f in storage})
    findings += [*storage, *lengths]
    if not drawing:
        drawing = how_drawn(asker, drawn, plain=not storage)
        drawing = drawing or buffer_extras.generator(asker)
    findings += drawing
    blank = {f.name for f in storage} & {"at-set-discarded"}
    return [*findings, *buffer_extras.shapes(asker, types=not blank)] + (
        buffer_extras.aliases(asker) + buffer_extras.sizes(asker)
    )


# ---------------------------------------------------------------- scripts


def after(asker: Asker, added: int) -> Played:
    """Draw many batches after so many adds to a buffer of `CAPACITY`."""
    return asker.play(["add", 0, added], ["len"], asker.seed(), ["samples", DRAWS, BATCH])


def between_samples(asker: Asker) -> Played:
    """Draw batches between adds."""
    script: list[Any] = [asker.seed()]
    for first, last in zip(STAGES, STAGES[1:], strict=False):
        script += [["add", first, last], ["len"], ["samples", LATER, BATCH]]
    return asker.play(*script)


# ---------------------------------------------------------------- what came


def reading_of(
    played: Played, k: int, added: int
) -> tuple[np.ndarray | None, list[Explanation], Any]:
    """Return of the k-th "samples" the transitions, what is wrong, and the fields."""
    n = DRAWS if len(played.samples) == 1 else LATER
    state_dim = played.rows["state"].shape[1]
    fields, _ = in_shape(played.samples[k], n, BATCH, state_dim)
    if fields is None:
        return None, [], None
    oldest = max(0, added - played.capacity)
    return *read_fields(fields, played.rows, added - 1, oldest), fields


def ids_of(played: Played) -> list[np.ndarray | None]:
    """Return the transitions [n,B] of each "samples" of a script."""
    return [
        reading_of(played, k, buffer_storage.added_before(played.script, k))[0]
        for k in range(len(played.samples))
    ]


def seen_in(played: Played, drawn: list[np.ndarray | None]) -> Seen | None:
    """Return which transitions came in a script; None where that is not known."""
    if not drawn or any(ids is None for ids in drawn):
        return None
    came = [set(np.unique(ids).tolist()) for ids in drawn if ids is not None]
    known = len(played.lengths) == len(came)
    lengths = played.lengths if known else [None] * len(came)
    return Seen(played.capacity, played.script, played.rows, came, lengths)


def in_fields(
    scripts: list[Played], drawn: list[list[np.ndarray | None]]
) -> list[Finding]:
    """Return what the fields hold, read before the buffer is full and after."""
    read = []
    for played in (scripts[0], scripts[2]):
        if played.samples:
            ids, wrong, fields = reading_of(played, 0, played.added)
            if ids is not None and (ids >= 0).any():
                read.append((played, ids, wrong, fields))
    if not read:
        return []
    played, ids, wrong, fields = read[0]
    if len(read) == 2:
        also = {(e.name, e.kind) for e in read[1][2]}
        wrong = [e for e in wrong if (e.name, e.kind) in also]
        if not wrong:  # only before it is full, or only after
            played, ids, wrong, fields = max(read, key=lambda one: len(one[2]))
            when = "when it is full" if played is scripts[2] else "until it is full"
            wrong = [e.only(when) for e in wrong]
    return field_findings(
        wrong, lambda names: example_rows(names, fields, ids, played.rows)
    )


# ---------------------------------------------------------------- kept and drawn


def stored_and_drawn(
    asker: Asker, seen: list[Seen | None], batches: list[np.ndarray]
) -> tuple[list[Finding], list[Finding]]:
    """Return how the buffer stores, and how it chooses places where that is plain."""
    known = [one for one in seen if one]
    if not known:
        return [], []
    if (findings := buffer_storage.storage_findings(known)) is not None:
        places = {way.name for way in buffer_storage.PLACES}
        return (
            [f for f in findings if f.name not in places],
            [f for f in findings if f.name in places],
        )
    if same := buffer_draws.same_batches(batches):
        kept = buffer_storage.storage_findings(known, exactly=False)
        return kept or [], [same]
    if by_chance := random_storage(asker, seen):
        return [by_chance], []
    told = next(filter(None, map(buffer_storage.in_words, known)), None)
    return ([told] if told else []), []


def random_storage(asker: Asker, seen: list[Seen | None]) -> Finding | None:
    """Return that chance decides which transitions stay, if it does."""
    without = [one for one in seen[:4] if one]
    right = buffer_storage.storage_findings(without) == []
    ask = between_samples if right else (lambda a: after(a, CAPACITY + 3))
    sets = []
    for _ in range(3):
        played = ask(asker)
        one = seen_in(played, ids_of(played))
        if not one or BLANK in one.came[-1]:
            return None
        sets.append(one.came[-1])
    newest = {len(s) == CAPACITY and max(s) == played.added - 1 for s in sets}
    if newest != {True} or all(s == sets[0] for s in sets):
        return None
    if right:
        return found(
            "shuffles-storage",
            "after a sample, not the oldest leaves",
            buffer_storage.ASKED_KEPT,
            "Once you have sampled, it is chance which transition leaves, as when the "
            "stored rows are shuffled in order to draw: then the place tells no longer "
            "which is the oldest. Sampling changes nothing",
        )
    return found(
        "evicts-random",
        "when full, any one leaves",
        buffer_storage.ASKED_KEPT,
        "When your buffer is full, one leaves at random. The one that was added first "
        "has to leave, so that the newest `capacity` are there",
    )


def how_drawn(
    asker: Asker, drawn: list[list[np.ndarray | None]], *, plain: bool
) -> list[Finding]:
    """Return how rows are drawn unevenly, or depend on each other.

    Args:
        asker: of the buffer.
        drawn: the transitions of each script.
        plain: nothing is wrong with what is stored.
    """
    parts = [(drawn[0], 0), *([(drawn[2], (CAPACITY + 3) % CAPACITY)] * plain)]
    told: list[list[Finding]] = []
    for each, start in parts:
        if not each or each[0] is None:
            continue
        places, stored = ranks(each[0])
        finding = buffer_draws.within_batch(places, stored) or buffer_draws.uneven(
            places, stored, start, asker.rng
        )
        told.append([finding] if finding else [])
    if not told:
        return []
    if told[0] and len({f.name for each in told for f in each}) == 1 and all(told):
        return told[0]
    if any(told):  # not the same before it is full and after
        return []
    played = asker.play(
        ["add", 0, LARGE], asker.seed(), ["samples", DRAWS, BATCH], capacity=LARGE
    )
    many = ids_of(played)
    if not many or many[0] is None:
        return []
    places, stored = ranks(many[0])
    if buffer_extras.keeps_draws(asker):
        finding = buffer_draws.in_turn(places, stored)
        return [finding] if finding else []
    finding = buffer_draws.dependent(places, stored)
    return [finding] if finding else []


def ranks(ids: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the rows' transitions [n,B], counted from the oldest, and their number."""
    seen, places = np.unique(ids, return_inverse=True)
    return places.reshape(ids.shape), len(seen)
