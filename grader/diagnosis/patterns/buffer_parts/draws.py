"""Find out how a buffer draws: by which generator, how evenly, and how independently.

A χ² test judges how often each transition is drawn. With a right buffer it fails with
probability 1e-9.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from grader.diagnosis.patterns.buffer_parts.questions import Finding, found

TAIL = 1e-9
UNIFORM = "all that are stored are equally likely"
INDEPENDENT = "each row is a draw of its own"
BY_RNG = "all chance comes from rng"


def each_in(draws: np.ndarray, stored: int) -> np.ndarray:
    """Return how often each transition is in each batch [n,stored].

    Args:
        draws: ranks by age of the drawn transitions [n,B]; the oldest has rank 0.
        stored: number of stored transitions.
    """
    return (draws[:, :, None] == np.arange(stored)).sum(axis=1)


def improbable(each: np.ndarray, shares: np.ndarray) -> bool:
    """Tell whether counts differ from expected frequencies by more than chance allows.

    If the rows of a batch depend on each other, counts scatter more than with
    independent draws. The limit of the test is raised by the same factor.

    Args:
        each: how often each transition is in each batch [n,stored].
        shares: expected frequency of each transition among all rows [stored]; the sum
            is 1.
    """
    from scipy import special  # imported late: the import takes 0.2 s

    expected = each.sum() * shares
    total = float(((each.sum(axis=0) - expected) ** 2 / expected).sum())
    own = each.mean(axis=0)
    came = own > 0
    scatter = ((each - own)[:, came] ** 2 / own[came]).sum(axis=1).mean()
    excess = max(1.0, scatter / max(1, came.sum() - 1))
    return total > excess * float(special.chdtri(len(shares) - 1, TAIL))


# ---------------------------------------------------------------- equal batches


def constant(draws: np.ndarray) -> bool:
    """Tell whether there are three or more batches, and all of them are equal.

    Args:
        draws: the transitions in each batch [n,B].
    """
    return len(draws) > 2 and bool((draws == draws[0]).all())


def generator_finding(
    same_buffer: Sequence[np.ndarray], new_buffers: Sequence[np.ndarray]
) -> Finding | None:
    """Return a finding if the draws do not depend on rng alone; else None.

    Args:
        same_buffer: three arrays of drawn numbers, all from one buffer. The first two
            were drawn with equal generators, the third with a different one.
        new_buffers: three arrays of drawn numbers, each from a new buffer. The first
            two were drawn with equal generators, the third with a different one.
    """
    first, again, other = same_buffer
    new, new_again, new_other = new_buffers
    if not np.array_equal(new, new_again):
        return found(
            "global-random",
            "equal generators give different batches",
            BY_RNG,
            "If you draw with another generator than rng, as NumPy's global one, no "
            "run can be repeated. All chance has to come from the rng that is given",
        )
    if not np.array_equal(first, again):
        return found(
            "keeps-draws",
            "a batch depends on what was drawn before, not on rng alone",
            BY_RNG,
            "The same buffer with an equal generator gives another batch: something is "
            "kept from one sample to the next. Each batch is drawn anew with rng",
        )
    if np.array_equal(new, new_other) and np.array_equal(first, other):
        return found(
            "rng-ignored",
            "different generators give the same batches",
            BY_RNG,
            "Your batches are the same whatever rng is given. All chance has to come "
            "from the rng that is given",
        )
    return None


def same_batches(draws: Sequence[np.ndarray]) -> Finding | None:
    """Return a finding if all batches of each buffer are equal; else None.

    Args:
        draws: numbers of the drawn transitions, an array [n,B] for each buffer.
    """
    if not all(constant(each) and len(set(each[0])) > 1 for each in draws):
        return None
    if all(np.ptp(each[0]) < each.shape[1] for each in draws):
        return found(
            "same-batch",
            "all batches are the same",
            "each batch is drawn anew",
            "Your batches are all the same until more is added. Each row of a batch is "
            "drawn at random from all that are stored",
        )
    return found(
        "fixed-indices",
        "all batches are the same",
        "each batch is drawn anew",
        "Your batches are all the same, as when a generator is made anew in every "
        "call. All chance has to come from the rng that is given",
        [f"the transitions of each batch: {draws[0][0].tolist()}"],
    )


# ---------------------------------------------------------------- rows of one batch


def within_batch(draws: np.ndarray, stored: int) -> Finding | None:
    """Return a finding if rows of one batch clearly depend on each other; else None.

    Args:
        draws: ranks by age of the drawn transitions [n,B]; the oldest has rank 0.
        stored: number of stored transitions.
    """
    size = draws.shape[1]
    if size < 2 or stored < size:
        return None
    if (draws == draws[:, :1]).all():
        return found(
            "one-index-repeated",
            "a batch is one transition, B times",
            INDEPENDENT,
            "Your batch is one transition, B times, as when a single number is drawn. "
            "Each row of the batch is a draw of its own",
        )
    steps = (draws[:, 1:] - draws[:, :-1]) % stored
    for step, where in ((1, "after"), (stored - 1, "before")):
        if (steps == step).all():
            return found(
                "contiguous-block",
                f"each row is the transition stored {where} that of the row above",
                INDEPENDENT,
                "You draw where to start and take the B rows from there: one draw "
                "decides the others. Each row is a draw of its own; otherwise a batch "
                "is one piece of an episode",
            )
    if parts(draws, stored):
        return found(
            "stratified",
            "each row of a batch comes from a part of the buffer of its own",
            INDEPENDENT,
            "You cut the buffer into B parts and draw one row from each, so that some "
            "rows never meet in a batch. Each row is drawn from the whole buffer",
        )
    return None


def parts(draws: np.ndarray, stored: int) -> bool:
    """Tell whether the buffer is cut into B parts, with one row drawn from each part.

    Args:
        draws: ranks by age of the drawn transitions [n,B]; the oldest has rank 0.
        stored: number of stored transitions.
    """
    low, high = draws.min(axis=0), draws.max(axis=0)
    order = np.argsort(low)
    low, high = low[order], high[order]
    covers = low[0] == 0 and high[-1] == stored - 1
    return bool(covers and (high[:-1] <= low[1:]).all() and (high > low).any())


def in_turn(draws: np.ndarray, stored: int) -> Finding | None:
    """Return a finding if the buffer gives out a shuffled list in turn; else None.

    Such a buffer draws each transition once before it draws any transition again.

    Args:
        draws: ranks by age of the transitions in the buffer's first batches [n,B], in
            the order of drawing.
        stored: number of stored transitions.
    """
    each = stored // draws.shape[1]
    if each < 2:
        return None
    rounds = len(draws) // each
    blocks = draws[: rounds * each].reshape(rounds, -1)
    if rounds < 5 or any(len(set(b)) < len(b) for b in blocks.tolist()):
        return None
    return found(
        "epoch-shuffle",
        f"of {stored} stored, {each} batches of {draws.shape[1]} hold each one once",
        "each batch is drawn from all that are stored",
        "Your batches depend on those before, as when the rows are shuffled once and "
        "then handed out in turn. Each batch is drawn anew from all that is stored",
    )


# ---------------------------------------------------------------- how often each


def in_every_batch(draws: np.ndarray, stored: int) -> Finding | None:
    """Return a finding if one transition, the newest or the oldest, is in every batch.

    Args:
        draws: ranks by age of the drawn transitions [n,B]; the oldest has rank 0.
        stored: number of stored transitions.

    Returns:
        None if neither the newest nor the oldest transition is in every batch, or if B
        is not smaller than `stored`.
    """
    for rank, word in ((stored - 1, "newest"), (0, "oldest")):
        if draws.shape[1] < stored and (draws == rank).any(axis=1).all():
            return found(
                f"{word}-always",
                f"the {word} transition is in every batch",
                UNIFORM,
                f"The {word} transition is in every batch of yours. It is drawn like "
                "all the others, no more often",
            )
    return None


def uneven(draws: np.ndarray, stored: int, *, named: bool = True) -> Finding | None:
    """Return a finding if some transitions are drawn more often than others; else None.

    Args:
        draws: ranks by age of the drawn transitions [n,B]; the oldest has rank 0.
        stored: number of stored transitions.
        named: True to look for known patterns first, such as a preference for new
            transitions.
    """
    each = each_in(draws, stored)
    counts = each.sum(axis=0)
    if stored < 2 or not improbable(each, np.full(stored, 1 / stored)):
        return None
    table = [
        f"of {draws.size} draws from {stored} stored, the oldest first: "
        + ", ".join(str(count) for count in counts)
    ]
    halves = np.ones(stored)
    halves[[0, -1]] = 0.5
    if named and stored > 3 and not improbable(each, halves / halves.sum()):
        return found(
            "rounds-index",
            "the first and the last row are drawn half as often as the others",
            UNIFORM,
            "The first and the last row are drawn half as often as the others, as when "
            "a fraction is rounded to the nearest row. All rows need equal shares",
            table,
        )
    for newer, order in ((True, counts), (False, counts[::-1])):
        if named and rises(order / draws.size, draws.size):
            word, name = ("newer", "recent") if newer else ("older", "old")
            return found(
                f"prefers-{name}",
                f"the {word} a transition, the more often it is drawn",
                UNIFORM,
                f"{'New' if newer else 'Old'} transitions are drawn more often than "
                f"{'old' if newer else 'new'} ones. All that are stored have to be "
                "equally likely",
                table,
            )
    unnamed = found(
        "uneven-draws",
        f"of {draws.size} draws from {stored} transitions, one comes "
        f"{counts.max()} times and another {counts.min()} times",
        UNIFORM,
        "Your transitions are not drawn equally often: see the table. Each that is "
        "stored is as likely as the others",
        table,
    )
    return replace(unnamed, measured=True)


def rises(shares: np.ndarray, n: int) -> bool:
    """Tell whether frequencies rise from each transition to the next, within chance.

    Args:
        shares: frequency of each transition among all drawn rows.
        n: number of drawn rows.
    """
    noise = 4 * np.sqrt(shares.max() / n)
    return bool((np.diff(shares) > -noise).all() and shares[-1] - shares[0] > noise)


def dependent(draws: np.ndarray, stored: int) -> Finding | None:
    """Return a finding if two rows are equal too often or too rarely; else None.

    The two rows are from one batch, or from two consecutive batches.

    Args:
        draws: ranks by age of the drawn transitions [n,B], in the order of drawing.
        stored: number of stored transitions.
    """
    n, size = draws.shape
    i, j = np.triu_indices(size, 1)
    within = int((draws[:, i] == draws[:, j]).sum())
    pairs = n * len(i)
    if within and abs(within - pairs / stored) > 8 * np.sqrt(pairs / stored):
        seen = found(
            "dependent-rows",
            f"two rows of a batch are the same in {within} of {pairs} pairs",
            f"in about {pairs / stored:.0f}, or never",
            "The rows of a batch depend on each other: one draw decides others. Each "
            "row is a draw of its own",
        )
        return replace(seen, measured=True)
    a, b = draws[:-1:2], draws[1::2]
    between = int((a[:, :, None] == b[:, None, :]).sum())
    pairs = len(b) * size * size
    if abs(between - pairs / stored) > 8 * np.sqrt(pairs / stored):
        seen = found(
            "dependent-batches",
            f"rows of two batches in turn are the same in {between} of {pairs} pairs",
            f"in about {pairs / stored:.0f}",
            "Your batches depend on those before. Each batch is drawn anew from all "
            "that is stored",
        )
        return replace(seen, measured=True)
    return None
