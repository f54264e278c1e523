"""Probe of `ReplayBuffer`: which transitions are kept, drawn, and in which pieces."""

import functools
import itertools
from functools import partial
from typing import Any

import numpy as np

from grader.contract import cases
from grader.contract.case import Answer, Case, Student
from grader.contract.outcomes import Wrong
from grader.diagnosis.entries import Entries, changes

DRAWS = 600
ADDED = (6, 8, 9, 11, 16, 27)  # to a buffer of 8
SEED: list = ["rng", 11]
Sample = dict[str, np.ndarray]


def buffer(student: Student) -> Entries:
    """Probe lengths, which transitions come, whether a row's fields belong together."""
    asked = Buffer(student)
    for capacity in (1, 8):
        yield f"lengths {capacity}", partial(asked.lengths, capacity)
    for added in ADDED:
        yield f"~shares {added}", partial(asked.shares, added)
    for added in ADDED:
        yield f"kept {added}", partial(asked.kept, added)
    for added in (6, 11):
        yield f"~fields {added}", partial(asked.fields, added)
        yield f"mixed {added}", partial(asked.mixed, added)
        yield f"foreign {added}", partial(asked.foreign, added)
    yield "kept after a sample", asked.kept_after_a_sample
    for added in (7, 11):
        yield f"added later {added}", partial(asked.added_later, added)
    yield "whole actions", asked.whole_actions
    yield "plain numbers", asked.plain_numbers
    script = {"capacity": 8, "script": [["add", 0, 6], SEED, ["sample", 5]]}
    yield from changes(student, Case("replay_buffer", script, asked.stored))
    for size in (1, 3, 12):
        yield f"shape {size}", partial(asked.shape, size)
    yield "equal", asked.equal_ones
    yield "~overlap", asked.overlap
    yield "~pairs", asked.pairs
    yield "generator", asked.generator
    yield "copies", asked.copies
    yield "stays after adds", partial(asked.stays, 5, ["add", 8, 16])
    yield "stays after a sample", partial(asked.stays, 5, ["sample", 5])
    yield "stays whole", partial(asked.stays, 8, ["add", 8, 16])
    yield "left", asked.left


class Buffer:
    """A hand-in's buffer, asked by scripts of adds and samples.

    A transition is known by its number, and its number by its state.

    Args:
        student: the hand-in.
    """

    def __init__(self, student: Student) -> None:
        self.student = student
        self.stored = cases.transitions(0, 40)
        # Several entries look at the same draws.
        self.drawn = functools.cache(self.draw)

    def play(self, capacity: int, *script: Any) -> Answer:
        """Return the answer of a new buffer to a script."""
        spec = {"capacity": capacity, "script": list(script)}
        return self.student.answer(Case("replay_buffer", spec, self.stored))

    def numbers(self, sample: Sample) -> np.ndarray:
        """Return the transitions' numbers; -1 for what was never stored."""
        states = sample["state"][..., 0]
        found = np.floor(states.astype(np.float64)).astype(int)
        known = (found >= 0) & (found < 40)
        right = self.stored["state"][np.clip(found, 0, 39), 0]
        return np.where(known & (np.abs(states - right) < 1e-3), found, -1)

    def draw(self, added: int, size: int = 5, capacity: int = 8) -> Sample:
        """Return many samples, stacked, after so many adds."""
        script = [["add", 0, added], SEED, ["samples", DRAWS, size]]
        return the_sample(self.play(capacity, *script))

    # ------------------------------------------------------------ what is kept

    def lengths(self, capacity: int) -> list[int]:
        """Return the length after each add, and after a sample."""
        script = [op for i in range(12) for op in (["add", i, i + 1], ["len"])]
        script += [SEED, ["sample", 1], ["len"]]
        return self.play(capacity, *script).numbers("lengths")

    def shares(self, added: int) -> np.ndarray:
        """Return how often each transition comes; the first share is for no one's."""
        found = self.numbers(self.drawn(added))
        counts = np.bincount(found.ravel() + 1, minlength=41)
        return counts / found.size

    def kept(self, added: int) -> list[bool]:
        """Tell which transitions ever come."""
        found = self.numbers(self.drawn(added))
        return [bool((found == number).any()) for number in range(-1, 40)]

    def kept_after_a_sample(self) -> list[bool]:
        """Tell which transitions are left after a sample and four more adds."""
        script = [["add", 0, 8], SEED, ["sample", 8], ["add", 8, 12]]
        answer = self.play(8, *script, ["samples", DRAWS, 5])
        found = self.numbers(the_last(answer))
        return [bool((found == number).any()) for number in range(12)]

    def added_later(self, added: int) -> list[int]:
        """Sample between adds; tell what is drawn at last, and the length."""
        stages = [n for n in (0, 4, 7, 9, 11) if n <= added]
        script: list = [SEED]
        for first, last in itertools.pairwise(stages):
            script += [["add", first, last], ["samples", DRAWS // 10, 4], ["len"]]
        answer = self.play(8, *script)
        found = self.numbers(the_last(answer))
        seen = [int((found == number).any()) for number in range(11)]
        return seen + answer.numbers("lengths")

    def equal_ones(self) -> list[int]:
        """Return the length after three equal adds."""
        script = [*([["add", 1, 2]] * 3), ["len"]]
        return self.play(8, *script).numbers("lengths")

    def left(self) -> list[int]:
        """Return the length after each of three samples."""
        script = [["add", 0, 8], SEED, *([["sample", 8], ["len"]] * 3)]
        return self.play(8, *script).numbers("lengths")

    # ------------------------------------------------------------ what a row holds

    def fields(self, added: int) -> list[float]:
        """Return how often each field is its row's, and how often no row is known."""
        sample = self.drawn(added)
        found = self.numbers(sample)
        agree = []
        for name, column in self.stored.items():
            value, right = sample[name], column[found]
            same = value.shape == right.shape and value == right
            agree.append(float(np.mean(same)))
        return [*agree, float((found < 0).mean())]

    def mixed(self, added: int) -> list[bool]:
        """Tell which fields are ever another row's."""
        return [share < 1 for share in self.fields(added)[:-1]]

    def foreign(self, added: int) -> list[bool]:
        """Tell whether states are next states, rewards whole, and ever stored."""
        sample = self.drawn(added)
        states = self.stored["next_state"][:, 0]
        return [
            bool(np.isin(sample["state"][..., 0], states).any()),
            bool((sample["reward"] == np.round(sample["reward"])).all()),
            bool(np.isin(sample["reward"], self.stored["reward"]).all()),
        ]

    def shape(self, size: int) -> list[int]:
        """Return the sizes of all fields of one sample."""
        answer = self.play(20, ["add", 0, 12], SEED, ["sample", size])
        sample = the_sample(answer)
        return [n for name in self.stored for n in sample[name].shape]

    def whole_actions(self) -> list[bool]:
        """Tell whether actions are whole numbers."""
        return [self.drawn(6)["action"].dtype.kind in "iu"]

    def plain_numbers(self) -> list[float]:
        """Return how often each field is right that was added as Python's numbers."""
        script = [["plain", 0, 6], SEED, ["samples", 20, 5]]
        sample = the_last(self.play(8, *script))
        found = self.numbers(sample)
        return [
            float(np.mean(sample[name] == column[found]))
            for name, column in self.stored.items()
        ]

    def copies(self) -> list[bool]:
        """Tell whether what is written over an added array shows in a sample."""
        script = [["add", 0, 6], ["scribble"], SEED, ["samples", 50, 5]]
        sample = the_sample(self.play(8, *script))
        return [bool((sample[n] == -12345).any()) for n in ("state", "next_state")]

    def stays(self, size: int, *between: Any) -> list[bool]:
        """Tell which fields of a sample stay as they were, whatever comes after."""
        script = [["add", 0, 8], SEED, ["sample", size], *between, ["reread", 0]]
        samples = self.play(8, *script)["samples"]
        a, b = samples[0], samples[-1]
        return [np.array_equal(a[name], b[name]) for name in self.stored]

    # ------------------------------------------------------------ how it is drawn

    def overlap(self) -> float:
        """Return which share of a batch of 5 of 20 was in the one before."""
        found = self.numbers(self.drawn(20, 5, 20))
        pairs = itertools.pairwise(found)
        return float(np.mean([np.isin(b, a).mean() for a, b in pairs]))

    def pairs(self) -> list[float]:
        """Return how often two rows are one, and neighbours; 0 where as by chance."""
        found = self.numbers(self.drawn(8))
        same = float((found[:, 0] == found[:, 1]).mean())
        legal = same == 0 or abs(same - 1 / 8) < 0.03
        after = float(((found[:, 0] + 1) % 8 == found[:, 1]).mean())
        return [0.0 if legal else same, after if abs(after - 1 / 7.5) > 0.03 else 0.0]

    def generator(self) -> list[bool]:
        """Tell whether the same generator, another one, and going on draw the same."""
        batch: list = ["samples", 3, 5]
        other: list = ["rng", 12]
        script = [["add", 0, 8], SEED, batch, SEED, batch, other, batch]
        a, b, c = (self.numbers(s) for s in self.play(8, *script)["samples"])
        return [np.array_equal(a, b), np.array_equal(a, c), np.array_equal(a[0], a[1])]


def the_sample(answer: Answer) -> Sample:
    """Return the one sample of an answer, with all of its fields.

    Raises:
        Wrong: there is none, or more than one.
    """
    samples = answer.get("samples")
    if not isinstance(samples, list) or len(samples) != 1:
        raise Wrong("no sample came back")
    return the_last(answer)


def the_last(answer: Answer) -> Sample:
    """Return the last sample of an answer, with all of its fields.

    Raises:
        Wrong: there is none.
    """
    samples = answer.get("samples")
    names = cases.transitions(0, 1)
    if not isinstance(samples, list) or not samples:
        raise Wrong("no sample came back")
    sample = samples[-1]
    if not isinstance(sample, dict) or not all(
        isinstance(sample.get(name), np.ndarray) for name in names
    ):
        raise Wrong("no sample came back")
    if sample["state"].ndim < 2:
        raise Wrong(f"a state of shape {sample['state'].shape}")
    return sample
