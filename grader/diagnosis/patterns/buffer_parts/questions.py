"""Scripts for `ReplayBuffer`, and which stored transitions the sampled rows are."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.contract.case import Answer, Case, Student
from grader.contract.outcomes import Raised, Wrong
from grader.diagnosis.reading import Difference

PART = "ReplayBuffer"
FIELDS = ("state", "action", "reward", "terminated", "next_state")
NUMBERS = ("state", "next_state", "reward", "action")  # tell which transition it is
SCALARS = ("action", "reward", "terminated")
STORED = 40
CAPACITY, BATCH = 8, 4  # not 5, the number of fields
LARGE = 24
BLANK, UNKNOWN = -2, -1  # in the place of a transition's number
SCRIBBLE = -12345.0  # as in parts.replay_buffer
Rows = dict[str, np.ndarray]


@dataclass(frozen=True)
class Finding:
    """One thing in which a buffer differs from a right one.

    Attributes:
        difference: its name and hint.
        computes: what the code does, in a few words.
        asked: what is asked instead.
        table: lines of examples.
        measured: what it says holds numbers of this draw, such as counts.
    """

    difference: Difference
    computes: str
    asked: str
    table: tuple[str, ...] = ()
    measured: bool = False

    @property
    def name(self) -> str:
        """The name of the difference."""
        return self.difference.name


def found(
    name: str, computes: str, asked: str, hint: str, table: Sequence[str] = ()
) -> Finding:
    """Return a finding; its hint ends with the slides."""
    difference = Difference(name, f"{hint} (slides: Experience Replay).")
    return Finding(difference, computes, asked, tuple(table))


def transitions(rng: np.random.Generator, state_dim: int = 3) -> Rows:
    """Draw transitions of which every number but `terminated` tells its transition.

    States and rewards have both signs, more digits than float16 keeps, and sizes on
    both sides of 1; among every four transitions two are terminal.
    """

    def vectors() -> np.ndarray:
        size = rng.uniform(0.3, 30, (STORED, state_dim))
        return (size * rng.choice([-1, 1], size.shape)).astype(np.float32)

    blocks = STORED // 4
    sizes = rng.permuted(np.tile([0.3, 0.8, 4.0, 40.0], (blocks, 1)), axis=1)
    ends = rng.permuted(np.tile([True, False, False, True], (blocks, 1)), axis=1)
    rewards = sizes.ravel() * rng.uniform(0.7, 1.2, STORED)
    signs = rng.permuted(np.tile([1, -1, -1, 1], (blocks, 1)), axis=1).ravel()
    return {
        "state": vectors(),
        "action": rng.permutation(STORED).astype(np.int32),
        "reward": (rewards * signs).astype(np.float32),
        "terminated": ends.ravel(),
        "next_state": vectors(),
    }


@dataclass
class Played:
    """A script and what came of it.

    Attributes:
        capacity: of the buffer.
        script: its operations.
        rows: the transitions.
        lengths: that were noted.
        samples: the batches of each "samples", "sample" or "reread", in order.
        raised: the words of an exception, "" for none; then nothing else came.
    """

    capacity: int
    script: list[Any]
    rows: Rows
    lengths: list[int] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    raised: str = ""

    @property
    def added(self) -> int:
        """The number of transitions added by the end."""
        return sum(op[2] - op[1] for op in self.script if op[0] in ("add", "plain"))


class Asker:
    """A hand-in's buffer, asked with one draw of transitions and generators."""

    fresh = (
        False  # import the hand-in anew for each script: its buffers share something
    )
    single = False  # draw one batch from each buffer: sampling takes out what it draws

    def __init__(self, student: Student, rng: np.random.Generator) -> None:
        self.student, self.rng = student, rng
        self.state_dim = 3
        self.rows = transitions(rng)

    def use_states_of(self, size: int) -> None:
        """Take states of another size from now on."""
        self.state_dim, self.rows = size, transitions(self.rng, size)

    def seed(self) -> list[Any]:
        """Return the operation that makes a new generator."""
        return ["rng", int(self.rng.integers(2**31))]

    def case(self, capacity: int, script: list[Any]) -> Case:
        """Return the question for a script."""
        spec = {"capacity": capacity, "script": script}
        return Case("replay_buffer", spec, self.rows)

    def play(self, *script: Any, capacity: int = CAPACITY) -> Played:
        """Play a script on a new buffer."""
        played = Played(capacity, list(script), self.rows)
        try:
            student = self.student.afresh() if self.fresh else self.student
            answer = student.answer(self.case(capacity, played.script))
        except (Raised, Wrong) as error:
            played.raised = str(error) or type(error).__name__
            return played
        with contextlib.suppress(Wrong):
            played.lengths = answer.numbers("lengths")
        played.samples = batches_of(answer)
        return played

    def draw(self, added: int, n: int) -> Played:
        """Draw n batches after so many adds to a buffer of `CAPACITY`."""
        start: list[Any] = [["add", 0, added], ["len"]]
        if not self.single:
            return self.play(*start, self.seed(), ["samples", n, BATCH])
        script = [*start, self.seed(), ["samples", 1, BATCH]]
        several = [self.play(*script)]
        while len(several) < SINGLE_BATCHES and several[-1].samples:
            several.append(self.play(*start, self.seed(), ["samples", 1, BATCH]))
        played = several[0]
        shapes = {p.samples[0]["state"].shape for p in several if p.samples}
        if len(shapes) == 1 and several[-1].samples:
            played.samples = [
                {
                    name: np.concatenate([p.samples[0][name] for p in several])
                    for name in FIELDS
                }
            ]
        return played


SINGLE_BATCHES = 60


def batches_of(answer: Answer) -> list[dict[str, Any]]:
    """Return the batches of an answer that have all fields, as arrays of numbers."""
    samples = answer.get("samples")
    if not isinstance(samples, list):
        return []
    good = [
        isinstance(sample, dict)
        and all(
            isinstance(sample.get(name), np.ndarray)
            and sample[name].dtype.kind in "biuf"
            for name in FIELDS
        )
        for sample in samples
    ]
    return samples if all(good) else []


def in_shape(
    sample: dict[str, Any], n: int, size: int, state_dim: int
) -> tuple[Rows | None, dict[str, tuple[int, ...]]]:
    """Bring n stacked batches to the shapes [n,B] and [n,B,D].

    Returns:
        The fields in float64, with the B that came; None where that cannot be done.
        The shape of one batch for each field in which it is not right.
    """
    fields, odd = {}, {}
    for name in FIELDS:
        value = sample[name]
        inner = () if name in SCALARS else (state_dim,)
        if value.shape[1:] != (size, *inner):
            odd[name] = value.shape[1:]
        if value.shape == (n, size, 1) and name in SCALARS:
            value = value[:, :, 0]
        elif value.shape == (n, *inner) and size == 1:
            value = value[:, None]
        fields[name] = value.astype(np.float64)
    came = {fields[name].shape[:2] for name in FIELDS}
    dims = {name: fields[name].ndim - (name not in SCALARS) for name in FIELDS}
    if len(came) > 1 or set(dims.values()) != {2}:
        return None, odd
    if any(fields[n].shape[2:] not in ((), (state_dim,)) for n in FIELDS):
        return None, odd
    return fields, odd


def blank(fields: Rows) -> np.ndarray:
    """Return which rows [n,B] are 0 in s, a and one more field, as no transition is."""
    state, next_state = (
        (fields[name] == 0).all(axis=-1) for name in ("state", "next_state")
    )
    return state & (fields["action"] == 0) & ((fields["reward"] == 0) | next_state)


def own_numbers(name: str, fields: Rows, rows: Rows) -> np.ndarray:
    """Return by one field which transitions the sampled rows [n,B] are."""
    stored = rows[name].astype(np.float64).reshape(STORED, -1)
    value = fields[name].reshape(*fields["reward"].shape, -1)
    same = (value[..., None, :] == stored).all(axis=-1)  # [n,B,STORED]
    return np.where(same.any(axis=-1), same.argmax(axis=-1), UNKNOWN)


def anchors(fields: Rows, rows: Rows) -> list[np.ndarray]:
    """Return the transitions [n,B] that the rows may be, the likeliest first.

    Each is told by fields of which every row is known; rows of zeros are BLANK.
    """
    empty = blank(fields)
    told: list[tuple[int, np.ndarray]] = []
    # A place that was never filled has action 0, too.
    places = ((fields["state"] == 0).all(axis=-1) & ~empty).any()
    for name in NUMBERS[:-1] if places else NUMBERS:
        numbers = np.where(empty, BLANK, own_numbers(name, fields, rows))
        if (numbers == UNKNOWN).any():
            continue
        for k, (count, others) in enumerate(told):
            if np.array_equal(numbers, others):
                told[k] = count + 1, others
                break
        else:
            told.append((1, numbers))
    return [numbers for _, numbers in sorted(told, key=lambda pair: -pair[0])]


def joined(sample: dict[str, Any]) -> np.ndarray:
    """Return all numbers of some batches in one array."""
    return np.nan_to_num(
        np.concatenate([sample[name].astype(np.float64).ravel() for name in FIELDS])
    )
