"""Find out how a buffer draws: by which generator, how evenly, and how independently.

Whether all transitions are equally likely is judged by a χ² test. By chance, this test
rejects a right buffer with a probability of about 1e-9.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from grader.diagnosis.patterns.buffer_parts.changes import Batches
from grader.diagnosis.patterns.buffer_parts.questions import Finding, found

TAIL = 1e-9
UNIFORM = "all that are stored are equally likely"
INDEPENDENT = "each row is a draw of its own"


def each_in(draws: np.ndarray, stored: int) -> np.ndarray:
    """Count how often each batch contains each transition.

    Args:
        draws: ranks by age of the drawn transitions, in n batches of B rows [n,B]; the
            oldest transition has rank 0.
        stored: number of stored transitions.

    Returns:
        The counts [n,stored].
    """
    return (draws[:, :, None] == np.arange(stored)).sum(axis=1)


def improbable(each: np.ndarray, shares: np.ndarray) -> bool:
    """Tell whether counts contradict the expected probabilities, by a χ² test.

    The limit of the test is raised if the counts scatter more from batch to batch than
    those of independent draws.

    Args:
        each: how often each of n batches contains each transition [n,stored].
        shares: expected probability of each transition in one draw [stored].
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
    """Tell whether there are at least three batches and all of them are equal.

    Args:
        draws: numbers of the transitions in n batches of B rows [n,B].
    """
    return len(draws) > 2 and bool((draws == draws[0]).all())


def same_batches(draws: Sequence[np.ndarray]) -> Finding | None:
    """Return a finding if, in each buffer, all batches are equal; else None.

    Batches of different buffers are not compared.

    Args:
        draws: for each buffer, the numbers of the drawn transitions in n batches of B
            rows [n,B].

    Returns:
        None also without buffers, if a buffer gave fewer than three batches, or if all
        rows of its batches are the same transition.
    """
    if not draws or not all(constant(each) and len(set(each[0])) > 1 for each in draws):
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
    """Return a finding if the rows of a batch clearly depend on each other; else None.

    Three patterns are recognised: one transition repeated, consecutive transitions, and
    one row from each of B parts of the buffer.

    Args:
        draws: ranks by age of the drawn transitions, in n batches of B rows [n,B]; the
            oldest transition has rank 0.
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

    A part is a range of consecutive ranks.

    Args:
        draws: ranks by age of the drawn transitions, in n batches of B rows [n,B]; the
            oldest transition has rank 0.
        stored: number of stored transitions.
    """
    low, high = draws.min(axis=0), draws.max(axis=0)
    order = np.argsort(low)
    low, high = low[order], high[order]
    covers = low[0] == 0 and high[-1] == stored - 1
    return bool(covers and (high[:-1] <= low[1:]).all() and (high > low).any())


def in_turn(draws: np.ndarray, stored: int) -> Finding | None:
    """Return a finding if batches are consecutive parts of a shuffled list; else None.

    Such a buffer never draws a transition twice before the list is used up and shuffled
    again.

    Args:
        draws: ranks by age of the drawn transitions [n,B]: the buffer's first n batches
            of B rows, in the order of drawing.
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


def ranks(ids: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the ranks by age of drawn transitions, and how many ranks there are.

    Only transitions that were drawn at least once are ranked. The oldest of them has
    rank 0.

    Args:
        ids: numbers of the drawn transitions, in n batches of B rows [n,B]. The numbers
            count the adds, so an older transition has a smaller one.

    Returns:
        The ranks [n,B], and their number.
    """
    seen, places = np.unique(ids, return_inverse=True)
    return places.reshape(ids.shape), len(seen)


def in_every_batch(draws: np.ndarray, stored: int) -> Finding | None:
    """Return a finding if the newest (or the oldest) transition is in every batch.

    Args:
        draws: ranks by age of the drawn transitions, in n batches of B rows [n,B]; the
            oldest transition has rank 0.
        stored: number of stored transitions.

    Returns:
        None if neither is in every batch, or if a batch has at least `stored` rows.
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
        draws: ranks by age of the drawn transitions, in n batches of B rows [n,B]; the
            oldest transition has rank 0.
        stored: number of stored transitions.
        named: True to look first for known patterns, such as a preference for new
            transitions; False to report the counts without a pattern.
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
        "Your transitions are not drawn equally often. Each that is "
        "stored is as likely as the others",
        table,
    )
    return replace(unnamed, measured=True)


def rarely_drawn(batches: Sequence[Batches]) -> Finding | None:
    """Return a finding if draws are so uneven that rare transitions may be missing.

    Only transitions that a right buffer holds are counted. If any other row is drawn,
    the result is None.

    Args:
        batches: batches from buffers with different numbers of adds.

    Returns:
        None also if the transitions that are drawn come equally often in each buffer.
    """
    if any((b.ids < b.oldest).any() for b in batches):
        return None
    apart = [
        (b.ids - b.oldest, b.newest - b.oldest + 1)
        for b in batches
        if uneven(*ranks(b.ids))
    ]
    told = [uneven(*one) for one in apart]
    if len({finding.name for finding in told if finding}) > 1:
        return uneven(*apart[0], named=False)
    return told[0] if told else None


def rises(shares: np.ndarray, n: int) -> bool:
    """Tell whether relative frequencies rise from each transition to the next.

    A fall is ignored if it is small enough to be chance. The rise from the first
    transition to the last must be too large for chance.

    Args:
        shares: relative frequency of each transition among all draws, in order.
        n: number of draws.
    """
    noise = 4 * np.sqrt(shares.max() / n)
    return bool((np.diff(shares) > -noise).all() and shares[-1] - shares[0] > noise)


def dependent(draws: np.ndarray, stored: int) -> Finding | None:
    """Return a finding if two rows are the same transition too often or too rarely.

    Two rows of one batch are compared, and two rows of consecutive batches. If no batch
    has the same transition twice, as in draws without replacement, only rows of
    consecutive batches are compared.

    Args:
        draws: ranks by age of the drawn transitions [n,B]: n batches of B rows, in the
            order of drawing.
        stored: number of stored transitions.

    Returns:
        None if neither comparison contradicts independent draws.
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
