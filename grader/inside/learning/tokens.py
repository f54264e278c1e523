"""The tokens that the hand-in's buffer stores in place of transitions.

A buffer can do its job without real transitions. So it gets tokens: transitions of the
right shapes and types with random numbers. Each token belongs to one real transition,
which is looked up when the buffer draws the token. The tokens tell the buffer nothing
about the environment.
"""

from typing import Any

import numpy as np

from grader.inside.values import FIELDS

Columns = dict[str, np.ndarray]


class Foul(Exception):
    """Raised if learning must stop because of a wrong answer of the hand-in."""


class Tokens:
    """The tokens that should be in the hand-in's buffer, each with its transition.

    Args:
        capacity: capacity of the buffer.
        kinds: one transition, as an array [1,...] for each field; only the shapes and
            dtypes are used.
        num_actions: number A of actions.
        rng: random generator for the tokens' numbers.
    """

    def __init__(
        self, capacity: int, kinds: Columns, num_actions: int, rng: np.random.Generator
    ) -> None:
        self.capacity, self.num_actions, self.rng = capacity, num_actions, rng
        self.tokens = {name: column[:0] for name, column in kinds.items()}
        self.rows = dict(self.tokens)
        self.added: list[np.ndarray] = []  # the keys of all tokens, see `keys_of`
        self.draws = Draws()

    def add(self, rows: Columns, count: int) -> Columns:
        """Make tokens for new transitions, store both, and return the tokens.

        Each transition gets at least one token. If there are fewer transitions than
        tokens, some transitions get several, so that the buffer cannot see how many
        transitions there are.

        Args:
            rows: the transitions, an array [n,...] for each field, n at most `count`.
            count: number of tokens.

        Returns:
            The tokens in random order, an array [count,...] for each field.
        """
        n = len(rows["action"])
        # For each token, the index of its transition in `rows`.
        places = np.concatenate([np.arange(n), self.rng.integers(n, size=count - n)])
        self.rng.shuffle(places)
        new = {name: self.drawn(rows[name], count) for name in FIELDS}
        self.added.append(keys_of(new["state"]))
        self.tokens = self.with_new(self.tokens, new)
        new_rows = {name: rows[name][places] for name in FIELDS}
        self.rows = self.with_new(self.rows, new_rows)
        keys = keys_of(self.tokens["state"])
        self.order = np.argsort(keys)
        self.keys = keys[self.order]
        return new

    def with_new(self, stored: Columns, new: Columns) -> Columns:
        """Append new tokens or transitions to stored ones; return the last `capacity`.

        Args:
            stored: the stored tokens or transitions, an array [N,...] for each field.
            new: the new tokens or transitions, an array [n,...] for each field.
        """
        return {
            name: np.concatenate([stored[name], new[name]])[-self.capacity :]
            for name in FIELDS
        }

    def drawn(self, like: np.ndarray, count: int) -> np.ndarray:
        """Return `count` random values for a field of tokens.

        Args:
            like: the field in real transitions, an array [n,...]. The result has the
                same dtype and the shape [count,...].
            count: the number of values.
        """
        shape = (count, *like.shape[1:])
        if like.dtype == np.bool_:
            return self.rng.random(shape) < 0.2
        if like.dtype.kind == "i":
            return self.rng.integers(self.num_actions, size=shape).astype(like.dtype)
        return self.rng.normal(size=shape).astype(like.dtype)

    def transitions(self, answer: Any, shape: tuple[int, int]) -> Columns:
        """Return the transitions to which drawn tokens belong.

        For each field, the result has an array [n,B,...]. The transitions are in a
        random order, so the order in which the buffer draws tokens has no effect.

        Args:
            answer: the buffer's answer, a dict with any content. It should be n batches
                of B tokens, an array [n,B,...] for each field.
            shape: the pair (n, B).

        Raises:
            Foul: the answer is not n batches of B tokens, a drawn token should not be
                in the buffer, or the buffer prefers some tokens, see `Draws.uneven`.
        """
        flat = checked(answer, shape, self.tokens)
        # `found` has the index of the stored token with the same key. If there is none,
        # it has the index of some other token, and the comparison below fails.
        keys = keys_of(flat["state"])
        sorted_places = np.searchsorted(self.keys, keys)
        found = self.order[sorted_places.clip(max=len(self.keys) - 1)]
        for name in FIELDS:
            same = flat[name] == self.tokens[name][found]
            if not same.all():
                if self.have_left(keys):
                    raise Foul(
                        "sample returned a transition that should have left the "
                        f"buffer: {self.capacity} newer ones were added"
                    )
                raise Foul(
                    "sample returned a transition that is not in the buffer: "
                    f"{wrong_field(name, flat, self.tokens, found)}"
                )
        if self.draws.uneven(found, len(self.keys)):
            raise Foul(
                "sample draws some of the transitions that should be stored more often "
                "than others, or not at all"
            )
        found = self.rng.permutation(found)
        return {
            name: column[found].reshape(*shape, *column.shape[1:])
            for name, column in self.rows.items()
        }

    def have_left(self, keys: np.ndarray) -> bool:
        """Return whether a key, of int [n], is of a token that is stored no more."""
        stored, added = (
            np.isin(keys, k) for k in (self.keys, np.concatenate(self.added))
        )
        return bool((added & ~stored).any())


def keys_of(states: np.ndarray) -> np.ndarray:
    """Return an integer for each of N states: the bits of its first two numbers.

    The states of different tokens have different integers, with a probability of nearly
    1.

    Args:
        states: states of tokens, float32 [N,D], D at least 2.
    """
    return np.ascontiguousarray(states[:, :2]).view(np.uint64)[:, 0]


def wrong_field(name: str, drawn: Columns, stored: Columns, found: np.ndarray) -> str:
    """Return words for a message that say how drawn tokens differ from stored tokens.

    Args:
        name: the first field that differs.
        drawn: the n tokens that were drawn, an array [n,...] for each field.
        stored: the N tokens that should be in the buffer, an array [N,...] for each
            field.
        found: for each drawn token, the index in `stored` of the token with the same
            state, or of any token if `name` is "state"; int [n].
    """
    if name == "state":
        return "no transition in it has this `state`"
    others = [f for f in FIELDS if (drawn[f] != stored[f][found]).any()]
    words = ", ".join(f"`{f}`" for f in others)
    return f"its `state` was added with another {words}"


def checked(answer: Any, shape: tuple[int, int], kinds: Columns) -> Columns:
    """Check the form of n batches of B tokens, and return them as one long batch.

    Args:
        answer: the buffer's answer, a dict with any content.
        shape: (n, B): the number of batches and the batch size.
        kinds: tokens of the right form, an array [N,...] for each field. Only the
            dtypes and the shapes after the first axis are used.

    Returns:
        For each field, an array of the right dtype, whose first axis has n times B
        entries.

    Raises:
        Foul: a field is missing, its shape is not [n,B,...], or actions are no
            integers.
    """
    flat: Columns = {}
    for name, kind in kinds.items():
        value = answer.get(name)
        tail = kind.shape[1:]
        if not isinstance(value, np.ndarray) or value.shape != (*shape, *tail):
            raise Foul(f"sample returned a `{name}` of the wrong shape")
        if name == "action" and value.dtype.kind not in "iu":
            raise Foul(f"sample returned actions of type {value.dtype}")
        flat[name] = value.reshape(-1, *tail).astype(kind.dtype)
    return flat


class Draws:
    """Counts that show whether the buffer draws some tokens more than others.

    Two draws of the same token are called an equal pair if one call of `uneven` counts
    both. The more unequal the probabilities of the tokens are, the more equal pairs are
    expected.

    Attributes:
        equal_pairs: number of equal pairs so far.
        expected: number of equal pairs that is expected so far if all tokens have the
            same probability.
    """

    def __init__(self) -> None:
        self.equal_pairs = self.expected = 0.0

    def uneven(self, drawn: np.ndarray, stored: int) -> bool:
        """Count n more draws; return whether the buffer prefers some tokens.

        An equal pair is two of the n draws with the same token. The result is True if
        the number of equal pairs in all calls so far is more than 6 standard deviations
        above the number that is expected without a preference.

        Args:
            drawn: for each draw, the drawn token's number, 0 to N - 1, int [n].
            stored: N, the number of tokens in the buffer.
        """
        times = np.bincount(drawn, minlength=stored).astype(np.float64)
        self.equal_pairs += (times * (times - 1)).sum() / 2
        self.expected += len(drawn) * (len(drawn) - 1) / 2 / stored
        return self.equal_pairs - self.expected > 6 * self.expected**0.5
