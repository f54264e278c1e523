"""Messages between grader and helper arrive unchanged; wrong frames are refused.

A refusal needs little memory and time.
"""

import contextlib
import io
import struct
import tracemalloc

import hypothesis.strategies as st
import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from grader.inside import protocol
from grader.inside.protocol import ProtocolError, encode, receive, send
from tests.tools.fuzz import frames
from tests.tools.fuzz.frames import array_item
from tests.tools.fuzz.targets import same

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"]
DTYPES += ["uint64", "float16", "float32", "float64"]

any_array = st.sampled_from(DTYPES).flatmap(
    lambda name: arrays(
        name, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
    )
)
plain = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1)
plain |= st.floats() | st.text() | st.binary()
values = st.recursive(
    plain | any_array,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
messages = st.dictionaries(st.text(), values, max_size=4)


def frame(header: object, payload: bytes = b"") -> io.BytesIO:
    """Return a stream that holds one frame.

    Args:
        header: the header, which is packed by msgpack.
        payload: the bytes of the arrays.
    """
    return io.BytesIO(frames.frame(header, payload))


@given(messages)
@settings(database=None, deadline=None, max_examples=60)
def test_round_trip(message):
    """A message arrives unchanged: values, types, order of keys, and bits of arrays."""
    stream = io.BytesIO()
    send(stream, message)
    send(stream, {"next": 1})
    stream.seek(0)
    assert same(receive(stream), message)
    assert receive(stream) == {"next": 1}
    assert receive(stream) is None


@pytest.mark.parametrize("name", DTYPES)
def test_every_dtype_travels(name):
    """Arrays of each allowed dtype arrive, even if they are big-endian or strided."""
    array = np.arange(12).reshape(3, 4).astype(name)
    sent = [array, array.T, array[::2], array.astype(array.dtype.newbyteorder(">"))]
    for got, expected in zip(arrived({"a": sent})["a"], sent, strict=True):
        assert got.dtype == np.dtype(name)
        np.testing.assert_array_equal(got, expected)


def arrived(message: dict) -> dict:
    """Encode a message, decode it, and return the message that arrives."""
    return receive(io.BytesIO(encode(message)))


def test_decoded_arrays_are_their_own():
    """A received array is writable and shares no memory with other arrays."""
    message = arrived({"a": np.zeros(3), "b": np.zeros(3)})
    message["a"][:] = 1
    assert message["b"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "value",
    [
        object(),
        np.array([object()]),
        np.array([1 + 2j]),
        np.array(["text"]),
        np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
        np.array(["2024-01-01"], dtype="datetime64[D]"),
        {1, 2},
        2**70,
        lambda: 0,
        "x" * protocol.MAX_HEADER,
        np.zeros(protocol.MAX_PAYLOAD + 1, np.uint8),
        "\ud800",
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_travel(value):
    """The sender refuses objects, forbidden dtypes and messages that are too long."""
    with pytest.raises(ProtocolError):
        encode({"value": value})


def test_nothing_recursive_travels():
    """A list that contains itself is refused; the stack does not overflow."""
    endless: list = []
    endless.append(endless)
    with pytest.raises(ProtocolError):
        encode({"value": endless})


HOSTILE = {
    "unknown dtype": frame({"a": array_item("object", [1])}, b"\0" * 8),
    "pickle's dtype": frame({"a": array_item("O8", [1])}, b"\0" * 8),
    "complex": frame({"a": array_item("complex64", [1])}, b"\0" * 8),
    "dtype is a list": frame({"a": array_item(["f4"], [1])}, b"\0" * 4),
    "dtype is no text": frame({"a": array_item(None, [1])}, b"\0" * 4),
    "negative size": frame({"a": array_item("int8", [-1])}, b"\0"),
    "negative sizes": frame({"a": array_item("int8", [-2, -2])}, b"\0" * 4),
    "size is a bool": frame({"a": array_item("int8", [True])}, b"\0"),
    "size is a float": frame({"a": array_item("int8", [1.0])}, b"\0"),
    "size is huge": frame({"a": array_item("int8", [2**40, 0])}),
    "product is huge": frame({"a": array_item("int8", [2**20] * 6)}),
    "shape is a number": frame({"a": array_item("int8", 3)}, b"\0" * 3),
    "shape is a dict": frame({"a": array_item("int8", {})}),
    "too many axes": frame({"a": array_item("int8", [1] * 7)}, b"\0"),
    "no shape": frame({"a": msgpack.ExtType(1, msgpack.packb(["int8"]))}),
    "empty item": frame({"a": msgpack.ExtType(1, b"")}),
    "item with more": frame({"a": msgpack.ExtType(1, b"\x92\xa4int8\x90\x00")}, b"\0"),
    "other code": frame({"a": array_item("int8", [1], code=2)}, b"\0"),
    "pickle's code": frame({"a": msgpack.ExtType(42, b"cos\nsystem\n")}),
    "timestamp": frame(b"\x81\xa1a\xd6\xff\0\0\0\0"),
    "payload too short": frame({"a": array_item("int32", [2])}, b"\0" * 7),
    "payload too long": frame({"a": array_item("int32", [2])}, b"\0" * 9),
    "payload without array": frame({"a": 1}, b"\0"),
    "one array too many": frame({"a": [array_item("int8", [1])] * 2}, b"\0"),
    "not a dict": frame([1, 2, 3]),
    "nothing": frame(b""),
    "two headers": frame(msgpack.packb({"a": 1}) * 2),
    "half a header": frame(msgpack.packb({"abcdef": 1})[:-2]),
    "key is a number": frame({1: 2}),
    "key is a list": frame(b"\x81\x90\x01"),
    "key comes twice": frame(b"\x82\xa1a\x01\xa1a\x02"),
    "inner key comes twice": frame(b"\x81\xa1a\x82\xa1b\xc0\xa1b\xc0"),
    "shape is text": frame({"a": array_item("int8", "")}),
    "shape is bytes": frame({"a": array_item("int8", b"\1")}, b"\0"),
    "dict of dtype and shape": frame(
        {"a": msgpack.ExtType(1, msgpack.packb({"int8": 1, "int16": 2}))}
    ),
    "foreign endianness": frame({"a": array_item(">f4", [1])}, b"\0" * 4),
    "array in an array": frame(
        {"a": array_item("int8", [array_item("int8", [1])])}, b"\0"
    ),
    "surrogate": frame(b"\x81\xa1a\xa3\xed\xa0\x80"),
    "not UTF-8": frame(b"\x81\xa1a\xa1\xff"),
    "deep": frame(b"\x81\xa1a" + b"\x91" * 60_000 + b"\x90"),
    "deep dicts": frame(b"\x81\xa1a" * 20_000 + b"\x80"),
    "says long list": frame(b"\x81\xa1a\xdd\xff\xff\xff\xff"),
    "says long dict": frame(b"\x81\xa1a\xdf\xff\xff\xff\xff"),
    "says long text": frame(b"\x81\xa1a\xdb\xff\xff\xff\xff"),
    "says long bytes": frame(b"\x81\xa1a\xc6\xff\xff\xff\xff"),
    "says long item": frame(b"\x81\xa1a\xc9\xff\xff\xff\xff\x01"),
    "unused byte": frame(b"\xc1"),
    "long header": io.BytesIO(struct.pack("<II", 2**32 - 1, 0)),
    "long payload": io.BytesIO(struct.pack("<II", 1, 2**32 - 1) + b"\x80"),
    "cut in the prefix": io.BytesIO(b"\1\0\0"),
    "cut in the header": io.BytesIO(struct.pack("<II", 9, 0) + b"\x80"),
    "cut in the payload": io.BytesIO(struct.pack("<II", 1, 9) + b"\x80123"),
    "text": io.BytesIO(b'{"passed": true, "score": 100}\n'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_frames(name):
    """A malformed frame is refused, and hardly any memory is allocated for it."""
    stream = HOSTILE[name]
    stream.seek(0)
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError):
            receive(stream)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


class Unread(Exception):
    """An exception that a test raises so that `receive` does not read the payload."""


def test_looked_at_before_its_payload_is_read():
    """`receive` calls its argument `look` before it reads the arrays' bytes.

    At this time the shapes and dtypes of the arrays are known.
    """
    data = encode({"a": np.zeros((3, 2), np.int32), "b": [np.ones(2)]})
    stream = io.BytesIO(data)

    def look(message: dict) -> None:
        assert message["a"].shape == (3, 2)
        assert message["b"][0].dtype == np.float64
        assert len(data) - stream.tell() == 6 * 4 + 2 * 8
        raise Unread

    with pytest.raises(Unread):
        receive(stream, look)
    stream.seek(0)
    assert receive(stream, lambda message: None)["b"][0].tolist() == [1.0, 1.0]


def test_lies_are_found_before_the_payload():
    """If arrays in the header do not fit the payload's length, no payload is read."""
    header = msgpack.packb({"a": array_item("float64", [1000, 1000])})
    start = struct.pack("<II", len(header), 8) + header  # the payload is missing
    with pytest.raises(ProtocolError, match="longer than its payload"):
        receive(io.BytesIO(start))


def test_a_session_has_an_end(monkeypatch):
    """All frames of a session together may have at most `MAX_SESSION` bytes."""
    data = encode({"a": np.zeros(300, np.uint8)})
    monkeypatch.setattr(protocol, "MAX_SESSION", 3 * len(data))
    stream = protocol.Capped(io.BytesIO(data * 4))
    for _ in range(3):
        assert receive(stream)["a"].size == 300
    with pytest.raises(ProtocolError, match="in all"):
        receive(stream)


def test_many_small_lists_stay_small():
    """A header of 60 000 empty lists takes less than 16 MiB of memory."""
    header = b"\x81\xa1a\xdc" + struct.pack(">H", 60_000) + b"\x90" * 60_000
    tracemalloc.start()
    try:
        receive(frame(header))
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_lone_bool_is_an_array():
    """A boolean array of shape () arrives as an array, not as a Python bool."""
    message = arrived({"a": np.array(True)})
    assert isinstance(message["a"], np.ndarray)
    assert message["a"].shape == ()


def test_bools_are_bools():
    """A received boolean array holds only the bytes 0 and 1; other bytes become 1."""
    message = receive(frame({"a": array_item("bool", [3])}, b"\0\1\2"))
    assert message["a"].dtype == bool
    assert message["a"].view(np.uint8).tolist() == [0, 1, 1]


@given(st.binary(max_size=200))
@settings(database=None, deadline=None, max_examples=300)
def test_random_bytes(data):
    """`receive` returns a dict or raises a ProtocolError for any bytes."""
    try:
        message = receive(io.BytesIO(data))
    except ProtocolError:
        return
    assert message is None if not data else isinstance(message, dict)


@given(messages, st.data())
@settings(database=None, deadline=None, max_examples=100)
def test_changed_bytes(message, data):
    """A good frame with one byte changed gives a dict or a ProtocolError."""
    frame = bytearray(encode(message))
    place = data.draw(st.integers(0, len(frame) - 1))
    frame[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(ProtocolError):
        assert isinstance(receive(io.BytesIO(bytes(frame))), dict)
