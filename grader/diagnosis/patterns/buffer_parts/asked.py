"""Play all scripts on a hand-in's `ReplayBuffer`, and collect the findings.

A script is a list of operations on a new buffer, such as adds and samples. A finding is
one difference between the hand-in's buffer and a right one.
"""

import itertools
from typing import Any

import numpy as np

from grader.diagnosis.patterns.buffer_parts import draws, extras, shapes, storage
from grader.diagnosis.patterns.buffer_parts.changes import Batches
from grader.diagnosis.patterns.buffer_parts.fields import identified, read_fields
from grader.diagnosis.patterns.buffer_parts.lengths import counted, length_findings
from grader.diagnosis.patterns.buffer_parts.questions import (
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
from grader.diagnosis.patterns.buffer_parts.storage import Seen, added_before
from grader.diagnosis.patterns.buffer_parts.words import example_rows, field_findings

DRAWS = 400
LATER = 50
STAGES = (0, 4, 7, CAPACITY, CAPACITY + 1, CAPACITY + 3, 3 * CAPACITY - 2)


def findings_of(asker: Asker) -> list[Finding]:
    """Play all scripts on new buffers of the hand-in, and return the findings.

    A script is a list of operations on a new buffer. A finding is one difference
    between the hand-in's buffer and a right one.

    Args:
        asker: plays scripts on new buffers of the hand-in.

    Returns:
        The findings, the most basic one first; [] if there are none.
    """
    findings, usable = extras.first_answers(asker)
    filling = asker.draw(6, DRAWS)
    if filling.raised and (told := extras.until_full(asker)):
        return [*findings, *told]
    if not usable:
        return findings
    came = batches_in(filling)
    if only_blank(came) and (blank := always_blank(asker)):
        return [*findings, blank]
    later = (CAPACITY, CAPACITY + 3, 3 * CAPACITY + 3)
    scripts = [filling, *(asker.draw(added, DRAWS) for added in later)]
    scripts += [] if asker.single else [between_samples(asker)]
    like = came[0] if came else None
    drawn = [came, *(batches_in(played, like) for played in scripts[1:])]
    findings += extras.when_full(asker, scripts[:4])
    findings += in_fields(drawn)
    fails = any(played.raised for played in scripts)
    seen = [seen_in(p, d, fails) for p, d in zip(scripts, drawn, strict=True)]
    stored, drawing = stored_and_drawn(asker, seen, drawn)
    counts = counted(asker)
    lengths = length_findings(asker, counts, {f.name for f in stored})
    if lengths and max(counts, default=0) > CAPACITY:  # draws below this length fail
        findings = [f for f in findings if f != extras.FAILS_TO_DRAW]
    findings += [*stored, *lengths]
    if not asker.single and not drawing and several_drawn(seen):
        drawing = how_drawn(asker, drawn, plain=not stored)
        if not drawing and "shuffles-storage" not in {f.name for f in stored}:
            drawing = extras.generator(asker)
    findings += drawing
    findings += shapes.types_and_shapes(asker) + shapes.aliases(asker)
    return [*findings, *shapes.arguments(asker)]


# ---------------------------------------------------------------- scripts


def between_samples(asker: Asker) -> Played:
    """Play a script that draws batches from a buffer several times while filling it.

    A script is a list of operations on a new buffer. This one asks for the length and
    for `LATER` batches after each number of adds in `STAGES`, except 0.

    Returns:
        The script with the buffer's answers.
    """
    script: list[Any] = [asker.seed()]
    for first, last in itertools.pairwise(STAGES):
        script += [["add", first, last], ["len"], ["samples", LATER, BATCH]]
    return asker.play(*script)


# ---------------------------------------------------------------- drawn rows


def batches_in(played: Played, like: Batches | None = None) -> list[Batches | None]:
    """Find out which transitions were drawn into the batches of a script.

    Args:
        played: a script (operations on a new buffer) with the buffer's answers.
        like: earlier batches of the same hand-in whose transitions are known; None
            without such batches. If the fields of a row point to different transitions,
            the fields that are right in `like` are trusted.

    Returns:
        One entry for each "samples" operation: a `Batches`, or None if the transitions
        cannot be recognised.
    """
    state_dim = played.rows["state"].shape[1]
    batches: list[Batches | None] = []
    for k, sample in enumerate(played.samples):
        added = added_before(played.script, k)
        fields, _ = in_shape(sample, len(sample["reward"]), BATCH, state_dim)
        oldest = max(0, added - played.capacity)
        told = fields and identified(fields, played.rows, added - 1, oldest, like)
        batches.append(told or None)
    return batches


def only_blank(batches: list[Batches | None]) -> bool:
    """Tell whether all rows of a script's first batches are zeros.

    Args:
        batches: result of `batches_in` for the script, a list of operations on a new
            buffer.
    """
    first = batches[0] if batches else None
    return first is not None and bool((first.ids == BLANK).all())


def always_blank(asker: Asker) -> Finding | None:
    """Return a finding if a full buffer gives only rows of zeros, too, or fails.

    Call this function only if all rows are zeros before the buffer is full.

    Args:
        asker: plays scripts (lists of operations) on new buffers of the hand-in.
    """
    full = asker.draw(CAPACITY, 1)
    if full.raised:
        return storage.BLANK_AT_FIRST
    return storage.ALL_BLANK if only_blank(batches_in(full)) else None


def seen_in(
    played: Played, drawn: list[Batches | None], fails: bool = False
) -> Seen | None:
    """Collect the transitions that were drawn by each sample operation of a script.

    Args:
        played: a script (operations on a new buffer) with the buffer's answers.
        drawn: result of `batches_in`: for each "samples" operation the batches, or
            None.
        fails: True if another script has raised an exception.

    Returns:
        The script, with the set of drawn transitions for each "samples" operation. None
        if `drawn` is empty or has a None.
    """
    known = [batches for batches in drawn if batches]
    if not known or len(known) < len(drawn):
        return None
    came = [set(np.unique(batches.ids).tolist()) for batches in known]
    noted = len(played.lengths) == len(came)
    lengths = played.lengths if noted else [None] * len(came)
    return Seen(played.capacity, played.script, played.rows, came, lengths, fails)


def in_fields(drawn: list[list[Batches | None]]) -> list[Finding]:
    """Return the findings about fields with wrong values in drawn rows.

    Only batches of the first, the third and the fourth script are examined, and only
    those of the first "samples" operation in each.

    Args:
        drawn: for each script (a list of operations on a new buffer), its batches as
            `batches_in` returns them. The first script draws before the buffer is full,
            the third and the fourth when it is full.

    Returns:
        The findings; [] if no value is wrong.
    """
    firsts = [one[0] if one else None for one in drawn]
    filling = [b for b in firsts[:1] if b and (b.ids >= 0).any()]
    full = [b for b in firsts[2:4] if b and (b.ids >= 0).any()]
    return field_findings(
        read_fields(filling, full),
        lambda names: example_rows(names, [*filling, *full]),
    )


# ---------------------------------------------------------------- kept and drawn


def stored_and_drawn(
    asker: Asker, seen: list[Seen | None], drawn: list[list[Batches | None]]
) -> tuple[list[Finding], list[Finding]]:
    """Return two lists of findings: on what is stored, and on what is drawn.

    A script is a list of operations on a new buffer. A rule is a way, right or wrong,
    to store transitions or to choose what is drawn. That a transition is never drawn is
    said only if those that are drawn come equally often.

    Args:
        asker: plays further scripts if no rules explain the drawn transitions.
        seen: for each script, which transitions were drawn; None if this is not known.
        drawn: for each script, its batches as `batches_in` returns them.

    Returns:
        The two lists; each is [] if it has no finding.
    """
    known = [one for one in seen if one]
    if not known:
        return [], []
    findings = storage.storage_findings(known)
    names = {way.name for way in storage.PLACES if way.name}
    drawing = [f for f in findings or [] if f.name in names]
    batches = [b for one in drawn[:4] for b in one if b]
    same = draws.same_batches([b.ids for b in batches])
    rare = None if same else draws.rarely_drawn(batches)
    if findings is not None and not (drawing and rare):
        return [f for f in findings if f not in drawing], drawing
    if told := same or rare:
        kept = storage.storage_findings(known, exactly=False)
        return kept or [], [told]
    # If rows depend on each other, a transition can be missing by chance.
    first = [one for one in seen[:4] if one]
    right = storage.storage_findings(first) == []
    if right and not asker.single and (how := how_drawn(asker, drawn, plain=True)):
        return [], how
    if by_chance := random_storage(asker, seen):
        return [by_chance], []
    missing = next(filter(None, map(storage.in_words, known)), None)
    return ([missing] if missing else []), []


def several_drawn(seen: list[Seen | None]) -> bool:
    """Tell whether a script's first "samples" operation drew two or more transitions.

    One such script is enough. A transition that is drawn again does not count twice.

    Args:
        seen: for each script (a list of operations on a new buffer), which transitions
            were drawn; None if this is not known.
    """
    return any(len(one.drawn[0]) > 1 for one in seen if one)


def random_storage(asker: Asker, seen: list[Seen | None]) -> Finding | None:
    """Return a finding if chance decides which transitions the buffer keeps; else None.

    The same operations are played on three new buffers, and the kept transitions are
    compared. Batches are drawn after all adds. If the first four entries of `seen` show
    no mistake in storing or drawing, batches are drawn between the adds, too.

    Args:
        asker: plays operations on new buffers of the hand-in.
        seen: for each earlier script (a list of operations on a new buffer), which
            transitions were drawn; None if this is not known.
    """
    without = [one for one in seen[:4] if one]
    right = storage.storage_findings(without) == []
    sets = []
    for _ in range(3):
        played = between_samples(asker) if right else asker.draw(CAPACITY + 3, DRAWS)
        one = seen_in(played, batches_in(played))
        if not one or len(one.drawn) < (len(STAGES) - 1 if right else 1):
            return None
        # In both scripts, look at the batches that were drawn after CAPACITY + 3 adds.
        stage = STAGES.index(CAPACITY + 3) - 1 if right else 0
        sets.append(one.drawn[stage])
    if any(len(s) != CAPACITY or max(s) != CAPACITY + 2 or BLANK in s for s in sets):
        return None
    if all(s == sets[0] for s in sets):
        return None
    if right:
        return found(
            "shuffles-storage",
            "after a sample, not the oldest leaves",
            storage.ASKED_KEPT,
            "Once you have sampled, it is chance which transition leaves, as when the "
            "stored rows are shuffled in order to draw: then the place tells no longer "
            "which is the oldest. Sampling changes nothing",
        )
    return found(
        "evicts-random",
        "when full, any one leaves",
        storage.ASKED_KEPT,
        "When your buffer is full, one leaves at random. The one that was added first "
        "has to leave, so that the newest `capacity` are there",
    )


def how_drawn(
    asker: Asker, drawn: list[list[Batches | None]], *, plain: bool
) -> list[Finding]:
    """Return a finding, in a list, if rows are drawn unevenly or depend on each other.

    Args:
        asker: draws from a larger buffer if the batches in `drawn` show no mistake.
        drawn: for each script (a list of operations on a new buffer), its batches as
            `batches_in` returns them.
        plain: True if no mistake was found in what the buffer stores. If False, only
            one script's batches are examined.

    Returns:
        A list with one finding; [] if no such mistake is certain.
    """
    firsts = [one[0] if one else None for one in drawn[:4]]
    known = [b.ids for b in firsts[:3] if b and (b.ids != BLANK).all()]
    if not plain:  # use the first script that draws more than BATCH transitions
        known = [
            b.ids
            for b in (firsts[0], firsts[3])
            if b and draws.ranks(b.ids)[1] > BATCH and (b.ids != BLANK).all()
        ]
        known = known[:1]
    told = [drawing_of(*draws.ranks(ids)) for ids in known]
    names = {finding.name for finding in told if finding}
    if told and told[0] and len(names) == 1 and all(told):
        return [told[0]]
    # In a full ring, a transition's place differs from its rank by age. So a mistake in
    # the choice of places can be recognised only before the ring is full.
    before = told[:-1]
    if before and all(f and f.name in BY_PLACE for f in before):
        names = {finding.name for finding in before if finding}
        return [f for f in before[:1] if f and len(names) == 1]
    if len(told) > 1 and all(told):
        return [f for f in [draws.uneven(*draws.ranks(known[-1]), named=False)] if f]
    if any(told):
        return []
    return between_batches(asker)


BY_PLACE = ("rounds-index", "stratified", "contiguous-block")


def drawing_of(places: np.ndarray, stored: int) -> Finding | None:
    """Return a finding if the rows of batches are drawn wrongly; else None.

    Right draws are independent, and all stored transitions are equally likely.

    Args:
        places: ranks by age of the drawn transitions, in n batches of B rows [n,B]; the
            oldest transition has rank 0.
        stored: number of stored transitions.
    """
    return (
        draws.within_batch(places, stored)
        or draws.in_every_batch(places, stored)
        or draws.uneven(places, stored)
    )


def between_batches(asker: Asker) -> list[Finding]:
    """Draw from a larger buffer; return a finding if the draws depend on each other.

    The buffer has `LARGE` places, all filled.

    Args:
        asker: plays operations on a new buffer of the hand-in.

    Returns:
        A list with one finding; [] if the draws look independent, or if the transitions
        of the rows cannot be recognised.
    """
    script = [["add", 0, LARGE], asker.seed(), ["samples", DRAWS, BATCH]]
    many = batches_in(asker.play(*script, capacity=LARGE))
    if not many or not many[0] or (many[0].ids == BLANK).any():
        return []
    places, stored = draws.ranks(many[0].ids)
    finding = draws.in_turn(places, stored)
    finding = finding or draws.dependent(places, stored)
    return [finding] if finding else []
