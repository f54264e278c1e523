"""Exercise 5: the replay buffer.

Each stored transition carries its number in every field, so that a sampled row tells
which one it is, and whether its five fields belong together. Only `add`, `len` and
`sample` are used. Frequencies are judged as in exercise 4: correct work fails with
probability below 1e-8 a check, drawn with or without replacement.
"""

from typing import Any

import numpy as np
import pytest

from grader import compare
from grader.cases import transitions
from grader.checks.test_4_epsilon_greedy import chi2_limit, statistic
from grader.outcomes import Wrong
from grader.session import Answer, Answers, Case

CAPACITY, BATCH = 8, 5
SAMPLES = 1000


@pytest.mark.points(2)
def test_length(student):
    """`len(buffer)` is the number stored, and never more than the capacity."""
    # The same transition again is one more: real ones repeat, too.
    script = [["add", 0, 1], ["add", 0, 1], ["add", 0, 1], ["len"]]
    obtained = play(student, CAPACITY, script).numbers("lengths")
    if obtained != [3]:
        raise Wrong(f"length after three equal transitions: {obtained}, expected [3]")
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


@pytest.mark.points(3)
def test_rows(student, rng):
    """Each sampled row is one stored transition, all five fields of it."""
    for capacity, stored, batch_size in ((CAPACITY, 6, BATCH), (1, 1, 1), (20, 20, 7)):
        script = [["add", 0, stored], seeded(rng), ["samples", 20, batch_size]]
        for sample in sampled(play(student, capacity, script), 1):
            numbers = numbers_of(sample, stored, (20, batch_size))
            if stored > 1 and len(np.unique(numbers)) == 1:
                raise Wrong(f"{stored} stored, but only number {numbers[0, 0]} comes")


@pytest.mark.points(3)
def test_oldest_leaves(student, rng):
    """A full buffer keeps the newest transitions: the oldest leaves (FIFO)."""
    for extra in (1, 3, CAPACITY, 2 * CAPACITY + 3):
        total = CAPACITY + extra
        # Sampling in between must not move the place where the next one goes.
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


@pytest.mark.points(2)
@pytest.mark.after("rows")
def test_uniform(student, rng):
    """Every stored transition is as likely to be sampled as the others."""
    for added in (CAPACITY - 2, CAPACITY + 3):
        first, stored = max(0, added - CAPACITY), min(added, CAPACITY)
        numbers = draw(student, rng, CAPACITY, added, BATCH) - first
        if (numbers < 0).any():
            continue  # an old one is still there: `oldest_leaves` says so
        # One row of each batch: rows drawn without replacement depend on each other.
        one = numbers[np.arange(SAMPLES), rng.integers(0, BATCH, SAMPLES)]
        counts = np.bincount(one, minlength=stored)
        if statistic(counts, SAMPLES / stored) > chi2_limit(stored - 1):
            raise Wrong(
                f"{stored} transitions stored, {SAMPLES} sampled: expected about "
                f"{SAMPLES / stored:.0f} of each, obtained {counts.tolist()}"
            )


@pytest.mark.points(1.5)
@pytest.mark.after("rows")
def test_independent_draws(student, rng):
    """The rows of a batch are drawn independently of each other."""
    numbers = draw(student, rng, CAPACITY, CAPACITY, BATCH)
    a, b = rng.permuted(np.tile(np.arange(BATCH), (SAMPLES, 1)), axis=1)[:, :2].T
    pairs = np.zeros((CAPACITY, CAPACITY))
    order = np.arange(SAMPLES)
    np.add.at(pairs, (numbers[order, a], numbers[order, b]), 1)
    same = np.trace(pairs)
    off_diagonal = ~np.eye(CAPACITY, dtype=bool)
    cells = pairs if same else pairs[off_diagonal]  # without replacement: no pair twice
    if statistic(cells, SAMPLES / cells.size) > chi2_limit(cells.size - 1):
        raise Wrong(
            f"two rows of one batch are the same transition in {same:.0f} of {SAMPLES} "
            f"batches (expected about {SAMPLES / CAPACITY:.0f}, or 0 without "
            "replacement), or some pairs come together more often than others: does "
            "one draw decide the others?"
        )


@pytest.mark.points(1)
@pytest.mark.after("rows")
def test_generator(student, rng):
    """The draws come from `rng`: the same state, the same batch."""
    seed, other = seeded(rng), seeded(rng)
    batch = ["samples", 4, BATCH]
    script = [["add", 0, CAPACITY], seed, batch, seed, batch, other, batch]
    shape = (4, BATCH)
    first, again, another = (
        numbers_of(sample, CAPACITY, shape)
        for sample in sampled(play(student, CAPACITY, script), 3)
    )
    if not np.array_equal(first, again):
        raise Wrong("the same generator state gave another batch: other randomness?")
    if np.array_equal(first, another):
        raise Wrong("another generator state gave the same batch: is rng used?")
    if all(np.array_equal(first[0], row) for row in first):
        raise Wrong("batches drawn one after the other are all the same")


@pytest.mark.points(1)
@pytest.mark.after("rows")
def test_stores_copies(student, rng):
    """`add` stores a copy: an array that is changed afterwards changes no row."""
    script = [["add", 0, 6], ["scribble"], seeded(rng), ["samples", 20, BATCH]]
    (sample,) = sampled(play(student, CAPACITY, script), 1)
    require_columns(sample, transitions(0, 6), (20, BATCH))
    if (sample["state"] == -12345.0).any():
        raise Wrong(
            "the state that `add` was given was changed afterwards (as an environment "
            "does that reuses its array), and the stored row changed with it"
        )
    numbers_of(sample, 6, (20, BATCH))


@pytest.mark.points(0.5)
@pytest.mark.after("rows")
def test_batch_stays(student, rng):
    """A batch once drawn does not change by later adds."""
    more = ["add", CAPACITY, 2 * CAPACITY]
    script = [["add", 0, CAPACITY], seeded(rng), ["sample", BATCH], more, ["reread", 0]]
    before, after = (
        numbers_of(sample, 2 * CAPACITY, (BATCH,))
        for sample in sampled(play(student, CAPACITY, script), 2)
    )
    if not np.array_equal(before, after):
        raise Wrong(
            f"a batch held the transitions {before.tolist()}; after {CAPACITY} more "
            f"adds the same batch holds {after.tolist()}"
        )


@pytest.mark.points(1)
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
    seen = np.unique(numbers_of(last, CAPACITY, (60, BATCH)))
    if len(seen) != CAPACITY:
        raise Wrong(f"after sampling only the transitions {seen.tolist()} are left")


def play(student: Answers, capacity: int, script: list) -> Answer:
    """Play a script on a fresh buffer; transition number i is row i."""
    spec = {"capacity": capacity, "script": script}
    return student.answer(Case("replay_buffer", spec, transitions(0, 40)))


def seeded(rng: np.random.Generator) -> list:
    """The script's line that makes a new generator."""
    return ["rng", int(rng.integers(2**31))]


def sampled(answer: Answer, count: int) -> list[dict[str, Any]]:
    """The batches that came back, so many of them."""
    samples = answer.get("samples")
    if (
        not isinstance(samples, list)
        or len(samples) != count
        or not all(isinstance(sample, dict) for sample in samples)
    ):
        raise Wrong("not the batches that were asked for")
    return samples


def draw(
    student: Answers, rng: np.random.Generator, capacity: int, added: int, size: int
) -> np.ndarray:
    """The numbers of the transitions in many batches, drawn with one generator."""
    script = [["add", 0, added], seeded(rng), ["samples", SAMPLES, size]]
    (sample,) = sampled(play(student, capacity, script), 1)
    return numbers_of(sample, added, (SAMPLES, size))


def require_columns(
    sample: dict[str, Any], rows: dict[str, np.ndarray], shape: tuple[int, ...]
) -> None:
    """The batch has every field, in the shape that the stored rows make it have."""
    for name, column in rows.items():
        wanted = (*shape, *column.shape[1:])
        compare.require(
            compare.shape_problem(f"the batch's {name}", sample.get(name), wanted)
        )


def numbers_of(
    sample: dict[str, Any], stored: int, shape: tuple[int, ...]
) -> np.ndarray:
    """Which transition each row of a batch is.

    Raises:
        Wrong: a field is missing, of the wrong shape, or a row is no transition of
            the first `stored` ones.
    """
    expected = transitions(0, stored)
    require_columns(sample, expected, shape)
    numbers = np.floor(sample["state"][..., 0].astype(np.float64))
    if not np.isin(numbers, np.arange(stored)).all():
        strange = sample["state"].reshape(-1, 3)[
            ~np.isin(numbers, np.arange(stored)).ravel()
        ][0]
        raise Wrong(
            f"a sampled state is {compare.numbers(strange)}, which was never stored "
            f"({stored} transitions were)"
        )
    numbers = numbers.astype(int)
    for name, column in expected.items():
        found = compare.value_problem(
            f"the batch's {name}", sample[name], column[numbers], exact=True
        )
        if found:
            raise Wrong(
                f"{found}\nthe rows' states say that they are the transitions "
                f"{numbers.ravel()[:8].tolist()} …: do the five fields of a row belong "
                "to one transition?"
            )
    return numbers
