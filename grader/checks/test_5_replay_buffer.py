"""Exercise 5: the replay buffer.

The checks use only `add`, `len` and `sample` of the buffer. `replay_rows.py` finds out
which transitions the sampled rows are. Frequencies are judged as in exercise 4. Each
item of the list names a check, the probability p that a right hand-in fails this check,
and deviations of wrong hand-ins. The check finds these deviations with probability
0.999. The numbers in brackets hold for a buffer so slow that `FEWEST` batches are drawn
in place of `SAMPLES`. A right hand-in may draw with or without replacement.

- added_later (p < 1e-8): after one of the six series of adds, a transition is never
  drawn. Or it is drawn too often: 2 times as often as is right if 4 transitions are
  stored, 2.6 times if 8 are.
- uniform (p < 1e-8): the frequencies of all transitions are wrong by 14 % (32 %) root
  mean square, or by 16 % (36 %) if 23 transitions are stored. Or the frequency of one
  transition is wrong by 31 % (70 %) if 6 transitions are stored, by 38 % (85 %) if 8
  are.
- independent_draws (p < 1e-8): two rows of one batch, or of two consecutive batches,
  are the same transition less than 0.25 times (not found) or more than 2 times (3
  times) as often as by chance. Or the frequencies of the pairs are wrong by 38 % (85 %)
  root mean square; they are wrong by 38 % if 15 % of the pairs never come.
- Checks that compare sets (whether each transition comes, whether two batches differ):
  p < 1e-10.
"""

import itertools

import numpy as np
import pytest

from grader.checks.common import unchanged
from grader.checks.frequencies import uneven
from grader.checks.replay_rows import (
    dependence,
    differing,
    numbers_of,
    require_columns,
    require_integers,
    sampled,
)
from grader.contract import compare
from grader.contract.case import Answer, Answers, Case
from grader.contract.cases import transitions
from grader.contract.outcomes import Raised, Wrong

pytestmark = pytest.mark.part("ReplayBuffer")

# The batch size is not 5, because a list of rows could then pass for the five fields.
CAPACITY, BATCH = 8, 4
LARGE = 24  # six batches: shows whether a batch leaves out rows of the one before
SAMPLES, FEWEST, LATER = 1500, 300, 100  # numbers of batches
# Processor time in seconds after which fewer batches are drawn. A buffer of JAX arrays
# needs 5 ms for a batch without jit, one of NumPy arrays 0.05 ms.
SLOW = 2.0
SCRIBBLE = -12345.0  # the worker writes this number, see `buffer.replay_buffer`


@pytest.mark.points(1.5)
def test_length(student):
    """`len(buffer)` is the number stored, and never more than the capacity."""
    # A buffer has to count equal transitions separately, because real transitions can
    # be equal, too.
    for number, flag in ((1, "false"), (0, "true")):
        script: list = [["len"], *[["add", number, number + 1]] * 3, ["len"]]
        at_first, *obtained = play(student, CAPACITY, script).numbers("lengths") or [0]
        if at_first == CAPACITY:
            raise Wrong(f"a new buffer has length {CAPACITY}, its capacity, expected 0")
        if at_first:
            raise Wrong(
                f"a new buffer already holds {str(at_first)[:80]} transitions, "
                "expected 0: do two buffers share something?"
            )
        if obtained != [3]:
            raise Wrong(
                "length after three equal transitions, each with terminated = "
                f"{flag}: obtained {str(obtained)[1:-1][:80]}, expected 3"
            )
    for capacity in (1, CAPACITY):
        script = []
        for i in range(capacity + 4):
            script += [["add", i, i + 1], ["len"]]
        obtained = play(student, capacity, script).numbers("lengths")
        expected = [min(i + 1, capacity) for i in range(capacity + 4)]
        if obtained != expected:
            raise Wrong(
                f"capacity {capacity}, length after each of {capacity + 4} adds: "
                f"obtained {str(obtained)[:80]}, expected {expected}"
            )


@pytest.mark.points(0.5)
def test_example(student, rng):
    """The example in the docstring, with Python's numbers; no argument is changed."""
    number = np.arange(3)
    rows = {
        "state": np.tile(number[:, None], 4),
        "action": number,
        "reward": 10.0 * number,
        "terminated": number == 2,
        "next_state": np.tile(number[:, None] + 1, 4),
    }
    script: list = [["plain", 0, 3], ["len"], seeded(rng)]
    spec = {"capacity": 2, "script": [*script, ["samples", 64, 1], ["sample", 2]]}
    case = Case("replay_buffer", spec, rows)
    answer = student.answer(case)
    if (lengths := answer.numbers("lengths")) != [2]:
        raise Wrong(f"length after three adds to a capacity of 2: {str(lengths)[:80]}")
    ones, batch = sampled(answer, 2)
    require_columns(ones, rows, (64, 1))
    require_columns(batch, rows, (2,))
    drawn = np.append(ones["action"], batch["action"])
    if (seen := np.unique(drawn).tolist()) != [1, 2]:
        raise Wrong(
            f"the actions 0, 1, 2 added to a capacity of 2: obtained {seen} in "
            f"{drawn.size} draws, expected 1 and 2"
        )
    for name, column in rows.items():
        found = differing(name, batch[name], column[batch["action"].astype(int)], 1)
        compare.require(found, f"the rows are the actions {batch['action'].tolist()}")
    unchanged(student, case, ("numpy",))


@pytest.mark.points(2.5)
def test_rows(student, rng):
    """Each sampled row is one stored transition, all five fields of it.

    The state of a sampled row says which transition the whole row has to equal.
    """
    for capacity, stored, batch_size in ((CAPACITY, 6, BATCH), (1, 1, 1), (20, 20, 7)):
        script = [["add", 0, stored], seeded(rng), ["samples", 20, batch_size]]
        for sample in sampled(play(student, capacity, script), 1):
            numbers = numbers_of(sample, stored, (20, batch_size))
            if stored > 1 and len(np.unique(numbers)) == 1:
                raise Wrong(
                    f"{stored} stored, but only number {numbers[0, 0]} (counted from "
                    "0) is ever sampled"
                )


@pytest.mark.points(0.5)
@pytest.mark.after("rows")
def test_types(student, rng):
    """Actions come back as integers: they are used as indices."""
    script = [["add", 0, 6], seeded(rng), ["sample", BATCH]]
    (sample,) = sampled(play(student, CAPACITY, script), 1)
    require_columns(sample, transitions(0, 6), (BATCH,))
    require_integers(sample)


@pytest.mark.points(2.5)
def test_oldest_leaves(student, rng):
    """A full buffer keeps the newest transitions: the oldest leaves (FIFO)."""
    for extra in (1, 3, CAPACITY, 2 * CAPACITY + 3):
        total = CAPACITY + extra
        # A sample before the last add, because sampling must not change where `add`
        # writes.
        script = [["add", 0, total - 1], seeded(rng), ["sample", BATCH]]
        script += [["add", total - 1, total], ["samples", 60, BATCH]]
        _, sample = sampled(play(student, CAPACITY, script), 2)
        seen = set(numbers_of(sample, total, (60, BATCH)).ravel().tolist())
        kept = set(range(extra, total))
        if old := seen - kept:
            raise Wrong(
                f"capacity {CAPACITY}, {total} transitions added: number {min(old)} "
                f"(counted from 0) is still sampled; it should have left, the newest "
                f"{CAPACITY} stay"
            )
        if lost := kept - seen:
            raise Wrong(
                f"capacity {CAPACITY}, {total} transitions added: number {min(lost)} "
                "(counted from 0) is never sampled, though it is among the newest "
                f"{CAPACITY}"
            )


@pytest.mark.points(1)
@pytest.mark.after("rows")
def test_added_later(student, rng):
    """What is added after a sample is drawn like the rest by the next.

    Transitions are added in six series, and batches are sampled after each series. Each
    time, all stored transitions have to be drawn equally often, the old and the new
    ones.
    """
    # How many transitions are added in all after each series. Two series end before the
    # buffer is full, one fills it, and three come after.
    stages = (BATCH, 5, CAPACITY, CAPACITY + 1, CAPACITY + 3, 3 * CAPACITY - 2)
    script: list = [seeded(rng)]
    for first, last in itertools.pairwise((0, *stages)):
        script += [["add", first, last], ["samples", LATER, BATCH], ["len"]]
    answer = play(student, CAPACITY, script)
    lengths = [min(added, CAPACITY) for added in stages]
    if (obtained := answer.numbers("lengths")) != lengths:
        raise Wrong(
            f"capacity {CAPACITY}, length after {list(stages)} adds, with samples in "
            f"between: obtained {str(obtained)[:80]}, expected {lengths}"
        )
    before = 0
    for added, stored, sample in zip(
        stages, lengths, sampled(answer, len(stages)), strict=True
    ):
        numbers = numbers_of(sample, added, (LATER, BATCH)) - (added - stored)
        each = (numbers[:, :, None] == np.arange(stored)).sum(axis=1)
        missing = (numbers < 0).any() or not each.any(axis=0).all()
        if missing or uneven(each, np.full(stored, BATCH / stored)):
            listed = np.arange(added - stored, added).tolist()
            raise Wrong(
                f"capacity {CAPACITY}, {added} transitions added, {added - before} of "
                f"them since the sample before: of {numbers.size} sampled about "
                f"{numbers.size / stored:.0f} are expected of each of the numbers "
                f"{listed}, obtained {each.sum(axis=0).tolist()}"
            )
        before = added


@pytest.mark.points(2)
@pytest.mark.after("rows")
def test_uniform(student, rng):
    """Every stored transition is as likely to be sampled as the others."""
    sizes = (CAPACITY, CAPACITY - 2), (CAPACITY, CAPACITY + 3), (LARGE, LARGE - 1)
    for capacity, added in sizes:
        first, stored = max(0, added - capacity), min(added, capacity)
        numbers = draw(student, rng, capacity, added, BATCH) - first
        if (numbers < 0).any():
            continue  # an old transition is still stored: `oldest_leaves` reports this
        each = (numbers[:, :, None] == np.arange(stored)).sum(axis=1)
        if uneven(each, np.full(stored, BATCH / stored)):
            counts = each.sum(axis=0)
            raise Wrong(
                f"{stored} transitions stored, {numbers.size} sampled: expected about "
                f"{numbers.size / stored:.0f} of each, obtained {counts.tolist()}"
            )


@pytest.mark.points(1.5)
@pytest.mark.after("rows")
def test_independent_draws(student, rng):
    """Rows are drawn independently, within a batch and between batches."""
    numbers = draw(student, rng, LARGE, LARGE, BATCH)
    # Two rows make a pair. Rows are put in random order, because a batch may be sorted.
    numbers = rng.permuted(numbers[: len(numbers) // 2 * 2], axis=1)
    a, b = numbers[:, ::2].ravel(), numbers[:, 1::2].ravel()
    if found := dependence(a, b, may_avoid=True):
        raise Wrong(f"two rows of one batch: {found}: does one draw decide the others?")
    if found := dependence(numbers[::2].ravel(), numbers[1::2].ravel()):
        raise Wrong(
            f"a row of one batch and a row of the next: {found}: does a batch depend "
            "on the one before?"
        )


@pytest.mark.points(1)
@pytest.mark.after("rows")
def test_generator(student, rng):
    """The draws come from `rng`: the same state, the same batch.

    A generator in another state gives another batch. Batches that are drawn one after
    the other with one generator are not all equal.
    """
    seed, other = seeded(rng), seeded(rng)
    # Three batches are half of LARGE. So a buffer that shuffles all transitions once,
    # and hands them out one after the other, gives other batches the second time.
    count = 3
    batches = ["samples", count, BATCH]
    script = [["add", 0, LARGE], seed, batches, seed, batches, other, batches]
    first, again, another = (
        numbers_of(sample, LARGE, (count, BATCH))
        for sample in sampled(play(student, LARGE, script), 3)
    )
    if not np.array_equal(first, again):
        raise Wrong(
            "the same generator state gave another batch: is there other randomness, "
            "or is something kept from one call to the next?"
        )
    if np.array_equal(first, another):
        raise Wrong("another generator state gave the same batch: is rng used?")
    if all(np.array_equal(first[0], row) for row in first):
        raise Wrong("batches drawn one after the other are all the same")


@pytest.mark.points(1)
@pytest.mark.after("rows")
def test_stores_copies(student, rng):
    """`add` stores a copy: an array that is changed afterwards changes no row.

    The worker overwrites the states that it has passed to `add`.
    """
    script = [["add", 0, 6], ["scribble"], seeded(rng), ["samples", 20, BATCH]]
    (sample,) = sampled(play(student, CAPACITY, script), 1)
    require_columns(sample, transitions(0, 6), (20, BATCH))
    for name in ("state", "next_state"):
        if (sample[name] == SCRIBBLE).any():
            raise Wrong(
                f"the {name} that `add` was given was changed afterwards (as an "
                "environment does that reuses its array), and the stored row changed "
                "with it"
            )
    numbers_of(sample, 6, (20, BATCH))


@pytest.mark.points(0.5)
@pytest.mark.after("rows")
def test_batch_stays(student, rng):
    """A drawn batch changes neither by later samples nor by later adds."""
    for size in (1, BATCH, CAPACITY):
        script = [["add", 0, CAPACITY], seeded(rng), *[["sample", size]] * 4]
        script += [["reread", 0], ["add", CAPACITY, 2 * CAPACITY], ["reread", 0]]
        first, *_, sampled_since, added_since = (
            numbers_of(sample, 2 * CAPACITY, (size,))
            for sample in sampled(play(student, CAPACITY, script), 6)
        )
        for what, after in (
            ("three more were drawn", sampled_since),
            (f"{CAPACITY} more adds", added_since),
        ):
            if not np.array_equal(first, after):
                raise Wrong(
                    f"{CAPACITY} transitions stored: a batch of {size} held the "
                    f"transitions {first.tolist()}; after {what} the same batch holds "
                    f"{after.tolist()}"
                )


@pytest.mark.points(0.5)
@pytest.mark.after("rows")
def test_sampling_changes_nothing(student, rng):
    """Sampling takes nothing out of the buffer and puts nothing in."""
    script: list = [["add", 0, CAPACITY], seeded(rng)]
    script += [["sample", CAPACITY], ["len"]] * 3 + [["samples", 60, BATCH], ["len"]]
    answer = play(student, CAPACITY, script)
    lengths = answer.numbers("lengths")
    if lengths != [CAPACITY] * 4:
        raise Wrong(
            f"length after each of four samplings from {CAPACITY} stored: obtained "
            f"{str(lengths)[:80]}, expected {[CAPACITY] * 4}"
        )
    last = sampled(answer, 4)[-1]
    numbers = numbers_of(last, CAPACITY, (60, BATCH))
    seen = np.unique(numbers)
    if len(seen) != CAPACITY:
        raise Wrong(
            f"{numbers.size} draws after sampling brought only the transitions "
            f"{seen.tolist()}"
        )


def play(student: Answers, capacity: int, script: list) -> Answer:
    """Run a script, a list of operations, on a new buffer; return the answer.

    Args:
        student: the hand-in.
        capacity: the buffer's capacity.
        script: the operations, each a list of a name and its arguments; see
            `inside/buffer.py`. For example, ["add", i, j] adds the transitions with
            numbers i to j - 1; j is at most 40.

    Raises:
        Raised: the hand-in has raised an exception; the message says what was asked.
    """
    spec = {"capacity": capacity, "script": script}
    try:
        return student.answer(Case("replay_buffer", spec, transitions(0, 40)))
    except Raised as problem:
        adds = sum(one[2] - one[1] for one in script if one[0] == "add")
        sizes = {one[1] for one in script if one[0] == "sample"}
        sizes |= {one[2] for one in script if one[0] == "samples"}
        drawn = f", batches of {' and '.join(map(str, sorted(sizes)))}" if sizes else ""
        asked = f"asked: capacity {capacity}, {adds} adds{drawn}"
        raise Raised(f"{problem}\n{asked}") from None


def seeded(rng: np.random.Generator) -> list:
    """Return an operation for `play` that makes a new generator with a random seed.

    Args:
        rng: generator from which the seed is drawn.
    """
    return ["rng", int(rng.integers(2**31))]


def draw(
    student: Answers, rng: np.random.Generator, capacity: int, added: int, size: int
) -> np.ndarray:
    """Sample many batches; return the numbers of their transitions [n,size].

    All batches are sampled from one buffer with one generator. Their number n is
    `SAMPLES`; a slow buffer draws fewer, but at least `FEWEST`.

    Args:
        student: the hand-in.
        rng: source of the seed of the generator.
        capacity: the buffer's capacity.
        added: how many transitions are added before the first sample.
        size: the number of rows of each batch.
    """
    samples = ["samples", SAMPLES, size, FEWEST, SLOW]
    script = [["add", 0, added], seeded(rng), samples]
    (sample,) = sampled(play(student, capacity, script), 1)
    state = sample.get("state")
    drawn = len(state) if isinstance(state, np.ndarray) and state.ndim else 0
    return numbers_of(sample, added, (min(max(FEWEST, drawn), SAMPLES), size))
