"""Play scripts on a `ReplayBuffer`, and recognise transitions in the drawn rows.

A script is a list of operations on a new buffer, such as adds and samples.
"""

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
# The fields whose value is different in each transition.
NUMBERS = ("state", "next_state", "reward", "action")
SCALARS = ("action", "reward", "terminated")
STORED = 40
CAPACITY, BATCH = 8, 4  # not 5, the number of fields
LARGE = 24
# In the place of a transition's number: BLANK for a row of a place never filled,
# UNKNOWN for a row that belongs to no transition.
BLANK, UNKNOWN = -2, -1
SCRIBBLE = -12345.0  # what the operation "scribble" writes, see inside/buffer.py
Rows = dict[str, np.ndarray]


@dataclass(frozen=True)
class Finding:
    """One difference between the hand-in's buffer and a right one.

    Attributes:
        difference: name and hint of the mistake.
        computes: what the hand-in's buffer does, in a few words.
        asked: what a right buffer does, in a few words.
        table: lines of a table of examples; () without a table.
        measured: True if `computes` has measured numbers, such as how often a row is
            drawn. Such numbers change if the questions are asked again.
    """

    difference: Difference
    computes: str
    asked: str
    table: tuple[str, ...] = ()
    measured: bool = False

    @property
    def name(self) -> str:
        """Name of the mistake."""
        return self.difference.name


def found(
    name: str, computes: str, asked: str, hint: str, table: Sequence[str] = ()
) -> Finding:
    """Return a finding; a reference to the slides is added to its hint.

    Args:
        name: name of the mistake.
        computes: what the hand-in's buffer does, in a few words.
        asked: what a right buffer does, in a few words.
        hint: text for the student on what is wrong, without a full stop at the end.
        table: lines of a table of examples.
    """
    difference = Difference(name, f"{hint} (slides: Experience Replay).")
    return Finding(difference, computes, asked, tuple(table))


def transitions(rng: np.random.Generator, state_dim: int = 3) -> Rows:
    """Draw `STORED` transitions; no two are equal in any field but `terminated`.

    States and rewards have both signs, more digits than float16 keeps, and sizes below
    and above 1. In each block of four consecutive transitions, two are terminal. One
    reward, one action, and one entry each of a state and of a next state are 0, in the
    transitions of `OFTEN`.

    Args:
        rng: source of the numbers.
        state_dim: number of entries of a state.

    Returns:
        For each field an array with one entry per transition.
    """

    def vectors() -> np.ndarray:
        size = rng.uniform(0.3, 30, (STORED, state_dim))
        return (size * rng.choice([-1, 1], size.shape)).astype(np.float32)

    blocks = STORED // 4
    sizes = rng.permuted(np.tile([0.3, 0.8, 4.0, 40.0], (blocks, 1)), axis=1)
    ends = rng.permuted(np.tile([True, False, False, True], (blocks, 1)), axis=1)
    rewards = sizes.ravel() * rng.uniform(0.7, 1.2, STORED)
    signs = rng.permuted(np.tile([1, -1, -1, 1], (blocks, 1)), axis=1).ravel()
    rows = {
        "state": vectors(),
        "action": rng.permutation(STORED).astype(np.int32),
        "reward": (rewards * signs).astype(np.float32),
        "terminated": ends.ravel(),
        "next_state": vectors(),
    }
    put_zeros(rows)
    return rows


# Transitions that are drawn both before the buffer is full and when it is full, see
# `asked.findings_of`.
OFTEN = np.array([3, 4, 5])


def put_zeros(rows: Rows) -> None:
    """Put one 0 into each field but `terminated`, in transitions of `OFTEN`.

    An array of bools keeps whether a number is 0, so only a 0 tells it from an array of
    ones. The reward and the action that are 0 belong to different transitions, because
    a row of zeros counts as a place that was never filled, see `blank`.

    Args:
        rows: all transitions, which are changed: for each field an array with one entry
            per transition.
    """
    # The smallest reward tells least about bounds and digits.
    least, at, _ = OFTEN[np.argsort(np.abs(rows["reward"][OFTEN]))]
    rows["reward"][least] = 0
    rows["state"][at, 0] = rows["next_state"][at, 0] = 0
    action = rows["action"]
    action[action == 0] = action[at]
    action[at] = 0


@dataclass
class Played:
    """A script (a list of operations on a new buffer) with the buffer's answers.

    Attributes:
        capacity: capacity of the buffer.
        script: the operations, see `inside/buffer.py`.
        rows: the transitions that the script can add: for each field an array.
        lengths: results of "len", in order.
        samples: results of "samples", "sample" and "reread", in order; each has an
            array for each field.
        raised: message of the exception, "" without one. After an exception, `lengths`
            and `samples` are empty.
    """

    capacity: int
    script: list[Any]
    rows: Rows
    lengths: list[int] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    raised: str = ""


class Asker:
    """Plays scripts on new buffers of a hand-in, with one set of random transitions.

    A script is a list of operations, such as adds and samples.

    Attributes:
        fresh: True to import the hand-in anew for each script, because its buffers
            share their contents.
        single: True to draw one batch from each buffer, because sampling removes rows.
        state_dim: number of entries of a state.
        rows: the transitions: for each field an array with one entry per transition.

    Args:
        student: the hand-in.
        rng: draws transitions and seeds.
    """

    fresh = False
    single = False

    def __init__(self, student: Student, rng: np.random.Generator) -> None:
        self.student, self.rng = student, rng
        self.state_dim = 3
        self.rows = transitions(rng)

    def use_states_of(self, size: int) -> None:
        """Replace the transitions by new ones, whose states have `size` entries."""
        self.state_dim, self.rows = size, transitions(self.rng, size)

    def seed(self) -> list[Any]:
        """Return the operation that makes a new generator from a random seed."""
        return ["rng", int(self.rng.integers(2**31))]

    def case(self, capacity: int, script: list[Any]) -> Case:
        """Return the case that plays a script on a new buffer.

        Args:
            capacity: capacity of the buffer.
            script: list of operations, see `inside/buffer.py`.
        """
        spec = {"capacity": capacity, "script": script}
        return Case("replay_buffer", spec, self.rows)

    def play(self, *script: Any, capacity: int = CAPACITY) -> Played:
        """Play a script on a new buffer, and return it with the buffer's answers.

        If the hand-in raises an exception, the result has its message and no answers.

        Args:
            script: the operations, see `inside/buffer.py`.
            capacity: capacity of the buffer.
        """
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
        """Draw n batches from a buffer of `CAPACITY`, after a number of adds.

        If `self.single` is True, `SINGLE_BATCHES` batches are drawn instead, each from
        a new buffer.

        Args:
            added: number of adds.
            n: number of batches; ignored if `self.single` is True.

        Returns:
            The script with the buffer's answers: its length, and all batches in one
            entry of `samples`. If `self.single` is True and a buffer returns no batch,
            or batches differ in shape, only the first buffer's answers are returned.
        """
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
    """Return the results of all sample operations in an answer, a dict for each.

    Returns:
        Dicts with an array for each field. [] if the answer has no such results, or if
        any field is not an array of numbers.
    """
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
    """Return n batches in the shapes [n,B] and [n,B,D], and the wrong shapes found.

    Args:
        sample: result of the operation "samples" of `inside/buffer.py`: for each field
            an array of n batches.
        n: number of batches.
        size: the batch size that was asked for.
        state_dim: number D of entries of a state.

    Returns:
        A pair (fields, odd). `fields` has the batches in float64, where B is the number
        of drawn rows. A missing axis, or one too many, of length 1 is corrected; if the
        shapes are still wrong, `fields` is None. `odd` has, for each field whose shape
        was wrong at first, the shape of one batch.
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
    """Return a mask [n,B] of the rows that come from a place that was never filled.

    Such a row has zeros in s, in a, and in r or s'. No transition of `transitions` has
    these zeros. If s' is 0 in rows of filled places, too, r has to be 0.

    Args:
        fields: values in n batches of B rows: for each field an array [n,B] or [n,B,D].
    """
    state, next_state = (
        (fields[name] == 0).all(axis=-1) for name in ("state", "next_state")
    )
    action, reward = fields["action"] == 0, fields["reward"] == 0
    if (next_state & ~action).any():
        return state & action & reward
    return state & action & (reward | next_state)


def ids_by_field(name: str, fields: Rows, rows: Rows) -> np.ndarray:
    """Find out which transition each drawn row is, by comparing one field.

    Args:
        name: name of the field.
        fields: the drawn rows in n batches: for each field an array [n,B] or [n,B,D].
        rows: the transitions to compare with: for each field an array with one entry
            per transition.

    Returns:
        An array [n,B]: for each drawn row the number of the transition with the same
        value of the field; `UNKNOWN` if there is none.
    """
    stored = rows[name].astype(np.float64).reshape(STORED, -1)
    value = fields[name].reshape(*fields["reward"].shape, -1)
    same = (value[..., None, :] == stored).all(axis=-1)  # [n,B,STORED]
    return np.where(same.any(axis=-1), same.argmax(axis=-1), UNKNOWN)


def likely_ids(fields: Rows, rows: Rows) -> list[np.ndarray]:
    """Guess to which transition each drawn row belongs; the likeliest guess is first.

    A guess is an array [n,B] of numbers of transitions, with `BLANK` for rows of zeros.
    A field gives a guess if each of its values belongs to a transition. A guess is
    likelier if more fields give it.

    Args:
        fields: values in n batches of B rows: for each field an array [n,B] or [n,B,D].
        rows: all transitions: for each field an array with one entry per transition.

    Returns:
        The guesses without duplicates; [] if no field gives one.
    """
    empty = blank(fields)
    told: list[tuple[int, np.ndarray]] = []
    # If s is 0 in rows of filled places, too, a row with action 0 may come from a place
    # that was never filled. Then the action does not tell the transition.
    places = ((fields["state"] == 0).all(axis=-1) & ~empty).any()
    for name in NUMBERS[:-1] if places else NUMBERS:
        numbers = np.where(empty, BLANK, ids_by_field(name, fields, rows))
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
    """Return all numbers of a sample in one float64 vector, with 0 in the place of NaN.

    Args:
        sample: an array for each field.
    """
    return np.nan_to_num(
        np.concatenate([sample[name].astype(np.float64).ravel() for name in FIELDS])
    )
