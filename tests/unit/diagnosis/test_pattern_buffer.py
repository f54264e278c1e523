"""The reader finds the mistakes of a wrong buffer from its answers alone."""

from typing import Any

import numpy as np
import pytest

from grader.contract.case import Answer
from grader.contract.outcomes import Raised
from grader.diagnosis.patterns import buffer
from grader.diagnosis.patterns.buffer_parts import draws
from grader.diagnosis.patterns.buffer_parts.changes import Batches
from grader.diagnosis.patterns.buffer_parts.fields import read_fields
from grader.diagnosis.patterns.buffer_parts.questions import FIELDS, transitions


class Right:
    """A right buffer, and the base class of the wrong buffers in these tests.

    Args:
        capacity: the largest number of transitions.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity, self.stored = capacity, []

    def add(self, *transition: Any) -> None:
        """Store one transition."""
        if len(self.stored) == self.capacity:
            self.make_room()
        self.stored.append([np.array(x, np.float64) for x in transition])

    def make_room(self) -> None:
        """Remove the oldest transition from a full buffer."""
        self.stored.pop(0)

    def __len__(self) -> int:
        return len(self.stored)

    def rows(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Draw `size` indices of stored transitions, with replacement."""
        return rng.integers(len(self.stored), size=size)

    def sample(self, size: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw a batch of `size` transitions: an array for each field."""
        columns = zip(*(self.stored[i] for i in self.rows(size, rng)), strict=True)
        batch = dict(zip(FIELDS, map(np.stack, columns), strict=True))
        batch["action"] = batch["action"].astype(int)
        return self.changed(batch)

    def changed(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the batch unchanged; a wrong buffer can override this method."""
        return batch


class Ring(Right):
    """A right buffer of arrays, whose empty places are 0.

    Args:
        capacity: the largest number of transitions.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity, self.count, self.columns = capacity, 0, []

    @property
    def filled(self) -> int:
        """The number of places that hold a transition."""
        return min(self.count, self.capacity)

    @property
    def place(self) -> int:
        """The place that the next add fills."""
        return self.count % self.capacity

    def add(self, *transition: Any) -> None:
        """Store one transition."""
        if not self.columns:
            self.columns = [np.zeros((self.capacity, *x.shape)) for x in transition]
        for column, x in zip(self.columns, transition, strict=True):
            column[self.place] = x
        self.count += 1

    def __len__(self) -> int:
        return self.filled

    def rows(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Draw `size` filled places, with replacement."""
        return rng.integers(self.filled, size=size)

    def sample(self, size: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw a batch of `size` transitions: an array for each field."""
        rows = self.rows(size, rng)
        batch = {n: c[rows] for n, c in zip(FIELDS, self.columns, strict=True)}
        batch["action"] = batch["action"].astype(int)
        return batch


class Student:
    """A fake hand-in whose buffer is an object of a given class.

    Args:
        kind: the class of the buffer.
    """

    def __init__(self, kind: type[Right]) -> None:
        self.kind = kind

    def afresh(self) -> "Student":
        """Return this hand-in, because the answers do not depend on earlier calls."""
        return self

    def changed(self, case, kind: str) -> list[str]:
        """Return an empty list: no argument was changed in place."""
        return []

    def answer(self, case) -> Answer:
        """Return the buffer's lengths and samples for the operations that a case lists.

        Raises:
            Raised: the buffer raises an error.
        """
        try:
            return self.play(case)
        except (IndexError, ValueError) as error:
            raise Raised(f"{type(error).__name__}: {error}") from None

    def play(self, case) -> Answer:
        """Run the operations that a case lists on a new buffer.

        Returns:
            "lengths" and "samples", in the order of the operations.
        """
        held, rng = self.kind(case.spec["capacity"]), np.random.default_rng(0)
        lengths, samples, drawn = [], [], []
        for name, *numbers in case.spec["script"]:
            if name in ("add", "plain"):
                for i in range(*numbers):
                    held.add(*(case.args[field][i] for field in FIELDS))
            elif name == "len":
                lengths.append(len(held))
            elif name == "rng":
                rng = np.random.default_rng(numbers[0])
            elif name == "sample":
                drawn.append(held.sample(numbers[0], rng))
                samples.append(drawn[-1])
            elif name == "samples":
                several = [held.sample(numbers[1], rng) for _ in range(numbers[0])]
                stacked = {n: np.stack([b[n] for b in several]) for n in FIELDS}
                samples.append(stacked)
            elif name == "reread":
                samples.append(drawn[numbers[0]])
        return Answer({"lengths": lengths, "samples": samples})


def reading_of(kind: type[Right]):
    return buffer.read(Student(kind), np.random.default_rng(5))


def names(kind: type[Right]) -> list[str]:
    return [d.name for d in reading_of(kind).differences]


def with_reward(change) -> type[Right]:
    """Return a class of wrong buffers that change the rewards of each batch.

    Args:
        change: function of the rewards [B] that returns the changed rewards [B].
    """

    class Wrong(Right):
        def changed(self, batch):
            return {**batch, "reward": change(batch["reward"])}

    return Wrong


def test_a_right_buffer_has_no_reading():
    """For a right buffer the reader finds nothing: there is no reading."""
    assert reading_of(Right) is None
    assert reading_of(Ring) is None


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda r: 0.01 * r, "reward: 0.01 r"),
        (lambda r: np.clip(r, -2, 2), "reward: clip(r, −2, 2)"),
        (np.sign, "reward: sign(r)"),
        (lambda r: r.astype(np.float16), "reward: r in float16"),
        (lambda r: r - 3, "reward: r − 3"),
        (lambda r: 0 * r, "reward: 0"),
        (lambda r: r.astype(bool), "reward: [r ≠ 0]"),
        (lambda r: 0 * r + 1, "reward: 1"),
        (
            lambda r: r / np.abs(r).max(initial=1e-9),
            "reward: r / the batch's largest size",
        ),
    ],
)
def test_functions_of_a_field(change, text):
    """If `sample` changes a field, the reading shows the function and its constant."""
    assert reading_of(with_reward(change)).computes == text


def test_the_next_row():
    """If next states come from the next stored transition, this mistake is named.

    A table shows an example.
    """

    class Wrong(Right):
        def sample(self, size, rng):
            batch, rows = {}, self.rows(size, rng)
            after = (rows + 1) % len(self.stored)
            for k, name in enumerate(FIELDS):
                taken = after if name == "next_state" else rows
                batch[name] = np.stack([self.stored[i][k] for i in taken])
            batch["action"] = batch["action"].astype(int)
            return batch

    reading = reading_of(Wrong)
    assert [d.name for d in reading.differences] == ["next-is-row-plus-1"]
    expected = "next_state: of the transition stored after the sampled one"
    assert reading.computes == expected
    assert reading.table[0] == "other batches:"
    assert 3 <= len(reading.table) <= 7


def test_one_wrong_transition_shows_no_rule():
    """A wrong value of a single transition is not told as a constant of many rows."""
    rows = transitions(np.random.default_rng(0))
    rows["reward"] = np.abs(rows["reward"])
    rows["reward"][2] *= -1
    ids = np.resize(np.arange(6), (40, 4))
    fields = {name: rows[name][ids].astype(np.float64) for name in FIELDS}
    fields["action"][ids == 2] = 99
    (read,) = read_fields([Batches(fields, ids, rows, newest=5, oldest=0)], [])
    assert read.kind == "other-of-some"


def test_two_mistakes_at_once():
    """Two mistakes in one buffer are both named.

    Here a full buffer drops its newest transition, and `sample` negates the flags d.
    """

    class Wrong(Right):
        def make_room(self):
            self.stored.pop()

        def changed(self, batch):
            return {**batch, "terminated": 1 - batch["terminated"]}

    assert names(Wrong) == ["stores-not-d", "evicts-newest"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (lambda n, size, rng: rng.integers(max(1, n - 1), size=size), "never-newest"),
        (lambda n, size, rng: np.arange(n - size, n), "latest-B"),
        (lambda n, size, rng: np.repeat(rng.integers(n), size), "one-index-repeated"),
        (
            lambda n, size, rng: (rng.integers(n) + np.arange(size)) % n,
            "contiguous-block",
        ),
        (
            lambda n, size, rng: np.rint(rng.random(size) * (n - 1)).astype(int),
            "rounds-index",
        ),
        (
            lambda n, size, rng: np.append(rng.integers(n, size=size - 1), n - 1),
            "newest-always",
        ),
        (
            lambda n, size, rng: np.random.default_rng(1).integers(n, size=size),
            "fixed-indices",
        ),
        (
            lambda n, size, rng: np.maximum(*rng.integers(n, size=(2, size))),
            "prefers-recent",
        ),
    ],
)
def test_ways_to_draw(rows, expected):
    """If indices are drawn in a wrong way, the mistake gets its name."""

    class Wrong(Right):
        def rows(self, size, rng):
            return rows(len(self.stored), size, rng)

    assert names(Wrong) == [expected]


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        (lambda ring: (0, ring.place), "up-to-next-place"),
        (lambda ring: (0, max(1, ring.place)), "up-to-next-place"),
        (lambda ring: (0, ring.place or ring.capacity), "up-to-next-place"),
        (lambda ring: (ring.place, ring.capacity), "from-next-place"),
        (lambda ring: (len(ring), ring.capacity), "draws-empty-places"),
        (lambda ring: (0, ring.capacity), "samples-uninitialised"),
    ],
)
def test_ways_to_draw_from_a_ring(places, expected):
    """If the place of the next add limits the draws, nothing is said of what is stored.

    All transitions are stored rightly here.
    """

    class Wrong(Ring):
        def rows(self, size, rng):
            return rng.integers(*places(self), size=size)

    assert names(Wrong) == [expected]


@pytest.mark.parametrize(
    "weights",
    [
        lambda rewards: np.abs(rewards),
        lambda rewards: rewards**2 + 1e-4,
        lambda rewards: np.exp(rewards - rewards.max()),
        lambda rewards: 10.0 ** np.arange(len(rewards)),
        lambda rewards: 0.1 ** np.arange(len(rewards)),
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_rare_draws_are_not_called_none(weights, seed):
    """If rows are drawn by priority, it is not said that some are never drawn."""

    class Wrong(Right):
        def rows(self, size, rng):
            each = weights(np.array([row[2] for row in self.stored]))
            return rng.choice(len(each), size=size, p=each / each.sum())

    found = buffer.read(Student(Wrong), np.random.default_rng(seed))
    (difference,) = found.differences
    assert difference.name in ("uneven-draws", "prefers-recent", "prefers-old")
    assert "never" not in found.computes + difference.hint


def test_uneven_draws_are_shown_by_counts():
    """If some transitions are drawn more often, a table shows how often."""
    rng = np.random.default_rng(0)
    shares = np.array([1, 3, 1, 1, 3, 1]) / 10
    found = draws.uneven(rng.choice(6, (400, 4), p=shares), 6)
    assert found.name == "uneven-draws"
    assert "the oldest first" in found.table[0]
    assert draws.uneven(rng.integers(6, size=(400, 4)), 6) is None


def test_batches_that_cannot_be_read_are_not_called_the_same():
    """Batches of which no transition is recognised show nothing, not even a repeat."""

    class Wrong(Right):
        first = 0

        def rows(self, size, rng):
            others = np.delete(np.arange(len(self.stored)), 1)
            return rng.choice(others, size)

        def changed(self, batch):
            self.first = self.first or len(self.stored)
            known = self.first == 4
            return batch if known else {n: 0 * x + 99 for n, x in batch.items()}

    assert "same-batch" not in names(Wrong)


def test_an_unknown_way_to_make_room_is_shown():
    """If a full buffer drops an unusual transition, the reading says so.

    It names a transition that is still drawn.
    """

    class Wrong(Right):
        def make_room(self):
            self.stored.pop(3)

    reading = reading_of(Wrong)
    assert [d.name for d in reading.differences] == ["keeps-others"]
    assert "number 0 is still drawn" in reading.computes


@pytest.mark.parametrize(
    "drops", [lambda reward: reward == 0, lambda reward: reward < -30]
)
def test_what_is_added_last_is_rightly_drawn(drops):
    """If a buffer stores too few, its own length does not say what is to be drawn.

    Numbers 0 to 5 are added to 8 places, and one of them is not stored.
    """

    class Wrong(Right):
        def add(self, *transition):
            if not drops(transition[2]):
                super().add(*transition)

    reading = reading_of(Wrong)
    assert "still drawn" not in reading.computes
    assert reading.asked.startswith("the numbers 0, 1, 2, 3, 4, 5 are drawn")


@pytest.mark.parametrize("seed", range(8))
def test_empty_places_that_raise(seed):
    """If the draw of an empty place raises an exception, this mistake is named."""

    class Wrong(Right):
        def rows(self, size, rng):
            return rng.integers(self.capacity, size=size)

    found = buffer.read(Student(Wrong), np.random.default_rng(seed))
    assert [one.name for one in found.differences] == ["samples-empty-places"]


def test_draws_that_wait_for_a_full_buffer():
    """If every draw raises an exception until the buffer is full, this is told."""

    class Wrong(Right):
        def rows(self, size, rng):
            if len(self.stored) < self.capacity:
                raise ValueError("not full")
            return super().rows(size, rng)

    assert names(Wrong) == ["fails-until-full"]


def test_a_wrong_length():
    """If only `len(buffer)` is wrong, too large by 1, the reader finds one mistake."""

    class Wrong(Right):
        def __len__(self):
            return len(self.stored) + 1

    assert names(Wrong) == ["len-shifted"]


@pytest.mark.parametrize("by_length", [True, False])
@pytest.mark.parametrize(
    ("kind", "length", "expected"),
    [
        (Ring, lambda ring: ring.capacity, "len-is-capacity"),
        (Ring, lambda ring: ring.place, "len-starts-again"),
        (Ring, lambda ring: max(0, ring.filled - 1), "len-other"),
        (Ring, lambda ring: min(ring.count + 1, ring.capacity), "len-other"),
        (Ring, lambda ring: ring.count, "len-counts-adds"),
        (Right, lambda held: held.capacity, "len-is-capacity"),
        (Right, lambda held: len(held.stored) + 1, "len-shifted"),
        (
            Right,
            lambda held: min(len(held.stored) + 1, held.capacity),
            "len-other",
        ),
    ],
)
def test_only_the_length_is_wrong(kind, length, expected, by_length):
    """If only the length is wrong, nothing else is named.

    If draws depend on a length that is too large, they reach empty places, or raise an
    exception.
    """

    class Wrong(kind):
        def __len__(self):
            return length(self)

        def rows(self, size, rng):
            if by_length:
                return rng.integers(len(self), size=size)
            return super().rows(size, rng)

    assert names(Wrong) == [expected]


def test_lengths_that_cannot_be_counted():
    """A buffer that fails when its lengths are counted is examined to the end."""

    class Wrong(Right):
        def add(self, *transition):
            row = [np.array(x, np.float64) for x in transition]
            if len(self.stored) == self.capacity - 1:
                raise IndexError("one place too few")
            if not any(all(map(np.array_equal, row, old)) for old in self.stored):
                self.stored.append(row)

    assert "drops-duplicates" in names(Wrong)


def test_a_buffer_that_holds_one_too_many():
    """The hint says when the length is wrong, and does not blame `len(buffer)`."""

    class Wrong(Right):
        added = 0

        def add(self, *transition):
            row = [np.array(x, np.float64) for x in transition]
            if len(self.stored) <= self.capacity:  # one too many
                self.stored.append(row)
            else:
                self.stored[self.added % self.capacity] = row
            self.added += 1

    hints = {d.name: d.hint for d in reading_of(Wrong).differences}
    assert hints["len-other"].startswith(
        "After 9 adds to capacity 8, your length is 9, where 8 is right"
    )


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("TypeError: 'maxsize' is an invalid keyword argument for deque()", True),
        # Python 3.13 and later
        ("TypeError: deque() got an unexpected keyword argument 'maxsize'", True),
        ("NameError: name 'state_dim' is not defined", False),
    ],
)
def test_a_buffer_that_cannot_be_made(message, expected):
    """Only Python's own message tells that a deque got a wrong argument.

    The line of the hand-in, which the message quotes, may have the same word.
    """

    class Wrong(Right):
        def __init__(self, capacity):
            line = "self.states = np.zeros((self.maxsize, state_dim))"
            raise ValueError(f"{message}\ndqn.py, line 12, in __init__: {line}")

    found = reading_of(Wrong)
    assert (found and [d.name for d in found.differences]) == (
        ["deque-maxsize"] if expected else None
    )


OUT = "index 8 is out of bounds for axis 0 with size 8"


@pytest.mark.parametrize(
    ("message", "function", "line", "expected"),
    [
        (OUT, "add", "self.states[self.i] = state", "never-wraps"),
        (
            "list assignment index out of range",
            "add",
            "self.rows[i] = x",
            "never-wraps",
        ),
        ("list index out of range", "add", "self.rows[self.order[0]] = x", None),
        ("pop from empty list", "add", "i = self.free.pop()  # out of range", None),
        (OUT, "add", "oldest = self.ages[self.i]", None),
        (OUT, "add", "if self.ages[self.i] == 0:", None),
        (OUT, "__len__", "self.ages[self.i] = 0", None),
    ],
)
def test_a_full_buffer_that_raises(message, function, line, expected):
    """Only a too large index in an assignment means a place that does not exist."""

    class Wrong(Right):
        def make_room(self):
            place = f"dqn.py, line 9, in {function}: {line}"
            raise IndexError(f"{message}\n{place}")

    assert names(Wrong) == [expected or "fails-when-full"]


@pytest.mark.parametrize(
    ("rows", "expected", "hint"),
    [
        (
            lambda n, size, rng: rng.integers(min(n, size), size=size),
            "first-B",
            "Only the first B rows of your buffer are ever drawn.",
        ),
        (
            lambda n, size, rng: n - 1 - rng.integers(min(n, size), size=size),
            "latest-B",
            "Only the newest B transitions of your buffer are ever drawn.",
        ),
    ],
)
def test_few_rows_that_are_drawn_at_random(rows, expected, hint):
    """If B rows are ever drawn, the hint does not say that each batch is these rows."""

    class Wrong(Right):
        def rows(self, size, rng):
            return rows(len(self.stored), size, rng)

    (difference,) = reading_of(Wrong).differences
    assert difference.name == expected
    assert difference.hint.startswith(hint)
