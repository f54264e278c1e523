"""Hostile bytes from a helper process do no harm; hypothesis draws the bytes.

`make fuzz` tests the same functions with more bytes, as long as the user wants.
"""

import random
import struct

import hypothesis.strategies as st
import msgpack
import pytest
from hypothesis import given, settings

from grader.inside.protocol import MAX_HEADER, MAX_PAYLOAD, encode
from grader.sandbox import helper
from tests.tools.fuzz import targets
from tests.tools.fuzz.frames import MESSAGES, array_item, frame, seeds

GOOD = seeds("frames")
KEYS = ["nonce", "answer", "error", "question", "kind", "message", "line", "theta", ""]
quick = settings(database=None, deadline=None, max_examples=150, derandomize=True)


@pytest.fixture(scope="module", autouse=True)
def known_nonce() -> None:
    """Replace the random number (nonce) in each question by a fixed one.

    Only an answer that repeats the nonce is accepted. With the fixed nonce, drawn bytes
    can be such an answer.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(helper.secrets, "token_bytes", lambda size: targets.NONCE)
        yield


# ------------------------------------------------------------------ strategies

edges = st.sampled_from(
    [0, 1, 127, 128, 2**31, 2**32 - 1, MAX_HEADER, MAX_HEADER + 1, MAX_PAYLOAD + 1]
)


def pieces(data: bytes) -> st.SearchStrategy[bytes]:
    """Return a strategy that draws up to 30 neighbouring bytes of the data."""
    return st.integers(0, len(data)).map(lambda cut: data[cut : cut + 30])


@st.composite
def changed(draw) -> bytes:
    """Draw the bytes of good frames, with some bytes replaced, removed or added."""
    data = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data)))
        end = min(len(data), place + draw(st.integers(0, 9)))
        piece = draw(st.sampled_from(GOOD).flatmap(pieces))
        data[place:end] = draw(
            st.binary(max_size=9)
            | st.just(piece)
            | edges.map(lambda size: struct.pack("<I", size))
        )
    return bytes(data)


numbers = st.integers(-(2**63), 2**64 - 1) | edges
names = st.sampled_from([*sorted(targets.DTYPES), ">f4", "object", "O", "V8", "f4", ""])
items = st.builds(
    array_item,
    names | numbers | st.none(),
    st.lists(st.integers(-2, 3) | numbers, max_size=8) | st.binary(max_size=3),
    st.integers(-1, 3).map(lambda code: code % 128),
)
leaves = st.none() | st.booleans() | numbers | st.floats() | st.text() | st.binary()
trees = st.recursive(
    leaves | items | st.sampled_from([targets.NONCE, {}, []]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS) | leaves.filter(hash), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@st.composite
def packed(draw) -> bytes:
    """Draw the bytes of a frame whose header is a msgpack dict with any content.

    A key can come twice, and the lengths in the frame can be wrong.
    """
    message = {
        "nonce": targets.NONCE,
        **draw(st.dictionaries(st.sampled_from(KEYS), trees)),
    }
    header = msgpack.packb(message, use_bin_type=draw(st.booleans()))
    if draw(st.booleans()):  # write every key twice
        header = b"\xde" + struct.pack(">H", 2 * len(message)) + 2 * header[1:]
    payload = draw(st.binary(max_size=40))
    data = bytearray(frame(header, payload))
    if draw(st.integers(0, 9)) == 0:
        data[:8] = struct.pack("<II", draw(edges), draw(edges))
    return bytes(data)


anything = st.binary(max_size=300) | changed() | packed()


@given(anything)
@quick
def test_frames(data):
    """Any bytes are read as plain messages, or refused with a ProtocolError."""
    targets.frames(data)


@given(st.lists(anything | st.sampled_from(GOOD), max_size=3).map(b"".join))
@quick
def test_conversations(data):
    """Any bytes from a helper are an answer or an error, or the helper is stopped."""
    targets.conversation(data)


@pytest.mark.parametrize("target", [targets.frames, targets.conversation])
def test_deep_and_long(target):
    """Headers with very deep nesting or very many tiny items are read or refused.

    They do no other harm, such as a stack overflow.
    """
    for opening in (b"\x91", b"\x81\xa1a", b"\xdd\0\0\0\1", b"\x81\xc0", b"\xc7\x40\1"):
        for depth in (15, 17, 511, 1025, 20_000):
            target(frame(b"\x81\xa6answer" + opening * depth + b"\xc0"))
    for small in (b"\x90", b"\x80", b"\xc0", b"\xa0", b"\xd6\xff\0\0\0\0"):
        count = 60_000 // len(small)
        header = b"\x81\xa6answer\xdc" + struct.pack(">H", count) + small * count
        target(frame(header))


# ------------------------------------------------------------------ can it fail?


def test_what_is_asked_with_the_nonce_is_answered():
    """Good frames are accepted as answers, errors or questions.

    Without this test, the other tests would pass even if all frames were refused.
    """
    answered = []
    for message in MESSAGES:
        child = targets.Scripted(encode(message))
        try:
            answered.append(child.ask({}, 1.0))
        except helper.Died as reason:
            answered.append(str(reason))
    kinds = [next(iter(x)) if isinstance(x, dict) else x for x in answered]
    assert kinds == ["answer"] * 5 + ["error", "asked a question of its own"]


def test_another_nonce_is_refused_before_the_payload():
    """If an answer has another nonce, the helper is stopped before arrays are read."""
    other = {**MESSAGES[1], "nonce": random.Random(1).randbytes(16)}
    child = targets.Scripted(encode(other))
    with pytest.raises(helper.Died, match="not asked"):
        child.ask({}, 1.0)
    assert child.stopped
    assert len(child.answers.stream.read()) == 2 * 3 * 4 + 8
