"""Encode, send, receive and decode frames between the grader and its helpers.

A frame consists of the lengths of header and payload (two little-endian uint32), a
header in msgpack, and a payload. The header has the message. In place of each array, it
has a msgpack extension item with the array's dtype and shape. The payload has the bytes
of the arrays, little-endian, in the order of the header.

Frames from a helper are untrusted. So this module builds only plain data (no objects,
no pickle) and arrays of known dtypes, and checks every length before it allocates
memory. A receiver can inspect the header, which has all shapes and dtypes, before the
payload is read.
"""

import functools
import math
import struct
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

import msgpack
import numpy as np

MAX_HEADER = 64 * 1024  # bytes
MAX_PAYLOAD = 32 * 1024 * 1024  # bytes
# The largest number of bytes in all frames from one helper together. Learning needs at
# most half as many.
MAX_SESSION = 2 * 1024 * 1024 * 1024
MAX_NDIM = 6
MAX_DIM = 1 << 24
MAX_DEPTH = 16  # of nested lists and dicts

_ARRAY = 1
_PREFIX = struct.Struct("<II")
_DTYPES = {
    name: np.dtype(name).newbyteorder("<")
    for name in (
        *("bool", "int8", "int16", "int32", "int64"),
        *("uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"),
    )
}


class ProtocolError(Exception):
    """Raised for a message or bytes that this protocol does not allow."""


@functools.cache  # because NumPy computes the name at each call
def name_of(dtype: np.dtype) -> str:
    """Return the name of a dtype, for example "float32"."""
    return dtype.name


def is_sendable(dtype: np.dtype) -> bool:
    """Return whether a frame may contain arrays of a dtype."""
    return name_of(dtype) in _DTYPES


def encode(message: dict[str, Any]) -> bytes:
    """Encode a message as one frame.

    Args:
        message: a dict. Its values are None, bools, ints, floats, strs, bytes, arrays,
            and lists and dicts of these.

    Raises:
        ProtocolError: the message has a value of another type, an array has more than
            `MAX_NDIM` axes or an axis longer than `MAX_DIM`, the header is longer than
            `MAX_HEADER`, or the payload is longer than `MAX_PAYLOAD`.
    """
    chunks: list[bytes] = []

    def encode_array(value: Any) -> msgpack.ExtType:
        if isinstance(value, np.generic):
            value = np.asarray(value)
        if not isinstance(value, np.ndarray) or not is_sendable(value.dtype):
            raise ProtocolError(f"a {type(value).__name__} cannot travel in a frame")
        if value.ndim > MAX_NDIM or max(value.shape, default=0) > MAX_DIM:
            raise ProtocolError(f"an array of shape {value.shape} cannot travel")
        name = name_of(value.dtype)
        chunks.append(value.astype(_DTYPES[name], copy=False).tobytes())
        return msgpack.ExtType(_ARRAY, msgpack.packb([name, list(value.shape)]))

    try:
        header = msgpack.packb(message, default=encode_array, use_bin_type=True)
    except (TypeError, ValueError, OverflowError) as error:
        raise ProtocolError(f"cannot be encoded: {error}") from None
    payload = b"".join(chunks)
    if len(header) > MAX_HEADER:
        raise ProtocolError(f"header of {len(header)} bytes, at most {MAX_HEADER}")
    if len(payload) > MAX_PAYLOAD:
        raise ProtocolError(f"payload of {len(payload)} bytes, at most {MAX_PAYLOAD}")
    return _PREFIX.pack(len(header), len(payload)) + header + payload


def decode(header: bytes, payload_size: int) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Decode the header of a frame into a message whose arrays have no numbers yet.

    Args:
        header: untrusted bytes in msgpack.
        payload_size: number of bytes in the payload.

    Returns:
        The message, and a list of the arrays in the message, which the caller fills
        from the payload in this order.

    Raises:
        ProtocolError: the header is not valid, or its arrays need another number of
            bytes than the payload has.
    """
    arrays: list[np.ndarray] = []
    left = payload_size

    def decode_array(code: int, data: bytes) -> np.ndarray:
        nonlocal left
        if code != _ARRAY:
            raise ProtocolError("unknown extension type")
        item = msgpack.unpackb(data, max_array_len=MAX_NDIM, max_str_len=16)
        if type(item) is not list or len(item) != 2:
            raise ProtocolError("not a dtype and a shape")
        name, shape = item
        if type(shape) is not list or not all(
            type(n) is int and 0 <= n <= MAX_DIM for n in shape
        ):
            raise ProtocolError("bad shape")
        dtype = _DTYPES[name]
        left -= math.prod(shape) * dtype.itemsize
        if left < 0:
            raise ProtocolError("array longer than its payload")
        arrays.append(np.empty(shape, dtype))
        return arrays[-1]

    try:
        message = msgpack.unpackb(
            header,
            ext_hook=decode_array,
            object_pairs_hook=as_dict,
            raw=False,
            strict_map_key=True,
        )
    except ProtocolError:
        raise
    # Hostile bytes can cause any exception; each means that they are no frame.
    except Exception as error:
        raise ProtocolError(f"not a frame: {type(error).__name__}") from None
    if not isinstance(message, dict) or not is_plain(message):
        raise ProtocolError("not a message")
    if left:
        raise ProtocolError("payload longer than its arrays")
    return message, arrays


def as_dict(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Return pairs (key, value) as a dict.

    Raises:
        ProtocolError: two pairs have the same key.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ProtocolError("a key comes twice")
    return found


def is_plain(value: Any, depth: int = 0) -> bool:
    """Return whether a value and everything in it has a type that `encode` accepts.

    `decode` calls this function, because msgpack has more types.

    Args:
        value: the value.
        depth: the number of lists and dicts in which the value lies. If it is larger
            than MAX_DEPTH, the result is False.
    """
    if depth > MAX_DEPTH:
        return False
    if isinstance(value, dict):
        return all(
            isinstance(k, str) and is_plain(v, depth + 1) for k, v in value.items()
        )
    if isinstance(value, list):
        return all(is_plain(v, depth + 1) for v in value)
    return value is None or isinstance(
        value, bool | int | float | str | bytes | np.ndarray
    )


def send(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Write a message as one frame.

    Raises:
        ProtocolError: the message cannot be encoded.
    """
    stream.write(encode(message))
    stream.flush()


class Readable(Protocol):
    """Interface of a stream from which frames are read."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Read bytes into the beginning of a buffer; return their number.

        0 and None mean the end of the stream.
        """


class Capped:
    """A stream from which at most `MAX_SESSION` bytes can be read.

    Args:
        stream: the stream from which the bytes are read.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.left = MAX_SESSION

    def readinto(self, buffer: memoryview) -> int | None:
        """Read bytes into the beginning of a buffer; return their number.

        0 and None mean the end of the stream.

        Raises:
            ProtocolError: more than `MAX_SESSION` bytes have been read in all.
        """
        count = self.stream.readinto(buffer)  # type: ignore[attr-defined]
        self.left -= count or 0
        if self.left < 0:
            raise ProtocolError(f"more than {MAX_SESSION >> 20} MB in all")
        return count


def receive(
    stream: Readable, look: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any] | None:
    """Read one frame; return its message, or None at the end of the stream.

    Args:
        stream: the stream.
        look: function that inspects the message before the payload is read, when the
            arrays have shapes and dtypes, but no numbers yet. If the function raises an
            exception, the payload is not read, and the exception is passed on.

    Raises:
        ProtocolError: the bytes are no frame, or the frame is incomplete or too long.
    """
    prefix = bytearray(_PREFIX.size)
    if not (count := stream.readinto(memoryview(prefix))):
        return None
    fill(stream, memoryview(prefix)[count:])
    header_size, payload_size = _PREFIX.unpack(prefix)
    if header_size > MAX_HEADER or payload_size > MAX_PAYLOAD:
        raise ProtocolError(f"too long: {header_size} + {payload_size} bytes")
    header = bytearray(header_size)
    fill(stream, memoryview(header))
    message, arrays = decode(bytes(header), payload_size)
    if look:
        look(message)
    for array in arrays:
        raw = array.reshape(-1).view(np.uint8)
        fill(stream, raw.data)
        if array.dtype == bool:
            # In NumPy, each bool must be the byte 0 or 1.
            np.minimum(raw, 1, out=raw)
    return message


def fill(stream: Readable, buffer: memoryview) -> None:
    """Read from a stream until a buffer is full.

    Raises:
        ProtocolError: the stream ends before the buffer is full.
    """
    while buffer:
        count = stream.readinto(buffer)
        if not count:
            raise ProtocolError("cut short")
        buffer = buffer[count:]
