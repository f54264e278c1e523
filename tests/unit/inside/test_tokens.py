"""The hand-in's buffer stores tokens, and each drawn token is replaced by a transition.

A token belongs to one transition, which the buffer never sees.
"""

import numpy as np
import pytest

from grader.inside.learning.tokens import FIELDS, Foul, Tokens

D, A = 3, 4


def transitions(n, first=0):
    """Return n transitions with the rewards `first`, `first` + 1, and so on.

    The reward is the transition's number, and all other fields follow from the number.
    So a test can notice fields that belong to different transitions.
    """
    number = np.arange(first, first + n)
    return {
        "state": (number[:, None] + np.linspace(0.1, 0.3, D)).astype(np.float32),
        "action": (number % A).astype(np.int32),
        "reward": number.astype(np.float32),
        "terminated": number % 5 == 2,
        "next_state": (-number[:, None] - np.linspace(0.1, 0.3, D)).astype(np.float32),
    }


def made(capacity=100, seed=1):
    """Return an empty `Tokens` for states of D = 3 numbers and A = 4 actions."""
    kinds = transitions(1)
    return Tokens(capacity, kinds, A, np.random.default_rng(seed))


def picked(tokens, which, shape=None):
    """Return the answer of a buffer that draws certain tokens: an array for each field.

    Args:
        tokens: the tokens, an array for each field.
        which: indices of the drawn tokens.
        shape: shape (n, B) of the drawn batches; None for one batch.
    """
    which = np.reshape(which, shape or (1, -1))
    return {name: column[which] for name, column in tokens.items()}


def numbers(tokens, answer, shape=None):
    """Return the numbers of the transitions to which the drawn tokens belong.

    The function fails if the fields of one transition do not belong together.

    Args:
        tokens: the `Tokens`.
        answer: the drawn tokens, as from `picked`.
        shape: shape (n, B) of the batches; None for the answer's own shape.
    """
    shape = shape or answer["reward"].shape
    found = tokens.transitions(answer, shape)
    number = found["reward"].astype(int)
    assert number.shape == shape
    whole = transitions(1000)
    for name in FIELDS:
        assert found[name].dtype == whole[name].dtype
        np.testing.assert_array_equal(found[name], whole[name][number])
    return number


def test_a_token_stands_for_one_transition():
    """A token belongs to the same transition in every draw.

    If there are as many tokens as transitions, no two tokens belong to the same one.
    """
    tokens = made()
    new = tokens.add(transitions(8), 8)
    first = [numbers(tokens, picked(new, [i]))[0, 0] for i in range(8)]
    assert sorted(first) == list(range(8))
    more = tokens.add(transitions(8, first=8), 8)
    again = [numbers(tokens, picked(new, [i]))[0, 0] for i in range(8)]
    assert again == first
    later = numbers(tokens, picked(more, range(8)))
    assert sorted(later.ravel()) == list(range(8, 16))


def test_tokens_are_not_in_the_order_of_their_transitions():
    """The order of the tokens does not tell the order of the transitions."""
    tokens = made()
    new = tokens.add(transitions(20), 20)
    order = [numbers(tokens, picked(new, [i]))[0, 0] for i in range(20)]
    assert sorted(order) == list(range(20)) != order


def test_tokens_do_not_depend_on_the_transitions():
    """With the same seed, other transitions get the same tokens.

    Tokens have the shapes and dtypes of transitions.
    """
    first, second = made(), made()
    for block in range(3):
        a = first.add(transitions(6, first=6 * block), 9)
        b = second.add(transitions(6, first=500 - block), 9)
        kinds = transitions(9)
        for name in FIELDS:
            np.testing.assert_array_equal(a[name], b[name])
            assert (a[name].shape, a[name].dtype) == (
                kinds[name].shape,
                kinds[name].dtype,
            )
        assert set(a["action"]) <= set(range(A))


def test_more_tokens_than_transitions():
    """If there are fewer transitions than tokens, some transitions have two tokens."""
    tokens = made()
    new = tokens.add(transitions(5), 9)
    assert len(np.unique(new["state"], axis=0)) == 9
    drawn = numbers(tokens, picked(new, range(9)))
    assert sorted(set(drawn.ravel())) == list(range(5))
    assert drawn.size == 9


def test_the_oldest_tokens_leave():
    """If the buffer is full, the oldest tokens are not valid any longer.

    A draw of such a token raises `Foul`.
    """
    tokens = made(capacity=10)
    old = tokens.add(transitions(8), 8)
    new = tokens.add(transitions(8, first=8), 8)
    kept = numbers(tokens, picked(old, [6, 7]))
    assert set(kept.ravel()) <= set(range(8))
    assert set(numbers(tokens, picked(new, range(8))).ravel()) == set(range(8, 16))
    with pytest.raises(Foul, match="should have left the buffer: 10 newer ones were"):
        tokens.transitions(picked(old, [5]), (1, 1))


def foreign(answer, tokens):
    answer["state"][0, 1] = 0.5


def changed_reward(answer, tokens):
    answer["reward"][0, 1] += 1e-3


def mixed(answer, tokens):
    answer["next_state"][0, 1] = answer["next_state"][0, 0]


def other_end(answer, tokens):
    answer["terminated"][0, 1] = ~answer["terminated"][0, 1]


def not_a_number(answer, tokens):
    answer["state"][0, 1] = np.nan


def last_number_of_the_state(answer, tokens):
    answer["state"][0, 1, -1] += 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (foreign, "no transition in it has this `state`"),
        (changed_reward, "its `state` was added with another `reward`$"),
        (mixed, "its `state` was added with another `next_state`$"),
        (other_end, "its `state` was added with another `terminated`$"),
        (not_a_number, "no transition in it has this `state`"),
        (last_number_of_the_state, "no transition in it has this `state`"),
    ],
)
def test_what_is_not_stored_is_found(change, words):
    """If a drawn row is no token that the buffer holds, `Foul` ends learning.

    Args:
        change: function (answer, tokens) that makes one row of the answer wrong, in
            place.
        words: a part of the message.
    """
    tokens = made()
    new = tokens.add(transitions(6), 6)
    answer = picked(new, [0, 1, 2])
    numbers(tokens, answer)
    change(answer, new)
    with pytest.raises(Foul, match=words):
        tokens.transitions(answer, (1, 3))


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("state", np.float64),
        ("next_state", np.float64),
        ("reward", np.float64),
        ("action", np.int64),
        ("action", np.uint8),
        ("terminated", np.uint8),
        ("terminated", np.float32),
        ("terminated", np.int64),
    ],
)
def test_other_types_are_right(name, dtype):
    """A buffer may return float64, other integer types, and 0 or 1 for bool."""
    tokens = made()
    new = tokens.add(transitions(6), 6)
    answer = picked(new, range(6))
    answer[name] = answer[name].astype(dtype)
    assert sorted(numbers(tokens, answer).ravel()) == list(range(6))


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("reward", lambda x: None, "`reward` of the wrong shape"),
        ("reward", lambda x: 1.0, "`reward` of the wrong shape"),
        ("reward", lambda x: x[..., None], "`reward` of the wrong shape"),
        ("state", lambda x: x[..., :-1], "`state` of the wrong shape"),
        ("action", lambda x: x.astype(np.float32), "actions of type float32"),
    ],
)
def test_the_form_of_a_batch(name, change, words):
    """If a field is missing, has a wrong shape, or has float actions, learning ends."""
    tokens = made()
    answer = picked(tokens.add(transitions(6), 6), range(6))
    answer[name] = change(answer[name])
    with pytest.raises(Foul, match=words):
        tokens.transitions(answer, (1, 6))


def blocks(draw, count=60, stored=500):
    """Return the number of the block, from 0, in which uneven draws are noticed.

    The result is None if they are never noticed.

    Args:
        draw: function (generator, N) that returns the indices of 256 drawn tokens.
        count: number of blocks; a block has 8 batches of 32 tokens.
        stored: N, the number of tokens in the buffer.
    """
    tokens = made(capacity=stored)
    new = tokens.add(transitions(stored), stored)
    rng = np.random.default_rng(3)
    for block in range(count):
        try:
            answer = picked(new, draw(rng, stored), (8, 32))
            tokens.transitions(answer, (8, 32))
        except Foul as foul:
            if "more often" not in str(foul):
                raise
            return block
    return None


def test_uneven_draws_are_found():
    """If a buffer draws older tokens twice as often as newer ones, learning ends."""

    def draw(rng, stored):
        p = np.where(np.arange(stored) < stored // 2, 2.0, 1.0)
        return rng.choice(stored, size=256, p=p / p.sum())

    assert blocks(draw) is not None


def test_even_draws_go_on():
    """Uniform draws, with or without replacement, are never called uneven."""
    assert blocks(lambda rng, stored: rng.integers(stored, size=256)) is None

    def without_replacement(rng, stored):
        batches = [rng.choice(stored, 32, replace=False) for _ in range(8)]
        return np.concatenate(batches)

    assert blocks(without_replacement) is None


def test_the_order_of_draws_is_not_used():
    """The batches hold the drawn transitions, but not in the order of the draws.

    If the buffer answers the same twice, the two orders differ.
    """
    tokens = made()
    answer = picked(tokens.add(transitions(20), 20), range(20), (4, 5))
    first, second = numbers(tokens, answer), numbers(tokens, answer)
    assert sorted(first.ravel()) == sorted(second.ravel()) == list(range(20))
    assert (first != second).any()
